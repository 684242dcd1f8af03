#include "core/lifecycle/subscription.hpp"

#include "core/lifecycle/subscription_rules.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {
namespace {

using status = subscription_status;
using namespace rules;

// What the vendor tells the customer. No lifecycle change, so a new version but no event.
decision set_vendor_part(const subscription& s, const subscription_command& cmd,
                         const circumstances& c) {
  if (ended(s.status)) return refused(s, cmd.action);
  draft d(s, c);
  if (cmd.action == subscription_action::set_endpoints) {
    if (s.endpoints == cmd.endpoints) return unchanged(s);
    d.next.endpoints = cmd.endpoints;
  } else if (cmd.action == subscription_action::set_instructions) {
    if (s.instructions == cmd.instructions) return unchanged(s);
    d.next.instructions = cmd.instructions;
  } else if (cmd.action == subscription_action::set_credentials) {
    d.next.credentials = cmd.credentials;
  } else {
    if (s.vendor_metadata == cmd.metadata.value_or(string_map{})) return unchanged(s);
    d.next.vendor_metadata = cmd.metadata.value_or(string_map{});
  }
  return std::move(d).done();
}

decision edit(const subscription& s, const subscription_command& cmd, const circumstances& c) {
  if (ended(s.status)) return refused(s, subscription_action::edit);
  draft d(s, c);
  bool changed = false;
  if (cmd.name && *cmd.name != s.name) {
    d.next.name = *cmd.name;
    d.emit("subscription.renamed", wire_type::modified);
    changed = true;
  }
  if (cmd.auto_renew && *cmd.auto_renew != s.auto_renew) {
    d.next.auto_renew = *cmd.auto_renew;
    d.emit("subscription.auto_renew_changed", wire_type::modified);
    changed = true;
  }
  const bool metadata = cmd.metadata && *cmd.metadata != s.metadata;
  const bool config = cmd.config && *cmd.config != s.config;
  if (metadata || config) {
    if (metadata) d.next.metadata = *cmd.metadata;
    if (config) d.next.config = *cmd.config;
    d.emit("subscription.parameters_changed", wire_type::modified);
    changed = true;
  }
  if (!changed) return unchanged(s);
  return std::move(d).done();
}

error tenant_disabled() {
  return {
      errc::conflict, "tenant_disabled", "the tenant or one of its ancestors is disabled", {}, {}};
}

result<void> check_owner(const tenant& owner, const circumstances& c) {
  if (owner.kind != tenant_kind::customer && owner.kind != tenant_kind::unit) {
    return invalid_field("/tenant_id", "only customers and their units hold subscriptions");
  }
  if (owner.state == tenant_state::deleted) return invalid_field("/tenant_id", "no such tenant");
  if (!c.tenant_effective) return tenant_disabled();
  return {};
}

// What the product sells, and to whom more than once (domain.md, 1.13).
result<void> check_order(const new_subscription& wanted, const circumstances& c) {
  if (c.plan == nullptr || c.plan->state == publication_state::deleted) {
    return invalid_field("/plan_id", "no such plan");
  }
  const bool on_sale = c.plan->state == publication_state::published &&
                       (c.product == nullptr || c.product->state == publication_state::published);
  if (!on_sale) return invalid_field("/plan_id", "the plan is not published");
  const bool trial = wanted.type == subscription_type::trial;
  if (trial && c.plan->trial_days <= 0) return invalid_field("/type", "the plan has no trial");
  if (c.product == nullptr || c.same_product == 0) return {};
  const per_customer policy = c.product->per_customer;
  const bool once =
      policy == per_customer::one_per_user || policy == per_customer::one_per_company ||
      policy == per_customer::one_per_company_group || (policy == per_customer::trial && trial);
  if (!once) return {};
  return error{errc::conflict,
               "one_per_customer",
               "the product is sold once to a customer: " + std::string{to_string(policy)},
               {},
               {}};
}

subscription ordered(subscription_id id, const new_subscription& wanted, const tenant& owner,
                     const circumstances& c) {
  subscription s;
  s.id = id;
  belong_to(s, owner);
  s.plan = c.plan->id;
  s.product = c.plan->product;
  s.vendor = c.plan->vendor;
  s.name = wanted.name.empty() ? c.plan->name : wanted.name;
  s.type = wanted.type;
  // Nothing is unpaid on what costs nothing yet (domain.md 1.17, 4).
  s.paid = wanted.paid || wanted.type != subscription_type::normal || c.plan->free;
  s.config = wanted.config;
  s.auto_renew = wanted.auto_renew;
  s.start_date = wanted.start_date;
  s.metadata = wanted.metadata;
  s.created_at = c.now;
  return s;
}

}  // namespace

const plan* circumstances::find(plan_id id) const noexcept {
  if (plan != nullptr && plan->id == id) return plan;
  for (const core::plan* other : other_plans) {
    if (other != nullptr && other->id == id) return other;
  }
  return nullptr;
}

result<subscription_decision> create_subscription(subscription_id id,
                                                  const new_subscription& wanted,
                                                  const tenant& owner, const circumstances& c) {
  if (auto ok = check_owner(owner, c); !ok) return std::move(ok).failure();
  if (auto ok = check_order(wanted, c); !ok) return std::move(ok).failure();
  auto checked = checked_quantities(wanted.quantities, *c.plan);
  if (!checked) return std::move(checked).failure();
  subscription s = ordered(id, wanted, owner, c);
  s.quantities = std::move(*checked);
  if (auto ok = order_commitment(s, wanted, *c.plan); !ok) return std::move(ok).failure();
  draft d(s, c);
  const bool asked =
      c.plan->needs_approval || (c.product != nullptr && c.product->approval_required);
  if (asked) {
    d.next.status = status::requires_approval;
  } else {
    proceed(d, c);
  }
  d.emit("subscription.created", wire_type::created);
  return std::move(d).done();
}

result<subscription_decision> decide(const subscription& s, const subscription_command& cmd,
                                     const circumstances& c) {
  if (!may(cmd.by, cmd.action)) return not_yours(cmd.action, cmd.by);
  switch (cmd.action) {
    case subscription_action::pay: return pay(s, c);
    case subscription_action::approve: return approve(s, c);
    case subscription_action::reject: return reject(s, c);
    case subscription_action::suspend: return suspend(s, cmd, c);
    case subscription_action::resume: return resume(s, cmd, c);
    case subscription_action::overdue: return overdue(s, c);
    case subscription_action::renew: return renew(s, cmd.by, c);
    case subscription_action::change: return change(s, cmd, c);
    case subscription_action::unschedule: return unschedule(s, c);
    case subscription_action::convert: return convert(s, cmd.by, c);
    case subscription_action::cancel: return cancel(s, cmd.by, c);
    case subscription_action::reinstate: return reinstate(s, c);
    case subscription_action::terminate: return terminate(s, cmd.by, c, cmd.action);
    case subscription_action::redeploy: return redeploy(s, c);
    case subscription_action::report_deployed: return report_deployed(s, cmd, c);
    case subscription_action::report_post_configuration:
    case subscription_action::report_failed: return report_progress(s, c, cmd.action);
    case subscription_action::report_stopped: return report_stopped(s, cmd, c);
    case subscription_action::report_undeployed: return report_undeployed(s, c);
    case subscription_action::transfer: return transfer(s, cmd.by, c);
    case subscription_action::edit: return edit(s, cmd, c);
    case subscription_action::answer_operation: return answer_operation(s, cmd, c);
    case subscription_action::cancel_operation: return cancel_operation(s, cmd, c);
    case subscription_action::set_endpoints:
    case subscription_action::set_instructions:
    case subscription_action::set_credentials:
    case subscription_action::set_vendor_metadata: return set_vendor_part(s, cmd, c);
    case subscription_action::issue_invoice: return issue_invoice(s, cmd, c);
    case subscription_action::edit_invoice: return edit_invoice(s, cmd, c);
    case subscription_action::set_costs: return set_costs(s, cmd, c);
    case subscription_action::relocate: return relocate(s, c);
    case subscription_action::timer: return rules::timer(s, c);
  }
  return error{errc::internal, "internal", "unknown action", {}, {}};
}

bool ended(subscription_status s) noexcept {
  return is_one_of(s,
                   {status::undeployed, status::rejected, status::payment_expired, status::purged});
}

}  // namespace syndicated::core
