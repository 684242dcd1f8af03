#include "core/lifecycle/subscription.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/subscription_rules.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {
namespace {

using status = subscription_status;
using namespace rules;

std::string reasons_json(reason_set before, reason_set after) {
  json_writer out;
  const auto list = [&out](json_name name, reason_set set) {
    out.key(name).begin_array();
    for (suspension_reason r : set.list()) out.text(to_string(r));
    out.end_array();
  };
  out.begin_object();
  list("from", before);
  list("to", after);
  out.end_object();
  return std::move(out).str();
}

void begin_period(subscription& s, const circumstances& c) {
  const bool trial = s.type == subscription_type::trial;
  const int months = c.plan != nullptr ? c.plan->billing_period_months : 1;
  const int days = c.plan != nullptr && c.plan->trial_days > 0 ? c.plan->trial_days : 1;
  s.period_start = c.now;
  s.period_end = trial ? c.now + std::chrono::days{days} : add_months(c.now, months);
  s.end_date = s.period_end;
}

// S4a and the part of S2a that follows a payment.
void request_provisioning(draft& d) {
  d.next.status = status::pending;
  d.next.deadline.reset();
}

void wait_for_payment(draft& d, const circumstances& c) {
  d.next.status = status::waiting_payment;
  d.next.deadline = c.now + c.settings.first_payment;
}

// S6, S7, S8: applies a new set of reasons to a subscription that may be DEPLOYED or STOPPED.
subscription_decision with_reasons(const subscription& s, reason_set wanted,
                                   std::optional<bool> paid, const circumstances& c) {
  draft d(s, c.now);
  d.next.reasons = wanted;
  if (paid) d.next.paid = *paid;
  const std::string change = reasons_json(s.reasons, wanted);
  const bool provisioned = s.status == status::deployed || s.status == status::stopped;
  if (provisioned) d.next.status = wanted.empty() ? status::deployed : status::stopped;
  if (d.next.status == s.status) {
    d.emit("subscription.suspension_changed", wire_type::modified, change);
  } else if (d.next.status == status::stopped) {
    d.emit("subscription.suspended", wire_type::modified, change);
  } else {
    d.emit("subscription.resumed", wire_type::modified, change);
  }
  return std::move(d).done();
}

result<subscription_decision> pay(const subscription& s, const circumstances& c) {
  if (s.status == status::waiting_payment) {
    draft d(s, c.now);
    d.next.paid = true;
    request_provisioning(d);
    d.emit("subscription.provisioning_requested", wire_type::modified);
    return std::move(d).done();
  }
  if (ended(s.status) || s.status == status::undeploy_sent) {
    return refused(s, subscription_action::pay);
  }
  if (s.reasons.has(suspension_reason::unpaid)) {
    reason_set reasons = s.reasons;
    reasons.remove(suspension_reason::unpaid);
    return with_reasons(s, reasons, true, c);
  }
  if (s.paid) return unchanged(s);
  draft d(s, c.now);
  d.next.paid = true;
  d.emit("subscription.parameters_changed", wire_type::modified,
         R"({"paid":{"from":false,"to":true}})");
  return std::move(d).done();
}

result<subscription_decision> approve(const subscription& s, const circumstances& c) {
  if (s.status != status::requires_approval) return refused(s, subscription_action::approve);
  draft d(s, c.now);
  if (s.paid) {
    request_provisioning(d);
  } else {
    wait_for_payment(d, c);
  }
  d.emit("subscription.approved", wire_type::modified);
  return std::move(d).done();
}

result<subscription_decision> reject(const subscription& s, const circumstances& c) {
  if (s.status == status::rejected) return unchanged(s);
  if (s.status != status::requires_approval) return refused(s, subscription_action::reject);
  draft d(s, c.now);
  d.next.status = status::rejected;
  d.emit("subscription.rejected", wire_type::deleted);
  return std::move(d).done();
}

suspension_reason own_reason(party by) {
  switch (by) {
    case party::vendor: return suspension_reason::vendor_hold;
    case party::billing: return suspension_reason::unpaid;
    case party::system: return suspension_reason::tenant_disabled;
    case party::customer:
    case party::reseller:
    case party::provider: return suspension_reason::admin_hold;
  }
  return suspension_reason::admin_hold;
}

error reason_not_yours(suspension_reason reason) {
  std::string text = "the reason ";
  text += to_string(reason);
  text += " is set and removed by another party";
  error e{errc::forbidden, "reason_not_yours", text, {}, {}};
  e.fields.push_back({"/reason", std::move(text)});
  return e;
}

// Before provisioning only the cascade of a disabled tenant leaves its mark, so that the
// subscription lands in STOPPED when the vendor is done (S5a).
bool takes_reason(const subscription& s, suspension_reason reason) {
  if (s.status == status::deployed || s.status == status::stopped) return true;
  return reason == suspension_reason::tenant_disabled && !ended(s.status) &&
         s.status != status::undeploy_sent;
}

result<subscription_decision> suspend(const subscription& s, const subscription_command& cmd,
                                      const circumstances& c) {
  const suspension_reason reason = cmd.reason.value_or(own_reason(cmd.by));
  if (!may_set(cmd.by, reason)) return reason_not_yours(reason);
  if (!takes_reason(s, reason)) return refused(s, subscription_action::suspend);
  if (s.reasons.has(reason)) return unchanged(s);
  reason_set reasons = s.reasons;
  reasons.add(reason);
  const bool unpaid = reason == suspension_reason::unpaid;
  return with_reasons(s, reasons, unpaid ? std::optional<bool>{false} : std::nullopt, c);
}

// Without a named reason: the party's own one, or the only one that it may remove.
std::optional<suspension_reason> reason_to_remove(const subscription& s, party by) {
  const suspension_reason own = own_reason(by);
  if (s.reasons.has(own)) return own;
  std::optional<suspension_reason> only;
  for (suspension_reason r : s.reasons.list()) {
    if (!may_remove(by, r)) continue;
    if (only) return std::nullopt;
    only = r;
  }
  return only;
}

result<subscription_decision> resume(const subscription& s, const subscription_command& cmd,
                                     const circumstances& c) {
  if (cmd.reason && !may_remove(cmd.by, *cmd.reason)) return reason_not_yours(*cmd.reason);
  const auto reason = cmd.reason ? cmd.reason : reason_to_remove(s, cmd.by);
  if (!reason) {
    if (s.status == status::deployed) return unchanged(s);
    return refused(s, subscription_action::resume);
  }
  if (!takes_reason(s, *reason)) return refused(s, subscription_action::resume);
  if (!s.reasons.has(*reason)) return unchanged(s);
  reason_set reasons = s.reasons;
  reasons.remove(*reason);
  const bool unpaid = *reason == suspension_reason::unpaid;
  return with_reasons(s, reasons, unpaid ? std::optional<bool>{true} : std::nullopt, c);
}

result<subscription_decision> renew(const subscription& s, const circumstances& c) {
  if (s.status != status::deployed) return refused(s, subscription_action::renew);
  if (s.type == subscription_type::trial) {
    return error{errc::conflict,
                 "trial_not_renewable",
                 "a trial is converted, not renewed",
                 {},
                 std::string{to_string(s.status)}};
  }
  draft d(s, c.now);
  const int months = c.plan != nullptr ? c.plan->billing_period_months : 1;
  d.next.period_start = s.period_end.value_or(c.now);
  d.next.period_end = add_months(*d.next.period_start, months);
  d.next.end_date = d.next.period_end;
  json_writer change;
  change.begin_object()
      .key("period_start")
      .time(d.next.period_start)
      .key("period_end")
      .time(d.next.period_end)
      .end_object();
  d.emit("subscription.renewed", wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

void emit_plan_change(draft& d, plan_id from, plan_id to) {
  json_writer change;
  change.begin_object().key("from").number(from.value).key("to").number(to.value).end_object();
  d.emit("subscription.plan_changed", wire_type::modified, std::move(change).str());
}

void emit_quantity_change(draft& d, const quantities& from, const quantities& to) {
  json_writer change;
  change.begin_object();
  for (const auto& [name, count] : to) {
    const auto old = from.find(name);
    const std::int64_t before = old == from.end() ? 0 : old->second;
    if (before == count) continue;
    change.given_key(name)
        .begin_object()
        .key("from")
        .number(before)
        .key("to")
        .number(count)
        .end_object();
  }
  change.end_object();
  d.emit("subscription.quantity_changed", wire_type::modified, std::move(change).str());
}

result<subscription_decision> change(const subscription& s, const subscription_command& cmd,
                                     const circumstances& c) {
  if (s.status != status::deployed) return refused(s, subscription_action::change);
  const plan* target = cmd.new_plan ? c.new_plan : c.plan;
  if (target == nullptr) return invalid_field("/plan_id", "no such plan");
  if (target->product != s.product) {
    return invalid_field("/plan_id", "the plan belongs to another product");
  }
  quantities wanted = s.quantities;
  if (cmd.new_plan) {  // what the new plan does not know is dropped
    std::erase_if(wanted, [target](const auto& q) {
      return std::none_of(target->resources.begin(), target->resources.end(),
                          [&q](const plan_resource& r) { return r.name == q.first; });
    });
  }
  for (const auto& [name, count] : cmd.new_quantities.value_or(quantities{})) wanted[name] = count;
  auto checked = checked_quantities(wanted, *target);
  if (!checked) return std::move(checked).failure();
  draft d(s, c.now);
  d.next.plan = target->id;
  d.next.quantities = *checked;
  if (target->id != s.plan) emit_plan_change(d, s.plan, target->id);
  if (*checked != s.quantities) emit_quantity_change(d, s.quantities, *checked);
  if (target->id == s.plan && *checked == s.quantities) return unchanged(s);
  return std::move(d).done();
}

result<subscription_decision> convert(const subscription& s, const circumstances& c) {
  if (s.type == subscription_type::normal && !ended(s.status)) return unchanged(s);
  if (s.status != status::deployed) return refused(s, subscription_action::convert);
  draft d(s, c.now);
  d.next.type = subscription_type::normal;
  begin_period(d.next, c);
  d.emit("subscription.converted", wire_type::modified);
  return std::move(d).done();
}

// S17: nothing was ever sent to be provisioned, so nothing has to be released.
bool never_provisioned(status s) {
  return is_one_of(s, {status::requires_approval, status::postponed, status::waiting_payment});
}

subscription_decision end_unprovisioned(const subscription& s, const circumstances& c) {
  draft d(s, c.now);
  d.next.status = status::undeployed;
  d.next.deadline.reset();
  d.next.reasons = {};
  d.emit("subscription.terminated", wire_type::deleted,
         R"({"forced":false,"never_provisioned":true})");
  return std::move(d).done();
}

result<subscription_decision> terminate(const subscription& s, const circumstances& c,
                                        subscription_action asked) {
  if (s.status == status::undeploy_sent || s.status == status::undeployed) return unchanged(s);
  if (ended(s.status)) return refused(s, asked);
  if (never_provisioned(s.status)) return end_unprovisioned(s, c);
  draft d(s, c.now);
  request_deprovisioning(d, c);
  return std::move(d).done();
}

result<subscription_decision> cancel(const subscription& s, const circumstances& c) {
  if (s.reasons.has(suspension_reason::cancelled)) return unchanged(s);
  const bool provisioned = s.status == status::deployed || s.status == status::stopped;
  if (!provisioned) {
    if (ended(s.status) || s.status == status::undeploy_sent) {
      return refused(s, subscription_action::cancel);
    }
    return terminate(s, c, subscription_action::cancel);
  }
  if (c.settings.cancel_grace.count() == 0) return terminate(s, c, subscription_action::cancel);
  draft d(s, c.now);
  d.next.status = status::stopped;
  d.next.reasons.add(suspension_reason::cancelled);
  d.next.purge_at = c.now + c.settings.cancel_grace;
  json_writer change;
  change.begin_object().key("purge_at").time(d.next.purge_at).end_object();
  d.emit("subscription.cancelled", wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

result<subscription_decision> reinstate(const subscription& s, const circumstances& c) {
  if (s.status == status::deployed) return unchanged(s);
  if (!s.reasons.has(suspension_reason::cancelled) || !s.purge_at || c.now >= *s.purge_at) {
    return refused(s, subscription_action::reinstate);
  }
  const auto conflict = [&s](std::string code, std::string detail) {
    return error{
        errc::conflict, std::move(code), std::move(detail), {}, std::string{to_string(s.status)}};
  };
  if (!c.tenant_effective) {
    return conflict("tenant_disabled", "the tenant or one of its ancestors is disabled");
  }
  if (!s.paid) return conflict("unpaid", "an invoice of the subscription is unpaid");
  draft d(s, c.now);
  d.next.reasons.remove(suspension_reason::cancelled);
  d.next.purge_at.reset();
  if (d.next.reasons.empty()) d.next.status = status::deployed;
  d.emit("subscription.reinstated", wire_type::modified, reasons_json(s.reasons, d.next.reasons));
  return std::move(d).done();
}

result<subscription_decision> redeploy(const subscription& s, const circumstances& c) {
  if (s.status == status::pending) return unchanged(s);
  if (s.status != status::failed) return refused(s, subscription_action::redeploy);
  if (s.attempt >= c.settings.provisioning_attempts_max) {
    return error{errc::conflict,
                 "attempts_exhausted",
                 "provisioning was attempted " + std::to_string(s.attempt) + " times",
                 {},
                 std::string{to_string(s.status)}};
  }
  draft d(s, c.now);
  ++d.next.attempt;
  request_provisioning(d);
  d.emit("subscription.provisioning_requested", wire_type::modified);
  return std::move(d).done();
}

// S5a, S5c, S5g; and a vendor that lifts its own hold.
result<subscription_decision> report_deployed(const subscription& s,
                                              const subscription_command& cmd,
                                              const circumstances& c) {
  if (s.status == status::deployed) return unchanged(s);
  if (s.status == status::stopped && s.reasons.has(suspension_reason::vendor_hold)) {
    subscription_command release = cmd;
    release.reason = suspension_reason::vendor_hold;
    return resume(s, release, c);
  }
  if (!is_one_of(s.status, {status::pending, status::post_configuration, status::failed})) {
    return refused(s, subscription_action::report_deployed);
  }
  draft d(s, c.now);
  if (!d.next.start_date || *d.next.start_date < c.now) d.next.start_date = c.now;
  begin_period(d.next, c);
  d.next.status = s.reasons.empty() ? status::deployed : status::stopped;
  d.emit("subscription.activated", wire_type::modified);
  return std::move(d).done();
}

result<subscription_decision> report_progress(const subscription& s, const circumstances& c,
                                              subscription_action action) {
  const bool failed = action == subscription_action::report_failed;
  const status target = failed ? status::failed : status::post_configuration;
  if (s.status == target) return unchanged(s);
  const bool from_here =
      s.status == status::pending || (failed && s.status == status::post_configuration);
  if (!from_here) return refused(s, action);
  draft d(s, c.now);
  d.next.status = target;
  d.emit(failed ? "subscription.provisioning_failed" : "subscription.configuration_required",
         wire_type::modified);
  return std::move(d).done();
}

result<subscription_decision> report_stopped(const subscription& s, const subscription_command& cmd,
                                             const circumstances& c) {
  if (s.status == status::stopped) return unchanged(s);
  subscription_command hold = cmd;
  hold.reason = suspension_reason::vendor_hold;
  auto decided = suspend(s, hold, c);
  if (!decided && decided.failure().kind == errc::conflict) {
    return refused(s, subscription_action::report_stopped);
  }
  return decided;
}

subscription_decision close(const subscription& s, const circumstances& c, bool forced) {
  draft d(s, c.now);
  d.next.status = status::undeployed;
  d.next.deadline.reset();
  d.emit("subscription.terminated", wire_type::deleted,
         forced ? R"({"forced":true,"never_provisioned":false})"
                : R"({"forced":false,"never_provisioned":false})");
  return std::move(d).done();
}

result<subscription_decision> report_undeployed(const subscription& s, const circumstances& c) {
  if (ended(s.status)) return unchanged(s);  // templates answer DELETED so: never an error
  if (s.status != status::undeploy_sent) return refused(s, subscription_action::report_undeployed);
  return close(s, c, false);
}

result<subscription_decision> edit(const subscription& s, const subscription_command& cmd,
                                   const circumstances& c) {
  if (ended(s.status)) return refused(s, subscription_action::edit);
  draft d(s, c.now);
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

// What the vendor tells the customer. No lifecycle change, so a new version but no event.
result<subscription_decision> set_vendor_part(const subscription& s,
                                              const subscription_command& cmd,
                                              const circumstances& c) {
  if (ended(s.status)) return refused(s, cmd.action);
  draft d(s, c.now);
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

// A timer carries nothing: what is due is read from the state, so a late, early or repeated one is
// harmless (invariant 17).
result<subscription_decision> timer(const subscription& s, const circumstances& c) {
  const auto due = next_timer(s);
  if (!due || *due > c.now) return unchanged(s);
  if (s.status == status::undeploy_sent) return close(s, c, true);
  draft d(s, c.now);
  if (s.status == status::waiting_payment) {
    d.next.status = status::payment_expired;
    d.next.deadline.reset();
    d.next.reasons = {};
    d.emit("subscription.payment_expired", wire_type::deleted);
  } else {
    request_deprovisioning(d, c);
  }
  return std::move(d).done();
}

}  // namespace

result<subscription_decision> create_subscription(subscription_id id,
                                                  const new_subscription& wanted,
                                                  const tenant& owner, const circumstances& c) {
  if (owner.kind != tenant_kind::customer && owner.kind != tenant_kind::unit) {
    return invalid_field("/tenant_id", "only customers and their units hold subscriptions");
  }
  if (owner.state == tenant_state::deleted) return invalid_field("/tenant_id", "no such tenant");
  if (!c.tenant_effective) {
    return error{errc::conflict,
                 "tenant_disabled",
                 "the tenant or one of its ancestors is disabled",
                 {},
                 {}};
  }
  if (c.plan == nullptr) return invalid_field("/plan_id", "no such plan");
  const bool trial = wanted.type == subscription_type::trial;
  if (trial && c.plan->trial_days <= 0) return invalid_field("/type", "the plan has no trial");
  auto checked = checked_quantities(wanted.quantities, *c.plan);
  if (!checked) return std::move(checked).failure();

  subscription s;
  s.id = id;
  s.tenant = owner.id;
  s.path = owner.path;
  s.path.push_back(owner.id);
  // A unit's customer stands in the path too; the seller is the last one above the customer.
  s.reseller = owner.kind == tenant_kind::unit && owner.path.size() >= 2
                   ? owner.path[owner.path.size() - 2]
                   : owner.parent;
  s.plan = c.plan->id;
  s.product = c.plan->product;
  s.vendor = c.plan->vendor;
  s.name = wanted.name.empty() ? c.plan->name : wanted.name;
  s.type = wanted.type;
  s.paid = wanted.paid || trial;  // nothing is unpaid on a trial (domain.md 1.17, 4)
  s.quantities = std::move(*checked);
  s.config = wanted.config;
  s.auto_renew = wanted.auto_renew;
  s.start_date = wanted.start_date;
  s.metadata = wanted.metadata;
  s.created_at = c.now;
  draft d(s, c.now);
  if (d.next.paid) {
    request_provisioning(d);
  } else {
    wait_for_payment(d, c);
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
    case subscription_action::renew: return renew(s, c);
    case subscription_action::change: return change(s, cmd, c);
    case subscription_action::convert: return convert(s, c);
    case subscription_action::cancel: return cancel(s, c);
    case subscription_action::reinstate: return reinstate(s, c);
    case subscription_action::terminate: return terminate(s, c, cmd.action);
    case subscription_action::redeploy: return redeploy(s, c);
    case subscription_action::report_deployed: return report_deployed(s, cmd, c);
    case subscription_action::report_post_configuration:
    case subscription_action::report_failed: return report_progress(s, c, cmd.action);
    case subscription_action::report_stopped: return report_stopped(s, cmd, c);
    case subscription_action::report_undeployed: return report_undeployed(s, c);
    case subscription_action::edit: return edit(s, cmd, c);
    case subscription_action::set_endpoints:
    case subscription_action::set_instructions:
    case subscription_action::set_credentials:
    case subscription_action::set_vendor_metadata: return set_vendor_part(s, cmd, c);
    case subscription_action::timer: return timer(s, c);
  }
  return error{errc::internal, "internal", "unknown action", {}, {}};
}

std::optional<timestamp> next_timer(const subscription& s) noexcept {
  if (s.status == status::waiting_payment || s.status == status::undeploy_sent) return s.deadline;
  if (s.status == status::stopped && s.reasons.has(suspension_reason::cancelled)) return s.purge_at;
  return std::nullopt;
}

bool ended(subscription_status s) noexcept {
  return is_one_of(s, {status::undeployed, status::rejected, status::payment_expired});
}

}  // namespace syndicated::core
