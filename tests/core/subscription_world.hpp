// What the tests of the subscription machine begin with: a plan, a customer, and a subscription in
// each status.
#pragma once

#include <string>

#include "core/lifecycle/json.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {

namespace machine_test {

using status = subscription_status;
using action = subscription_action;
using namespace std::chrono_literals;

inline const timestamp noon = *parse_rfc3339("2026-03-31T12:00:00Z");

inline plan a_plan() {
  plan p;
  p.id = {3};
  p.product = {2};
  p.vendor = {1};
  p.name = "monthly";
  p.trial_days = 14;
  p.post_configuration = true;
  p.resources = {{"seats", 1, 100, 1, 1}, {"packs", 0, 50, 10, 0}};
  return p;
}

inline tenant a_customer() {
  tenant t;
  t.id = {7};
  t.kind = tenant_kind::customer;
  t.parent = {4};
  t.path = {{1}, {4}};
  return t;
}

struct world {
  product sold = [] {
    product p;
    p.id = {2};
    return p;
  }();
  lifecycle_settings settings;
  plan offered = a_plan();
  plan other = [] {
    plan p = a_plan();
    p.id = {5};
    return p;
  }();
  circumstances at(timestamp now) const {
    circumstances c;
    c.now = now;
    c.plan = &offered;
    c.product = &sold;
    c.other_plans[0] = &other;
    c.settings = settings;
    return c;
  }
};

// Everything that it waits for has come at noon.
inline subscription in(status s) {
  subscription x;
  x.id = {9};
  x.tenant = {7};
  x.plan = {3};
  x.product = {2};
  x.vendor = {1};
  x.status = s;
  x.paid = s != status::waiting_payment;
  x.quantities = {{"packs", 0}, {"seats", 1}};
  if (s == status::stopped) x.reasons.add(suspension_reason::admin_hold);
  if (s == status::postponed) x.start_date = noon - 1h;
  if (s == status::deployed || s == status::stopped) {
    x.start_date = x.period_start = noon - 30 * 24h;
    x.end_date = x.period_end = noon - 1h;
  }
  x.version = 4;
  x.last_operation = 3;
  settle_timers(x, {}, noon - 400 * 24h);
  return x;
}

inline invoice_line a_line(micros price) {
  invoice_line l;
  l.description = "set-up";
  l.price = price;
  return l;
}

inline subscription_command command_for(action a) {
  subscription_command c;
  c.action = a;
  switch (a) {
    case action::pay:
    case action::overdue: c.by = party::billing; break;
    case action::issue_invoice:
      c.by = party::billing;
      c.invoice.emplace();
      c.invoice->due_at = noon + 24h;
      break;
    case action::edit_invoice:
      c.by = party::billing;
      c.invoice_edit = {1, invoice_state::paid, {}};
      break;
    case action::set_costs:
      c.by = party::vendor;
      c.costs = cost_change{false, {a_line(5)}};
      break;
    case action::cancel:
    case action::reinstate: c.by = party::customer; break;
    case action::report_deployed:
    case action::report_post_configuration:
    case action::report_failed:
    case action::report_stopped:
    case action::report_undeployed: c.by = party::vendor; break;
    case action::relocate:
    case action::timer: c.by = party::system; break;
    case action::answer_operation:
      c.by = party::vendor;
      c.operation = 3;
      c.success = true;
      break;
    case action::cancel_operation: c.operation = 3; break;
    case action::transfer: c.new_tenant = tenant_id{8}; break;
    case action::change: c.new_quantities = quantities{{"seats", 5}}; break;
    case action::edit: c.name = "renamed"; break;
    case action::set_endpoints: c.endpoints = {{"https://app.example", "", "APP"}}; break;
    case action::set_instructions: c.instructions = {{"en", "log in"}}; break;
    case action::set_credentials: c.credentials = {{"user", "sealed", {}, 0}}; break;
    case action::set_vendor_metadata: c.metadata = string_map{{"ref", "1"}}; break;
    default: break;
  }
  return c;
}

// The first invoice of the subscription, which owes it.
inline invoice an_invoice(subscription& s, invoice_state state = invoice_state::unpaid,
                          std::optional<timestamp> due = noon + 24h) {
  invoice i;
  i.id = invoice_of(s.id, 1);
  i.subscription = s.id;
  i.state = state;
  i.due_at = due;
  i.version = 1;
  s.open_invoices = {{1, state, due, false}};
  s.last_invoice = 1;
  s.paid = false;
  return i;
}

// An operation that is open, under the number that command_for() names.
inline operation an_operation(operation_state state) {
  operation o;
  o.number = 3;
  o.kind = operation_kind::quantity_change;
  o.state = state;
  o.requested_at = noon - 1h;
  o.due_at = noon + 1h;
  o.from = {{"seats", 1}};
  o.to = {{"seats", 7}};
  return o;
}

inline bool has_event(const subscription_decision& d, std::string_view name) {
  for (const event_draft& e : d.events) {
    if (e.name == name) return true;
  }
  return false;
}

}  // namespace machine_test

}  // namespace syndicated::core
