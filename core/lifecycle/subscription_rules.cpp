#include "core/lifecycle/subscription_rules.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::core::rules {
namespace {

std::string joined(reason_set reasons) {
  std::string out;
  for (suspension_reason r : reasons.list()) {
    if (!out.empty()) out += ',';
    out += to_string(r);
  }
  return out;
}

}  // namespace

void draft::emit(std::string name, wire_type type, std::string change_json) {
  events_.push_back({std::move(name), type, {}, std::move(change_json)});
}

// The oldest that had ended before makes room: one that ends with this decision is still to be
// told of. A subscription with very many gives no numbers any more: they would run into those of
// the next one.
operation& draft::note(operation_kind kind, operation_state state, party by) {
  auto& all = next.operations;
  const auto over = [](const operation& o) { return !o.open(); };
  const auto was_over = [&](const operation& o) {
    const auto old = std::ranges::find(before_.operations, o.number, &operation::number);
    return old != before_.operations.end() && !old->open();
  };
  while (std::ranges::count_if(all, over) >=
         static_cast<std::ptrdiff_t>(limits::operations_kept_max)) {
    const auto oldest = std::ranges::find_if(all, was_over);
    if (oldest == all.end()) break;
    all.erase(oldest);
  }
  if (next.last_operation < operation_number_max) ++next.last_operation;
  operation o;
  o.number = next.last_operation;
  o.kind = kind;
  o.state = state;
  o.requested_by = by;
  o.requested_at = c_.now;
  if (!o.open()) o.ended_at = c_.now;
  return all.emplace_back(std::move(o));
}

subscription_decision draft::done() && {
  if (ended(next.status)) expire_invoices(*this);
  ++next.version;
  next.updated_at = c_.now;
  settle_timers(next, c_.settings, c_.now);
  for (operation& o : next.operations) {
    if (o.state == operation_state::scheduled) o.due_at = change_due(next);
  }
  for (event_draft& e : events_) {
    e.metadata["status"] = to_string(next.status);
    e.metadata["type"] = to_string(next.type);
    e.metadata["paid"] = next.paid ? "true" : "false";
    if (!next.reasons.empty()) e.metadata["reasons"] = joined(next.reasons);
  }
  return {std::move(next), std::move(events_), true, std::move(invoices), std::move(issued)};
}

subscription_decision unchanged(const subscription& present) {
  return {present, {}, false, {}, {}};
}

error refused(const subscription& present, subscription_action action) {
  return transition_not_allowed(to_string(present.status), to_string(action));
}

error not_yours(subscription_action action, party by) {
  std::string text = "'";
  text += to_string(action);
  text += "' is not for the ";
  text += to_string(by);
  return {errc::forbidden, "forbidden", std::move(text), {}, {}};
}

error conflict(const subscription& present, std::string code, std::string detail) {
  return {errc::conflict,
          std::move(code),
          std::move(detail),
          {},
          std::string{to_string(present.status)}};
}

bool is_one_of(subscription_status status,
               std::initializer_list<subscription_status> set) noexcept {
  return std::find(set.begin(), set.end(), status) != set.end();
}

bool may(party by, subscription_action action) noexcept {
  if (by == party::provider) {
    return action != subscription_action::timer && action != subscription_action::relocate;
  }
  if (by == party::system) return true;
  const bool seller = by == party::reseller;
  const bool buyer = by == party::customer;
  const bool vendor = by == party::vendor;
  switch (action) {
    case subscription_action::pay:
    case subscription_action::overdue:
    case subscription_action::edit_invoice: return by == party::billing;
    case subscription_action::issue_invoice: return vendor || by == party::billing;
    case subscription_action::approve:
    case subscription_action::reject: return seller || vendor;
    case subscription_action::suspend:
    case subscription_action::resume: return seller || vendor || by == party::billing;
    case subscription_action::renew:
    case subscription_action::cancel:
    case subscription_action::reinstate: return seller || buyer;
    case subscription_action::change:
    case subscription_action::unschedule:
    case subscription_action::cancel_operation:
    case subscription_action::convert: return seller || buyer || vendor;
    case subscription_action::answer_operation: return vendor;
    case subscription_action::transfer:
    case subscription_action::relocate: return false;
    case subscription_action::terminate: return false;
    case subscription_action::redeploy: return seller || vendor;
    case subscription_action::report_deployed:
    case subscription_action::report_post_configuration:
    case subscription_action::report_failed:
    case subscription_action::report_stopped:
    case subscription_action::report_undeployed:
    case subscription_action::set_endpoints:
    case subscription_action::set_instructions:
    case subscription_action::set_credentials:
    case subscription_action::set_vendor_metadata:
    case subscription_action::set_costs: return vendor;
    case subscription_action::edit: return seller || buyer || vendor;
    case subscription_action::timer: return false;
  }
  return false;
}

bool may_set(party by, suspension_reason reason) noexcept {
  switch (reason) {
    case suspension_reason::unpaid:
      return by == party::billing || by == party::provider || by == party::system;
    case suspension_reason::admin_hold: return by == party::provider || by == party::reseller;
    case suspension_reason::vendor_hold: return by == party::vendor || by == party::provider;
    case suspension_reason::expired: return by == party::provider || by == party::system;
    case suspension_reason::tenant_disabled: return by == party::system;
    case suspension_reason::cancelled: return false;  // `cancel` and `reinstate` do that
  }
  return false;
}

result<quantities> checked_quantities(const quantities& wanted, const plan& p) {
  quantities out;
  for (const plan_resource& r : p.resources) out[r.name] = std::max(r.min, r.included);
  for (const auto& [name, count] : wanted) {
    const auto rule = std::find_if(p.resources.begin(), p.resources.end(),
                                   [&n = name](const plan_resource& r) { return r.name == n; });
    const std::string pointer = "/quantities/" + name;
    if (rule == p.resources.end()) return invalid_field(pointer, "the plan has no such resource");
    if (rule->limit == 0 && count > 0) return invalid_field(pointer, "is not sold with this plan");
    if (count < rule->min) {
      return invalid_field(pointer, "at least " + std::to_string(rule->min));
    }
    if (rule->max >= 0 && count > rule->max) {
      return invalid_field(pointer, "at most " + std::to_string(rule->max));
    }
    if (rule->step > 1 && (count - rule->min) % rule->step != 0) {
      return invalid_field(pointer, "in steps of " + std::to_string(rule->step) + " from " +
                                        std::to_string(rule->min));
    }
    out[name] = count;
  }
  return out;
}

}  // namespace syndicated::core::rules
