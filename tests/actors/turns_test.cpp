// Fairness alone: who is granted a slot, with nothing to send and nobody to send to.
#include "actors/turns.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

namespace syndicated::actors {
namespace {

using index = turns::index;

// Grants until nothing more is granted, or `count`; the members in order.
std::vector<index> grants(turns& t, std::size_t count = 10'000) {
  std::vector<index> order;
  while (order.size() < count) {
    const auto next = t.next();
    if (!next) break;
    order.push_back(*next);
    t.began(*next, false);
    t.wants(*next);  // there is always more
  }
  return order;
}

std::map<index, int> counted(const std::vector<index>& order) {
  std::map<index, int> out;
  for (const index i : order) ++out[i];
  return out;
}

BOOST_AUTO_TEST_SUITE(turn_taking)

BOOST_AUTO_TEST_CASE(groups_share_alike_however_many_members_they_have) {
  turns t(400);
  const index origin = t.add_origin(400);
  const index large = t.add_group(1);
  const index small = t.add_group(1);
  std::vector<index> many;
  for (int i = 0; i < 50; ++i) many.push_back(t.add_member(large, origin));
  const index one = t.add_member(small, origin);
  for (const index m : many) t.wants(m);
  t.wants(one);
  const auto order = counted(grants(t, 100));
  BOOST_TEST(order.at(one) == 50);
  for (const index m : many) BOOST_TEST(order.at(m) == 1);
}

BOOST_AUTO_TEST_CASE(a_weight_is_as_many_turns) {
  turns t(1'000);
  const index origin = t.add_origin(1'000);
  const index heavy = t.add_member(t.add_group(3), origin);
  const index light = t.add_member(t.add_group(1), origin);
  t.wants(heavy);
  t.wants(light);
  const auto order = counted(grants(t, 80));
  BOOST_TEST(order.at(heavy) == 60);
  BOOST_TEST(order.at(light) == 20);
}

BOOST_AUTO_TEST_CASE(a_group_has_at_most_a_quarter_while_others_wait) {
  turns t(40);
  const index origin = t.add_origin(40);
  std::vector<index> members;
  for (int g = 0; g < 3; ++g) members.push_back(t.add_member(t.add_group(g == 0 ? 9 : 1), origin));
  for (const index m : members) t.wants(m);
  const auto order = counted(grants(t, 30));
  for (const index m : members) BOOST_TEST(order.at(m) == 10);
}

BOOST_AUTO_TEST_CASE(alone_it_leaves_a_quarter_for_who_comes_next) {
  turns t(40);
  const index origin = t.add_origin(40);
  const index first = t.add_member(t.add_group(1), origin);
  const index second = t.add_member(t.add_group(1), origin);
  t.wants(first);
  BOOST_TEST(grants(t).size() == 30U);
  t.wants(second);
  const auto order = counted(grants(t));
  BOOST_TEST(order.at(second) == 10);
  BOOST_TEST(order.size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_member_can_be_held_to_less_and_nobody_else_is) {
  turns t(40);
  const index origin = t.add_origin(40);
  const index group = t.add_group(1);
  const index flood = t.add_member(group, origin);
  const index sibling = t.add_member(group, origin);
  t.hold(flood, 3);
  for (const index m : {flood, sibling}) t.wants(m);
  const auto order = counted(grants(t));
  BOOST_TEST(order.at(flood) == 3);
  BOOST_TEST(order.at(sibling) == 27);  // a quarter stays free
  t.ended(sibling, false);
  BOOST_TEST(counted(grants(t)).at(sibling) == 1);
  t.ended(flood, false);
  t.ended(sibling, false);
  BOOST_TEST(counted(grants(t)).at(flood) == 1);
}

BOOST_AUTO_TEST_CASE(who_is_held_goes_on_when_the_hold_allows_more) {
  turns t(40);
  const index origin = t.add_origin(40);
  const index member = t.add_member(t.add_group(1), origin);
  const index other = t.add_member(t.add_group(1), origin);
  t.wants(member);
  t.hold(member, 2);
  BOOST_TEST(grants(t).size() == 2U);
  t.wants(member);  // a repeat
  BOOST_TEST(grants(t).empty());
  t.hold(member, 5);
  BOOST_TEST(grants(t).size() == 3U);
  t.hold(other, 1);
  BOOST_TEST(grants(t).size() == 25U);
  for (int i = 0; i < 10; ++i) t.ended(member, false);
  t.hold(member, 2);
  BOOST_TEST(grants(t).empty());
  t.hold_nobody();
  BOOST_TEST(grants(t).size() == 10U);
}

BOOST_AUTO_TEST_CASE(who_is_held_can_move) {
  turns t(40);
  const index origin = t.add_origin(40);
  const index member = t.add_member(t.add_group(1), origin);
  t.wants(member);
  t.hold(member, 2);
  BOOST_TEST(grants(t).size() == 2U);
  t.move(member, t.add_group(1), t.add_origin(40));
  BOOST_TEST(grants(t).empty());
  t.hold_nobody();
  BOOST_TEST(grants(t).size() == 28U);
}

BOOST_AUTO_TEST_CASE(one_slot_is_enough_to_go_round) {
  turns t(1);
  const index origin = t.add_origin(128);
  std::vector<index> members;
  for (int g = 0; g < 3; ++g) members.push_back(t.add_member(t.add_group(1), origin));
  for (const index m : members) t.wants(m);
  std::vector<index> order;
  for (int i = 0; i < 9; ++i) {
    const auto next = t.next();
    BOOST_REQUIRE(next.has_value());
    order.push_back(*next);
    t.began(*next, false);
    t.wants(*next);
    BOOST_TEST(!t.next().has_value());
    t.ended(*next, false);
  }
  const std::vector<index> expected{0, 1, 2, 0, 1, 2, 0, 1, 2};
  BOOST_TEST(order == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_origin_at_its_cap_waits_without_blocking_others) {
  turns t(400);
  const index busy = t.add_origin(5);
  const index free = t.add_origin(128);
  const index group = t.add_group(1);
  const index a = t.add_member(group, busy);
  const index b = t.add_member(group, busy);
  const index c = t.add_member(group, free);
  for (const index m : {a, b, c}) t.wants(m);
  const auto order = counted(grants(t, 55));
  BOOST_TEST(order.at(a) + order.at(b) == 5);
  BOOST_TEST(order.at(c) == 50);
  BOOST_TEST(t.in_flight_at(busy) == 5);
  t.ended(a, false);
  t.ended(a, false);
  const auto more = counted(grants(t, 40));
  BOOST_TEST(more.count(a) + more.count(b) == 2U);  // both get their chance
}

BOOST_AUTO_TEST_CASE(who_waits_for_an_origin_is_not_forgotten_when_another_passes) {
  turns t(10);
  const index origin = t.add_origin(1);
  const index group = t.add_group(1);
  const index a = t.add_member(group, origin);
  const index b = t.add_member(group, origin);
  const index c = t.add_member(group, origin);
  for (const index m : {a, b, c}) t.wants(m);
  BOOST_REQUIRE(t.next() == a);
  t.began(a, false);
  BOOST_TEST(!t.next().has_value());
  t.ended(a, false);
  BOOST_REQUIRE(t.next() == b);
  t.passed(b);  // it had nothing to send after all
  BOOST_TEST((t.next() == c));
}

BOOST_AUTO_TEST_CASE(a_raised_cap_lets_waiting_ones_in) {
  turns t(100);
  const index origin = t.add_origin(1);
  const index m = t.add_member(t.add_group(1), origin);
  t.wants(m);
  BOOST_TEST(grants(t).size() == 1U);
  t.set_cap(origin, 4);
  BOOST_TEST(grants(t).size() == 3U);
}

BOOST_AUTO_TEST_CASE(retries_have_half_of_the_slots) {
  turns t(8);
  const index origin = t.add_origin(8);
  std::vector<index> members;
  for (int g = 0; g < 8; ++g) members.push_back(t.add_member(t.add_group(1), origin));
  for (int i = 0; i < 4; ++i) {
    BOOST_TEST(t.room_for_retry());
    t.began(members[static_cast<std::size_t>(i)], true);
  }
  BOOST_TEST(!t.room_for_retry());
  t.wants_room_for_retry(members[5]);
  t.wants_room_for_retry(members[6]);
  BOOST_TEST(!t.next().has_value());
  t.ended(members[0], true);
  BOOST_TEST((t.next() == members[5]));
  t.passed(members[5]);
  BOOST_TEST((t.next() == members[6]));
}

BOOST_AUTO_TEST_CASE(a_member_that_moves_takes_its_slots_along) {
  turns t(100);
  const index from = t.add_origin(2);
  const index to = t.add_origin(3);
  const index group = t.add_group(1);
  const index m = t.add_member(group, from);
  const index stays = t.add_member(group, from);
  t.wants(m);
  grants(t);
  t.wants(stays);
  BOOST_TEST(t.in_flight_at(from) == 2);
  BOOST_TEST(!t.next().has_value());
  t.move(m, group, to);
  BOOST_TEST(t.in_flight_at(from) == 0);
  BOOST_TEST(t.in_flight_at(to) == 2);
  const auto order = counted(grants(t));
  BOOST_TEST(order.at(stays) == 2);
  BOOST_TEST(order.at(m) == 1);
}

// Whatever happens: no bound is broken, and when everything has ended everybody that still wants to
// is served.
BOOST_AUTO_TEST_CASE(random_days_keep_every_bound) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 dice(seed);
    const auto roll = [&dice](std::uint64_t sides) { return dice() % sides; };
    const int slots = 1 + static_cast<int>(roll(40));
    turns t(slots);
    std::vector<index> groups, origins;
    std::vector<int> caps;
    for (int i = 0; i < 4; ++i) {
      groups.push_back(t.add_group(1 + static_cast<int>(roll(3))));
      caps.push_back(1 + static_cast<int>(roll(6)));
      origins.push_back(t.add_origin(caps.back()));
    }
    std::vector<index> at;
    for (int i = 0; i < 12; ++i) {
      at.push_back(origins[roll(4)]);
      t.add_member(groups[roll(4)], at.back());
    }
    std::vector<std::pair<index, bool>> open;
    std::map<index, bool> wanting;
    for (int step = 0; step < 400; ++step) {
      const auto who = static_cast<index>(roll(12));
      if (roll(3) == 0) {
        t.wants(who);
        wanting[who] = true;
      } else if (roll(2) == 0) {
        if (const auto next = t.next()) {
          BOOST_TEST(wanting[*next]);
          wanting[*next] = false;
          const bool retry = roll(2) == 0 && t.room_for_retry();
          t.began(*next, retry);
          open.emplace_back(*next, retry);
        }
      } else if (!open.empty()) {
        const auto i = roll(open.size());
        t.ended(open[i].first, open[i].second);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      }
      BOOST_TEST(t.in_flight() <= slots);
      for (std::size_t o = 0; o < origins.size(); ++o) {
        BOOST_TEST(t.in_flight_at(origins[o]) <= caps[o]);
      }
    }
    for (const auto& [member, retry] : open) t.ended(member, retry);
    for (auto next = t.next(); next; next = t.next()) {
      BOOST_TEST(wanting[*next]);
      wanting[*next] = false;
      t.began(*next, false);
      t.ended(*next, false);
    }
    for (const auto& [member, still] : wanting) BOOST_TEST(!still, "seed " << seed);
    BOOST_TEST(t.in_flight() == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::actors
