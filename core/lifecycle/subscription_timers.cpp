// What a subscription waits for, and what happens when that instant has passed.
#include <algorithm>

#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core {

std::optional<timestamp> next_timer(const subscription& s) noexcept {
  const armed_timer* first = s.timers.next();
  return first == nullptr ? std::nullopt : std::optional{first->due};
}

namespace rules {
namespace {

using status = subscription_status;
using reason = suspension_reason;

// The reminders are for those that end unless somebody does something.
bool runs_out(const subscription& s) {
  return s.status == status::deployed && !s.auto_renew && !s.grace_until && s.end_date;
}

void settle_reminder(subscription& s, const lifecycle_settings& settings, timestamp now) {
  if (!runs_out(s)) return s.timers.disarm(timer_kind::reminder);
  const armed_timer* armed = s.timers.find(timer_kind::reminder);
  const bool unsaid = armed != nullptr && armed->due <= now;
  std::optional<timestamp> next;
  for (const std::int16_t days : settings.expiring_days) {
    if (days == 0) break;
    const timestamp due = *s.end_date - std::chrono::days{days};
    if (unsaid && due == armed->due) return;  // it is told first
    if (!next && due > now) next = due;
  }
  if (!next) return s.timers.disarm(timer_kind::reminder);
  s.timers.arm(timer_kind::reminder, *next, s.version);
}

}  // namespace

// One at a time, the earliest first: each has a version and events of its own. What is due is read
// from the state, so a late, early or repeated call is harmless (invariant 17).
decision timer(const subscription& s, const circumstances& c) {
  const armed_timer* due = s.timers.next();
  if (due == nullptr || due->due > c.now) return unchanged(s);
  const auto add = [&](reason r) {
    subscription_command command;
    command.action = subscription_action::suspend;
    command.by = party::system;
    command.reason = r;
    return suspend(s, command, c);
  };
  switch (due->kind) {
    case timer_kind::first_payment: return payment_expired(s, c);
    case timer_kind::start: return start(s, c);
    case timer_kind::provisioning_overdue: return provisioning_overdue(s, c);
    case timer_kind::provisioning_fail:
      return report_progress(s, c, subscription_action::report_failed);
    case timer_kind::unpaid_stop: return add(reason::unpaid);
    case timer_kind::period_end: return period_over(s, c);
    case timer_kind::grace_end: return add(reason::expired);
    case timer_kind::unpaid_cancel:
    case timer_kind::hold_end: return cancel(s, party::system, c);
    case timer_kind::purge: return terminate(s, party::system, c, subscription_action::timer);
    case timer_kind::deprovision: return deprovision_overdue(s, c);
    case timer_kind::retention: return purge(s, c);
    case timer_kind::reminder: return remind(s, c);
    case timer_kind::operation: return operation_unanswered(s, c);
    case timer_kind::commitment_end: return commitment_over(s, c);
    case timer_kind::invoice_due: return invoices_due(s, c);
  }
  return unchanged(s);
}

}  // namespace rules

void settle_timers(subscription& s, const lifecycle_settings& settings, timestamp now) {
  using rules::provisioned;
  using status = subscription_status;
  using reason = suspension_reason;
  const auto at = [&s](timer_kind kind, bool applies, const std::optional<timestamp>& due) {
    if (!applies || !due) return s.timers.disarm(kind);
    s.timers.arm(kind, *due, s.version);
  };
  const auto after = [&s, now](timer_kind kind, bool applies, std::chrono::milliseconds pause) {
    if (!applies) return s.timers.disarm(kind);
    if (!s.timers.armed(kind)) s.timers.arm(kind, now + pause, s.version);
  };
  const bool going_up = rules::is_one_of(s.status, {status::pending, status::post_configuration});
  const bool stays = s.status == status::stopped && !s.reasons.has(reason::cancelled);
  const operation* asked = s.in_progress();
  after(timer_kind::first_payment, s.status == status::waiting_payment, settings.first_payment);
  at(timer_kind::start, s.status == status::postponed, s.start_date);
  after(timer_kind::provisioning_overdue, going_up && !s.overdue_told,
        settings.provisioning_overdue);
  after(timer_kind::provisioning_fail, going_up, settings.provisioning_fail);
  after(timer_kind::unpaid_stop,
        provisioned(s) && rules::is_overdue(s) && !s.reasons.has(reason::unpaid) &&
            !s.reasons.has(reason::cancelled),
        settings.unpaid_stop);
  after(timer_kind::unpaid_cancel, stays && s.reasons.has(reason::unpaid), settings.unpaid_cancel);
  at(timer_kind::period_end, s.status == status::deployed && !s.grace_until, s.period_end);
  at(timer_kind::grace_end, s.status == status::deployed, s.grace_until);
  after(timer_kind::hold_end, stays && s.reasons.has(reason::expired), settings.hold);
  at(timer_kind::purge, s.status == status::stopped && s.reasons.has(reason::cancelled),
     s.purge_at);
  after(timer_kind::deprovision, s.status == status::undeploy_sent, settings.deprovision_timeout);
  after(timer_kind::retention, ended(s.status) && s.status != status::purged, settings.retention);
  rules::settle_reminder(s, settings, now);
  at(timer_kind::operation, asked != nullptr,
     asked == nullptr ? std::optional<timestamp>{} : asked->due_at);
  at(timer_kind::invoice_due, !ended(s.status), rules::next_due(s));
  const bool committed = s.commitment && s.commitment->in_force();
  at(timer_kind::commitment_end, committed,
     committed ? std::optional{lapses_at(*s.commitment)} : std::nullopt);
}

}  // namespace syndicated::core
