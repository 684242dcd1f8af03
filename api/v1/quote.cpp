#include "api/v1/quote.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "api/v1/offer_fields.hpp"
#include "core/base/json_writer.hpp"
#include "core/lifecycle/money.hpp"
#include "core/lifecycle/pricing.hpp"

namespace syndicated::api::v1 {
namespace {

using namespace core::limits;
using quantities = std::vector<std::pair<std::string, std::int64_t>>;

struct usage_of {
  std::string resource;
  core::metric_kind kind = core::metric_kind::gauge;
  core::metric_function function = core::metric_function::average;
  std::vector<core::usage_sample> samples;
};

struct question {
  quantities now;
  std::optional<quantities> before;  // then `now` is a change inside the period
  std::vector<usage_of> usage;
  std::int64_t periods = 1;
  std::optional<core::timestamp> at, period_start, period_end;
  core::tenant_id buyer;
  core::string_map config;
};

const core::plan_resource* resource_named(const core::plan& plan, std::string_view name) {
  const auto found = std::ranges::find(plan.resources, name, &core::plan_resource::name);
  return found == plan.resources.end() ? nullptr : &*found;
}

// {"name": units}, of resources of the plan.
std::optional<quantities> read_quantities(object_reader& in, std::string_view name,
                                          const core::plan& plan) {
  auto given = in.integers(name, 0, units_max);
  if (!given) return std::nullopt;
  for (const auto& [resource, count] : *given) {
    if (resource_named(plan, resource) == nullptr) {
      in.refuse(pointer_to(name, resource), "the plan has no such resource");
    }
  }
  return given;
}

core::usage_sample read_sample(const json& given, const std::string& place, object_reader& into) {
  object_reader in{given, place};
  core::usage_sample out;
  out.at = in.required("at", in.time("at"));
  out.value = in.required("value", read_money(in, "value"));  // millionths, too
  into.absorb(std::move(in));
  return out;
}

usage_of read_one_usage(object_reader& outer, const std::string& name, const json& given,
                        const core::product* product) {
  const std::string place = pointer_to("/usage", name);
  usage_of out;
  out.resource = name;
  if (product != nullptr) {
    const auto metric = std::ranges::find(product->metrics, name, &core::metric::name);
    if (metric != product->metrics.end()) {
      out.kind = metric->kind;
      out.function = metric->function;
    }
  }
  object_reader in{given, place};
  out.kind = in.word("kind", core::parse_metric_kind, "gauge, counter").value_or(out.kind);
  out.function =
      in.word("function", core::parse_metric_function, "average, peak").value_or(out.function);
  const json* samples = in.value("samples");
  const json::array_type* items = samples != nullptr ? samples->array() : nullptr;
  if (items == nullptr || items->size() > usage_samples_max) {
    in.refuse("samples",
              "must be an array of at most " + std::to_string(usage_samples_max) + " objects");
  } else {
    for (std::size_t i = 0; i < items->size(); ++i) {
      out.samples.push_back(read_sample((*items)[i], place + "/samples/" + std::to_string(i), in));
    }
  }
  outer.absorb(std::move(in));
  return out;
}

std::vector<usage_of> read_usage(object_reader& in, const core::plan& plan,
                                 const core::product* product) {
  std::vector<usage_of> out;
  const json* given = in.value("usage");
  if (given == nullptr) return out;
  if (given->object() == nullptr || given->object()->size() > map_entries_max) {
    in.refuse("usage",
              "must be an object of at most " + std::to_string(map_entries_max) + " resources");
    return out;
  }
  for (const json::member& m : *given->object()) {
    if (resource_named(plan, m.name) == nullptr) {
      in.refuse(pointer_to("usage", m.name), "the plan has no such resource");
    } else {
      out.push_back(read_one_usage(in, m.name, m.value, product));
    }
  }
  return out;
}

core::result<question> read_question(const core::plan& plan, const core::product* product,
                                     const json& body) {
  object_reader in{body};
  question q;
  q.now = read_quantities(in, "quantities", plan).value_or(quantities{});
  q.before = read_quantities(in, "previous", plan);
  q.usage = read_usage(in, plan, product);
  const auto months = in.integer("months", 1, plan_months_max);
  if (months && *months % plan.billing_period_months != 0) {
    in.refuse("months", "must be a multiple of the plan's billing_period_months, which is " +
                            std::to_string(plan.billing_period_months));
  }
  q.periods = months.value_or(plan.billing_period_months) / plan.billing_period_months;
  q.at = in.time("at");
  q.period_start = in.time("period_start");
  q.period_end = in.time("period_end");
  q.buyer.value = in.id("tenant_id").value_or(0);
  q.config = in.string_map("config").value_or(core::string_map{});
  const auto needed = [&](const char* field, const auto& value, const char* why) {
    if (!value && !in.has(field)) in.refuse(field, std::string{"is required with "} + why);
  };
  if (q.before) needed("at", q.at, "previous");
  if (q.before || !q.usage.empty()) {
    needed("period_start", q.period_start, "previous and usage");
    needed("period_end", q.period_end, "previous and usage");
  }
  if (!q.before && q.at) in.refuse("at", "is for a change: it needs previous");
  if (q.before && months) in.refuse("months", "a change inside a period has no months");
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return q;
}

// Lines, and what they come to in each currency.
class bill {
 public:
  bill() { out_.begin_object().key("lines").begin_array(); }

  void line(std::string_view kind, const core::plan_resource& r, core::unit_count units,
            core::micros amount) {
    const core::micros paid = core::rounded_to_coin(amount, r.rate->currency);
    core::micros& total = totals_[r.rate->currency];
    too_large_ = __builtin_add_overflow(total, paid, &total) || too_large_;
    out_.begin_object();
    out_.key("kind").text(kind);
    out_.key("resource").text(r.name);
    out_.key("scheme").text(core::to_string(r.rate->scheme));
    out_.key("units").text(units_text(units));
    out_.key("amount").text(core::money_text(paid));
    out_.key("currency").text(r.rate->currency);
    out_.end_object();
  }

  core::result<std::string> finish(const core::plan& plan, std::int64_t periods) && {
    if (too_large_) return core::invalid_field("/quantities", "the sum of the prices does not fit");
    out_.end_array();
    out_.key("plan_id").number(plan.id.value);
    out_.key("plan_version").number(plan.version);
    out_.key("months").number(periods * plan.billing_period_months);
    out_.key("totals").begin_object();
    for (const auto& [currency, amount] : totals_) {
      out_.given_key(currency).text(core::money_text(amount));
    }
    out_.end_object();
    out_.end_object();
    return std::move(out_).str();
  }

 private:
  // Units to six decimals, for people; the amount comes from the exact fraction.
  static std::string units_text(core::unit_count units) {
    const std::int64_t whole = units.numerator / units.denominator;
    const std::int64_t rest = units.numerator % units.denominator;
    std::string text = std::to_string(whole);
    if (rest == 0) return text;
    using wide = __int128;
    const auto parts = static_cast<std::int64_t>(wide{rest} * 1'000'000 / units.denominator);
    std::string decimals = std::to_string(1'000'000 + parts).substr(1);
    while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
    return decimals.empty() ? text : text + '.' + decimals;
  }

  core::json_writer out_;
  std::map<std::string, core::micros> totals_;
  bool too_large_ = false;
};

std::int64_t count_of(const quantities& in, const std::string& name, std::int64_t otherwise) {
  const auto found = std::ranges::find(in, name, &quantities::value_type::first);
  return found == in.end() ? otherwise : found->second;
}

core::error at_place(std::string pointer, const core::error& why) {
  return core::invalid_field(std::move(pointer), why.detail);
}

// An order: every resource with a price, for all periods, and what is paid once.
core::result<void> order_lines(bill& out, const core::plan& plan, const question& q) {
  for (const core::plan_resource& r : plan.resources) {
    // What is counted afterwards is no part of the order.
    if (!r.rate || r.value_type != core::value_type::prepaid) continue;
    const core::unit_count units = core::beyond_included(
        {count_of(q.now, r.name, std::max(r.min, r.included)), 1}, r.included);
    const auto price = core::price_of(*r.rate, units);
    if (!price) return at_place("/quantities/" + r.name, price.failure());
    if (units.numerator == 0) continue;
    core::micros amount = 0;
    if (__builtin_mul_overflow(core::rounded_to_coin(price->recurring, r.rate->currency), q.periods,
                               &amount)) {
      return core::invalid_field("/months", "the price does not fit");
    }
    out.line("recurring", r, units, amount);
    if (price->setup != 0) out.line("setup", r, units, price->setup);
  }
  return {};
}

core::result<void> change_lines(bill& out, const core::plan& plan, const question& q) {
  const auto part = core::remaining_part(*q.at, *q.period_start, *q.period_end);
  if (!part) return part.failure();
  for (const core::plan_resource& r : plan.resources) {
    if (!r.rate || r.value_type != core::value_type::prepaid) continue;
    const std::int64_t usual = std::max(r.min, r.included);
    const std::int64_t before = count_of(*q.before, r.name, usual);
    const std::int64_t now = count_of(q.now, r.name, before);
    if (before == now) continue;
    const auto old_units = core::beyond_included({before, 1}, r.included);
    const auto new_units = core::beyond_included({now, 1}, r.included);
    const auto d = core::price_difference(*r.rate, old_units, new_units, *part);
    if (!d) return at_place("/quantities/" + r.name, d.failure());
    out.line("credit", r, old_units, d->credit);
    out.line("debit", r, new_units, d->debit);
  }
  return {};
}

core::result<void> usage_lines(bill& out, const core::plan& plan, const question& q) {
  for (const usage_of& u : q.usage) {
    const core::plan_resource& r = *resource_named(plan, u.resource);
    const std::string place = pointer_to("/usage", u.resource);
    if (!r.rate) return core::invalid_field(place, "the resource has no rate");
    auto units = core::aggregated(u.kind, u.function, u.samples, *q.period_start, *q.period_end);
    if (!units) return units.failure();
    *units = core::beyond_included(*units, r.included);
    const auto price = core::price_of(*r.rate, *units);
    if (!price) return at_place(place, price.failure());
    out.line("usage", r, *units, price->recurring);
  }
  return {};
}

}  // namespace

core::result<quote> quote_of(const core::plan& plan, const core::product* product,
                             const json& body) {
  const auto q = read_question(plan, product, body);
  if (!q) return q.failure();
  bill out;
  const bool change = q->before.has_value();
  const auto ordered = change ? change_lines(out, plan, *q) : order_lines(out, plan, *q);
  if (!ordered) return ordered.failure();
  if (const auto used = usage_lines(out, plan, *q); !used) return used.failure();
  auto text = std::move(out).finish(plan, change ? 0 : q->periods);
  if (!text) return std::move(text).failure();
  const bool of_order = change || !q->now.empty() || q->usage.empty();
  return quote{std::move(*text), of_order, {q->now.begin(), q->now.end()}, q->config, q->buyer};
}

}  // namespace syndicated::api::v1
