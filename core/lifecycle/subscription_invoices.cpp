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

void owe(draft& d) {
  if (!d.next.paid) return;
  d.next.paid = false;
  d.emit("subscription.parameters_changed", wire_type::modified,
         R"({"paid":{"from":true,"to":false}})");
}

// What is owed has no invoice here, and the time until the suspension runs.
bool overdue_without_invoice(const subscription& s) noexcept {
  return provisioned(s) && !s.paid && (s.open_invoices.empty() || s.owes_besides);
}

// The invoice that stands for it from now on goes on where it was; a later due date is a delay.
bool begins_overdue(const subscription& s, const std::optional<timestamp>& due,
                    timestamp now) noexcept {
  return overdue_without_invoice(s) && (!due || *due <= now);
}

// A vendor leaves half of the room, so that the billing can always tell what it emitted.
struct room {
  std::size_t open, ever;
};
constexpr room room_of(party by) noexcept {
  const std::size_t part = by == party::vendor ? 2 : 1;
  return {limits::open_invoices_max / part, limits::subscription_invoices_max / part};
}

bool has_room(const subscription& s, room most, bool open) noexcept {
  return s.last_invoice < most.ever && (!open || s.open_invoices.size() < most.open);
}

error too_many(const subscription& s, room most) {
  return conflict(
      s, "too_many_invoices",
      "the subscription has as many invoices as it may have: " + std::to_string(most.ever) + ", " +
          std::to_string(most.open) + " of them unpaid");
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
  i.tenant = s.tenant;
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

// The billing tells of what the customer owes, not of what was declared, refunded or given away.
bool stands_for_debt(const new_invoice& wanted, party by) noexcept {
  return by != party::vendor &&
         (!owes_nothing(wanted) || (wanted.state && counts_as_paid(*wanted.state)) ||
          wanted.kind == invoice_kind::normal);
}

// Another open invoice of a vendor stands for nothing but itself: what was owed before is owed
// besides. One of the billing stands for that.
void note_debt(draft& d, bool open, bool stands) {
  subscription& s = d.next;
  if (stands) {
    s.owes_besides = false;
  } else if (open && !s.paid && s.open_invoices.empty()) {
    s.owes_besides = true;
  }
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
  if (open && cmd.by == party::vendor && before_provisioning(s)) {
    return conflict(s, "not_provisioned",
                    "the order itself is to be approved, begun or paid first");
  }
  const room most = room_of(cmd.by);
  if (!has_room(s, most, open)) return too_many(s, most);
  const bool stands = stands_for_debt(wanted, cmd.by);
  draft d(s, c);
  ++d.next.last_invoice;
  d.next.last_invoice_at = c.now;
  d.issued = row_of(d.next, wanted, state, c.now);
  note_debt(d, open, stands);
  if (open) owe(d);
  const bool overdue = open && stands && begins_overdue(s, wanted.due_at, c.now);
  move_invoice(d, {d.next.last_invoice, state, wanted.due_at, overdue}, "invoice.issued");
  // The billing tells of it only when it has the money: of an order (S4a), or of what was owed.
  const bool has_it = wanted.state && counts_as_paid(*wanted.state);
  const bool settles = !open && stands && !s.paid && s.open_invoices.empty() && !closing(s) &&
                       (before_provisioning(s) || has_it);
  if (settles) settle_payment(d);
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
  if (ended(s.status) && !late_money) return refused(s, subscription_action::edit_invoice);
  if (!may_go(i.state, to.state)) {
    return transition_not_allowed(to_string(i.state), "change the invoice");
  }
  const bool open = !counts_as_paid(to.state);
  const bool opens = open && counts_as_paid(i.state);
  const room most = room_of(cmd.by);
  if (opens && s.open_invoices.size() >= most.open) return too_many(s, most);
  if (opens) {
    to.overdue = begins_overdue(s, to.due_at, c.now);
  } else if (!open || (to.due_at != i.due_at && *to.due_at > c.now)) {
    to.overdue = false;
  }
  draft d(s, c);
  if (opens) owe(d);
  move_invoice(d, to, name_of(i.state, to.state));
  const bool last_one = !s.open_invoices.empty() && d.next.open_invoices.empty();
  if (last_one && !s.owes_besides) settle_payment(d);
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
