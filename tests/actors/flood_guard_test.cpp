// Who is held when one owner sends more than all others together, and to how much.
#include "actors/flood_guard.hpp"

#include <boost/test/unit_test.hpp>

namespace syndicated::actors {
namespace {

using namespace std::chrono_literals;

constexpr flood_guard::index flood = 3;
constexpr flood_guard::index other = 7;

struct periods {
  flood_guard guard;
  flood_guard::clock::time_point now{};

  periods() { guard.look(now); }
  // One period in which each sent so much, and each request of the flood spent so much time here
  // and with the vendor.
  void pass(int by_flood, int by_other, std::chrono::microseconds inside = 0us,
            std::chrono::microseconds outside = 0us) {
    for (int i = 0; i < by_flood; ++i) {
      guard.sent(flood);
      guard.ended(flood, inside + outside, inside);
    }
    for (int i = 0; i < by_other; ++i) guard.sent(other);
    now += flood_guard::period;
    guard.look(now);
  }
  const std::optional<flood_guard::hold>& held() const { return guard.held(); }
  int limit() const {
    BOOST_REQUIRE(held().has_value());
    BOOST_REQUIRE_EQUAL(held()->member, flood);
    return held()->limit;
  }
};

BOOST_FIXTURE_TEST_SUITE(floods, periods)

BOOST_AUTO_TEST_CASE(who_sends_alone_is_never_held) {
  for (int i = 0; i < 40; ++i) {
    pass(1'000, 0, 1s);
    BOOST_TEST(!held().has_value());
  }
}

BOOST_AUTO_TEST_CASE(nobody_is_held_who_sends_no_more_than_half) {
  pass(500, 500, 1s);
  BOOST_TEST(!held().has_value());
  pass(501, 500);
  BOOST_TEST(limit() == flood_guard::inside_first);
}

BOOST_AUTO_TEST_CASE(a_few_requests_are_no_flood) {
  pass(10, 1);
  BOOST_TEST(!held().has_value());
}

BOOST_AUTO_TEST_CASE(a_long_wait_takes_places_but_not_the_last_ones) {
  pass(1'000, 10);
  const int first = limit();
  pass(1'000, 10, flood_guard::wait_goal + 1us);
  BOOST_TEST(limit() < first);
  for (int i = 0; i < 20; ++i) pass(1'000, 10, 10ms);
  BOOST_TEST(limit() == flood_guard::inside_min);
}

// What is with the vendor does not count: a thousand answers of 10 ms in 50 ms are 200 at a time.
BOOST_AUTO_TEST_CASE(what_is_with_a_vendor_far_away_comes_on_top) {
  pass(1'000, 10, 50us, 10ms);
  BOOST_TEST(limit() == 200 + flood_guard::inside_first);
  for (int i = 0; i < 20; ++i) pass(1'000, 10, 10ms, 10ms);
  BOOST_TEST(limit() == 200 + flood_guard::inside_min);
}

// With the rules of turns: the rate follows from what may be in flight. Each takes 50 ms there and
// 1 ms here, so one of 51 is here.
BOOST_AUTO_TEST_CASE(a_vendor_far_away_is_not_held_for_a_wait_that_others_make) {
  constexpr int concurrency = 48;
  int in_flight = concurrency;
  for (int i = 0; i < 100; ++i) {
    pass(in_flight * 50 / 51, 30, 1ms, 50ms);
    if (held()) in_flight = std::min(concurrency, held()->limit);
  }
  BOOST_TEST(in_flight == concurrency);
}

BOOST_AUTO_TEST_CASE(a_short_wait_gives_places_soon) {
  pass(1'000, 10);
  for (int i = 0; i < 8; ++i) pass(1'000, 10, 1us);
  BOOST_TEST(limit() >= 64);  // within half a second
}

BOOST_AUTO_TEST_CASE(a_wait_near_the_goal_changes_nothing) {
  pass(1'000, 10);
  const int before = limit();
  for (int i = 0; i < 5; ++i) pass(1'000, 10, flood_guard::wait_goal);
  BOOST_TEST(limit() == before);
}

BOOST_AUTO_TEST_CASE(it_ends_when_the_others_have_been_quiet_for_a_while) {
  pass(1'000, 10);
  const auto quiet = flood_guard::others_count_for / flood_guard::period;
  for (int i = 0; i < quiet; ++i) {
    pass(1'000, 0);
    BOOST_TEST(held().has_value());
  }
  pass(1'000, 0);
  BOOST_TEST(!held().has_value());
}

BOOST_AUTO_TEST_CASE(it_ends_when_the_flood_does) {
  pass(1'000, 10);
  for (auto t = 0ms; t < flood_guard::flood_counts_for; t += 50ms) {
    pass(5, 5);
    BOOST_TEST(held().has_value());  // the whole process may have stood still
  }
  pass(5, 5);
  BOOST_TEST(!held().has_value());
}

BOOST_AUTO_TEST_CASE(a_period_is_looked_at_when_it_is_over) {
  for (int i = 0; i < 1'000; ++i) guard.sent(flood);
  guard.sent(other);
  guard.look(now + flood_guard::period / 2);
  BOOST_TEST(!held().has_value());
  guard.look(now + flood_guard::period);
  BOOST_TEST(held().has_value());
}

// Whoever was alone has a long queue in this process, and the first of the others stands behind it.
BOOST_AUTO_TEST_CASE(who_was_alone_is_held_with_the_first_request_to_another) {
  pass(1'000, 0, 1s, 10ms);
  BOOST_TEST(!held().has_value());
  guard.sent(flood);
  BOOST_TEST(!held().has_value());
  guard.sent(other);
  BOOST_TEST(limit() == 200 + flood_guard::inside_first);
  pass(1'000, 10, 10ms);
  BOOST_TEST(limit() < 200 + flood_guard::inside_first);
}

BOOST_AUTO_TEST_CASE(who_was_alone_a_while_ago_or_sent_little_is_not_held_at_once) {
  pass(1'000, 0);
  pass(0, 0);
  guard.sent(other);
  BOOST_TEST(!held().has_value());
  pass(15, 0);
  pass(15, 0);
  guard.sent(other);
  BOOST_TEST(!held().has_value());
}

BOOST_AUTO_TEST_CASE(another_flood_begins_anew) {
  pass(1'000, 10);
  for (int i = 0; i < 8; ++i) pass(1'000, 10, 1us);
  for (int i = 0; i < 1'000; ++i) guard.sent(other);
  guard.sent(flood);
  guard.look(now += flood_guard::period);
  BOOST_TEST((held() == flood_guard::hold{other, flood_guard::inside_first}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::actors
