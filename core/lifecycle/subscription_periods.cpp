// Periods: they begin with the first use, are renewed, or run out: S9, S10, S11e of
// domain.md, 10.5.
#include "core/base/json_writer.hpp"
#include "core/lifecycle/subscription_rules.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

constexpr std::chrono::hours sandbox_life{1};  // Cloudesire's default (domain.md 1.8)

bool has_lifespan(const circumstances& c) {
  return c.plan != nullptr && c.plan->lifespan_hours > 0;
}

void write_period(json_writer& change, const subscription& s) {
  change.key("period_start")
      .time(s.period_start)
      .key("period_end")
      .time(s.period_end)
      .key("end_date")
      .time(s.end_date);
}

// The end has come and nobody renews it.
decision run_out(const subscription& s, const circumstances& c) {
  if (c.settings.grace.count() == 0) {
    reason_set reasons = s.reasons;
    reasons.add(suspension_reason::expired);
    return with_reasons(s, reasons, c);
  }
  draft d(s, c);
  d.next.grace_until = s.period_end.value_or(c.now) + c.settings.grace;
  json_writer change;
  change.begin_object().key("grace_until").time(d.next.grace_until).end_object();
  d.emit("subscription.grace_started", wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

}  // namespace

void begin_period(subscription& s, const circumstances& c) {
  s.period_start = c.now;
  if (s.type == subscription_type::sandbox) {
    s.period_end = c.now + sandbox_life;
  } else if (s.type == subscription_type::trial) {
    const int days = c.plan != nullptr && c.plan->trial_days > 0 ? c.plan->trial_days : 1;
    s.period_end = c.now + std::chrono::days{days};
  } else if (has_lifespan(c)) {
    s.period_end = c.now + std::chrono::hours{c.plan->lifespan_hours};
  } else {
    s.period_end = add_months(c.now, c.plan != nullptr ? c.plan->billing_period_months : 1);
  }
  s.end_date = s.period_end;
  s.grace_until.reset();
}

// What was scheduled takes place in the same commit, and there is one event (invariant 16).
decision renew(const subscription& s, party by, const circumstances& c) {
  const bool held = s.status == status::stopped && s.reasons.has(suspension_reason::expired) &&
                    !s.reasons.has(suspension_reason::cancelled);
  if (s.status != status::deployed && !held) return refused(s, subscription_action::renew);
  if (s.type != subscription_type::normal) {
    return conflict(s, "trial_not_renewable", "a trial is converted, not renewed");
  }
  if (has_lifespan(c)) {
    return conflict(s, "plan_not_renewable", "the plan is for a fixed time only");
  }
  if (auto ok = may_renew(s, by, c); !ok) return std::move(ok).failure();
  draft d(s, c);
  json_writer change;
  change.begin_object().key("order").text("RENEWAL");
  const timestamp from = s.period_end.value_or(c.now);
  if (!comes_with_term(s, from)) apply_scheduled(d, c, change);
  const plan* terms = c.find(d.next.plan);
  const int months = terms != nullptr ? terms->billing_period_months : 1;
  d.next.period_start = from;
  d.next.period_end = add_months(*d.next.period_start, months);
  d.next.end_date = d.next.period_end;
  d.next.grace_until.reset();
  d.note(operation_kind::renewal, operation_state::succeeded, by);
  write_period(change, d.next);
  change.end_object();
  d.emit("subscription.renewed", wire_type::modified, std::move(change).str());
  renew_commitment(d, s, by, c);
  if (!held) return std::move(d).done();
  d.next.reasons.remove(suspension_reason::expired);
  if (d.next.reasons.empty()) {
    d.next.status = status::deployed;
    d.emit("subscription.resumed", wire_type::modified, R"({"from":["EXPIRED"],"to":[]})");
  }
  return std::move(d).done();
}

decision convert(const subscription& s, party by, const circumstances& c) {
  if (s.type == subscription_type::normal && !ended(s.status)) return unchanged(s);
  if (s.status != status::deployed) return refused(s, subscription_action::convert);
  if (s.type == subscription_type::sandbox) {
    return conflict(s, "sandbox_not_convertible", "a sandbox is for tests and ends");
  }
  if (has_lifespan(c)) {
    return conflict(s, "plan_not_renewable", "the plan is for a fixed time only");
  }
  draft d(s, c);
  d.next.type = subscription_type::normal;
  begin_period(d.next, c);
  d.note(operation_kind::conversion, operation_state::succeeded, by);
  json_writer change;
  change.begin_object();
  write_period(change, d.next);
  change.end_object();
  d.emit("subscription.converted", wire_type::modified, std::move(change).str());
  begin_commitment(d, c);
  return std::move(d).done();
}

decision period_over(const subscription& s, const circumstances& c) {
  const bool goes_on = s.auto_renew && !has_lifespan(c) && c.plan != nullptr;
  if (goes_on && s.type == subscription_type::normal && c.plan->auto_renewable) {
    return renew(s, party::system, c);
  }
  // Without a means of payment a trial ends; with one it becomes what was ordered.
  if (goes_on && s.type == subscription_type::trial &&
      c.plan->trial_mode() == trial_mode::allowed) {
    return convert(s, party::system, c);
  }
  return run_out(s, c);
}

decision remind(const subscription& s, const circumstances& c) {
  draft d(s, c);
  d.next.timers.disarm(timer_kind::reminder);
  const auto left = std::chrono::ceil<std::chrono::days>(*s.end_date - c.now);
  json_writer change;
  change.begin_object()
      .key("days")
      .number(static_cast<std::int64_t>(left.count()))
      .key("end_date")
      .time(s.end_date)
      .end_object();
  d.emit("subscription.expiring", wire_type::none, std::move(change).str());
  return std::move(d).done();
}

}  // namespace syndicated::core::rules
