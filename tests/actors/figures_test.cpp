// What the daemon's metrics are made of: what came of attempts, how old the backlog is.
#include "actors/local_engine.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/actors/engine_fixture.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using tests::engine_fixture;
using tests::wait_until;

std::uint64_t of(const actors::named_counts& counts, std::string_view word) {
  for (const auto& [name, count] : counts) {
    if (name == word) return count;
  }
  BOOST_FAIL("no such word: " << word);
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(figures)

BOOST_FIXTURE_TEST_CASE(attempts_and_what_was_parked_are_counted, engine_fixture) {
  options.retry_schedule = {0ms, 1ms};
  restart();
  const auto market = make_market();
  vendor.answer_with(404);
  order(market, true);
  wait_until([&] { return of(engine().metrics().figures.parked_by_reason, "exhausted") == 1; });
  auto now = engine().metrics().figures;
  BOOST_TEST(of(now.attempts_by_class, "failure") == 2U);
  BOOST_TEST(of(now.attempts_by_class, "delivered") == 0U);
  BOOST_TEST(now.attempts.count == 2U);
  BOOST_TEST(now.attempts.total.count() > 0);
  BOOST_TEST(now.deliveries.count == 0U);
  BOOST_TEST(now.endpoints_failing == 1U);
  vendor.answer_with(204);
  order(market, true);
  wait_until([&] { return engine().metrics().figures.deliveries.count == 1; });
  now = engine().metrics().figures;
  BOOST_TEST(of(now.attempts_by_class, "delivered") == 1U);
  wait_until([&] { return engine().metrics().figures.endpoints_failing == 0; });
}

BOOST_FIXTURE_TEST_CASE(a_pause_shows_in_states_and_in_the_age_of_the_backlog, engine_fixture) {
  const auto market = make_market();
  const auto in = [this](std::string_view state) {
    return of(engine().metrics().figures.endpoints, state);
  };
  BOOST_TEST(in("active") == 1U);
  set_state(market.endpoint, core::endpoint_state::paused);
  BOOST_TEST(in("active") == 0U);
  BOOST_TEST(in("paused") == 1U);
  BOOST_TEST(!engine().metrics().figures.oldest_pending.has_value());
  order(market, true);
  wait_until([&] { return engine().metrics().figures.oldest_pending.has_value(); });
  restart();
  BOOST_TEST(in("paused") == 1U);
  wait_until([&] { return engine().metrics().figures.oldest_pending.has_value(); });
  set_state(market.endpoint, core::endpoint_state::active);
  wait_until([&] { return !engine().metrics().figures.oldest_pending.has_value(); });
  set_state(market.endpoint, core::endpoint_state::deleted);
  BOOST_TEST(in("active") + in("paused") + in("disabled") == 0U);
}

BOOST_AUTO_TEST_CASE(words_that_nobody_knows_are_one) {
  actors::delivery_stats stats;
  stats.parked("cannot_sign");
  stats.parked("a vendor's own word");
  stats.parked("other");
  BOOST_TEST(of(stats.parked_by_reason(), "cannot_sign") == 1U);
  BOOST_TEST(of(stats.parked_by_reason(), "other") == 2U);
  stats.attempt_ended(core::response_class::delivered, 3ms, -1s);
  BOOST_TEST(stats.deliveries().total.count() == 0);
  BOOST_TEST(of(stats.attempts_by_class(), "delivered") == 1U);
}

// More endpoints than one look takes, the oldest event at the one that is looked at last.
BOOST_FIXTURE_TEST_CASE(the_oldest_is_found_in_turns, tests::room) {
  std::vector<tests::stall> stalls;
  for (int i = 0; i < 20; ++i) stalls.push_back(open_stall());
  const core::timestamp first = now + 1ms;
  for (auto at = stalls.rbegin(); at != stalls.rend(); ++at) {
    sell(*at, 1);
    now += 1min;
  }
  BOOST_TEST(!s().age.oldest().has_value());
  s().age.tick(now);
  BOOST_REQUIRE(s().age.oldest().has_value());
  BOOST_TEST((*s().age.oldest() > first));
  s().age.tick(now + 1ms);  // too soon to look
  BOOST_TEST((*s().age.oldest() > first));
  s().age.tick(now - 24h);  // a clock that was set back
  s().age.tick(now);
  BOOST_TEST((s().age.oldest() == first));
  for (const auto& one : stalls) drain_all(one);
  s().age.tick(now + 1s);
  BOOST_TEST(!s().age.oldest().has_value());
}

// A look goes on where the last one found the first lane; a retry may be due before that.
BOOST_FIXTURE_TEST_CASE(an_older_one_that_is_due_earlier_is_not_passed_over, tests::room) {
  const auto st = open_stall(64, [](core::endpoint& e) { e.retry_schedule = {0ms, 10s, 300s}; });
  sell(st, 3);  // so that two may be under way
  BOOST_REQUIRE_EQUAL(drain_all(st).size(), 3U);
  sell(st, 1);
  const core::timestamp first = now;
  now += 1s;
  sell(st, 1);
  BOOST_REQUIRE_EQUAL(under_way(st), 2U);
  engine.answer(1, 404);
  for (int i = 0; i < 30 && under_way(st) < 2; ++i) engine.advance(1s);
  BOOST_REQUIRE_EQUAL(under_way(st), 2U);
  engine.answer(1, 404);
  engine.settle();
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  s().age.tick(now);
  BOOST_TEST((s().age.oldest() == first));
  answer_first(st, 404);
  s().age.tick(now + 1s);
  BOOST_TEST((s().age.oldest() == first));
  for (int i = 0; i < 30 && under_way(st) < 1; ++i) engine.advance(1s);
  answer_first(st, 204);
  s().age.tick(now + 1s);
  BOOST_TEST((s().age.oldest() == first + 1s + 1ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated
