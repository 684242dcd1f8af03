// Sub-resources and usage in the engine: one write with the subscription's change, in its stream,
// there again after a restart.
#include <boost/test/unit_test.hpp>

#include "actors/metric_poller.hpp"
#include "core/lifecycle/json.hpp"
#include "store/repository.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using action = core::subscription_action;
using step = core::resource_action;
using names = std::vector<std::string>;
using tests::market;
using tests::wait_until;

struct parts_fixture : tests::engine_fixture {
  // Servers under a context, which the plan provides.
  market sell(core::fulfilment_mode mode = core::fulfilment_mode::vendor_confirms) {
    market m = make_market();
    core::product p = *engine().catalog()->find(m.product);
    p.resource_types = {{"context", core::resource_class::service, "",
                         core::resource_context::customer, "", core::link_strength::weak},
                        {"vps", core::resource_class::service, "unit",
                         core::resource_context::customer, "context", core::link_strength::strong}};
    p.metrics.resize(1);
    p.metrics[0].name = "disk";
    p.mode = mode;
    restart([&] { write_product(p); });
    core::plan plan;
    plan.product = m.product;
    plan.name = "servers";
    plan.resources.resize(3);
    plan.resources[0].name = "context";
    plan.resources[0].limit = 1;
    plan.resources[0].auto_provide = 1;
    plan.resources[1].name = "vps";
    plan.resources[1].limit = 2;
    plan.resources[1].overage = 0;
    plan.resources[2].name = "disk";
    plan.resources[2].limit = 10;
    plan.resources[2].overage = 5;
    m.plan = {created(actors::create_plan{plan})};
    return m;
  }
  void write_product(const core::product& p) {
    store::database_options o;
    o.directory = options.directory;
    auto db = store::database::open(o);
    BOOST_REQUIRE(db.ok());
    const auto secrets = store::vault::with_key(options.master_key);
    store::write_plan plan;
    store::repository(**db, *secrets).put(plan, p);
    BOOST_REQUIRE((*db)->write({&plan}, {}, true).result == store::commit_result::committed);
  }
  core::result<actors::answer> order_part(core::subscription_id id, actors::resource_order order,
                                          std::optional<std::uint64_t> if_match = {}) {
    return await([&](actors::write_reply reply) {
      auto o = by_test();
      o.if_match = if_match;
      engine().command(
          id, std::move(order), std::move(o),
          [](const core::resource& r, bool changed) {
            return actors::answer{changed ? 200 : 204, std::to_string(r.id.value)};
          },
          std::move(reply));
    });
  }
  core::resource_id create(core::subscription_id id, std::string type) {
    core::new_resource wanted;
    wanted.type = std::move(type);
    const auto a = order_part(id, wanted);
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return {std::stoull(a->body)};
  }
  core::result<actors::answer> try_step(core::subscription_id id, core::resource_id r, step what,
                                        std::optional<std::uint64_t> if_match = {}) {
    core::resource_command c;
    c.action = what;
    return order_part(id, actors::resource_step{r, c}, if_match);
  }
  void act_on(core::subscription_id id, core::resource_id r, step what) {
    const auto a = try_step(id, r, what);
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
  }
  std::vector<core::resource> resources(core::subscription_id id) {
    auto found = engine().resources(id, {}, {});
    BOOST_REQUIRE(found.ok());
    return found->items;
  }
  names told(core::subscription_id id) {
    names out;
    std::uint64_t seq = 0;
    for (const auto& e : events_of(id)) {
      BOOST_REQUIRE_EQUAL(e.seq, ++seq);
      out.push_back(e.name);
    }
    return out;
  }
  actors::usage_outcomes push(std::vector<actors::usage_item> items) {
    actors::usage_outcomes out;
    const auto a = await([&](actors::write_reply reply) {
      engine().report_usage(
          std::move(items), by_test(),
          [&out](const actors::usage_outcomes& each) {
            out = each;
            return actors::answer{200, {}};
          },
          std::move(reply));
    });
    BOOST_REQUIRE(a.ok());
    return out;
  }
  static core::usage_report disk(std::int64_t value, core::timestamp start) {
    core::usage_report r;
    r.metric = "disk";
    r.value = core::whole(value);
    r.window_start = start;
    r.window_end = start + 1h;
    return r;
  }
};

#define TEST_NAMES(got, ...) \
  BOOST_TEST((got) == (names{__VA_ARGS__}), boost::test_tools::per_element())

}  // namespace

BOOST_FIXTURE_TEST_SUITE(parts, parts_fixture)

BOOST_AUTO_TEST_CASE(resources_live_with_their_subscription_and_survive_a_restart) {
  const auto m = sell();
  const auto id = order(m, true);
  const auto made = resources(id);
  BOOST_REQUIRE_EQUAL(made.size(), 1U);
  const auto context = made[0].id;
  act_on(id, context, step::report_ready);
  report(id, action::report_deployed);
  const auto vps = create(id, "vps");
  act_on(id, vps, step::report_ready);
  // What is under way at a restart may arrive twice, and arrivals are counted at the end.
  wait_until([&] { return engine().status().counters.pending() == 0; });
  restart();
  BOOST_TEST(try_step(id, vps, step::report_ready)->status == 204);  // a repeat changes nothing
  BOOST_TEST(try_step(id, vps, step::disable, 99).failure().code == "version_mismatch");
  act(id, action::suspend);
  for (const auto& r : resources(id)) {
    BOOST_TEST((r.status == core::resource_status::disabled));
  }
  act(id, action::resume);
  act(id, action::terminate);
  act(id, action::report_undeployed);
  TEST_NAMES(told(id), "subscription.created", "resource.created", "quota.reached",
             "resource.ready", "subscription.activated", "resource.created", "resource.ready",
             "subscription.suspended", "resource.disabled", "resource.disabled",
             "subscription.resumed", "resource.enabled", "resource.enabled",
             "subscription.deprovision_requested", "resource.changed", "resource.changed",
             "resource.removed", "resource.removed", "subscription.terminated");
  for (const auto& r : resources(id)) {
    BOOST_TEST((r.status == core::resource_status::deleted));
  }
  const auto removed = events_of(id)[16];
  BOOST_TEST(removed.metadata.at("resource_id") == std::to_string(vps.value));
  BOOST_TEST(removed.data.find("\"change\":{\"resource\":{\"id\":" + std::to_string(vps.value)) !=
             std::string::npos);
  // None of them has a Cloudesire form: the vendor's endpoint got the subscription's alone.
  wait_until([&] { return engine().status().counters.pending() == 0; });
  BOOST_TEST(vendor.received().size() == 6U);
}

BOOST_AUTO_TEST_CASE(the_last_resource_that_is_ready_deploys_when_the_product_says_so) {
  const auto m = sell(core::fulfilment_mode::resource_driven);
  const auto id = order(m, true);
  const auto context = resources(id).at(0).id;
  act_on(id, context, step::report_ready);
  BOOST_TEST((engine().subscription(id)->status == core::subscription_status::deployed));
  TEST_NAMES(told(id), "subscription.created", "resource.created", "quota.reached",
             "resource.ready", "subscription.activated");
}

BOOST_AUTO_TEST_CASE(a_hard_limit_blocks_and_refusals_leave_no_trace) {
  const auto m = sell();
  const auto id = order(m, true);
  act_on(id, resources(id).at(0).id, step::report_ready);
  create(id, "vps");
  create(id, "vps");
  const auto before = told(id);
  core::new_resource third;
  third.type = "vps";
  BOOST_TEST(order_part(id, third).failure().code == "quota_blocked");
  BOOST_TEST(try_step(id, {999}, step::enable).failure().code == "not_found");
  BOOST_TEST(resources(id).size() == 3U);
  TEST_NAMES(before, "subscription.created", "resource.created", "quota.reached", "resource.ready",
             "resource.created", "resource.created", "quota.reached");
  BOOST_TEST(told(id) == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(usage_is_kept_corrected_and_judged_item_by_item) {
  options.tell_usage_records = true;
  restart();
  const auto m = sell();
  const auto id = order(m, true);
  report(id, action::report_deployed);
  const auto hour = std::chrono::floor<std::chrono::hours>(engine().now());
  const auto pending = order(m, true);
  auto out = push({{id, disk(9, hour)},
                   {pending, disk(1, hour)},
                   {core::subscription_id{9'999}, disk(1, hour)},
                   {id, disk(10, hour)},
                   {id, disk(16, hour)}});
  BOOST_REQUIRE_EQUAL(out.size(), 5U);
  BOOST_TEST((out[0].ok() && out[0]->effect == core::usage_effect::recorded));
  BOOST_TEST(out[1].failure().status == "PENDING");
  BOOST_TEST(out[2].failure().code == "not_found");
  BOOST_TEST((out[3]->effect == core::usage_effect::corrected));
  BOOST_TEST(out[4].failure().code == "quota_blocked");
  restart();
  out = push({{id, disk(10, hour)}, {id, disk(15, hour)}});
  BOOST_TEST((out[0]->effect == core::usage_effect::repeated));
  BOOST_TEST((out[1]->effect == core::usage_effect::corrected));
  const auto stored = engine().usage(id, {}, {});
  BOOST_REQUIRE(stored.ok());
  BOOST_REQUIRE_EQUAL(stored->items.size(), 1U);
  BOOST_TEST((stored->items[0].value == core::whole(15)));
  BOOST_TEST(stored->items[0].corrections == 2U);
  TEST_NAMES(told(id), "subscription.created", "resource.created", "quota.reached",
             "subscription.activated", "usage.recorded", "quota.reached", "usage.recorded",
             "quota.exceeded", "quota.blocked", "usage.recorded");
}

BOOST_AUTO_TEST_CASE(windows_close_by_a_timer_that_is_on_disk) {
  const auto m = sell();
  const auto id = order(m, true);
  report(id, action::report_deployed);
  const auto now = engine().now();
  auto old = disk(3, now - 2h);
  old.window_end = now - 1h + 1500ms;
  BOOST_TEST(push({{id, old}})[0].ok());
  restart();
  wait_until([&] { return told(id).back() == "usage.window_closed"; });
  const auto stored = engine().usage(id, {}, {});
  BOOST_TEST((stored->items.at(0).state == core::usage_state::closed));
  BOOST_TEST((push({{id, old}})[0]->effect == core::usage_effect::repeated));
  old.value = core::whole(4);
  BOOST_TEST(push({{id, old}})[0].failure().code == "window_closed");
}

BOOST_AUTO_TEST_CASE(answers_of_metric_endpoints_are_read_strictly) {
  BOOST_TEST((actors::parse_metric_answer(R"({"value":3.0})").value() == core::whole(3)));
  BOOST_TEST((actors::parse_metric_answer(R"({"value":31.67,"x":1})")->micros == 31'670'000));
  BOOST_TEST((actors::parse_metric_answer(R"({"value":2})").value() == core::whole(2)));
  for (const char* text : {"", "3", "[]", "{}", R"({"value":"3"})", R"({"value":null})", "{"}) {
    BOOST_TEST(actors::parse_metric_answer(text).failure().code == "no_value", text);
  }
  BOOST_TEST(actors::parse_metric_answer(R"({"value":-1})").failure().code == "bad_value");
  BOOST_TEST(actors::parse_metric_answer(R"({"value":1e300})").failure().code == "bad_value");
}

BOOST_AUTO_TEST_CASE(a_metric_is_asked_for_and_its_failures_are_shown) {
  const auto m = sell();
  core::product p = *engine().catalog()->find(m.product);
  core::metric asked;
  asked.name = "disk";
  asked.url = vendor.url();
  asked.headers.push_back({"X-Key", core::secret_bytes{"secret"}});
  asked.frequency = 1s;
  p.metrics = {asked};
  restart([&] { write_product(p); });
  vendor.answer_with(200, R"({"value":4.25})");
  const auto id = order(m, true);
  report(id, action::report_deployed);
  const auto polls = [&] { return engine().metric_polls(id).value(); };
  wait_until([&] { return polls().contains("disk") && polls().at("disk").answered_at; });
  const auto stored = engine().usage(id, {}, {})->items.at(0);
  BOOST_TEST(stored.key.source == "poll");
  BOOST_TEST((stored.value.micros == 4'250'000));
  vendor.answer_with(500);
  wait_until([&] { return polls().at("disk").failures > 0; });
  BOOST_TEST(polls().at("disk").problem == "http_500");
  BOOST_TEST(engine().metrics().polls_answered >= 1U);
  BOOST_TEST(engine().metrics().polls_failed >= 1U);
  bool seen = false;
  for (const auto& request : vendor.received()) {
    if (request.method != "GET") continue;
    seen = true;
    BOOST_TEST(request.header("CD-Subscription-Id") == std::to_string(id.value));
    BOOST_TEST(request.header("X-Key") == "secret");
    BOOST_TEST(request.body.empty());
  }
  BOOST_TEST(seen);
  // The next question stands on disk.
  restart();
  vendor.answer_with(200, R"({"value":5})");
  wait_until([&] { return polls().at("disk").value == core::whole(5); });
  act(id, action::terminate);
  BOOST_TEST(polls().empty());
}

BOOST_AUTO_TEST_CASE(usage_is_listed_page_by_page) {
  const auto m = sell();
  const auto id = order(m, true);
  report(id, action::report_deployed);
  const auto hour = std::chrono::floor<std::chrono::hours>(engine().now());
  std::vector<actors::usage_item> items;
  for (int i = 0; i < 5; ++i) {
    auto r = disk(1, hour - i * 1min);
    r.metric = i % 2 == 0 ? "disk" : "mails";
    items.push_back({id, r});
  }
  for (const auto& each : push(items)) BOOST_TEST(each.ok());
  std::vector<core::usage_record> seen;
  actors::page_request page{2, {}};
  while (true) {
    const auto found = engine().usage(id, {}, page);
    BOOST_REQUIRE(found.ok());
    for (const auto& r : found->items) seen.push_back(r);
    if (!found->next) break;
    page.after = *found->next;
  }
  BOOST_REQUIRE_EQUAL(seen.size(), 5U);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    BOOST_TEST((seen[i - 1].key.window_start < seen[i].key.window_start));
  }
  actors::usage_filter f;
  f.metric = "mails";
  BOOST_TEST(engine().usage(id, f, {})->items.size() == 2U);
  f = {};
  f.since = hour - 3min;
  f.until = hour - 1min;
  BOOST_TEST(engine().usage(id, f, {})->items.size() == 3U);
  BOOST_TEST(engine().usage(id, f, {50, "nonsense"}).failure().fields.at(0).pointer == "?after");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated
