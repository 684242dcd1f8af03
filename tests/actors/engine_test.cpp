// The engine on a real store with real curl loops, against a loopback vendor.
#include "actors/local_engine.hpp"

#include <boost/test/unit_test.hpp>

#include "core/lifecycle/json.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using tests::engine_fixture;
using tests::wait_until;

BOOST_FIXTURE_TEST_SUITE(engine, engine_fixture)

BOOST_AUTO_TEST_CASE(a_committed_change_reaches_the_vendor_signed_and_in_order) {
  const auto market = make_market();
  const auto id = order(market, true);
  report(id, core::subscription_action::report_deployed);
  act(id, core::subscription_action::suspend);
  act(id, core::subscription_action::resume);
  wait_until([&] { return vendor.received().size() == 4; });
  const auto got = vendor.received();
  const auto events = events_of(id);
  for (std::size_t i = 0; i < got.size(); ++i) {
    BOOST_TEST(got[i].header("CMW-Event-Seq") == std::to_string(i + 1));
    BOOST_TEST(got[i].header("CMW-Event-Version") == std::to_string(events[i].entity_version));
    BOOST_TEST(got[i].header("CMW-Event-Signature") ==
               core::cloudesire_signature("MY_SECRET_TOKEN", got[i].body));
  }
  wait_until([&] { return engine().status().counters.pending() == 0; });
  BOOST_TEST(engine().status().counters.delivered == 4U);
}

BOOST_AUTO_TEST_CASE(a_refusal_leaves_no_trace) {
  const auto market = make_market();
  const auto id = order(market, false);
  const auto before = engine().subscription(id);
  const auto refused = try_act(id, core::subscription_action::renew);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "transition_not_allowed");
  BOOST_TEST(refused.failure().status == "WAITING_PAYMENT");
  const auto after = engine().subscription(id);
  BOOST_TEST(core::to_json(*before) == core::to_json(*after));
}

BOOST_AUTO_TEST_CASE(what_is_undelivered_survives_a_restart) {
  const auto market = make_market();
  vendor.answer_with(500);
  const auto id = order(market, true);
  act(id, core::subscription_action::report_deployed);
  wait_until([&] { return !vendor.received().empty(); });
  const std::string body = vendor.received().front().body;
  restart();
  BOOST_TEST(engine().status().counters.pending() == 2U);
  vendor.answer_with(204);
  wait_until([&] { return engine().status().counters.pending() == 0; });
  const auto got = vendor.received();
  BOOST_TEST(got.back().header("CMW-Event-Seq") == "2");
  BOOST_TEST(got[got.size() - 2].body == body);
}

BOOST_AUTO_TEST_CASE(an_exhausted_head_is_parked_and_can_be_replayed) {
  options.retry_schedule = {0ms, 1ms};
  restart();
  const auto market = make_market();
  vendor.answer_with(404);  // no overload, so its breaker stays closed
  const auto id = order(market, true);
  act(id, core::subscription_action::report_deployed);
  wait_until([&] { return engine().status().counters.parked == 1; });
  BOOST_TEST(engine().status().counters.pending() == 1U);  // held behind the parked one
  const auto lanes = engine().lanes(market.endpoint, core::lane_state::parked, {});
  BOOST_REQUIRE(lanes.ok());
  BOOST_REQUIRE_EQUAL(lanes->items.size(), 1U);
  BOOST_TEST(lanes->items[0].last_error == "exhausted");
  vendor.answer_with(204);
  replay(lanes->items[0].head);
  wait_until([&] { return engine().status().counters.delivered == 2; });
  BOOST_TEST(engine().status().counters.parked == 0U);
}

BOOST_AUTO_TEST_CASE(a_parked_stream_counts_as_blocked) {
  options.retry_schedule = {0ms, 1ms};
  restart();
  const auto market = make_market();
  vendor.answer_with(404);
  order(market, true);
  order(market, true);
  wait_until([&] { return engine().status().counters.parked == 2; });
  BOOST_TEST(engine().status_of(market.endpoint)->blocked_lanes == 2U);
  BOOST_TEST(engine().endpoints({}, {}).items.at(0).blocked_lanes == 2U);
  actors::endpoint_filter bare;
  bare.without_lanes = true;
  const auto listed = engine().endpoints(bare, {}).items.at(0);
  BOOST_TEST((listed.blocked_lanes == 0U && !listed.oldest && listed.counters.parked == 2U));
  vendor.answer_with(204);
  replay(engine().lanes(market.endpoint, core::lane_state::parked, {})->items[0].head);
  wait_until([&] { return engine().status().counters.delivered == 1; });
  BOOST_TEST(engine().status_of(market.endpoint)->blocked_lanes == 1U);
}

BOOST_AUTO_TEST_CASE(attempts_of_an_event_are_chosen) {
  options.retry_schedule = {0ms, 1ms};
  restart();
  const auto market = make_market();
  vendor.answer_with(404);
  order(market, true);
  wait_until([&] { return engine().status().counters.parked == 1; });
  const auto head = engine().lanes(market.endpoint, core::lane_state::parked, {})->items[0].head;
  vendor.answer_with(204);
  replay(head);
  wait_until([&] { return engine().status().counters.delivered == 1; });
  const auto count = [&](const actors::attempt_filter& f) {
    return engine().attempts(head, f, {})->items.size();
  };
  const auto whole = engine().attempts(head, {}, {})->items;
  BOOST_REQUIRE(whole.size() == 3U);
  BOOST_TEST(count({actors::attempt_choice::failed, {}, {}, {}}) == 2U);
  BOOST_TEST(count({actors::attempt_choice::parked, {}, {}, {}}) == 1U);
  BOOST_TEST(count({actors::attempt_choice::delivered, {}, {}, market.endpoint}) == 1U);
  BOOST_TEST(count({actors::attempt_choice::any, {}, {}, {market.endpoint.value + 1}}) == 0U);
  BOOST_TEST(count({actors::attempt_choice::any, whole[2].at, {}, {}}) >= 1U);
  BOOST_TEST(count({actors::attempt_choice::any, whole[2].at + 1ms, {}, {}}) == 0U);
  BOOST_TEST(count({actors::attempt_choice::any, {}, whole[0].at - 1ms, {}}) == 0U);
}

BOOST_AUTO_TEST_CASE(a_stream_is_read_page_by_page) {
  const auto market = make_market();
  const auto id = order(market, true);
  report(id, core::subscription_action::report_deployed);
  for (int i = 0; i < 4; ++i) {
    act(id, core::subscription_action::suspend);
    act(id, core::subscription_action::resume);
  }
  const auto other = order(market, true);
  actors::event_filter f;
  f.stream = core::stream_of(id);
  std::vector<std::uint64_t> seen;
  actors::page_request page{3, {}};
  while (true) {
    const auto found = engine().events(f, page);
    BOOST_REQUIRE(found.ok());
    for (const auto& e : found->items) seen.push_back(e.seq);
    if (!found->next) break;
    page.after = *found->next;
  }
  BOOST_TEST(seen == (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
             boost::test_tools::per_element());
  // A cursor need not name an event of this stream.
  f.stream = core::stream_of(other);
  page.after = std::to_string(events_of(id).back().id.value);
  BOOST_TEST(engine().events(f, page)->items.size() == 1U);
  page.after = std::to_string(events_of(other).back().id.value + 1'000);
  BOOST_TEST(engine().events(f, page)->items.empty());
}

BOOST_AUTO_TEST_CASE(a_delivered_event_is_replayed_with_the_same_bytes) {
  const auto market = make_market();
  order(market, true);
  wait_until([&] { return engine().status().counters.delivered == 1; });
  const auto events = engine().events({}, {});
  replay(events->items.back().id);
  wait_until([&] { return vendor.received().size() == 2; });
  const auto got = vendor.received();
  BOOST_TEST(got[0].body == got[1].body);
  wait_until([&] { return engine().status().counters.delivered == 2; });
}

BOOST_AUTO_TEST_CASE(a_paused_endpoint_gets_nothing_until_it_is_resumed) {
  const auto market = make_market();
  set_state(market.endpoint, core::endpoint_state::paused);
  order(market, true);
  order(market, true);
  BOOST_TEST(engine().status().counters.pending() == 2U);
  BOOST_TEST(vendor.received().empty());
  set_state(market.endpoint, core::endpoint_state::active);
  wait_until([&] { return engine().status().counters.delivered == 2; });
}

BOOST_AUTO_TEST_CASE(a_deleted_endpoint_cancels_what_it_had) {
  const auto market = make_market();
  set_state(market.endpoint, core::endpoint_state::paused);
  order(market, true);
  set_state(market.endpoint, core::endpoint_state::deleted);
  wait_until([&] { return engine().status().counters.cancelled == 1; });
  BOOST_TEST(engine().status().counters.pending() == 0U);
}

BOOST_AUTO_TEST_CASE(a_disabled_tenant_stops_its_subscriptions_and_enabling_restores_them) {
  const auto market = make_market();
  const auto id = order(market, true);
  act(id, core::subscription_action::report_deployed);
  act(market.customer, core::tenant_action::disable);
  wait_until(
      [&] { return engine().subscription(id)->status == core::subscription_status::stopped; });
  BOOST_TEST(engine().subscription(id)->reasons.has(core::suspension_reason::tenant_disabled));
  BOOST_TEST(!engine().tenant_effective(*engine().tenant(market.customer)));
  act(market.customer, core::tenant_action::enable);
  wait_until(
      [&] { return engine().subscription(id)->status == core::subscription_status::deployed; });
}

BOOST_AUTO_TEST_CASE(a_gone_endpoint_is_disabled) {
  const auto market = make_market();
  vendor.answer_with(410);
  order(market, true);
  wait_until([&] {
    return engine().catalog()->find(market.endpoint)->state == core::endpoint_state::disabled;
  });
  wait_until([&] { return engine().status().counters.parked == 1; });
}

BOOST_AUTO_TEST_CASE(a_stale_version_is_refused) {
  const auto market = make_market();
  const auto id = order(market, true);
  const auto refused = try_act(id, core::subscription_action::report_deployed, 7);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "version_mismatch");
}

BOOST_AUTO_TEST_CASE(an_idempotency_key_gives_the_first_answer_again_even_after_a_restart) {
  const actors::idempotency key{"token/1\nabc", "hash"};
  BOOST_TEST(engine().idempotency_begin(key)->has_value() == false);
  const auto busy = engine().idempotency_begin(key);
  BOOST_REQUIRE(!busy.ok());
  BOOST_TEST(busy.failure().code == "idempotency_key_in_use");
  const auto vendor_id = create_vendor_with(key);
  engine().idempotency_end(key);
  restart();
  const auto again = engine().idempotency_begin(key);
  BOOST_REQUIRE(again.ok() && again->has_value());
  BOOST_TEST((*again)->body == std::to_string(vendor_id.value));
  const auto other = engine().idempotency_begin({"token/1\nabc", "another"});
  BOOST_REQUIRE(!other.ok());
  BOOST_TEST(other.failure().code == "idempotency_key_reused");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
