// What the engine says and does about events that are no longer kept.
#include "store/database.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;

// An engine whose clock can be set forward.
class aging_fixture : public engine_fixture {
 public:
  aging_fixture() {
    options.now = [days = days_] {
      return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) +
             std::chrono::hours{*days * 24};
    };
    // Subscriptions have nothing to tell of their own accord while the years pass.
    options.lifecycle.provisioning_overdue = options.lifecycle.provisioning_fail = 24h * 3'650;
    restart();
    market_ = make_market(120);
    // What is told of the product and the plan is as old as they are.
    wait_until([this] { return engine().events({}, {})->items.size() >= 2; });
  }

  // Events of a new order; the second one is delivered when the vendor answers 2xx.
  core::event_id order_now() {
    const core::subscription_id id = order(market_, true);
    const auto events = events_of(id);
    BOOST_REQUIRE(events.size() == 1U);
    return events.front().id;
  }
  actors::delivery_state state_of(core::event_id id) {
    auto found = engine().deliveries(id);
    BOOST_REQUIRE(found.ok());
    BOOST_REQUIRE(found->size() == 1U);
    return found->front().state;
  }
  void wait_for(core::event_id id, actors::delivery_state wanted) {
    wait_until([&] { return state_of(id) == wanted; });
  }
  std::string code_of_event(core::event_id id) {
    const auto found = engine().event(id);
    return found.ok() ? "" : found.failure().code;
  }
  std::string code_of_replay(core::event_id id) {
    const auto a = try_replay(id);
    return a.ok() ? "" : a.failure().code;
  }
  void pass(int days) { *days_ += days; }
  // The engine does not run.
  void erase_event(core::event_id id) {
    store::database_options o;
    o.directory = options.directory;
    o.reserve_bytes = 1;
    auto db = store::database::open(o);
    BOOST_REQUIRE_MESSAGE(db.ok(), (db.ok() ? "" : db.failure().detail));
    store::write_plan plan;
    plan.erase(store::family::events, store::id_key(id.value));
    const auto written = (*db)->write({&plan}, {}, true);
    BOOST_REQUIRE((written.result == store::commit_result::committed));
  }

 protected:
  market market_;

 private:
  // The engine outlives this part of the fixture.
  const std::shared_ptr<std::atomic<int>> days_ = std::make_shared<std::atomic<int>>(0);
};

BOOST_FIXTURE_TEST_SUITE(retention, aging_fixture)

BOOST_AUTO_TEST_CASE(a_delivered_event_goes_with_its_age_and_says_so) {
  const core::event_id id = order_now();
  wait_for(id, actors::delivery_state::delivered);
  pass(31);
  auto report = compact();
  BOOST_TEST(report.attempts_dropped == 1U);
  BOOST_TEST(report.events_dropped == 0U);
  BOOST_TEST((state_of(id) == actors::delivery_state::ended));
  BOOST_TEST(engine().attempts(id, {}, {})->items.empty());
  BOOST_TEST(engine().attempts_at(market_.endpoint, {}, {})->items.empty());
  pass(60);
  report = compact();
  BOOST_TEST(report.events_dropped >= 1U);
  BOOST_TEST(code_of_event(id) == "event_expired");
  BOOST_TEST(code_of_replay(id) == "event_expired");
  // But for the end of the customer's trial, which came meanwhile.
  const auto left = engine().events({}, {});
  BOOST_TEST(std::ranges::all_of(
      left->items, [](const core::event& e) { return e.name == "tenant.converted"; }));
  const auto status = engine().status();
  BOOST_TEST(status.retention.events_dropped >= 1U);
  BOOST_TEST((status.retention.events_from > id));
  BOOST_TEST(status.counters.delivered == 1U);
  restart();
  BOOST_TEST(code_of_event(id) == "event_expired");
  BOOST_TEST(code_of_event({id.value + 1'000}) == "not_found");
}

BOOST_AUTO_TEST_CASE(lists_leave_out_what_is_gone_from_a_stream) {
  const core::subscription_id id = order(market_, true);
  const auto old = events_of(id).front().id;
  wait_for(old, actors::delivery_state::delivered);
  pass(100);
  act(id, core::subscription_action::report_deployed);
  const auto present = events_of(id);
  BOOST_REQUIRE(present.size() == 2U);
  wait_for(present.back().id, actors::delivery_state::delivered);
  compact();
  BOOST_TEST(code_of_event(old) == "event_expired");
  BOOST_REQUIRE(events_of(id).size() == 1U);
  BOOST_TEST((events_of(id).front().id == present.back().id));
  // From a cursor that names what is gone, and with a page of one.
  actors::event_filter f;
  f.stream = core::stream_of(id);
  for (const std::string& after : {std::string{}, std::to_string(old.value)}) {
    const auto found = engine().events(f, {1, after});
    BOOST_REQUIRE(found.ok());
    BOOST_TEST(found->items.size() == 1U);
  }
  // The places in a stream go later than the events.
  restart([&] { erase_event(present.back().id); });
  for (const std::string& after : {std::string{}, std::to_string(old.value)}) {
    const auto found = engine().events(f, {1, after});
    BOOST_REQUIRE(found.ok());
    BOOST_TEST(found->items.empty());
    BOOST_TEST(!found->next.has_value());
  }
  pass(100);
  compact();
  BOOST_TEST(events_of(id).empty());
  BOOST_TEST(engine().deliveries(old).failure().code == "event_expired");
  BOOST_TEST(engine().lanes(market_.endpoint, {}, {})->items.empty());
}

BOOST_AUTO_TEST_CASE(what_is_parked_stays_and_can_be_replayed) {
  vendor.answer_with(413);
  const core::event_id id = order_now();
  wait_for(id, actors::delivery_state::parked);
  pass(200);
  compact();
  BOOST_TEST((state_of(id) == actors::delivery_state::parked));
  BOOST_TEST(engine().attempts(id, {}, {})->items.size() == 3U);
  vendor.answer_with(204);
  BOOST_TEST(code_of_replay(id) == "");
  wait_for(id, actors::delivery_state::delivered);
  BOOST_TEST(code_of_replay(id) == "event_expired");  // nobody waits for it any more
  compact();
  BOOST_TEST(code_of_event(id) == "event_expired");
  const auto counters = engine().status().counters;
  BOOST_TEST(counters.delivered == 1U);
  BOOST_TEST(counters.parked + counters.pending() == 0U);
}

BOOST_AUTO_TEST_CASE(what_was_passed_over_stays_and_can_be_replayed) {
  actors::update_endpoint skip;
  skip.id = market_.endpoint;
  skip.on_exhausted = core::exhausted_policy::skip;
  created(skip);
  vendor.answer_with(413);
  const core::event_id id = order_now();
  wait_for(id, actors::delivery_state::parked);
  BOOST_TEST(engine().lanes(market_.endpoint, {}, {})->items.empty());
  pass(200);
  compact();
  vendor.answer_with(204);
  BOOST_TEST(code_of_replay(id) == "");
  wait_for(id, actors::delivery_state::delivered);
  compact();
  BOOST_TEST(code_of_event(id) == "event_expired");
  BOOST_TEST(engine().status().counters.parked == 0U);
}

// Nothing tells any more whether the endpoint was asked about the event.
BOOST_AUTO_TEST_CASE(events_without_their_attempts_count_as_attempted) {
  const core::event_id id = order_now();
  wait_for(id, actors::delivery_state::delivered);
  pass(31);
  BOOST_TEST(compact().attempts_dropped == 1U);
  actors::replay_order wanted;
  wanted.endpoint = market_.endpoint;
  wanted.until = options.now();
  wanted.choice = core::replay_choice::never_attempted;
  const std::uint64_t job = start_replay(wanted);
  wait_until([&] { return engine().replay_job(job)->phase == core::replay_phase::done; });
  BOOST_TEST(engine().replay_job(job)->examined >= 1U);
  BOOST_TEST(engine().replay_job(job)->matched == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
