// A clock that was ahead by a year and is set back: what was stored or begun meanwhile must neither
// wait for that year nor lose its order (reliability.md, R17).
#include <boost/test/unit_test.hpp>

#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::breaker_state;

constexpr std::chrono::milliseconds year = 24h * 365;
constexpr std::chrono::milliseconds sweep = 5s;

void keep_line(core::endpoint& e) { e.ordering = core::ordering_mode::endpoint; }

class late_room : public room {
 public:
  void fail_all(const stall& st, int status = 404) {
    while (under_way(st) > 0) answer_first(st, status);
  }
  std::uint64_t event_under_way(const stall& st) {
    const auto index = engine.first_of(st.endpoint);
    return index ? engine.wire[*index].event.value : 0;
  }
};

BOOST_FIXTURE_TEST_SUITE(clock_set_back, late_room)

BOOST_AUTO_TEST_CASE(retries_are_made_within_a_sweep) {
  const auto st = open_stall();
  now += year;
  sell(st, 3);
  fail_all(st);
  now -= year;
  engine.advance(sweep);
  BOOST_TEST(drain_all(st).size() == 3U);
  BOOST_TEST(counted(st).delivered == 3U);
}

BOOST_AUTO_TEST_CASE(a_backlog_on_disk_goes_out_in_its_order) {
  const auto st = open_stall();
  set_state(st.endpoint, core::endpoint_state::paused);
  engine.settle();
  now += year;
  sell(st, 400);  // more than is noted at a time, and than a window holds
  now -= year;
  set_state(st.endpoint, core::endpoint_state::active);
  engine.settle();
  engine.advance(sweep);
  const auto order = drain_all(st);
  BOOST_TEST(order.size() == 400U);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(a_restart_between_changes_nothing) {
  const auto st = open_stall();
  now += year;
  sell(st, 40);
  fail_all(st, 500);
  sell(st, 40);
  now -= year;
  engine.restart();
  engine.advance(sweep);
  sell(st, 1);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == 81U);
}

BOOST_AUTO_TEST_CASE(what_returned_to_disk_is_read_again) {
  const auto st = open_stall(1);
  now += year;
  sell(st, 700);
  drain_all(st);
  sell(st, 700);
  for (int i = 0; i < 300; ++i) answer_first(st, i % 2 == 0 ? 404 : 204);
  now -= year;
  engine.advance(sweep);
  sell(st, 10);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == 1'410U);
}

BOOST_AUTO_TEST_CASE(an_endpoint_is_not_held_and_says_so) {
  const auto st = open_stall(1);
  sell(st, 3);
  now += year;
  answer_first(st, 503, "3600");
  BOOST_TEST(under_way(st) == 0U);
  now -= year;
  engine.advance(sweep);
  BOOST_TEST(!s().gauges.get(st.endpoint).not_before.has_value());
  BOOST_TEST(drain_all(st).size() == 3U);
  sell(st, 2);
  answer_first(st, 503, "3600");  // what it asks for now counts
  engine.advance(59min);
  BOOST_TEST(under_way(st) == 0U);
  engine.advance(1min);
  BOOST_TEST(under_way(st) == 1U);
}

BOOST_AUTO_TEST_CASE(an_open_breaker_lets_its_probe_go) {
  set_protection({{30s, 15min}, 1.0});
  const auto st = open_stall();
  now += year;
  sell(st, 4);
  for (int i = 0; i < 2; ++i) {
    answer_first(st, 503);
    engine.advance(100ms);
  }
  const auto state = [&] { return s().breakers.get(origin_of(st), now).state; };
  BOOST_REQUIRE((state() == breaker_state::open));
  now -= year;
  engine.advance(sweep);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  answer_first(st, 204);
  BOOST_TEST((state() == breaker_state::closed));
  engine.advance(sweep);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == 4U);
}

BOOST_AUTO_TEST_CASE(a_line_keeps_its_order_and_its_pauses) {
  const auto st = open_stall(8, keep_line);
  sell(st, 1);
  now += year;
  answer_first(st, 404);
  sell(st, 2);
  now -= year;
  sell(st, 2);
  engine.advance(sweep);
  const auto first = event_under_way(st);
  BOOST_REQUIRE_NE(first, 0U);
  answer_first(st, 204);
  BOOST_TEST(event_under_way(st) == first + 1);
  answer_first(st, 404);  // its place is a year ahead, its pause is not
  BOOST_TEST(under_way(st) == 0U);
  engine.advance(99ms);
  BOOST_TEST(under_way(st) == 0U);
  engine.advance(1ms);
  BOOST_TEST(event_under_way(st) == first + 1);
  const std::vector<std::uint64_t> rest{first + 1, first + 2, first + 3, first + 4};
  BOOST_TEST(drain_all(st) == rest, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_outcome_that_was_lost_is_looked_at_again) {
  const auto st = open_stall();
  now += year;
  sell(st, 1);
  engine.answer(0, 204);
  engine.dispatch_turn();
  engine.entity_mail.clear();
  now -= year;
  engine.advance(sweep);
  BOOST_TEST(engine.wire.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_lane_is_not_barred_for_longer_than_a_quarantine) {
  const auto st = open_stall();
  now += year;
  sell(st, 1);
  const auto stream = (*repo().find(engine.wire[0].event))->stream;
  engine.answer(0, 500);
  engine.dispatch_turn();
  engine.entity_mail.clear();
  s().lane_is_barred({stream, st.endpoint, {}}, now + actors::entity_quarantine);
  engine.settle();
  BOOST_REQUIRE(engine.wire.empty());
  now -= year;
  engine.advance(sweep);
  BOOST_TEST(engine.wire.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_suspect_gets_its_trial) {
  engine.keep_journal();
  engine.restart();
  const auto st = open_stall();
  now += year;
  sell(st, 1);
  now -= year;
  engine.restart();
  BOOST_REQUIRE_EQUAL(engine.suspects(), 1U);
  engine.advance(100ms);
  BOOST_TEST(engine.wire.empty());
  engine.advance(sweep);
  BOOST_TEST(drain_all(st).size() == 1U);
}

// What NTP does: neither a pause nor the wish of an endpoint is cut short by it.
BOOST_AUTO_TEST_CASE(a_small_correction_ends_nothing_early) {
  const auto st = open_stall();
  sell(st, 2);
  answer_first(st, 503, "86400");
  now -= 30s;
  engine.advance(sweep);
  BOOST_TEST(under_way(st) == 0U);
  engine.advance(24h);
  BOOST_TEST(under_way(st) == 0U);
  engine.advance(25s);
  BOOST_TEST(under_way(st) == 1U);
  BOOST_TEST(drain_all(st).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
