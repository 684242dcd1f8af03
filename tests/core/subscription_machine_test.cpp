// Every status x every action, as a table, and the rules that a table cannot show.
// Source of the expectations: domain.md 10.5 (S1-S18), 10.13, 10.14.
#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <string>

#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

const std::map<std::string, status> short_names{{"RA", status::requires_approval},
                                                {"RJ", status::rejected},
                                                {"PO", status::postponed},
                                                {"WP", status::waiting_payment},
                                                {"PE", status::payment_expired},
                                                {"PN", status::pending},
                                                {"PC", status::post_configuration},
                                                {"DE", status::deployed},
                                                {"ST", status::stopped},
                                                {"FA", status::failed},
                                                {"US", status::undeploy_sent},
                                                {"UN", status::undeployed},
                                                {"PU", status::purged}};

// "--" refused with 409, "==" success without any change, else the status that follows a change.
struct row {
  action a;
  std::array<const char*, subscription_status_count>
      after;  // in the order of the persisted numbers
};
const std::array<row, subscription_action_count> table{{
    // RA, RJ, PO, WP, PE, PN, PC, DE, ST, FA, US, UN, PU
    {action::pay, {"==", "--", "==", "PN", "--", "==", "==", "==", "==", "==", "--", "--", "--"}},
    {action::approve,
     {"PN", "--", "--", "--", "--", "--", "--", "--", "--", "--", "--", "--", "--"}},
    {action::reject,
     {"RJ", "==", "--", "--", "--", "--", "--", "--", "--", "--", "--", "--", "--"}},
    {action::suspend,
     {"--", "--", "--", "--", "--", "--", "--", "ST", "==", "--", "--", "--", "--"}},
    {action::resume,
     {"--", "--", "--", "--", "--", "--", "--", "==", "DE", "--", "--", "--", "--"}},
    {action::overdue,
     {"--", "--", "--", "--", "--", "--", "--", "DE", "ST", "--", "--", "--", "--"}},
    {action::renew, {"--", "--", "--", "--", "--", "--", "--", "DE", "--", "--", "--", "--", "--"}},
    {action::change,
     {"--", "--", "--", "--", "--", "--", "--", "DE", "--", "--", "--", "--", "--"}},
    {action::unschedule,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "--", "--", "--"}},
    {action::convert,
     {"==", "--", "==", "==", "--", "==", "==", "==", "==", "==", "==", "--", "--"}},
    {action::cancel,
     {"UN", "--", "UN", "UN", "--", "US", "US", "ST", "ST", "US", "--", "--", "--"}},
    {action::reinstate,
     {"--", "--", "--", "--", "--", "--", "--", "==", "--", "--", "--", "--", "--"}},
    {action::terminate,
     {"UN", "--", "UN", "UN", "--", "US", "US", "US", "US", "US", "==", "==", "--"}},
    {action::redeploy,
     {"--", "--", "--", "--", "--", "==", "--", "--", "--", "PN", "--", "--", "--"}},
    {action::report_deployed,
     {"--", "--", "--", "--", "--", "DE", "DE", "==", "--", "DE", "--", "--", "--"}},
    {action::report_post_configuration,
     {"--", "--", "--", "--", "--", "PC", "==", "--", "--", "--", "--", "--", "--"}},
    {action::report_failed,
     {"--", "--", "--", "--", "--", "FA", "FA", "--", "--", "==", "--", "--", "--"}},
    {action::report_stopped,
     {"--", "--", "--", "--", "--", "--", "--", "ST", "==", "--", "--", "--", "--"}},
    {action::report_undeployed,
     {"--", "==", "--", "--", "==", "--", "--", "--", "--", "--", "UN", "==", "=="}},
    {action::transfer,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "--", "--", "--"}},
    {action::edit, {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::answer_operation,
     {"--", "--", "--", "--", "--", "--", "--", "DE", "ST", "--", "--", "--", "--"}},
    {action::cancel_operation,
     {"--", "--", "--", "--", "--", "--", "--", "DE", "ST", "--", "--", "--", "--"}},
    {action::set_endpoints,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::set_instructions,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::set_credentials,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::set_vendor_metadata,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::issue_invoice,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::edit_invoice,
     {"RA", "--", "PO", "PN", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::set_costs,
     {"RA", "--", "PO", "WP", "--", "PN", "PC", "DE", "ST", "FA", "US", "--", "--"}},
    {action::relocate,
     {"RA", "RJ", "PO", "WP", "PE", "PN", "PC", "DE", "ST", "FA", "US", "UN", "PU"}},
    {action::timer, {"==", "PU", "PN", "PE", "PU", "PN", "PC", "DE", "==", "==", "UN", "PU", "=="}},
}};

bool carries_no_event(action a) {
  return a == action::set_endpoints || a == action::set_instructions ||
         a == action::set_credentials || a == action::set_vendor_metadata || a == action::relocate;
}

void check_cell(action a, status from, const std::string& expected) {
  const world w;
  subscription before = in(from);
  subscription other = before;
  if (a == action::answer_operation || a == action::cancel_operation) {
    before.operations = {an_operation(operation_state::in_progress)};
  }
  if (a == action::unschedule) before.operations = {an_operation(operation_state::scheduled)};
  tenant owner = a_customer();
  owner.path = {{1}, {5}};  // it was moved there
  owner.parent = {5};
  if (a == action::transfer) owner.id = {8};
  circumstances c = w.at(noon);
  const invoice billed = an_invoice(other);
  if (a == action::edit_invoice) {
    before.open_invoices = other.open_invoices;
    before.last_invoice = 1;
    before.paid = false;
    c.invoice = &billed;
  }
  c.new_owner = &owner;
  const auto decided = decide(before, command_for(a), c);
  BOOST_TEST_CONTEXT(to_string(a) << " in " << to_string(from)) {
    if (expected == "--") {
      BOOST_REQUIRE(!decided.ok());
      BOOST_TEST((decided.failure().kind == errc::conflict));
      BOOST_TEST(decided.failure().code == "transition_not_allowed");
      BOOST_TEST(decided.failure().status == to_string(from));
      return;
    }
    BOOST_REQUIRE(decided.ok());
    BOOST_TEST(decided->changed == (expected != "=="));
    const bool unpaid_before = a == action::issue_invoice && !before.paid;
    BOOST_TEST(decided->events.empty() ==
               (expected == "==" || carries_no_event(a) || unpaid_before));
    const status after = expected == "==" ? from : short_names.at(expected);
    BOOST_TEST(to_string(decided->next.status) == to_string(after));
    BOOST_TEST(decided->next.version == before.version + (decided->changed ? 1 : 0));
  }
}

BOOST_AUTO_TEST_SUITE(subscription_machine)

BOOST_AUTO_TEST_CASE(every_status_under_every_action) {
  for (const row& r : table) {
    for (int i = 1; i <= subscription_status_count; ++i) {
      check_cell(r.a, static_cast<status>(i), r.after[static_cast<std::size_t>(i - 1)]);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_table_names_every_action_once) {
  for (int i = 0; i < subscription_action_count; ++i) {
    BOOST_TEST(static_cast<int>(table[static_cast<std::size_t>(i)].a) == i);
  }
}

BOOST_AUTO_TEST_CASE(an_unpaid_order_waits_and_a_paid_or_trial_one_is_provisioned) {
  const world w;
  new_subscription wanted;
  wanted.tenant = {7};
  wanted.plan = {3};
  const auto unpaid = create_subscription({1}, wanted, a_customer(), w.at(noon));
  BOOST_REQUIRE(unpaid.ok());
  BOOST_TEST((unpaid->next.status == status::waiting_payment));
  BOOST_TEST((next_timer(unpaid->next) == noon + 72h));
  BOOST_TEST((unpaid->next.reseller == tenant_id{4}));
  wanted.type = subscription_type::trial;
  const auto trial = create_subscription({1}, wanted, a_customer(), w.at(noon));
  BOOST_REQUIRE(trial.ok());
  BOOST_TEST((trial->next.status == status::pending));
  BOOST_TEST(trial->next.paid);
  BOOST_TEST(trial->events.at(0).name == "subscription.created");
  BOOST_TEST((trial->events.at(0).type == wire_type::created));
}

BOOST_AUTO_TEST_CASE(a_subscription_cannot_be_made_against_the_rules) {
  const world w;
  new_subscription wanted;
  wanted.quantities = {{"seats", 101}};
  const auto too_many = create_subscription({1}, wanted, a_customer(), w.at(noon));
  BOOST_REQUIRE(!too_many.ok());
  BOOST_TEST(too_many.failure().fields.at(0).pointer == "/quantities/seats");
  wanted.quantities = {{"packs", 15}};
  BOOST_TEST(!create_subscription({1}, wanted, a_customer(), w.at(noon)).ok());
  wanted.quantities = {{"rooms", 1}};
  BOOST_TEST(!create_subscription({1}, wanted, a_customer(), w.at(noon)).ok());
  wanted.quantities = {};
  tenant reseller = a_customer();
  reseller.kind = tenant_kind::reseller;
  BOOST_TEST(!create_subscription({1}, wanted, reseller, w.at(noon)).ok());
  circumstances disabled = w.at(noon);
  disabled.tenant_effective = false;
  const auto blocked = create_subscription({1}, wanted, a_customer(), disabled);
  BOOST_REQUIRE(!blocked.ok());
  BOOST_TEST(blocked.failure().code == "tenant_disabled");
}

BOOST_AUTO_TEST_CASE(activation_starts_the_period_and_stays_inside_the_month) {
  const world w;
  const auto active = decide(in(status::pending), command_for(action::report_deployed), w.at(noon));
  BOOST_REQUIRE(active.ok());
  BOOST_TEST(format_rfc3339_seconds(*active->next.period_end) == "2026-04-30T12:00:00Z");
  BOOST_TEST((active->next.end_date == active->next.period_end));
  const auto renewed = decide(active->next, command_for(action::renew), w.at(noon));
  BOOST_TEST(format_rfc3339_seconds(*renewed->next.period_end) == "2026-05-30T12:00:00Z");
}

// domain.md 10.16, 6.
BOOST_AUTO_TEST_CASE(one_reason_lifted_does_not_lift_another) {
  const world w;
  subscription s = in(status::deployed);
  subscription_command unpaid = command_for(action::suspend);
  unpaid.by = party::billing;
  s = decide(s, unpaid, w.at(noon))->next;
  BOOST_TEST(!s.paid);
  s = decide(s, command_for(action::suspend), w.at(noon))->next;  // ADMIN_HOLD
  const auto paid = decide(s, command_for(action::pay), w.at(noon));
  BOOST_TEST((paid->next.status == status::stopped));
  BOOST_TEST(paid->events.at(0).name == "subscription.suspension_changed");
  const auto lifted = decide(paid->next, command_for(action::resume), w.at(noon));
  BOOST_TEST((lifted->next.status == status::deployed));
  BOOST_TEST(lifted->events.at(0).name == "subscription.resumed");
}

BOOST_AUTO_TEST_CASE(a_reason_belongs_to_its_party) {
  const world w;
  subscription s = in(status::stopped);  // ADMIN_HOLD
  subscription_command by_vendor = command_for(action::resume);
  by_vendor.by = party::vendor;
  BOOST_TEST((decide(s, by_vendor, w.at(noon)).failure().kind == errc::conflict));
  by_vendor.reason = suspension_reason::admin_hold;
  BOOST_TEST((decide(s, by_vendor, w.at(noon)).failure().kind == errc::forbidden));
  subscription_command by_provider = command_for(action::resume);
  by_provider.reason = suspension_reason::tenant_disabled;
  BOOST_TEST((decide(s, by_provider, w.at(noon)).failure().kind == errc::forbidden));
}

BOOST_AUTO_TEST_CASE(a_vendor_hold_is_set_and_lifted_by_reports) {
  const world w;
  const auto held = decide(in(status::deployed), command_for(action::report_stopped), w.at(noon));
  BOOST_TEST(held->next.reasons.has(suspension_reason::vendor_hold));
  const auto back = decide(held->next, command_for(action::report_deployed), w.at(noon));
  BOOST_TEST((back->next.status == status::deployed));
}

BOOST_AUTO_TEST_CASE(a_disabled_tenant_marks_what_is_still_being_provisioned) {
  const world w;
  subscription_command cascade = command_for(action::suspend);
  cascade.by = party::system;
  const auto marked = decide(in(status::pending), cascade, w.at(noon));
  BOOST_REQUIRE(marked.ok());
  BOOST_TEST((marked->next.status == status::pending));
  const auto done = decide(marked->next, command_for(action::report_deployed), w.at(noon));
  BOOST_TEST((done->next.status == status::stopped));
  BOOST_TEST(done->events.at(0).name == "subscription.activated");
}

BOOST_AUTO_TEST_CASE(cancel_reinstate_and_the_end_of_the_grace) {
  const world w;
  const auto cancelled = decide(in(status::deployed), command_for(action::cancel), w.at(noon));
  BOOST_TEST((cancelled->next.purge_at == noon + 720h));
  BOOST_TEST(cancelled->events.size() == 1U);
  const auto back = decide(cancelled->next, command_for(action::reinstate), w.at(noon + 1h));
  BOOST_TEST((back->next.status == status::deployed));
  BOOST_TEST(!back->next.purge_at.has_value());
  const auto late = decide(cancelled->next, command_for(action::reinstate), w.at(noon + 720h));
  BOOST_TEST(!late.ok());
  const auto early = decide(cancelled->next, command_for(action::timer), w.at(noon + 719h));
  BOOST_TEST(!early->changed);
  const auto purge = decide(cancelled->next, command_for(action::timer), w.at(noon + 720h));
  BOOST_TEST((purge->next.status == status::undeploy_sent));
  BOOST_TEST(purge->next.reasons.empty());
  circumstances no_grace = w.at(noon);
  no_grace.settings.cancel_grace = 0ms;
  const auto at_once = decide(in(status::deployed), command_for(action::cancel), no_grace);
  BOOST_TEST((at_once->next.status == status::undeploy_sent));
}

BOOST_AUTO_TEST_CASE(a_silent_vendor_cannot_block_the_end) {
  const world w;
  const auto sent = decide(in(status::deployed), command_for(action::terminate), w.at(noon));
  BOOST_TEST((next_timer(sent->next) == noon + 168h));
  const auto forced = decide(sent->next, command_for(action::timer), w.at(noon + 168h));
  BOOST_TEST((forced->next.status == status::undeployed));
  BOOST_TEST(forced->events.at(0).change_json.find("\"forced\":true") != std::string::npos);
  BOOST_TEST((forced->events.at(0).type == wire_type::deleted));
}

BOOST_AUTO_TEST_CASE(provisioning_is_attempted_a_bounded_number_of_times) {
  const world w;
  subscription s = in(status::failed);
  s.attempt = 5;
  BOOST_TEST(decide(s, command_for(action::redeploy), w.at(noon)).failure().code ==
             "attempts_exhausted");
}

BOOST_AUTO_TEST_CASE(a_plan_change_keeps_to_the_product_and_its_limits) {
  const world w;
  subscription_command c = command_for(action::change);
  c.new_plan = plan_id{5};
  const auto changed = decide(in(status::deployed), c, w.at(noon));
  BOOST_REQUIRE(changed.ok());
  BOOST_REQUIRE_EQUAL(changed->events.size(), 2U);
  BOOST_TEST(changed->events[0].name == "subscription.plan_changed");
  BOOST_TEST(changed->events[1].name == "subscription.quantity_changed");
  BOOST_TEST(
      changed->events[1].change_json ==
      R"({"seats":{"from":1,"to":5,"proration":{"unit":"hour","remaining":0,"total":719}}})");
  c.new_quantities = quantities{{"seats", 1000}};
  BOOST_TEST(decide(in(status::deployed), c, w.at(noon)).failure().fields.at(0).pointer ==
             "/quantities/seats");
}

BOOST_AUTO_TEST_CASE(who_may_do_what) {
  const world w;
  const auto kind = [&w](action a, party by, status s) {
    subscription_command c = command_for(a);
    c.by = by;
    const auto decided = decide(in(s), c, w.at(noon));
    return decided.ok() ? errc{} : decided.failure().kind;
  };
  BOOST_TEST((kind(action::terminate, party::vendor, status::deployed) == errc::forbidden));
  BOOST_TEST((kind(action::terminate, party::customer, status::deployed) == errc::forbidden));
  BOOST_TEST((kind(action::report_deployed, party::customer, status::pending) == errc::forbidden));
  BOOST_TEST((kind(action::pay, party::customer, status::waiting_payment) == errc::forbidden));
  BOOST_TEST((kind(action::timer, party::provider, status::waiting_payment) == errc::forbidden));
  BOOST_TEST((kind(action::cancel, party::vendor, status::deployed) == errc::forbidden));
  BOOST_TEST((kind(action::cancel, party::reseller, status::deployed) == errc{}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
