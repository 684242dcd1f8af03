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
      guard.sent(flood, now);
      guard.ended(flood, now + inside + outside, inside);
    }
    send_at_once(other, by_other);
    now += flood_guard::period;
    guard.look(now);
  }
  void send_at_once(flood_guard::index member, int count) {
    for (int i = 0; i < count; ++i) {
      guard.sent(member, now);
      guard.ended(member, now, 0us);
    }
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

BOOST_AUTO_TEST_CASE(a_long_wait_takes_places_but_not_the_last_one) {
  pass(1'000, 10);
  const int first = limit();
  pass(1'000, 10, flood_guard::wait_goal + 1us);
  BOOST_TEST(limit() < first);
  for (int i = 0; i < 20; ++i) pass(1'000, 10, 10ms);
  BOOST_TEST(limit() == flood_guard::inside_min);
}

// What is with the vendor does not count: a thousand answers of 10 ms in 50 ms are 200 at a time.
// And one more, for what is rounded off.
BOOST_AUTO_TEST_CASE(what_is_with_a_vendor_far_away_comes_on_top) {
  pass(1'000, 10, 50us, 10ms);
  BOOST_TEST(limit() == 201 + flood_guard::inside_first);
  for (int i = 0; i < 20; ++i) pass(1'000, 10, 10ms, 10ms);
  BOOST_TEST(limit() == 201 + flood_guard::inside_min);
}

// With the rules of turns: the rate follows from what may be in flight.
BOOST_AUTO_TEST_CASE(a_vendor_far_away_is_not_held_for_a_wait_that_others_make) {
  constexpr int concurrency = 64;
  int in_flight = concurrency / 2;
  int places = 0;
  for (int i = 0; i < 100; ++i) {
    places += in_flight * 50;  // each takes 50 ms there and 1 ms here
    pass(places / 51, 30, 1ms, 50ms);
    places %= 51;
    if (held()) in_flight = std::min(concurrency, held()->limit);
  }
  BOOST_TEST(in_flight == concurrency);
}

BOOST_AUTO_TEST_CASE(what_hangs_does_not_take_the_place_of_what_does_not) {
  const auto busy = [this] { pass(1'000, 10, 10ms); };
  for (int i = 0; i < 20; ++i) busy();
  BOOST_TEST(limit() == flood_guard::inside_min);
  for (int i = 0; i < 3; ++i) guard.sent(flood, now);
  for (int i = 0; i < 3; ++i) {
    busy();
    BOOST_TEST(limit() == 3 + flood_guard::inside_min);
  }
  for (int i = 0; i < 3; ++i) guard.ended(flood, now, std::nullopt);
  busy();
  BOOST_TEST(limit() == flood_guard::inside_min);
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
  for (int i = 0; i < 1'000; ++i) guard.sent(flood, now);
  guard.sent(other, now);
  guard.look(now + flood_guard::period / 2);
  BOOST_TEST(!held().has_value());
  guard.look(now + flood_guard::period);
  BOOST_TEST(held().has_value());
}

// Whoever was alone has a long queue in this process, and the first of the others stands behind it.
BOOST_AUTO_TEST_CASE(who_was_alone_is_held_with_the_first_request_to_another) {
  pass(1'000, 0, 1s, 10ms);
  BOOST_TEST(!held().has_value());
  guard.sent(flood, now);
  BOOST_TEST(!held().has_value());
  guard.sent(other, now);
  BOOST_TEST(limit() == 201 + flood_guard::inside_first);
  pass(1'000, 10, 10ms);
  BOOST_TEST(limit() < 200 + flood_guard::inside_first);
}

BOOST_AUTO_TEST_CASE(who_was_alone_a_while_ago_or_sent_little_is_not_held_at_once) {
  pass(1'000, 0);
  pass(0, 0);
  guard.sent(other, now);
  BOOST_TEST(!held().has_value());
  pass(15, 0);
  pass(15, 0);
  guard.sent(other, now);
  BOOST_TEST(!held().has_value());
}

BOOST_AUTO_TEST_CASE(another_flood_begins_anew) {
  pass(1'000, 10);
  for (int i = 0; i < 8; ++i) pass(1'000, 10, 1us);
  send_at_once(other, 1'000);
  guard.sent(flood, now);
  guard.look(now += flood_guard::period);
  BOOST_TEST((held() == flood_guard::hold{other, flood_guard::inside_first}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::actors
