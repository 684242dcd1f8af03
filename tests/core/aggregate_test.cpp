// Aggregate commitments: tiers, snapshots, terms. Source of the expectations: domain.md 5.6, 10.8,
// 10.14 (18), 10.16 (14).
#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

#include "core/base/limits.hpp"
#include "core/lifecycle/aggregate.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;

const timestamp begin = *parse_rfc3339("2026-01-31T12:00:00Z");

new_aggregate wanted(std::uint32_t committed) {
  new_aggregate w;
  w.group = {{4}, entity_kind::product, 2, "seats"};
  w.vendor = {1};
  w.tiers = {0, 100, 500};
  w.committed = committed;
  w.term_months = committed == 0 ? 0 : 12;
  return w;
}

aggregate made(const new_aggregate& w) {
  auto created = create_aggregate({7}, w, begin);
  BOOST_REQUIRE(created.ok());
  BOOST_TEST(created->events.at(0).name == "commitment.created");
  return created->next;
}

aggregate counting(std::uint32_t committed, std::int64_t counter) {
  aggregate a = made(wanted(committed));
  a.counter = counter;
  return a;
}

aggregate_command command(aggregate_action action, std::uint32_t tier = 0) {
  aggregate_command c;
  c.action = action;
  c.tier = tier;
  return c;
}

aggregate_decision done(const aggregate& a, const aggregate_command& c, timestamp now) {
  auto decided = decide(a, c, now);
  BOOST_REQUIRE_MESSAGE(decided.ok(), (decided ? "" : decided.failure().detail));
  return std::move(*decided);
}

std::string names(const aggregate_decision& d) {
  std::string out;
  for (const event_draft& e : d.events) out += (out.empty() ? "" : " ") + e.name;
  return out;
}

std::string refusal(const aggregate& a, const aggregate_command& c, timestamp now) {
  const auto decided = decide(a, c, now);
  return decided ? std::string{} : decided.failure().code;
}

const auto due = command(aggregate_action::timer);

BOOST_AUTO_TEST_SUITE(aggregates)

BOOST_AUTO_TEST_CASE(a_tier_begins_at_its_minimum) {
  const std::vector<std::int64_t> tiers{0, 100, 500};
  const std::pair<std::int64_t, std::uint32_t> rows[] = {
      {0, 1}, {99, 1}, {100, 2}, {110, 2}, {499, 2}, {500, 3}, {1'000'000, 3}, {-1, 1}};
  for (const auto& [counter, tier] : rows) BOOST_TEST(tier_of(tiers, counter) == tier);
}

// domain.md 10.16, 14: and every other tier, committed to or not.
BOOST_AUTO_TEST_CASE(the_snapshot_sets_the_tier_and_tells_of_a_shortfall) {
  struct row {
    std::uint32_t committed;
    std::int64_t counter;
    std::uint32_t tier;
    std::int64_t shortfall;
    const char* events;
  };
  const row rows[] = {
      {0, 80, 1, 0, ""},
      {0, 110, 2, 0, "commitment.tier_changed"},
      {0, 500, 3, 0, "commitment.tier_changed"},
      {1, 99, 1, 0, ""},
      {1, 110, 2, 0, "commitment.tier_changed"},
      {2, 110, 2, 0, ""},
      {2, 99, 2, 1, "commitment.shortfall"},
      {2, 600, 3, 0, "commitment.tier_changed"},
      {3, 110, 3, 390, "commitment.shortfall"},
      {3, 0, 3, 500, "commitment.shortfall"},
  };
  for (const row& r : rows) {
    BOOST_TEST_CONTEXT(r.committed << " with " << r.counter) {
      const auto d =
          done(counting(r.committed, r.counter), command(aggregate_action::snapshot), begin + 24h);
      BOOST_TEST(d.next.tier == r.tier);
      BOOST_TEST(d.next.shortfall == r.shortfall);
      BOOST_TEST(names(d) == r.events);
      if (r.committed != 0) BOOST_TEST(d.next.committed == r.tier);
    }
  }
  const auto d = done(counting(3, 110), command(aggregate_action::snapshot), begin + 24h);
  BOOST_TEST(d.events.at(0).change_json == R"({"minimum":500,"counter":110,"shortfall":390})");
}

BOOST_AUTO_TEST_CASE(without_a_commitment_the_tier_falls_too_and_with_one_it_does_not) {
  const auto snapshot = command(aggregate_action::snapshot);
  for (const std::uint32_t committed : {0U, 1U}) {
    aggregate a = done(counting(committed, 600), snapshot, begin + 24h).next;
    BOOST_TEST(a.tier == 3U);
    a.counter = 110;
    a = done(a, snapshot, begin + 48h).next;
    BOOST_TEST(a.tier == (committed == 0 ? 2U : 3U));
    BOOST_TEST(a.shortfall == (committed == 0 ? 0 : 390));
  }
}

BOOST_AUTO_TEST_CASE(snapshots_are_a_month_apart_and_years_of_them_are_not_made_up_for) {
  aggregate a = counting(0, 110);
  BOOST_TEST((a.next_snapshot == *parse_rfc3339("2026-02-28T12:00:00Z")));
  BOOST_TEST(!decide(a, due, a.next_snapshot - 1ms)->changed);
  a = done(a, due, a.next_snapshot).next;
  BOOST_TEST((a.snapshot_at == *parse_rfc3339("2026-02-28T12:00:00Z")));
  BOOST_TEST((a.next_snapshot == *parse_rfc3339("2026-03-31T12:00:00Z")));
  const auto late = done(a, due, begin + std::chrono::days{1000});
  BOOST_TEST((late.next.next_snapshot > begin + std::chrono::days{1000}));
  BOOST_TEST(!decide(late.next, due, begin + std::chrono::days{1000})->changed);
}

BOOST_AUTO_TEST_CASE(a_lower_tier_comes_with_the_next_term_and_by_request_only) {
  aggregate a = counting(3, 110);
  const timestamp end = *a.ends_at;
  BOOST_TEST(refusal(a, command(aggregate_action::step_down, 4), begin) == "invalid_field");
  BOOST_TEST(refusal(a, command(aggregate_action::step_down, 0), begin) == "invalid_field");
  aggregate_command lower;
  lower.committed = 1;
  BOOST_TEST(refusal(a, lower, begin) == "not_before_renewal");
  a = done(a, command(aggregate_action::step_down, 1), begin + 24h).next;
  BOOST_TEST(!decide(a, command(aggregate_action::step_down, 1), begin + 25h)->changed);
  BOOST_TEST(refusal(a, command(aggregate_action::step_down, 3), end - 24h) == "commitment_locked");
  BOOST_TEST(!done(a, command(aggregate_action::step_down, 3), end - 25h).next.wanted);
  a = done(a, command(aggregate_action::snapshot), end - 48h).next;
  BOOST_TEST(a.tier == 3U);
  a.next_snapshot = end;
  const auto last = done(a, due, end);  // the month is looked at before the term ends
  BOOST_TEST(names(last) == "commitment.shortfall");
  const auto renewed = done(last.next, due, end);
  BOOST_TEST(names(renewed) == "commitment.renewed commitment.tier_changed");
  BOOST_TEST(renewed.next.committed == 2U);  // the counter is above the tier that was asked for
  BOOST_TEST(renewed.next.tier == 2U);
  BOOST_TEST((renewed.next.starts_at == end));
  BOOST_TEST((renewed.next.state == commitment_state::renewed));
  BOOST_TEST(renewed.next.term == 2U);
}

BOOST_AUTO_TEST_CASE(a_higher_tier_is_committed_to_at_once) {
  aggregate_command higher;
  higher.committed = 2;
  const auto d = done(counting(1, 50), higher, begin + 24h);
  BOOST_TEST(names(d) == "commitment.tier_changed");
  BOOST_TEST(d.next.tier == 2U);
  higher.committed = 4;
  BOOST_TEST(refusal(counting(1, 50), higher, begin) == "invalid_field");
}

BOOST_AUTO_TEST_CASE(who_was_only_counted_may_commit_at_any_time) {
  const auto pointer = [](const aggregate& a, const aggregate_command& c) {
    const auto decided = decide(a, c, begin + 24h);
    return decided || decided.failure().fields.empty() ? std::string{}
                                                       : decided.failure().fields[0].pointer;
  };
  aggregate_command first;
  first.committed = 3;
  BOOST_TEST(pointer(counting(0, 110), first) == "/term_months");
  first.term_months = 12;
  first.allow_early_cancel = true;
  const timestamp now = begin + std::chrono::days{10};
  const auto d = done(counting(0, 110), first, now);
  BOOST_TEST(names(d) == "commitment.committed commitment.tier_changed");
  BOOST_TEST(d.events.at(0).change_json ==
             R"({"committed_tier":3,"term_months":12,"starts_at":"2026-02-10T12:00:00.000Z",)"
             R"("ends_at":"2027-02-10T12:00:00.000Z"})");
  BOOST_TEST(d.next.tier == 3U);
  BOOST_TEST((d.next.starts_at == now));
  BOOST_TEST((d.next.next_snapshot == *parse_rfc3339("2026-03-10T12:00:00Z")));
  BOOST_TEST((d.next.allow_early_cancel && !d.next.cancel_fee));
  BOOST_TEST(!decide(d.next, first, now + 1h)->changed);  // a repeat
  // From then on it is as one that was committed to from the beginning.
  const auto month = done(d.next, due, d.next.next_snapshot);
  BOOST_TEST(names(month) == "commitment.shortfall");
  BOOST_TEST(month.next.shortfall == 390);
  aggregate last = month.next;
  last.next_snapshot = *last.ends_at + 1h;
  BOOST_TEST(done(last, due, *last.ends_at).next.term == 2U);
  // Less than the counter says is not less: the tier that was reached is committed to.
  first.committed = 1;
  BOOST_TEST(done(counting(0, 110), first, now).next.committed == 2U);
  // The terms come with the first commitment only.
  aggregate_command terms;
  terms.term_months = 24;
  BOOST_TEST(pointer(counting(0, 110), terms) == "/term_months");
  BOOST_TEST(pointer(counting(2, 110), terms) == "/term_months");
  terms = {};
  terms.cancel_fee = true;
  BOOST_TEST(pointer(counting(2, 110), terms) == "/cancel_fee");
  terms = {};
  terms.allow_early_cancel = true;
  BOOST_TEST(pointer(counting(0, 110), terms) == "/allow_early_cancel");
  first.committed = 4;
  BOOST_TEST(pointer(counting(0, 110), first) == "/committed_tier");
}

BOOST_AUTO_TEST_CASE(it_ends_with_its_term_or_before_as_the_terms_say) {
  aggregate once = counting(2, 110);
  once.auto_renew = false;
  const timestamp end = *once.ends_at;
  once.next_snapshot = end + 24h;
  const auto lapsed = done(once, due, end);
  BOOST_TEST((lapsed.next.state == commitment_state::lapsed));
  BOOST_TEST(names(lapsed) == "commitment.ended");
  BOOST_TEST(!next_timer(lapsed.next).has_value());
  BOOST_TEST(refusal(lapsed.next, command(aggregate_action::snapshot), end) ==
             "transition_not_allowed");
  const auto cancel = command(aggregate_action::cancel);
  BOOST_TEST(refusal(counting(2, 110), cancel, begin + 24h) == "commitment_in_force");
  BOOST_TEST(!done(counting(0, 110), cancel, begin + 24h).next.fee);
  aggregate early = counting(2, 110);
  early.allow_early_cancel = early.cancel_fee = true;
  const auto d = done(early, cancel, begin + 24h);
  BOOST_TEST(d.next.fee);
  BOOST_TEST(d.events.at(0).change_json ==
             R"({"state":"CANCELLED","fee":true,)"
             R"("proration":{"unit":"day","remaining":364,"total":365}})");
  BOOST_TEST(!decide(d.next, cancel, begin + 48h)->changed);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_with_its_place) {
  const auto pointer = [](const auto& edit) {
    new_aggregate w = wanted(2);
    edit(w);
    const auto created = create_aggregate({7}, w, begin);
    return created ? std::string{} : created.failure().fields.at(0).pointer;
  };
  BOOST_TEST(pointer([](new_aggregate& w) { w.tiers.clear(); }) == "/tiers");
  BOOST_TEST(pointer([](new_aggregate& w) { w.tiers = {1, 2}; }) == "/tiers/0");
  BOOST_TEST(pointer([](new_aggregate& w) { w.tiers = {0, 5, 5}; }) == "/tiers/2");
  BOOST_TEST(pointer([](new_aggregate& w) { w.tiers.resize(limits::commitment_tiers_max + 1); }) ==
             "/tiers");
  BOOST_TEST(pointer([](new_aggregate& w) { w.committed = 4; }) == "/committed_tier");
  BOOST_TEST(pointer([](new_aggregate& w) { w.term_months = 0; }) == "/term_months");
  BOOST_TEST(pointer([](new_aggregate& w) { w.committed = 0; }) == "/term_months");
}

BOOST_AUTO_TEST_CASE(only_what_is_in_use_below_the_reseller_counts) {
  subscription s;
  s.path = {{1}, {4}, {7}};
  s.vendor = {1};
  s.product = {2};
  s.quantities = {{"packs", 3}, {"seats", 40}};
  const counted_group seats{{4}, entity_kind::product, 2, "seats"};
  for (int i = 1; i <= subscription_status_count; ++i) {
    s.status = static_cast<subscription_status>(i);
    const bool counts =
        s.status == subscription_status::deployed || s.status == subscription_status::stopped;
    BOOST_TEST(counted_units(s, seats) == (counts ? 40 : 0), to_string(s.status));
  }
  s.status = subscription_status::stopped;
  BOOST_TEST(counted_units(s, {{4}, entity_kind::vendor, 1, ""}) == 43);
  BOOST_TEST(counted_units(s, {{4}, entity_kind::vendor, 2, ""}) == 0);
  BOOST_TEST(counted_units(s, {{4}, entity_kind::product, 1, ""}) == 0);
  BOOST_TEST(counted_units(s, {{5}, entity_kind::product, 2, ""}) == 0);
  BOOST_TEST(counted_units(s, {{1}, entity_kind::product, 2, ""}) == 43);
}

// Whatever is asked, in any order: what holds of every aggregate at every step.
BOOST_AUTO_TEST_CASE(seeded_walks_hold_the_rules) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::minstd_rand random(seed);
    const auto pick = [&random](unsigned of) { return static_cast<unsigned>(random() % of); };
    new_aggregate w = wanted(pick(4));
    w.auto_renew = pick(4) != 0;
    w.allow_early_cancel = pick(8) == 0;
    aggregate a = made(w);
    timestamp now = begin;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::hours{pick(300)};
      a.counter = pick(700);
      aggregate_command c = command(static_cast<aggregate_action>(pick(5)), pick(5));
      if (c.action == aggregate_action::cancel && pick(20) != 0) c = due;
      if (pick(2) == 0) c.committed = pick(5);
      if (pick(3) == 0) c.term_months = static_cast<int>(pick(4));
      const auto d = decide(a, c, now);
      if (!d) continue;
      BOOST_TEST_CONTEXT("seed " << seed << " step " << step) {
        const aggregate& next = d->next;
        BOOST_REQUIRE((d->changed || d->events.empty()));
        BOOST_REQUIRE(next.version == a.version + (d->changed ? 1 : 0));
        BOOST_REQUIRE((next.committed != 0 || a.committed == 0));
        BOOST_REQUIRE((next.committed != 0) == next.ends_at.has_value());
        BOOST_REQUIRE((next.tier >= 1 && next.tier <= next.tiers.size()));
        if (next.committed != 0) BOOST_REQUIRE(next.tier == next.committed);
        const bool fell = next.tier < a.tier;
        if (fell && a.committed != 0) BOOST_REQUIRE(next.term == a.term + 1);
        BOOST_REQUIRE((a.in_force() || !next.in_force()));
        if (next.snapshot_at != a.snapshot_at) {
          BOOST_REQUIRE(next.shortfall == std::max<std::int64_t>(0, next.minimum() - a.counter));
          BOOST_REQUIRE((next.next_snapshot > now));
        }
        BOOST_REQUIRE(next_timer(next).has_value() == next.in_force());
        a = next;
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
