// Invoices and `paid`: true when every invoice that was emitted counts as paid (domain.md 1.7,
// 10.2, 10.11; S4a, S4b, S6 and S8 of 10.5). An invoice that is issued makes it false at once;
// a suspension comes only after its due date.
#include <algorithm>

#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

constexpr std::string_view paid_event = "invoice.paid";

std::vector<open_invoice>::iterator place_of(subscription& s, std::uint32_t number) {
  return std::ranges::lower_bound(s.open_invoices, number, {}, &open_invoice::number);
}

// The list has those that do not count as paid; the step goes to the invoice's own row.
void move_invoice(draft& d, const open_invoice& to, std::string_view told) {
  subscription& s = d.next;
  const auto at = place_of(s, to.number);
  const bool listed = at != s.open_invoices.end() && at->number == to.number;
  if (counts_as_paid(to.state)) {
    if (listed) s.open_invoices.erase(at);
  } else if (listed) {
    *at = to;
  } else {
    s.open_invoices.insert(at, to);
  }
  d.invoices.push_back({to, told});
}

bool waits_for_payment(const open_invoice& i) noexcept {
  return i.state != invoice_state::expired && !i.overdue;
}

// Before an invoice is added to the list.
void owe(draft& d) {
  subscription& s = d.next;
  if (s.paid) {
    s.paid = false;
    d.emit("subscription.parameters_changed", wire_type::modified,
           R"({"paid":{"from":true,"to":false}})");
  } else if (s.open_invoices.empty() && provisioned(s)) {
    s.owes_besides = true;
  }
}

error too_many(const subscription& s) {
  return conflict(s, "too_many_invoices",
                  "the subscription has as many invoices as it may have: " +
                      std::to_string(limits::subscription_invoices_max) + ", " +
                      std::to_string(limits::open_invoices_max) + " of them unpaid");
}

bool before_provisioning(const subscription& s) noexcept {
  return is_one_of(s.status,
                   {status::requires_approval, status::postponed, status::waiting_payment});
}

invoice row_of(const subscription& s, const new_invoice& wanted, invoice_state state,
               timestamp now) {
  invoice i;
  i.id = invoice_of(s.id, s.last_invoice);
  i.subscription = s.id;
  i.kind = wanted.kind;
  i.state = state;
  i.due_at = wanted.due_at;
  i.reference = wanted.reference;
  i.lines = wanted.lines;
  i.created_at = now;
  return i;
}

std::string_view name_of(invoice_state from, invoice_state to) noexcept {
  if (counts_as_paid(to) && !counts_as_paid(from)) return paid_event;
  if (to == invoice_state::expired && from != to) return "invoice.expired";
  return "invoice.changed";
}

std::string costs_json(const cost_change& costs) {
  json_writer out;
  out.begin_object().key("kind").text(costs.recurring ? "RECURRING" : "ONESHOT");
  write_lines(out.key("lines"), costs.lines);
  out.end_object();
  return std::move(out).str();
}

}  // namespace

decision issue_invoice(const subscription& s, const subscription_command& cmd,
                       const circumstances& c) {
  if (ended(s.status)) return refused(s, subscription_action::issue_invoice);
  if (!cmd.invoice) return invalid_field("", "an invoice is needed");
  const new_invoice& wanted = *cmd.invoice;
  if (cmd.by == party::vendor && wanted.state) {
    return error{errc::forbidden, "forbidden", "the billing says what is paid", {}, {}};
  }
  const bool settled = owes_nothing(wanted);
  const invoice_state state =
      settled ? invoice_state::paid : wanted.state.value_or(invoice_state::unpaid);
  if (state == invoice_state::expired) {
    return invalid_field("/state", "a new invoice has not expired");
  }
  const bool open = !counts_as_paid(state);
  if (s.last_invoice >= limits::subscription_invoices_max ||
      (open && s.open_invoices.size() >= limits::open_invoices_max)) {
    return too_many(s);
  }
  draft d(s, c);
  ++d.next.last_invoice;
  d.next.last_invoice_at = c.now;
  d.issued = row_of(d.next, wanted, state, c.now);
  if (open) owe(d);
  move_invoice(d, {d.next.last_invoice, state, wanted.due_at, false}, "invoice.issued");
  // The first one, if the billing tells of it only when it has the money (S4a).
  const bool first_payment = !open && !settled && before_provisioning(s) && !s.paid &&
                             s.open_invoices.empty() && cmd.by != party::vendor;
  if (first_payment) settle_payment(d);
  return std::move(d).done();
}

decision edit_invoice(const subscription& s, const subscription_command& cmd,
                      const circumstances& c) {
  const invoice_edit& wanted = cmd.invoice_edit;
  if (c.invoice == nullptr || c.invoice->id != invoice_of(s.id, wanted.number)) {
    return not_found("no such invoice");
  }
  const invoice& i = *c.invoice;
  open_invoice to{wanted.number, wanted.state.value_or(i.state),
                  wanted.due_at ? wanted.due_at : i.due_at, i.overdue};
  if (to.state == i.state && to.due_at == i.due_at) return unchanged(s);
  const bool late_money = i.state == invoice_state::delayed && to.state == invoice_state::paid;
  if (!may_go(i.state, to.state) || (ended(s.status) && !late_money)) {
    return transition_not_allowed(to_string(i.state), "change the invoice");
  }
  const bool open = !counts_as_paid(to.state);
  const bool opens = open && counts_as_paid(i.state);
  if (opens && s.open_invoices.size() >= limits::open_invoices_max) return too_many(s);
  if (!open || opens || (to.due_at != i.due_at && *to.due_at > c.now)) to.overdue = false;
  draft d(s, c);
  if (opens) owe(d);
  move_invoice(d, to, name_of(i.state, to.state));
  const bool last_one = !s.open_invoices.empty() && d.next.open_invoices.empty();
  if (last_one) settle_payment(d);
  return std::move(d).done();
}

decision set_costs(const subscription& s, const subscription_command& cmd, const circumstances& c) {
  if (ended(s.status)) return refused(s, subscription_action::set_costs);
  if (!cmd.costs) return invalid_field("", "a list of costs is needed");
  const auto list =
      cmd.costs->recurring ? &subscription::recurring_costs : &subscription::oneshot_costs;
  if (s.*list == cmd.costs->lines) return unchanged(s);
  draft d(s, c);
  d.next.*list = cmd.costs->lines;
  d.emit("subscription.costs_changed", wire_type::none, costs_json(*cmd.costs));
  return std::move(d).done();
}

decision invoices_due(const subscription& s, const circumstances& c) {
  draft d(s, c);
  for (open_invoice i : s.open_invoices) {
    if (!waits_for_payment(i) || !i.due_at || *i.due_at > c.now) continue;
    i.overdue = true;
    move_invoice(d, i, "invoice.overdue");
  }
  if (d.invoices.empty()) return unchanged(s);
  return std::move(d).done();
}

bool is_overdue(const subscription& s) noexcept {
  if (s.paid) return false;
  if (s.open_invoices.empty() || s.owes_besides) return true;
  return !std::ranges::all_of(s.open_invoices, waits_for_payment);
}

std::optional<timestamp> next_due(const subscription& s) noexcept {
  std::optional<timestamp> next;
  for (const open_invoice& i : s.open_invoices) {
    if (waits_for_payment(i) && i.due_at && (!next || *i.due_at < *next)) next = i.due_at;
  }
  return next;
}

decision oldest_overdue(const subscription& s, const circumstances& c) {
  if (is_overdue(s)) return unchanged(s);
  draft d(s, c);
  open_invoice oldest = s.open_invoices.front();
  oldest.overdue = true;
  move_invoice(d, oldest, "invoice.overdue");
  return std::move(d).done();
}

void pay_invoices(draft& d) {
  const auto open = d.next.open_invoices;
  for (open_invoice i : open) {
    i.state = invoice_state::paid;
    i.overdue = false;
    move_invoice(d, i, paid_event);
  }
}

void expire_invoices(draft& d) {
  const auto open = d.next.open_invoices;
  for (open_invoice i : open) {
    if (i.state == invoice_state::expired) continue;
    i.state = invoice_state::expired;
    move_invoice(d, i, "invoice.expired");
  }
}

}  // namespace syndicated::core::rules
