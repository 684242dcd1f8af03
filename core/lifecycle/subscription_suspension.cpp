// Holds, and what a customer cancels: S6 to S8, S12, S13 of domain.md, 10.5.
#include "core/base/json_writer.hpp"
#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

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
  return provisioned(s) || (reason == suspension_reason::tenant_disabled && !closing(s));
}

// Without a named reason: the party's own one, or the only one that it may remove.
std::optional<suspension_reason> reason_to_remove(const subscription& s, party by) {
  const suspension_reason own = own_reason(by);
  if (s.reasons.has(own)) return own;
  std::optional<suspension_reason> only;
  for (suspension_reason r : s.reasons.list()) {
    if (!may_set(by, r)) continue;
    if (only) return std::nullopt;
    only = r;
  }
  return only;
}

// Within the minimum duration an unkillable plan is not the customer's to end (S12).
std::optional<timestamp> bound_until(const subscription& s, party by, const circumstances& c) {
  if (by != party::customer || c.plan == nullptr || !c.plan->unkillable || !s.start_date) {
    return std::nullopt;
  }
  const timestamp end = add_months(*s.start_date, c.plan->minimum_duration_months);
  return end > c.now ? std::optional{end} : std::nullopt;
}

}  // namespace

void change_reasons(draft& d, reason_set wanted) {
  subscription& s = d.next;
  const status before = s.status;
  const std::string change = reasons_json(s.reasons, wanted);
  s.reasons = wanted;
  if (provisioned(s)) s.status = wanted.empty() ? status::deployed : status::stopped;
  if (s.status == before) {
    d.emit("subscription.suspension_changed", wire_type::modified, change);
  } else if (s.status == status::stopped) {
    d.emit("subscription.suspended", wire_type::modified, change);
  } else {
    d.emit("subscription.resumed", wire_type::modified, change);
  }
}

subscription_decision with_reasons(const subscription& s, reason_set wanted,
                                   const circumstances& c) {
  draft d(s, c);
  change_reasons(d, wanted);
  return std::move(d).done();
}

decision suspend(const subscription& s, const subscription_command& cmd, const circumstances& c) {
  const suspension_reason reason = cmd.reason.value_or(own_reason(cmd.by));
  if (!may_set(cmd.by, reason)) return reason_not_yours(reason);
  if (!takes_reason(s, reason)) return refused(s, subscription_action::suspend);
  if (s.reasons.has(reason)) return unchanged(s);
  reason_set reasons = s.reasons;
  reasons.add(reason);
  draft d(s, c);
  if (reason == suspension_reason::unpaid) d.next.paid = false;
  change_reasons(d, reasons);
  return std::move(d).done();
}

decision resume(const subscription& s, const subscription_command& cmd, const circumstances& c) {
  if (cmd.reason && !may_set(cmd.by, *cmd.reason)) return reason_not_yours(*cmd.reason);
  const auto reason = cmd.reason ? cmd.reason : reason_to_remove(s, cmd.by);
  if (!reason) {
    if (s.status == status::deployed) return unchanged(s);
    return refused(s, subscription_action::resume);
  }
  if (!takes_reason(s, *reason)) return refused(s, subscription_action::resume);
  if (!s.reasons.has(*reason)) return unchanged(s);
  draft d(s, c);
  if (*reason == suspension_reason::unpaid) {  // who takes it off says that all is paid
    settle_payment(d);
    return std::move(d).done();
  }
  reason_set reasons = s.reasons;
  reasons.remove(*reason);
  change_reasons(d, reasons);
  return std::move(d).done();
}

decision report_stopped(const subscription& s, const subscription_command& cmd,
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

// The service goes on for a while: settle_timers() arms what follows.
decision overdue(const subscription& s, const circumstances& c) {
  if (!provisioned(s)) return refused(s, subscription_action::overdue);
  if (!s.open_invoices.empty()) return oldest_overdue(s, c);
  if (!s.paid) return unchanged(s);
  draft d(s, c);
  d.next.paid = false;
  d.emit("subscription.parameters_changed", wire_type::modified,
         R"({"paid":{"from":true,"to":false}})");
  return std::move(d).done();
}

decision cancel(const subscription& s, party by, const circumstances& c) {
  constexpr auto asked = subscription_action::cancel;
  if (s.reasons.has(suspension_reason::cancelled)) return unchanged(s);
  if (closing(s)) return refused(s, asked);
  if (const auto until = bound_until(s, by, c)) {
    return conflict(s, "minimum_duration",
                    "the customer is bound until " + format_rfc3339_seconds(*until));
  }
  if (auto ok = may_cancel(s, by, c); !ok) return std::move(ok).failure();
  if (!provisioned(s) || c.settings.cancel_grace.count() == 0) return terminate(s, by, c, asked);
  draft d(s, c);
  d.next.status = status::stopped;
  d.next.reasons.add(suspension_reason::cancelled);
  d.next.purge_at = c.now + c.settings.cancel_grace;
  drop_open_operations(d, "the subscription was cancelled");
  d.note(operation_kind::unsubscribe, operation_state::succeeded, by);
  json_writer change;
  change.begin_object().key("purge_at").time(d.next.purge_at);
  cancel_commitment(d, c, change);
  change.end_object();
  d.emit("subscription.cancelled", wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

decision reinstate(const subscription& s, const circumstances& c) {
  if (s.status == status::deployed) return unchanged(s);
  if (!s.reasons.has(suspension_reason::cancelled) || !s.purge_at || c.now >= *s.purge_at) {
    return refused(s, subscription_action::reinstate);
  }
  if (!c.tenant_effective) {
    return conflict(s, "tenant_disabled", "the tenant or one of its ancestors is disabled");
  }
  if (!s.paid) return conflict(s, "unpaid", "an invoice of the subscription is unpaid");
  draft d(s, c);
  d.next.reasons.remove(suspension_reason::cancelled);
  d.next.purge_at.reset();
  if (d.next.commitment) d.next.commitment->fee = false;
  if (d.next.reasons.empty()) d.next.status = status::deployed;
  d.emit("subscription.reinstated", wire_type::modified, reasons_json(s.reasons, d.next.reasons));
  return std::move(d).done();
}

}  // namespace syndicated::core::rules
