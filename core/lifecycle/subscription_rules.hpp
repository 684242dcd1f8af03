// Internal to core/lifecycle: the pieces that the subscription machine is put together from, one
// file for each part of a subscription's life.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/limits.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/subscription_machine.hpp"

namespace syndicated::core::rules {

using decision = result<subscription_decision>;

// A decision under construction: the copy that will become the next state, and its events. What it
// begins with outlives it.
class draft {
 public:
  draft(const subscription& present, const circumstances& c)
      : next(present), before_(present), c_(c) {}

  void emit(std::string name, wire_type type, std::string change_json = {});
  // What was asked and has been done; kept with the subscription.
  operation& note(operation_kind kind, operation_state state, party by);
  // Bumps the version and sets the timers. `changed` is true even when no event was emitted.
  subscription_decision done() &&;
  timestamp now() const noexcept { return c_.now; }

  subscription next;
  std::vector<invoice_step> invoices;
  std::optional<invoice> issued;

 private:
  const subscription& before_;
  const circumstances& c_;
  std::vector<event_draft> events_;
};

subscription_decision unchanged(const subscription& present);
error refused(const subscription& present, subscription_action action);
error not_yours(subscription_action action, party by);
error conflict(const subscription& present, std::string code, std::string detail);

bool is_one_of(subscription_status status, std::initializer_list<subscription_status> set) noexcept;
inline bool provisioned(const subscription& s) noexcept {
  return s.status == subscription_status::deployed || s.status == subscription_status::stopped;
}
// For always: ended, or about to.
inline bool closing(const subscription& s) noexcept {
  return ended(s.status) || s.status == subscription_status::undeploy_sent;
}

// Who may ask for it at all (domain.md 10.5, column "who").
bool may(party by, subscription_action action) noexcept;
// Which reasons a party may set and remove.
bool may_set(party by, suspension_reason reason) noexcept;

// Every quantity must name a resource of the plan and obey limit, min, max, step; missing ones are
// filled.
result<quantities> checked_quantities(const quantities& wanted, const plan& p);

// subscription_timers.cpp
decision timer(const subscription& s, const circumstances& c);

// subscription_provisioning.cpp: S1-S5.
void proceed(draft& d, const circumstances& c);  // to POSTPONED, WAITING_PAYMENT or PENDING
decision pay(const subscription& s, const circumstances& c);
decision approve(const subscription& s, const circumstances& c);
decision reject(const subscription& s, const circumstances& c);
decision start(const subscription& s, const circumstances& c);
decision redeploy(const subscription& s, const circumstances& c);
decision report_deployed(const subscription& s, const subscription_command& cmd,
                         const circumstances& c);
decision report_progress(const subscription& s, const circumstances& c, subscription_action action);
decision payment_expired(const subscription& s, const circumstances& c);
decision provisioning_overdue(const subscription& s, const circumstances& c);

// All that was owed is paid: S4a, or UNPAID goes (S7, S8). Open invoices are settled.
void settle_payment(draft& d);

// subscription_suspension.cpp: S6-S8, S12, S13.
decision suspend(const subscription& s, const subscription_command& cmd, const circumstances& c);
decision resume(const subscription& s, const subscription_command& cmd, const circumstances& c);
decision report_stopped(const subscription& s, const subscription_command& cmd,
                        const circumstances& c);
decision overdue(const subscription& s, const circumstances& c);
decision cancel(const subscription& s, party by, const circumstances& c);
decision reinstate(const subscription& s, const circumstances& c);
// A new set of reasons for a subscription that may be DEPLOYED or STOPPED.
void change_reasons(draft& d, reason_set wanted);
subscription_decision with_reasons(const subscription& s, reason_set wanted,
                                   const circumstances& c);

// subscription_periods.cpp: S9, S10, S11e.
void begin_period(subscription& s, const circumstances& c);
decision renew(const subscription& s, party by, const circumstances& c);
decision convert(const subscription& s, party by, const circumstances& c);
decision period_over(const subscription& s, const circumstances& c);
decision remind(const subscription& s, const circumstances& c);

// subscription_changes.cpp: S11a-d, 10.6.
decision change(const subscription& s, const subscription_command& cmd, const circumstances& c);
decision unschedule(const subscription& s, const circumstances& c);
decision answer_operation(const subscription& s, const subscription_command& cmd,
                          const circumstances& c);
decision cancel_operation(const subscription& s, const subscription_command& cmd,
                          const circumstances& c);
decision operation_unanswered(const subscription& s, const circumstances& c);
// With the renewal: takes on what was scheduled, and writes what that changes into the event.
void apply_scheduled(draft& d, const circumstances& c, json_writer& change);
// A subscription that goes no longer changes.
void drop_open_operations(draft& d, std::string_view why);

// subscription_commitment.cpp: a commitment's part in all of these (10.8).
result<void> order_commitment(subscription& s, const new_subscription& wanted, const plan& p);
void begin_commitment(draft& d, const circumstances& c);  // with the first billing period
// A renewal at this instant is inside the term: what was scheduled waits for the term's end.
bool comes_with_term(const subscription& s, timestamp renewal) noexcept;
std::optional<timestamp> change_due(const subscription& s) noexcept;  // of what is scheduled
result<void> may_renew(const subscription& s, party by, const circumstances& c);
void renew_commitment(draft& d, const subscription& before, party by, const circumstances& c);
decision commitment_over(const subscription& s, const circumstances& c);
void end_commitment(draft& d, commitment_state how, const circumstances& c);
result<void> may_cancel(const subscription& s, party by, const circumstances& c);
// It can be taken back: the commitment goes on until the data goes.
void cancel_commitment(draft& d, const circumstances& c, json_writer& change);
result<void> may_transfer(const subscription& s, const circumstances& c);
// What of a change comes with a renewal, and what the counts are until then.
struct put_off {
  quantities later;
  quantities meanwhile;
  bool all = false;  // it cannot be taken apart
};
result<put_off> held_by_commitment(const subscription& s, const plan& target,
                                   const quantities& wanted, timestamp now);
error renewal_locked(const subscription& s);
std::optional<proration> left_of_period(const subscription& s, const circumstances& c);

// subscription_invoices.cpp: 10.2, 10.11.
decision issue_invoice(const subscription& s, const subscription_command& cmd,
                       const circumstances& c);
decision edit_invoice(const subscription& s, const subscription_command& cmd,
                      const circumstances& c);
decision set_costs(const subscription& s, const subscription_command& cmd, const circumstances& c);
decision invoices_due(const subscription& s, const circumstances& c);
// It has been overdue: the time until the suspension runs.
bool is_overdue(const subscription& s) noexcept;
std::optional<timestamp> next_due(const subscription& s) noexcept;
// Without a named invoice: the oldest one is overdue.
decision oldest_overdue(const subscription& s, const circumstances& c);
void pay_invoices(draft& d);
void expire_invoices(draft& d);

// subscription_ending.cpp: S14-S18.
decision terminate(const subscription& s, party by, const circumstances& c,
                   subscription_action asked);
decision report_undeployed(const subscription& s, const circumstances& c);
decision deprovision_overdue(const subscription& s, const circumstances& c);
decision purge(const subscription& s, const circumstances& c);
decision transfer(const subscription& s, party by, const circumstances& c);
decision relocate(const subscription& s, const circumstances& c);
void belong_to(subscription& s, const tenant& owner);

}  // namespace syndicated::core::rules
