// From the order to the first use: S1 to S5 of domain.md, 10.5.
#include "core/base/json_writer.hpp"
#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

void request_provisioning(draft& d) {
  d.next.status = status::pending;
  d.next.overdue_told = false;
}

}  // namespace

void proceed(draft& d, const circumstances& c) {
  subscription& s = d.next;
  if (s.start_date && *s.start_date > c.now && s.status != status::postponed) {
    s.status = status::postponed;
  } else if (s.paid) {
    request_provisioning(d);
  } else {
    s.status = status::waiting_payment;
  }
}

void settle_payment(draft& d) {
  subscription& s = d.next;
  pay_invoices(d);
  s.paid = true;
  s.owes_besides = false;
  if (s.status == status::waiting_payment) {
    request_provisioning(d);
    d.emit("subscription.provisioning_requested", wire_type::modified);
  } else if (s.reasons.has(suspension_reason::unpaid)) {
    reason_set reasons = s.reasons;
    reasons.remove(suspension_reason::unpaid);
    change_reasons(d, reasons);
  } else {
    d.emit("subscription.parameters_changed", wire_type::modified,
           R"({"paid":{"from":false,"to":true}})");
  }
}

decision pay(const subscription& s, const circumstances& c) {
  if (closing(s)) return refused(s, subscription_action::pay);
  if (s.paid) return unchanged(s);
  draft d(s, c);
  settle_payment(d);
  return std::move(d).done();
}

decision payment_expired(const subscription& s, const circumstances& c) {
  draft d(s, c);
  d.next.status = status::payment_expired;
  end_commitment(d, commitment_state::cancelled, c);
  d.next.reasons = {};
  d.emit("subscription.payment_expired", wire_type::deleted);
  return std::move(d).done();
}

decision approve(const subscription& s, const circumstances& c) {
  if (s.status != status::requires_approval) return refused(s, subscription_action::approve);
  draft d(s, c);
  proceed(d, c);
  d.emit("subscription.approved", wire_type::modified);
  return std::move(d).done();
}

decision reject(const subscription& s, const circumstances& c) {
  if (s.status == status::rejected) return unchanged(s);
  if (s.status != status::requires_approval) return refused(s, subscription_action::reject);
  draft d(s, c);
  d.next.status = status::rejected;
  end_commitment(d, commitment_state::cancelled, c);
  d.next.reasons = {};
  d.emit("subscription.rejected", wire_type::deleted);
  return std::move(d).done();
}

decision start(const subscription& s, const circumstances& c) {
  draft d(s, c);
  proceed(d, c);
  d.emit("subscription.started", wire_type::modified);
  return std::move(d).done();
}

decision redeploy(const subscription& s, const circumstances& c) {
  if (s.status == status::pending) return unchanged(s);
  if (s.status != status::failed) return refused(s, subscription_action::redeploy);
  if (s.attempt >= c.settings.provisioning_attempts_max) {
    return conflict(s, "attempts_exhausted",
                    "provisioning was attempted " + std::to_string(s.attempt) + " times");
  }
  draft d(s, c);
  ++d.next.attempt;
  request_provisioning(d);
  d.emit("subscription.provisioning_requested", wire_type::modified);
  return std::move(d).done();
}

// S5a, S5c, S5g; and a vendor that lifts its own hold.
decision report_deployed(const subscription& s, const subscription_command& cmd,
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
  draft d(s, c);
  if (!d.next.start_date || *d.next.start_date < c.now) d.next.start_date = c.now;
  begin_period(d.next, c);
  d.next.status = s.reasons.empty() ? status::deployed : status::stopped;
  d.emit("subscription.activated", wire_type::modified);
  begin_commitment(d, c);
  return std::move(d).done();
}

decision report_progress(const subscription& s, const circumstances& c,
                         subscription_action action) {
  const bool failed = action == subscription_action::report_failed;
  const status target = failed ? status::failed : status::post_configuration;
  if (s.status == target) return unchanged(s);
  const bool from_here =
      s.status == status::pending || (failed && s.status == status::post_configuration);
  if (!from_here) return refused(s, action);
  if (!failed && c.plan != nullptr && !c.plan->post_configuration) {
    return conflict(s, "no_post_configuration", "the plan has no step of configuration");
  }
  draft d(s, c);
  d.next.status = target;
  json_writer change;
  change.begin_object().key("attempt").number(static_cast<std::uint64_t>(s.attempt)).end_object();
  d.emit(failed ? "subscription.provisioning_failed" : "subscription.configuration_required",
         wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

decision provisioning_overdue(const subscription& s, const circumstances& c) {
  draft d(s, c);
  d.next.overdue_told = true;
  json_writer change;
  change.begin_object().key("deadline");
  const armed_timer* deadline = s.timers.find(timer_kind::provisioning_fail);
  change.time(deadline == nullptr ? std::optional<timestamp>{} : deadline->due);
  change.key("attempt").number(static_cast<std::uint64_t>(s.attempt)).end_object();
  d.emit("subscription.provisioning_overdue", wire_type::none, std::move(change).str());
  return std::move(d).done();
}

}  // namespace syndicated::core::rules
