// Money, prices and the rules of the catalogue. The figures are those of domain.md, 1.13.
#include <boost/test/unit_test.hpp>

#include "core/base/limits.hpp"
#include "core/lifecycle/catalog_rules.hpp"
#include "core/lifecycle/money.hpp"
#include "core/lifecycle/pricing.hpp"

namespace core = syndicated::core;
using namespace std::chrono_literals;

namespace {

constexpr core::micros unit = 1'000'000;
constexpr core::timestamp start = core::from_unix_ms(1'767'225'600'000);  // 2026-01-01

core::resource_rate rate(core::rate_scheme scheme, core::micros low, core::micros high) {
  return {scheme, {{1, 9, low * unit, 0}, {10, std::nullopt, high * unit, 0}}, 0, "EUR"};
}
core::micros price(const core::resource_rate& r, std::int64_t units) {
  return core::price_of(r, {units, 1})->recurring;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(money)

BOOST_AUTO_TEST_CASE(text_and_back) {
  BOOST_TEST(core::money_text(0) == "0.00");
  BOOST_TEST(core::money_text(31'666'667) == "31.666667");
  BOOST_TEST(core::money_text(-2'500'000) == "-2.50");
  BOOST_TEST(core::money_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854.775808");
  BOOST_TEST(*core::parse_money("2") == 2 * unit);
  BOOST_TEST(*core::parse_money("0.000001") == 1);
  BOOST_TEST(*core::parse_money("1000000000") == core::limits::price_micros_max);
  for (const char* wrong : {"", ".5", "1.", "-1", "+1", "1e3", "1,5", " 1", "0.0000001",
                            "1000000000.000001", "9999999999999"}) {
    BOOST_TEST(!core::parse_money(wrong).has_value(), wrong);
  }
}

BOOST_AUTO_TEST_CASE(coins_differ_by_currency) {
  BOOST_TEST(core::rounded_to_coin(31'666'667, "EUR") == 31'670'000);
  BOOST_TEST(core::rounded_to_coin(31'665'000, "EUR") == 31'670'000);
  BOOST_TEST(core::rounded_to_coin(31'664'999, "EUR") == 31'660'000);
  BOOST_TEST(core::rounded_to_coin(-31'665'000, "EUR") == -31'670'000);
  BOOST_TEST(core::rounded_to_coin(31'500'000, "JPY") == 32'000'000);
  BOOST_TEST(core::rounded_to_coin(31'666'667, "KWD") == 31'667'000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pricing)

BOOST_AUTO_TEST_CASE(fifteen_units_by_every_scheme) {
  BOOST_TEST(price(rate(core::rate_scheme::tiered, 5, 3), 15) == 63 * unit);
  BOOST_TEST(price(rate(core::rate_scheme::volume, 5, 3), 15) == 45 * unit);
  BOOST_TEST(price(rate(core::rate_scheme::stairstep, 30, 100), 15) == 100 * unit);
  const core::resource_rate each{core::rate_scheme::per_unit, {{1, {}, 2 * unit, 0}}, 0, "EUR"};
  const core::resource_rate flat{core::rate_scheme::flat, {{1, {}, 2 * unit, 0}}, 0, "EUR"};
  BOOST_TEST(price(each, 15) == 30 * unit);
  BOOST_TEST(price(flat, 15) == 2 * unit);
}

BOOST_AUTO_TEST_CASE(the_edges_of_ranges) {
  for (const auto scheme : {core::rate_scheme::tiered, core::rate_scheme::volume}) {
    BOOST_TEST(price(rate(scheme, 5, 3), 0) == 0);
    BOOST_TEST(price(rate(scheme, 5, 3), 1) == 5 * unit);
    BOOST_TEST(price(rate(scheme, 5, 3), 9) == 45 * unit);
  }
  BOOST_TEST(price(rate(core::rate_scheme::tiered, 5, 3), 10) == 48 * unit);
  BOOST_TEST(price(rate(core::rate_scheme::volume, 5, 3), 10) == 30 * unit);
  BOOST_TEST(price(rate(core::rate_scheme::stairstep, 30, 100), 9) == 30 * unit);
  BOOST_TEST(price(rate(core::rate_scheme::stairstep, 30, 100), 10) == 100 * unit);
  // A half unit above nine stands in the second range, for its own half.
  BOOST_TEST(core::price_of(rate(core::rate_scheme::tiered, 5, 3), {19, 2})->recurring ==
             46'500'000);
  BOOST_TEST(core::price_of(rate(core::rate_scheme::volume, 5, 3), {19, 2})->recurring ==
             28'500'000);
}

BOOST_AUTO_TEST_CASE(one_off_costs_are_those_of_the_order_and_of_the_ranges_reached) {
  core::resource_rate r = rate(core::rate_scheme::tiered, 5, 3);
  r.setup = 1;
  r.ranges[0].setup = 10;
  r.ranges[1].setup = 100;
  BOOST_TEST(core::price_of(r, {9, 1})->setup == 11);
  BOOST_TEST(core::price_of(r, {10, 1})->setup == 111);
  r.scheme = core::rate_scheme::volume;
  BOOST_TEST(core::price_of(r, {10, 1})->setup == 101);
  BOOST_TEST(core::price_of(r, {0, 1})->setup == 0);
}

BOOST_AUTO_TEST_CASE(what_is_included_costs_nothing) {
  BOOST_TEST(core::beyond_included({5, 2}, 2).numerator == 1);
  BOOST_TEST(core::beyond_included({5, 2}, 3).numerator == 0);
}

BOOST_AUTO_TEST_CASE(a_price_that_does_not_fit_is_refused) {
  const core::resource_rate r{
      core::rate_scheme::per_unit, {{1, {}, core::limits::price_micros_max, 0}}, 0, "EUR"};
  BOOST_TEST(!core::price_of(r, {core::limits::units_max, 1}).ok());
  BOOST_TEST(core::price_of(r, {9'000, 1}).ok());
}

// 10 users for 10 days, 20 for 15, 15 for 5; 30 days, 2 EUR each: 31.67.
BOOST_AUTO_TEST_CASE(the_average_and_the_peak_of_a_month) {
  const std::vector<core::usage_sample> samples{
      {start + 600h, 15 * unit}, {start, 10 * unit}, {start + 240h, 20 * unit}};
  const core::resource_rate r{core::rate_scheme::per_unit, {{1, {}, 2 * unit, 0}}, 0, "EUR"};
  const auto of = [&](core::metric_function f) {
    const auto units = core::aggregated(core::metric_kind::gauge, f, samples, start, start + 720h);
    BOOST_REQUIRE(units.ok());
    return core::rounded_to_coin(core::price_of(r, *units)->recurring, "EUR");
  };
  BOOST_TEST(of(core::metric_function::average) == 31'670'000);
  BOOST_TEST(of(core::metric_function::peak) == 40 * unit);
}

BOOST_AUTO_TEST_CASE(hours_count_with_their_highest_value) {
  const auto units = [](core::metric_kind kind, core::metric_function f,
                        std::vector<core::usage_sample> samples) {
    return core::aggregated(kind, f, std::move(samples), start, start + 2h);
  };
  const auto avg = core::metric_function::average;
  // 5 before the period stands; a spike of a minute is its whole hour; 1 from then on.
  const std::vector<core::usage_sample> seen{
      {start - 1h, 5 * unit}, {start + 30min, 9 * unit}, {start + 31min, 1 * unit}};
  const auto gauge = units(core::metric_kind::gauge, avg, seen);
  BOOST_TEST(gauge->numerator == 10 * unit);
  BOOST_TEST(gauge->denominator == 2 * unit);
  // A fall at the full hour takes the hour with it; a counter adds what came in the period.
  BOOST_TEST(
      units(core::metric_kind::gauge, avg, {{start, 4 * unit}, {start + 1h, 0}})->numerator ==
      4 * unit);
  const auto counted = units(core::metric_kind::counter, core::metric_function::peak, seen);
  BOOST_TEST(counted->numerator == 10 * unit);
  BOOST_TEST(counted->denominator == unit);
  BOOST_TEST(units(core::metric_kind::counter, avg, {{start + 2h, unit}})->numerator == 0);
  BOOST_TEST(!core::aggregated(core::metric_kind::gauge, avg, {}, start, start).ok());
  BOOST_TEST(!core::aggregated(core::metric_kind::gauge, avg, {}, start, start + 90'000h).ok());
}

// Scaled price = price x remaining hours / hours in the period, hours rounded up; then minus the
// old and plus the new quantity.
BOOST_AUTO_TEST_CASE(a_quantity_that_changes_inside_a_period) {
  const core::resource_rate r{core::rate_scheme::per_unit, {{1, {}, 3 * unit, 0}}, 0, "EUR"};
  const auto part = core::remaining_part(start + 480h + 1min, start, start + 720h);
  BOOST_REQUIRE(part.ok());
  BOOST_TEST(part->remaining_hours == 240);  // 239 h 59 min
  BOOST_TEST(part->total_hours == 720);
  const auto d = core::price_difference(r, {10, 1}, {16, 1}, *part);
  BOOST_TEST(d->credit == -10 * unit);
  BOOST_TEST(d->debit == 16 * unit);
  BOOST_TEST(core::remaining_part(start, start, start + 1h)->remaining_hours == 1);
  BOOST_TEST(!core::remaining_part(start - 1h, start, start + 1h).ok());
  BOOST_TEST(!core::remaining_part(start + 2h, start, start + 1h).ok());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(catalog_rules)

// The pointer of the only mistake; "" when there is none, "?" when there are several.
template <class... Args>
std::string mistake(const Args&... args) {
  const auto ok = core::check(args...);
  if (ok) return {};
  const auto& fields = ok.failure().fields;
  return fields.size() == 1 ? fields.front().pointer : "?";
}

core::plan plan_with(core::plan_resource r) {
  core::plan p;
  p.resources = {std::move(r)};
  return p;
}

BOOST_AUTO_TEST_CASE(of_a_plans_resources) {
  core::product product;
  core::plan_resource r;
  r.name = "vps";
  BOOST_TEST(mistake(plan_with(r), product).empty());
  const auto with = [&](auto change) {
    core::plan_resource changed = r;
    change(changed);
    return mistake(plan_with(std::move(changed)), product);
  };
  BOOST_TEST(with([](auto& x) { x.max = 1, x.min = 2; }) == "/resources/0/max");
  BOOST_TEST(with([](auto& x) { x.max = 1, x.included = 2; }) == "/resources/0/included");
  BOOST_TEST(with([](auto& x) { x.limit = 1, x.auto_provide = 2; }) == "/resources/0/auto_provide");
  BOOST_TEST(with([](auto& x) { x.limit = 1, x.min = 2; }) == "/resources/0/min");
  BOOST_TEST(with([](auto& x) { x.overage = 0; }) == "/resources/0/overage");
  BOOST_TEST(with([](auto& x) { x.limit = 0, x.presence = core::resource_presence::required; }) ==
             "/resources/0/presence");
  core::plan twice = plan_with(r);
  twice.resources.push_back(r);
  BOOST_TEST(mistake(twice, product) == "/resources/1/name");
  product.resource_types.resize(1);
  product.resource_types[0].name = "tenant";
  BOOST_TEST(mistake(plan_with(r), product) == "/resources/0/name");
  BOOST_TEST(!core::declares(product, plan_with(r)));
  product.resource_types[0].name = "vps";
  BOOST_TEST(mistake(plan_with(r), product).empty());
  BOOST_TEST(core::declares(product, plan_with(r)));
}

BOOST_AUTO_TEST_CASE(of_rates) {
  const core::product product;
  const auto with = [&](core::rate_scheme scheme, std::vector<core::price_range> ranges,
                        const std::string& currency = "EUR") {
    core::plan_resource r;
    r.name = "vps";
    r.rate = core::resource_rate{scheme, std::move(ranges), 0, currency};
    return mistake(plan_with(std::move(r)), product);
  };
  const auto tiered = core::rate_scheme::tiered;
  const std::string at = "/resources/0/rate/";
  BOOST_TEST(with(tiered, {{1, 9, 0, 0}, {10, {}, 0, 0}}).empty());
  BOOST_TEST(with(tiered, {{1, {}, 0, 0}}, "eur") == at + "currency");
  BOOST_TEST(with(tiered, {}) == at + "ranges");
  BOOST_TEST(with(core::rate_scheme::flat, {{1, 9, 0, 0}, {10, {}, 0, 0}}) == at + "ranges");
  BOOST_TEST(with(tiered, {{0, {}, 0, 0}}) == at + "ranges/0/from");
  BOOST_TEST(with(tiered, {{1, 9, 0, 0}, {11, {}, 0, 0}}) == at + "ranges/1/from");  // a gap
  BOOST_TEST(with(tiered, {{1, 9, 0, 0}, {9, {}, 0, 0}}) == at + "ranges/1/from");   // twice
  BOOST_TEST(with(tiered, {{1, 9, 0, 0}}) == at + "ranges/0/to");
  BOOST_TEST(with(tiered, {{1, {}, 0, 0}, {1, {}, 0, 0}}) == at + "ranges/0/to");
  BOOST_TEST(with(tiered, {{1, 0, 0, 0}, {1, {}, 0, 0}}) == at + "ranges/0/to");
}

BOOST_AUTO_TEST_CASE(of_a_plans_terms) {
  const core::product product;
  core::plan p;
  p.billing_period_months = 3;
  p.commitment_options.resize(1);
  BOOST_TEST(mistake(p, product).empty());
  p.commitment_options[0].term_months = 4;
  BOOST_TEST(mistake(p, product) == "/commitment_options/0/term_months");
  p.commitment_options[0] = {};
  p.commitment_options[0].volume_min = 2;
  p.commitment_options[0].volume_max = 1;
  BOOST_TEST(mistake(p, product) == "/commitment_options/0/volume/max");
  core::plan brief;
  brief.lifespan_hours = 2;
  BOOST_TEST(mistake(brief, product) == "/auto_renewable");
  brief.auto_renewable = false;
  BOOST_TEST(mistake(brief, product).empty());
  brief.minimum_duration_months = 1;
  BOOST_TEST(mistake(brief, product) == "/minimum_duration_months");
}

BOOST_AUTO_TEST_CASE(of_products) {
  core::product p;
  p.resource_types.resize(2);
  p.resource_types[0].name = "root";
  p.resource_types[1].name = "tenant";
  p.resource_types[1].parent_type = "root";
  p.resource_types[1].link = core::link_strength::strong;
  BOOST_TEST(mistake(p).empty());
  const auto with = [&](auto change) {
    core::product changed = p;
    change(changed);
    return mistake(changed);
  };
  BOOST_TEST(with([](auto& x) { x.resource_types[1].name = "root"; }) == "/resource_types/1/name");
  BOOST_TEST(with([](auto& x) { x.resource_types[1].parent_type = "x"; }) ==
             "/resource_types/1/parent_type");
  BOOST_TEST(with([](auto& x) { x.resource_types[0].parent_type = "tenant"; }) == "?");  // a ring
  BOOST_TEST(with([](auto& x) { x.resource_types[1].parent_type = ""; }) ==
             "/resource_types/1/link");
  BOOST_TEST(with([](auto& x) { x.config_parameters.resize(2); }) == "/config_parameters/1/code");
  BOOST_TEST(with([](auto& x) { x.metrics.resize(2); }) == "/metrics/1/name");
  BOOST_TEST(with([](auto& x) {
               x.config_parameters.resize(1);
               x.config_parameters[0].external_values = true;
             }) == "/parameter_value_url");
  BOOST_TEST(with([](auto& x) { x.provisioning.fail_after = 721h; }) ==
             "/provisioning/fail_after_s");
  BOOST_TEST(with([](auto& x) { x.provisioning = {2h, 1h}; }) == "/provisioning/overdue_after_s");
  BOOST_TEST(with([](auto& x) { x.lifecycle.cancel_grace = 1h; }) == "/lifecycle/cancel_grace_s");
  BOOST_TEST(with([](auto& x) {
               x.lifecycle.cancel_grace = 0h;
               x.lifecycle.destroy_on_cancel = true;
             }).empty());
}

// Every word is read back as what it was written for.
BOOST_AUTO_TEST_CASE(words_and_back) {
  const auto all = [](auto parse, auto last) {
    for (int i = 1; i <= static_cast<int>(last); ++i) {
      const auto value = static_cast<decltype(last)>(i);
      BOOST_TEST((parse(core::to_string(value)) == value));
    }
    BOOST_TEST(!parse("no such word").has_value());
    BOOST_TEST(!parse("").has_value());
  };
  all(core::parse_publication_state, core::publication_state::deleted);
  all(core::parse_product_type, core::product_type::api);
  all(core::parse_resource_class, core::resource_class::feature);
  all(core::parse_resource_context, core::resource_context::customer);
  all(core::parse_link_strength, core::link_strength::strong);
  all(core::parse_metric_kind, core::metric_kind::counter);
  all(core::parse_metric_function, core::metric_function::peak);
  all(core::parse_per_customer, core::per_customer::trial);
  all(core::parse_change_mode, core::change_mode::confirm);
  all(core::parse_silence_policy, core::silence_policy::wait);
  all(core::parse_fulfilment_mode, core::fulfilment_mode::resource_driven);
  all(core::parse_lifecycle_profile, core::lifecycle_profile::ms_saas);
  all(core::parse_rate_scheme, core::rate_scheme::stairstep);
  all(core::parse_value_type, core::value_type::payg);
  all(core::parse_resource_presence, core::resource_presence::required);
  all(core::parse_trial_mode, core::trial_mode::allowed_wo_payment_method);
  for (const char* text : {"30s", "1m", "2m", "5m", "30m", "1h", "24h", "48h", "1w"}) {
    const auto every = core::parse_metric_frequency(text);
    BOOST_REQUIRE(every.has_value());
    BOOST_TEST(core::metric_frequency_text(*every) == text);
  }
  BOOST_TEST(!core::parse_metric_frequency("3m").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
