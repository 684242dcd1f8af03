// What was passed over at an endpoint is settled when the endpoint is deleted.
#include "actors/mark_sweep.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/actors/room.hpp"

namespace syndicated::tests {
namespace {

class swept : public room {
 public:
  stall open_skipping() {
    return open_stall(64, [](core::endpoint& e) {
      e.on_exhausted = core::exhausted_policy::skip;
      e.retry_schedule = {0ms};
    });
  }
  // Events that the endpoint refuses, each in a stream of its own.
  void give_up(const stall& st, int count) {
    sell(st, count);
    while (under_way(st) > 0) answer_first(st, 400);
    BOOST_REQUIRE(marks_of(st) == static_cast<std::size_t>(count));
  }
  void remove(const stall& st) {
    set_state(st.endpoint, core::endpoint_state::deleted);
    engine.settle();
  }
  std::size_t marks_of(const stall& st) const {
    std::size_t n = 0;
    const auto scanned = repo().skip_marks({}, [&](store::skip_mark&& mark) {
      n += mark.endpoint == st.endpoint ? 1 : 0;
      return true;
    });
    BOOST_REQUIRE(scanned.ok());
    return n;
  }
  void beat() {
    now += 100ms;
    sweep->tick(now);
    engine.settle();
  }
  void beat_for(std::chrono::milliseconds time) {
    for (const auto until = now + time; now < until;) beat();
  }
  void kill() {
    sweep.reset();
    engine.restart();
    sweep.emplace(s());
  }
  void check(const stall& st, std::uint64_t accepted, std::uint64_t parked) {
    const auto n = counted(st);
    BOOST_TEST(n.accepted == accepted);
    BOOST_TEST(n.parked == parked);
    BOOST_TEST(n.accepted == n.delivered + n.parked + n.cancelled);
  }

  std::optional<actors::mark_sweep> sweep{s()};
};

BOOST_FIXTURE_TEST_SUITE(mark_sweep, swept)

BOOST_AUTO_TEST_CASE(a_deleted_endpoint_leaves_no_mark_and_others_keep_theirs) {
  const auto going = open_skipping();
  const auto staying = open_skipping();
  give_up(going, 300);
  give_up(staying, 3);
  beat_for(10s);
  BOOST_TEST(marks_of(going) == 300U);
  remove(going);
  beat_for(6s);
  BOOST_TEST(marks_of(going) == 0U);
  BOOST_TEST(marks_of(staying) == 3U);
  check(going, 300, 0);
  check(staying, 3, 3);
  BOOST_TEST(counted(going).cancelled == 300U);
}

BOOST_AUTO_TEST_CASE(a_settled_event_says_why) {
  const auto st = open_skipping();
  give_up(st, 1);
  const auto event = ids().last_event();
  remove(st);
  beat_for(6s);
  const auto last = repo().last_attempt(event, st.endpoint);
  BOOST_REQUIRE(last.ok() && last->has_value());
  BOOST_TEST((*last)->error == "endpoint_deleted");
  BOOST_TEST(((*last)->end == store::delivery_end::cancelled));
}

BOOST_AUTO_TEST_CASE(a_crash_and_a_full_disk_only_delay_it) {
  const auto st = open_skipping();
  give_up(st, 300);
  remove(st);
  beat();
  beat();
  BOOST_TEST(marks_of(st) < 300U);
  BOOST_TEST(marks_of(st) > 0U);
  kill();
  check(st, 300, marks_of(st));
  fill_disk();
  beat_for(10s);
  BOOST_TEST(marks_of(st) > 0U);
  empty_disk();
  beat_for(12s);
  BOOST_TEST(marks_of(st) == 0U);
  check(st, 300, 0);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_was_under_way_at_the_end_is_waited_for) {
  const auto st = open_skipping();
  give_up(st, 2);
  sell(st, 1);
  remove(st);
  beat_for(6s);
  BOOST_TEST(marks_of(st) == 2U);
  answer_first(st, 400);
  beat_for(12s);
  BOOST_TEST(marks_of(st) == 0U);
  check(st, 3, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
