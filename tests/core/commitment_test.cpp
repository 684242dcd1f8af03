// A subscription's own commitment. Source of the expectations: domain.md 6 (last point), 10.8,
// 10.16 (10).
#include <boost/test/unit_test.hpp>

#include <string>

#include "core/base/limits.hpp"
#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

const timestamp begin = *parse_rfc3339("2026-01-31T12:00:00Z");

commitment_option annual() {
  commitment_option o;
  o.term_months = 12;
  return o;
}

world committed_world(commitment_option option = annual(), int billing_months = 12) {
  world w;
  for (plan* p : {&w.offered, &w.other}) p->billing_period_months = billing_months;
  w.offered.commitment_options = {std::move(option)};
  return w;
}

new_subscription an_order(std::int64_t seats, int term_months = 12) {
  new_subscription wanted;
  wanted.plan = {3};
  wanted.paid = true;
  wanted.quantities = {{"seats", seats}};
  wanted.commitment_months = term_months;
  return wanted;
}

// DEPLOYED since `begin`.
subscription committed(const world& w, std::int64_t seats = 20) {
  auto made = create_subscription({9}, an_order(seats), a_customer(), w.at(begin));
  BOOST_REQUIRE(made.ok());
  BOOST_REQUIRE((made->next.commitment->state == commitment_state::pending));
  auto up = decide(made->next, command_for(action::report_deployed), w.at(begin));
  BOOST_REQUIRE(up.ok());
  BOOST_TEST(has_event(*up, "commitment.created"));
  return up->next;
}

subscription_command seats(std::int64_t count, change_time when = change_time::earliest) {
  subscription_command c;
  c.action = action::change;
  c.new_quantities = quantities{{"seats", count}};
  c.when = when;
  return c;
}

subscription_decision done(const world& w, const subscription& s, const subscription_command& c,
                           timestamp now) {
  auto decided = decide(s, c, w.at(now));
  BOOST_REQUIRE_MESSAGE(decided.ok(), (decided ? "" : decided.failure().detail));
  return std::move(*decided);
}

std::string refusal(const world& w, const subscription& s, const subscription_command& c,
                    timestamp now) {
  const auto decided = decide(s, c, w.at(now));
  return decided ? std::string{} : decided.failure().code;
}

subscription_command as(action a, party by) {
  subscription_command c = command_for(a);
  c.by = by;
  return c;
}

const subscription_command due = command_for(action::timer);

BOOST_AUTO_TEST_SUITE(commitments)

// domain.md 10.16, 10.
BOOST_AUTO_TEST_CASE(units_that_were_added_lately_can_go_back_and_others_wait_for_the_renewal) {
  const world w = committed_world();
  subscription s = done(w, committed(w), seats(30), begin + 3 * 24h).next;
  BOOST_TEST(s.quantities.at("seats") == 30);
  auto fewer = done(w, s, seats(26), begin + 5 * 24h);
  BOOST_TEST(fewer.next.quantities.at("seats") == 26);
  BOOST_TEST(has_event(fewer, "subscription.quantity_changed"));
  s = fewer.next;
  auto later = done(w, s, seats(16), begin + 30 * 24h);
  BOOST_TEST(later.next.quantities.at("seats") == 26);
  BOOST_TEST(!has_event(later, "subscription.quantity_changed"));
  BOOST_REQUIRE(later.next.scheduled() != nullptr);
  BOOST_TEST((later.next.scheduled()->due_at == s.commitment->ends_at));
  const auto renewed = done(w, later.next, due, s.commitment->ends_at);
  BOOST_TEST(renewed.next.quantities.at("seats") == 16);
  BOOST_TEST((renewed.next.commitment->state == commitment_state::renewed));
  BOOST_TEST(renewed.next.commitment->term == 2U);
  BOOST_TEST(renewed.events.at(0).name == "subscription.renewed");
  BOOST_TEST(renewed.events.at(1).name == "commitment.renewed");
  BOOST_TEST((renewed.events.at(1).type == wire_type::none));
}

BOOST_AUTO_TEST_CASE(
    a_lot_is_returnable_to_the_last_moment_of_its_window_and_the_newest_goes_first) {
  const world w = committed_world();
  const timestamp third = begin + 3 * 24h;
  subscription s = done(w, committed(w), seats(25), third).next;
  s = done(w, s, seats(28), third + 48h).next;
  const commitment& held = *s.commitment;
  BOOST_TEST(returnable(held, "seats", third + 48h) == 28);  // the term itself is 5 days old
  BOOST_TEST(returnable(held, "seats", begin + 168h) == 8);
  BOOST_TEST(returnable(held, "seats", third + 168h - 1ms) == 8);
  BOOST_TEST(returnable(held, "seats", third + 168h) == 3);
  BOOST_TEST(returnable(held, "seats", third + 48h + 168h) == 0);
  BOOST_TEST(returnable(held, "packs", third) == 0);
  // Four go back: all three of the newer lot, and one of the older.
  s = done(w, s, seats(24), begin + 168h).next;
  BOOST_TEST(returnable(*s.commitment, "seats", begin + 168h) == 4);
  BOOST_TEST(returnable(*s.commitment, "seats", third + 168h) == 0);
}

BOOST_AUTO_TEST_CASE(what_can_go_back_does_and_the_rest_is_scheduled_in_whole_steps) {
  const world w = committed_world();
  subscription s = committed(w);
  subscription_command packs = seats(20);
  packs.new_quantities = quantities{{"packs", 20}};
  s = done(w, s, packs, begin + 20 * 24h).next;
  s = done(w, s, seats(26), begin + 20 * 24h).next;
  const auto split = done(w, s, seats(10), begin + 21 * 24h);
  BOOST_TEST(split.next.quantities.at("seats") == 20);
  BOOST_TEST((split.next.scheduled()->to == quantities{{"seats", 10}}));
  BOOST_TEST(!decide(split.next, seats(10), w.at(begin + 21 * 24h))->changed);
  BOOST_TEST(refusal(w, s, seats(10, change_time::now), begin + 21 * 24h) == "not_before_renewal");
  BOOST_TEST(refusal(w, s, seats(20, change_time::now), begin + 21 * 24h) == "");
  // 15 of 20 packs are returnable, in steps of ten.
  s.commitment->lots = {{"packs", 15, begin + 20 * 24h}};
  packs.new_quantities = quantities{{"packs", 0}};
  const auto stepped = done(w, s, packs, begin + 21 * 24h);
  BOOST_TEST(stepped.next.quantities.at("packs") == 10);
  BOOST_TEST((stepped.next.scheduled()->to == quantities{{"packs", 0}}));
}

// 10.8, rules 1 to 4: every combination of what the terms allow, and of what is asked.
BOOST_AUTO_TEST_CASE(every_combination_of_the_terms) {
  for (const bool increase : {false, true}) {
    for (const bool decrease : {false, true}) {
      for (const bool prepaid : {false, true}) {
        for (const std::int64_t wanted : {15, 20, 25, 101}) {
          commitment_option o = annual();
          o.allow_increase = increase;
          o.allow_decrease = decrease;
          world w = committed_world(o);
          w.offered.resources[0].value_type = prepaid ? value_type::prepaid : value_type::postpaid;
          const auto decided = decide(committed(w), seats(wanted), w.at(begin + 60 * 24h));
          BOOST_TEST_CONTEXT(increase << decrease << prepaid << " to " << wanted) {
            if (wanted == 101) {  // the plan's max comes first
              BOOST_TEST(decided.failure().fields.at(0).pointer == "/quantities/seats");
              continue;
            }
            const bool now = wanted == 20 || (wanted > 20 ? increase : decrease);
            BOOST_TEST(decided->next.quantities.at("seats") == (now ? wanted : 20));
            BOOST_TEST((decided->next.scheduled() != nullptr) == !now);
            BOOST_TEST(decided->changed == (wanted != 20));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_monthly_bill_rolls_the_period_and_not_the_term) {
  const world w = committed_world(annual(), 1);
  subscription s = done(w, committed(w), seats(10), begin + 30 * 24h).next;
  BOOST_REQUIRE(s.scheduled() != nullptr);
  for (int month = 1; month <= 12; ++month) {
    BOOST_TEST_CONTEXT("month " << month) {
      const timestamp end = *s.period_end;
      s = done(w, s, due, end).next;
      BOOST_TEST(s.commitment->term == (month < 12 ? 1U : 2U));
      BOOST_TEST(s.quantities.at("seats") == (month < 12 ? 20 : 10));
      if (month < 12) BOOST_TEST((s.scheduled()->due_at == s.commitment->ends_at));
      if (month == 12) BOOST_TEST((s.commitment->starts_at == end));
    }
  }
}

BOOST_AUTO_TEST_CASE(in_the_last_day_what_the_renewal_brings_is_locked) {
  const world w = committed_world();
  subscription s = done(w, committed(w), seats(10), begin + 30 * 24h).next;
  const timestamp end = s.commitment->ends_at;
  BOOST_TEST(refusal(w, s, seats(12), end - 24h - 1ms) == "");
  BOOST_TEST(refusal(w, s, as(action::unschedule, party::customer), end - 24h - 1ms) == "");
  BOOST_TEST(refusal(w, s, seats(12), end - 24h) == "commitment_locked");
  BOOST_TEST(refusal(w, s, seats(12, change_time::renewal), end - 24h) == "commitment_locked");
  BOOST_TEST(refusal(w, s, as(action::unschedule, party::customer), end - 1ms) ==
             "commitment_locked");
  BOOST_TEST(!decide(s, seats(10), w.at(end - 1ms))->changed);                     // a repeat
  BOOST_TEST(done(w, s, seats(25), end - 1ms).next.quantities.at("seats") == 25);  // more: now
}

BOOST_AUTO_TEST_CASE(an_early_end_is_free_in_the_first_days_and_then_as_the_terms_say) {
  struct row {
    bool allowed, fee;
    std::chrono::hours after;
    party by;
    const char* code;
    bool charged;
  };
  const row rows[] = {
      {false, false, 167h, party::customer, "", false},
      {false, true, 168h, party::customer, "commitment_in_force", false},
      {false, true, 168h, party::reseller, "commitment_in_force", false},
      {false, true, 168h, party::provider, "commitment_in_force", false},
      {true, true, 167h, party::customer, "", false},
      {true, true, 168h, party::customer, "", true},
      {true, false, 168h, party::customer, "", false},
  };
  for (const row& r : rows) {
    commitment_option o = annual();
    o.allow_early_cancel = r.allowed;
    o.cancel_fee = r.fee;
    const world w = committed_world(o);
    const subscription s = committed(w);
    const timestamp now = begin + r.after;
    BOOST_TEST_CONTEXT(r.allowed << r.fee << " after " << r.after.count()) {
      const auto decided = decide(s, as(action::cancel, r.by), w.at(now));
      BOOST_TEST((decided ? "" : decided.failure().code) == r.code);
      if (!decided) continue;
      // It may be taken back, so the term goes on.
      BOOST_TEST((decided->next.commitment->state == commitment_state::active));
      BOOST_TEST(decided->next.commitment->fee == r.charged);
      BOOST_TEST(decided->events.at(0).change_json.find("\"proration\":{\"unit\":\"hour\"") !=
                 std::string::npos);
      const auto back = done(w, decided->next, as(action::reinstate, party::customer), now + 1h);
      BOOST_TEST(!back.next.commitment->fee);
      const auto gone = done(w, decided->next, due, *decided->next.purge_at);
      BOOST_TEST((gone.next.commitment->state == commitment_state::cancelled));
      BOOST_TEST(gone.next.commitment->fee == r.charged);
      BOOST_TEST(has_event(gone, "commitment.ended"));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_provider_ends_it_at_once_and_the_fee_is_told) {
  commitment_option o = annual();
  o.cancel_fee = true;
  const world w = committed_world(o);
  const auto ended = done(w, committed(w), command_for(action::terminate), begin + 90 * 24h);
  BOOST_TEST((ended.next.commitment->state == commitment_state::cancelled));
  BOOST_TEST(ended.next.commitment->fee);
  BOOST_TEST(!ended.next.timers.armed(timer_kind::commitment_end));
}

BOOST_AUTO_TEST_CASE(a_term_that_is_not_renewed_lapses_after_its_window) {
  commitment_option o = annual();
  o.window_after_days = 5;
  world w = committed_world(o);
  subscription s = committed(w);
  s.auto_renew = false;
  const timestamp end = s.commitment->ends_at;
  s = done(w, s, due, end).next;
  BOOST_REQUIRE((s.status == status::stopped));
  // Whoever renews inside the window renews the commitment, too.
  const auto renewed = done(w, s, as(action::renew, party::reseller), end + 4 * 24h);
  BOOST_TEST(has_event(renewed, "commitment.renewed"));
  BOOST_TEST((renewed.next.commitment->starts_at == end));
  w.settings.hold = 60 * 24h;
  BOOST_TEST((s.timers.find(timer_kind::commitment_end)->due == end + 5 * 24h));
  s.timers.arm(timer_kind::hold_end, end + 60 * 24h, s.version);
  const auto lapsed = done(w, s, due, end + 5 * 24h);
  BOOST_TEST((lapsed.next.commitment->state == commitment_state::lapsed));
  BOOST_TEST(has_event(lapsed, "commitment.ended"));
  BOOST_TEST(!lapsed.next.timers.armed(timer_kind::commitment_end));
}

BOOST_AUTO_TEST_CASE(a_commitment_for_one_term_lapses_and_the_subscription_goes_on_without) {
  commitment_option o = annual();
  o.auto_renew = false;
  const world w = committed_world(o);
  const subscription s = committed(w);
  const auto over = done(w, s, due, s.commitment->ends_at);
  BOOST_TEST((over.next.status == status::deployed));
  BOOST_TEST((over.next.commitment->state == commitment_state::lapsed));
  BOOST_TEST(refusal(w, over.next, as(action::cancel, party::customer), noon + 2 * 24h) == "");
  // By hand it is renewed, but not before its window opens.
  o.window_before_days = 30;
  world narrow = committed_world(o);
  const subscription held = committed(narrow);
  const timestamp opens = held.commitment->ends_at - 30 * 24h;
  const auto by_hand = as(action::renew, party::customer);
  BOOST_TEST(refusal(narrow, held, by_hand, opens - 1ms) == "renewal_not_open");
  const auto renewed = done(narrow, held, by_hand, opens);
  BOOST_TEST((renewed.next.commitment->starts_at == held.commitment->ends_at));
  BOOST_TEST(returnable(*renewed.next.commitment, "seats", opens + 1h) == 0);
}

BOOST_AUTO_TEST_CASE(another_plan_takes_the_term_over_or_waits_for_its_end) {
  world w = committed_world();
  subscription_command move = seats(20);
  move.new_plan = plan_id{5};
  const subscription s = committed(w);
  const timestamp later = begin + 60 * 24h;
  auto waits = done(w, s, move, later);
  BOOST_TEST((waits.next.plan == plan_id{3}));
  BOOST_REQUIRE(waits.next.scheduled() != nullptr);
  const auto renewed = done(w, waits.next, due, s.commitment->ends_at);
  BOOST_TEST((renewed.next.plan == plan_id{5}));
  BOOST_TEST((renewed.next.commitment->state == commitment_state::lapsed));
  move.when = change_time::now;
  BOOST_TEST(refusal(w, s, move, later) == "not_before_renewal");
  w.other.commitment_options = {annual()};
  w.other.commitment_options[0].transferable = true;
  const auto moved = done(w, s, move, later);
  BOOST_TEST((moved.next.plan == plan_id{5}));
  BOOST_TEST((moved.next.commitment->ends_at == s.commitment->ends_at));
  BOOST_TEST(moved.next.commitment->terms.transferable);
  // With fewer units it cannot be taken apart: all of it waits.
  move.new_quantities = quantities{{"seats", 5}};
  move.when = change_time::earliest;
  const auto both = done(w, s, move, later);
  BOOST_TEST((both.next.plan == plan_id{3}));
  BOOST_TEST(both.next.quantities.at("seats") == 20);
}

BOOST_AUTO_TEST_CASE(a_transfer_needs_terms_that_allow_it) {
  tenant other = a_customer();
  other.id = {8};
  for (const bool transferable : {false, true}) {
    commitment_option o = annual();
    o.transferable = transferable;
    const world w = committed_world(o);
    const subscription s = committed(w);
    circumstances c = w.at(begin + 24h);
    c.new_owner = &other;
    const auto moved = decide(s, command_for(action::transfer), c);
    BOOST_TEST(moved.ok() == transferable);
    if (!moved) BOOST_TEST(moved.failure().code == "commitment_not_transferable");
  }
}

BOOST_AUTO_TEST_CASE(an_order_names_an_option_of_the_plan_and_its_volume) {
  commitment_option o = annual();
  o.volume_min = 10;
  o.volume_max = 30;
  o.volume_unit = "seats";
  const world w = committed_world(o);
  const auto pointer = [&w](const new_subscription& order) {
    const auto made = create_subscription({9}, order, a_customer(), w.at(begin));
    return made ? std::string{} : made.failure().fields.at(0).pointer;
  };
  BOOST_TEST(pointer(an_order(20)) == "");
  BOOST_TEST(pointer(an_order(20, 24)) == "/commitment/term_months");
  BOOST_TEST(pointer(an_order(9)) == "/quantities/seats");
  BOOST_TEST(pointer(an_order(31)) == "/quantities/seats");
  new_subscription sandbox = an_order(20);
  sandbox.type = subscription_type::sandbox;
  BOOST_TEST(pointer(sandbox) == "/commitment");
  const auto more = decide(committed(w), seats(31), w.at(begin + 24h));
  BOOST_TEST(more.failure().fields.at(0).pointer == "/quantities/seats");
}

BOOST_AUTO_TEST_CASE(a_trial_commits_itself_when_it_is_converted) {
  const world w = committed_world();
  new_subscription order = an_order(20);
  order.type = subscription_type::trial;
  auto made = create_subscription({9}, order, a_customer(), w.at(begin));
  auto up = done(w, made->next, command_for(action::report_deployed), begin);
  BOOST_TEST(!has_event(up, "commitment.created"));
  const auto converted = done(w, up.next, command_for(action::convert), begin + 24h);
  BOOST_TEST(has_event(converted, "commitment.created"));
  BOOST_TEST((converted.next.commitment->starts_at == begin + 24h));
}

BOOST_AUTO_TEST_CASE(proration_is_rounded_up_in_hours_or_days) {
  using unit = proration_unit;
  const timestamp end = begin + 30 * 24h;
  struct row {
    unit in;
    std::chrono::milliseconds passed;
    std::int64_t remaining, total;
  };
  const row rows[] = {
      {unit::hour, 0ms, 720, 720},    {unit::hour, 1ms, 720, 720},
      {unit::hour, 1h, 719, 720},     {unit::hour, 30 * 24h - 1ms, 1, 720},
      {unit::hour, 30 * 24h, 0, 720}, {unit::hour, 31 * 24h, 0, 720},
      {unit::day, 0ms, 30, 30},       {unit::day, 1ms, 30, 30},
      {unit::day, 24h, 29, 30},       {unit::day, 30 * 24h - 1ms, 1, 30},
      {unit::day, -1h, 30, 30},
  };
  for (const row& r : rows) {
    const proration p = prorate(begin, end, begin + r.passed, r.in);
    BOOST_TEST(p.remaining == r.remaining);
    BOOST_TEST(p.total == r.total);
  }
  world w = committed_world(annual(), 1);
  const subscription s = committed(w);  // until the 28th of February: 672 hours
  const auto change = [&](const world& in) {
    return done(in, s, seats(21), begin + 24h + 1ms).events.at(0).change_json;
  };
  BOOST_TEST(
      change(w) ==
      R"({"seats":{"from":20,"to":21,"proration":{"unit":"hour","remaining":648,"total":672}}})");
  w.sold.lifecycle.profile = lifecycle_profile::csp;
  BOOST_TEST(
      change(w) ==
      R"({"seats":{"from":20,"to":21,"proration":{"unit":"day","remaining":27,"total":28}}})");
}

BOOST_AUTO_TEST_CASE(lots_are_bounded_and_the_oldest_is_no_longer_returnable) {
  commitment c;
  c.terms = annual();
  begin_term(c, {{"seats", 1}}, begin, 12);
  quantities now{{"seats", 1}};
  for (std::size_t i = 0; i < 2 * limits::commitment_lots_max; ++i) {
    quantities more = now;
    ++more["seats"];
    note_counts(c, now, more, begin + 1ms * i);
    now = more;
  }
  BOOST_TEST(c.lots.size() == limits::commitment_lots_max);
  BOOST_TEST(returnable(c, "seats", begin + 1h) ==
             static_cast<std::int64_t>(limits::commitment_lots_max));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
