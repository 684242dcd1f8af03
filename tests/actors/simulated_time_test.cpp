// An engine in simulated time: lifecycle timers and retries at their instants, over restarts.
#include "tests/actors/engine_fixture.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;
using core::subscription_action;
using core::subscription_status;

class simulated_fixture : public engine_fixture {
 public:
  simulated_fixture() {
    options.simulated_time = true;
    options.events_age = options.attempts_age = 10 * 365 * 24h;
    restart();
    market_ = make_market();
  }

  core::result<actors::clock_status> try_move(core::timestamp to, bool jump = false) {
    std::promise<core::result<actors::clock_status>> told;
    engine().move_clock({to, jump},
                        [&told](auto&& outcome) { told.set_value(std::move(outcome)); });
    return told.get_future().get();
  }
  void pass(std::chrono::milliseconds time) {
    const auto there = try_move(engine().now() + time);
    BOOST_REQUIRE_MESSAGE(there.ok(), (there.ok() ? "" : there.failure().detail));
    BOOST_TEST(there->due == 0U);
  }
  core::subscription subscription(core::subscription_id id) {
    auto found = engine().subscription(id);
    BOOST_REQUIRE(found.ok());
    return *found;
  }

 protected:
  market market_;
};

// Work takes real time, in which simulated time goes on, too.
bool soon_after(core::timestamp at, core::timestamp instant) {
  return at >= instant && at < instant + 1h;
}

BOOST_FIXTURE_TEST_SUITE(simulated_time, simulated_fixture)

BOOST_AUTO_TEST_CASE(a_year_is_a_walk_from_timer_to_timer) {
  const auto unpaid = order(market_, false);
  const auto id = order(market_, true);
  report(id, subscription_action::report_deployed);
  act(id, subscription_action::cancel);
  const auto deadline = core::next_timer(subscription(unpaid));
  const auto purge_at = subscription(id).purge_at;
  BOOST_REQUIRE((deadline && purge_at));
  pass(365 * 24h);
  BOOST_TEST((subscription(unpaid).status == subscription_status::purged));
  const auto expiry = events_of(unpaid);
  BOOST_TEST(soon_after(expiry[expiry.size() - 2].at, *deadline));
  BOOST_TEST((subscription(id).status == subscription_status::purged));
  const auto events = events_of(id);
  BOOST_REQUIRE(events.size() >= 3U);
  // Each timer was armed by the one before, at that one's instant.
  const auto ended = *purge_at + options.lifecycle.deprovision_timeout;
  BOOST_TEST(soon_after(events[events.size() - 3].at, *purge_at));
  BOOST_TEST(soon_after(events[events.size() - 2].at, ended));
  BOOST_TEST(soon_after(events.back().at, ended + options.lifecycle.retention));
  BOOST_TEST(engine().status().counters.pending() == 0U);
}

BOOST_AUTO_TEST_CASE(a_jump_is_as_if_the_daemon_had_been_off) {
  const auto id = order(market_, true);
  report(id, subscription_action::report_deployed);
  act(id, subscription_action::cancel);
  const core::timestamp to = engine().now() + 365 * 24h;
  BOOST_REQUIRE(try_move(to, true).ok());
  BOOST_TEST((subscription(id).status == subscription_status::undeploy_sent));
  BOOST_TEST(soon_after(events_of(id).back().at, to));
}

BOOST_AUTO_TEST_CASE(a_failing_vendor_is_asked_at_every_retry_and_pause) {
  options.retry_schedule = {0h, 1h, 24h};
  options.retry_jitter = 0;
  restart();
  vendor.answer_with(500);
  const core::timestamp began = engine().now();  // the first attempt may end before the answer
  const auto id = order(market_, true);
  pass(10 * 24h);
  const auto event = events_of(id).front().id;
  const auto tried = engine().attempts(event, {}, {});
  BOOST_REQUIRE(tried.ok());
  BOOST_REQUIRE(tried->items.size() == 3U);
  BOOST_TEST(soon_after(tried->items[1].at, began + 1h));
  BOOST_TEST(soon_after(tried->items[2].at, began + 25h));
  BOOST_TEST(tried->items.back().ended == "parked");
}

BOOST_AUTO_TEST_CASE(a_restart_does_not_go_back) {
  pass(40 * 24h);
  const core::timestamp before = engine().now();
  restart();
  BOOST_TEST((engine().now() >= before));
  BOOST_TEST(engine().status().clock_ahead.has_value());
}

BOOST_AUTO_TEST_CASE(a_store_whose_clock_was_moved_opens_in_simulated_time_only) {
  options.simulated_time = false;
  restart();  // it was not moved yet
  options.simulated_time = true;
  restart();
  pass(1h);
  close();
  options.simulated_time = false;
  const auto refused = actors::local_engine::create(options);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "configuration");
}

BOOST_AUTO_TEST_SUITE_END()

// The engine of the fixture has the real clock.
BOOST_FIXTURE_TEST_CASE(real_time_cannot_be_moved, engine_fixture) {
  std::promise<core::result<actors::clock_status>> told;
  engine().move_clock({engine().now() + 1h},
                      [&told](auto&& outcome) { told.set_value(std::move(outcome)); });
  const auto refused = told.get_future().get();
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.failure().code == "clock_not_simulated");
  BOOST_TEST(!engine().status().clock_ahead.has_value());
}

}  // namespace
}  // namespace syndicated::tests
