// What a subscription waits for in each status, and what happens when the instant has come.
// Source of the expectations: domain.md 10.5 (transitions, default timers).
#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

std::set<timer_kind> kinds(const subscription& s) {
  std::set<timer_kind> out;
  for (const armed_timer& t : s.timers.all()) out.insert(t.kind);
  return out;
}

subscription fired(const world& w, const subscription& s, std::string_view event) {
  const auto due = next_timer(s);
  BOOST_REQUIRE(due.has_value());
  const auto early = decide(s, command_for(action::timer), w.at(*due - 1ms));
  BOOST_REQUIRE((early.ok() && !early->changed));
  const auto decided = decide(s, command_for(action::timer), w.at(*due));
  BOOST_REQUIRE(decided.ok());
  BOOST_TEST(decided->events.at(0).name == event);
  return decided->next;
}

subscription ordered(const world& w, bool paid, subscription_type type, bool auto_renew) {
  new_subscription wanted;
  wanted.plan = {3};
  wanted.paid = paid;
  wanted.type = type;
  wanted.auto_renew = auto_renew;
  return create_subscription({1}, wanted, a_customer(), w.at(noon))->next;
}

subscription active(const world& w, subscription_type type = subscription_type::normal,
                    bool auto_renew = true) {
  return decide(ordered(w, true, type, auto_renew), command_for(action::report_deployed),
                w.at(noon))
      ->next;
}

BOOST_AUTO_TEST_SUITE(subscription_timers)

BOOST_AUTO_TEST_CASE(each_status_waits_for_its_own) {
  using enum timer_kind;
  const std::map<status, std::set<timer_kind>> expected{
      {status::requires_approval, {}},
      {status::rejected, {retention}},
      {status::postponed, {start}},
      {status::waiting_payment, {first_payment}},
      {status::payment_expired, {retention}},
      {status::pending, {provisioning_overdue, provisioning_fail}},
      {status::post_configuration, {provisioning_overdue, provisioning_fail}},
      {status::deployed, {period_end}},
      {status::stopped, {}},  // an administrator's hold has no end
      {status::failed, {}},
      {status::undeploy_sent, {deprovision}},
      {status::undeployed, {retention}},
      {status::purged, {}}};
  for (const auto& [s, timers] : expected) {
    BOOST_TEST_CONTEXT(to_string(s)) { BOOST_TEST((kinds(in(s)) == timers)); }
  }
  BOOST_TEST(expected.size() == static_cast<std::size_t>(subscription_status_count));
}

BOOST_AUTO_TEST_CASE(a_timer_keeps_the_version_that_armed_it) {
  const world w;
  const subscription s = active(w);
  const armed_timer armed = *s.timers.find(timer_kind::period_end);
  BOOST_TEST(armed.version == s.version);
  const auto renamed = decide(s, command_for(action::edit), w.at(noon + 1h));
  BOOST_TEST(renamed->next.version == s.version + 1);
  BOOST_TEST((*renamed->next.timers.find(timer_kind::period_end) == armed));
}

BOOST_AUTO_TEST_CASE(an_order_of_the_future_starts_on_its_day) {
  const world w;
  new_subscription wanted;
  wanted.plan = {3};
  wanted.start_date = noon + 48h;
  const subscription s = create_subscription({1}, wanted, a_customer(), w.at(noon))->next;
  BOOST_TEST((s.status == status::postponed));
  BOOST_TEST((next_timer(s) == noon + 48h));
  const subscription unpaid = fired(w, s, "subscription.started");
  BOOST_TEST((unpaid.status == status::waiting_payment));
  const auto paid = decide(s, command_for(action::pay), w.at(noon));
  BOOST_TEST((fired(w, paid->next, "subscription.started").status == status::pending));
}

BOOST_AUTO_TEST_CASE(what_needs_approval_waits_for_the_auditor) {
  world w;
  w.sold.approval_required = true;
  const subscription s = ordered(w, true, subscription_type::normal, true);
  BOOST_TEST((s.status == status::requires_approval));
  BOOST_TEST(!next_timer(s).has_value());
  const auto approved = decide(s, command_for(action::approve), w.at(noon));
  BOOST_TEST((approved->next.status == status::pending));
  const auto rejected = decide(s, command_for(action::reject), w.at(noon));
  BOOST_TEST((rejected->events.at(0).type == wire_type::deleted));
}

BOOST_AUTO_TEST_CASE(provisioning_is_overdue_once_and_then_fails) {
  const world w;
  subscription s = ordered(w, true, subscription_type::normal, true);
  BOOST_TEST((next_timer(s) == noon + 1h));
  s = fired(w, s, "subscription.provisioning_overdue");
  BOOST_TEST((s.status == status::pending));
  BOOST_TEST((next_timer(s) == noon + 24h));
  s = fired(w, s, "subscription.provisioning_failed");
  BOOST_TEST((s.status == status::failed));
  BOOST_TEST(!next_timer(s).has_value());
  s = decide(s, command_for(action::redeploy), w.at(noon + 30h))->next;
  BOOST_TEST(s.attempt == 2U);
  BOOST_TEST((next_timer(s) == noon + 31h));  // the attempt has times of its own
  const auto late = decide(in(status::failed), command_for(action::report_deployed), w.at(noon));
  BOOST_TEST((late->next.status == status::deployed));  // S5g
}

BOOST_AUTO_TEST_CASE(an_unpaid_invoice_suspends_cancels_and_removes) {
  const world w;
  subscription s = decide(active(w), command_for(action::overdue), w.at(noon))->next;
  BOOST_TEST(!s.paid);
  BOOST_TEST((s.status == status::deployed));
  BOOST_TEST((next_timer(s) == noon + 48h));
  s = fired(w, s, "subscription.suspended");
  BOOST_TEST(s.reasons.has(suspension_reason::unpaid));
  BOOST_TEST((next_timer(s) == noon + 120h));
  const auto paid = decide(s, command_for(action::pay), w.at(noon + 100h));
  BOOST_TEST((paid->next.status == status::deployed));
  BOOST_TEST((next_timer(paid->next) == s.period_end));
  s = fired(w, s, "subscription.cancelled");
  BOOST_TEST((s.purge_at == noon + 120h + 720h));
  const auto unpaid = decide(s, command_for(action::reinstate), w.at(noon + 121h));
  BOOST_TEST(unpaid.failure().code == "unpaid");
  s = fired(w, s, "subscription.deprovision_requested");
  s = fired(w, s, "subscription.terminated");
  BOOST_TEST((s.status == status::undeployed));
  s = fired(w, s, "subscription.purged");
  BOOST_TEST((s.status == status::purged));
  BOOST_TEST(!next_timer(s).has_value());
}

BOOST_AUTO_TEST_CASE(a_period_is_renewed_by_itself) {
  const world w;
  subscription s = active(w);
  s = fired(w, s, "subscription.renewed");
  BOOST_TEST((s.status == status::deployed));
  BOOST_TEST(format_rfc3339_seconds(*s.period_start) == "2026-04-30T12:00:00Z");
  BOOST_TEST(format_rfc3339_seconds(*s.period_end) == "2026-05-30T12:00:00Z");
  BOOST_TEST(s.operations.size() == 1U);
  BOOST_TEST((s.operations.at(0).kind == operation_kind::renewal));
}

BOOST_AUTO_TEST_CASE(without_renewal_there_are_reminders_a_hold_and_the_end) {
  const world w;
  subscription s = active(w, subscription_type::normal, false);
  const timestamp end = *s.end_date;
  for (const int days : {14, 10, 7, 4, 3, 2, 1}) {
    BOOST_TEST((next_timer(s) == end - std::chrono::days{days}));
    s = fired(w, s, "subscription.expiring");
  }
  s = fired(w, s, "subscription.suspended");
  BOOST_TEST(s.reasons.has(suspension_reason::expired));
  BOOST_TEST((next_timer(s) == end + 72h));
  const auto renewed = decide(s, command_for(action::renew), w.at(end + 1h));
  BOOST_REQUIRE(renewed.ok());
  BOOST_TEST((renewed->next.status == status::deployed));
  BOOST_TEST(has_event(*renewed, "subscription.renewed"));
  BOOST_TEST(has_event(*renewed, "subscription.resumed"));
  s = fired(w, s, "subscription.cancelled");
  BOOST_TEST((s.purge_at == end + 72h + 720h));
}

BOOST_AUTO_TEST_CASE(a_reminder_that_is_due_is_told_though_something_else_comes_first) {
  const world w;
  const subscription s = active(w, subscription_type::normal, false);
  const timestamp due = *next_timer(s);
  const auto renamed = decide(s, command_for(action::edit), w.at(due + 1h));
  BOOST_TEST((next_timer(renamed->next) == due));
  const auto told = decide(renamed->next, command_for(action::timer), w.at(due + 1h));
  BOOST_TEST(told->events.at(0).change_json.find("\"days\":14") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_csp_profile_has_a_grace_in_which_the_service_runs) {
  world w;
  w.sold.lifecycle.profile = lifecycle_profile::csp;
  w.settings = settings_for({}, w.sold);
  subscription s = active(w, subscription_type::normal, false);
  const timestamp end = *s.end_date;
  while (*next_timer(s) < end) s = fired(w, s, "subscription.expiring");
  s = fired(w, s, "subscription.grace_started");
  BOOST_TEST((s.status == status::deployed));
  BOOST_TEST(s.usable());
  BOOST_TEST((s.grace_until == end + 720h));
  s = fired(w, s, "subscription.suspended");
  BOOST_TEST((next_timer(s) == end + 720h + 2160h));
}

BOOST_AUTO_TEST_CASE(profiles_and_products_change_the_configured_times) {
  product p;
  lifecycle_settings configured;
  configured.hold = 5h;
  BOOST_TEST((settings_for(configured, p).hold == 5h));
  p.lifecycle.profile = lifecycle_profile::ms_saas;
  BOOST_TEST((settings_for(configured, p).unpaid_cancel == 720h));
  BOOST_TEST((settings_for(configured, p).cancel_grace == 168h));
  p.lifecycle.unpaid_cancel_after = 9h;
  p.provisioning.fail_after = 2h;
  p.provisioning.max_attempts = 2;
  p.lifecycle.destroy_on_cancel = true;
  BOOST_TEST((settings_for(configured, p).unpaid_cancel == 9h));
  BOOST_TEST((settings_for(configured, p).provisioning_fail == 2h));
  BOOST_TEST(settings_for(configured, p).provisioning_attempts_max == 2U);
  BOOST_TEST((settings_for(configured, p).cancel_grace == 0ms));
}

BOOST_AUTO_TEST_CASE(a_trial_becomes_what_was_ordered_or_ends) {
  world w;
  const subscription trial = active(w, subscription_type::trial);
  const subscription paid = fired(w, trial, "subscription.converted");
  BOOST_TEST((paid.type == subscription_type::normal));
  BOOST_TEST((paid.period_start == noon + 14 * 24h));
  w.offered.trial_wo_payment_method = true;
  const subscription ended = fired(w, trial, "subscription.suspended");
  BOOST_TEST(ended.reasons.has(suspension_reason::expired));
}

BOOST_AUTO_TEST_CASE(a_sandbox_and_a_lifespan_are_short_and_end) {
  world w;
  const subscription sandbox = active(w, subscription_type::sandbox);
  BOOST_TEST((sandbox.end_date == noon + 1h));
  BOOST_TEST(decide(sandbox, command_for(action::convert), w.at(noon)).failure().code ==
             "sandbox_not_convertible");
  fired(w, sandbox, "subscription.suspended");
  w.offered.lifespan_hours = 5;
  const subscription brief = active(w);
  BOOST_TEST((brief.end_date == noon + 5h));
  BOOST_TEST(decide(brief, command_for(action::renew), w.at(noon)).failure().code ==
             "plan_not_renewable");
  fired(w, brief, "subscription.suspended");
}

BOOST_AUTO_TEST_CASE(a_vendor_that_must_confirm_is_asked_again) {
  world w;
  w.settings.deprovision_force = false;
  subscription s = decide(in(status::deployed), command_for(action::terminate), w.at(noon))->next;
  s = fired(w, s, "subscription.deprovision_requested");
  BOOST_TEST((s.status == status::undeploy_sent));
  BOOST_TEST((next_timer(s) == noon + 336h));
}

BOOST_AUTO_TEST_CASE(purging_leaves_ids_and_no_words) {
  const world w;
  subscription s = in(status::undeployed);
  s.name = "Jane's shop";
  s.config = {{"email", "jane@example.org"}};
  s.credentials = {{"user", "sealed", {}, 0}};
  s.endpoints = {{"https://jane.example", "", "APP"}};
  s.instructions = {{"en", "log in"}};
  s.metadata = s.vendor_metadata = {{"note", "private"}};
  const auto purged = decide(s, command_for(action::timer), w.at(noon));
  const subscription& n = purged->next;
  BOOST_TEST(purged->events.at(0).name == "subscription.purged");
  BOOST_TEST((purged->events.at(0).type == wire_type::none));
  const bool empty = n.name.empty() && n.config.empty() && n.credentials.empty() &&
                     n.endpoints.empty() && n.instructions.empty() && n.metadata.empty() &&
                     n.vendor_metadata.empty() && n.operations.empty();
  BOOST_TEST(empty);
  BOOST_TEST((n.id == s.id && n.tenant == s.tenant && n.plan == s.plan));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
