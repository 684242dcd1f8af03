// The state machine of subscriptions (domain.md, 10.5, 10.6). Pure: the clock is a parameter.
//
// `decide` is the whole rule book: (state, command, circumstances) -> (state, events) | refusal.
// A refusal leaves no trace; a repeated transition succeeds without events.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/lifecycle_settings.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

struct tenant;

struct new_subscription {
  tenant_id tenant;
  plan_id plan;
  std::string name;
  subscription_type type = subscription_type::normal;
  bool paid = false;
  core::quantities quantities;
  string_map config;
  bool auto_renew = true;
  std::optional<timestamp> start_date;
  std::optional<int> commitment_months;  // one of the plan's commitment options
  string_map metadata;
};

enum class subscription_action : std::uint8_t {
  pay,                        // S4a; and clears UNPAID (S7/S8)
  approve,                    // S2a
  reject,                     // S2b
  suspend,                    // S6, S7: adds `reason`
  resume,                     // S7, S8: removes `reason`
  overdue,                    // an invoice was not paid: UNPAID follows after a while
  renew,                      // S9
  change,                     // S11a-S11d; in confirm mode an operation (10.6)
  unschedule,                 // what was scheduled is not to come
  convert,                    // S11e
  cancel,                     // S12, S17
  reinstate,                  // S13
  terminate,                  // S14, S17
  redeploy,                   // S5f
  report_deployed,            // S5a, S5c, S5g; STOPPED: removes VENDOR_HOLD
  report_post_configuration,  // S5b
  report_failed,              // S5d
  report_stopped,             // S6 with VENDOR_HOLD
  report_undeployed,          // S15
  transfer,                   // S18
  edit,                       // name, auto_renew (S11f), metadata, config
  answer_operation,           // the vendor's Success or Failure (10.6)
  cancel_operation,           // whoever may ask for a change no longer wants it
  set_endpoints,              // the vendor's sub-resources: no lifecycle event
  set_instructions,
  set_credentials,
  set_vendor_metadata,
  issue_invoice,  // an invoice was emitted: `paid` is false until it is settled
  edit_invoice,   // its state or due date; the last one that is paid pays (S4a, S8)
  set_costs,      // what the vendor wants on later invoices
  relocate,       // its tenant stands elsewhere in the tree now
  timer,          // whatever is due
};
inline constexpr int subscription_action_count = 32;
std::string_view to_string(subscription_action action) noexcept;

// When a change takes place. `earliest`: what may be now is now, the rest comes with the renewal.
enum class change_time : std::uint8_t { earliest, now, renewal };

struct cost_change {
  bool recurring = false;  // on each invoice; else on the next one
  std::vector<invoice_line> lines;
};

struct subscription_command {
  subscription_action action = subscription_action::pay;
  party by = party::provider;
  std::optional<suspension_reason> reason{};         // suspend, resume
  std::optional<plan_id> new_plan{};                 // change
  std::optional<core::quantities> new_quantities{};  // change
  change_time when = change_time::earliest;          // change
  std::uint32_t operation = 0;                       // answer_operation, cancel_operation
  bool success = false;                              // answer_operation
  std::string message{};                             // answer_operation
  std::optional<tenant_id> new_tenant{};             // transfer
  std::optional<std::string> name{};                 // edit
  std::optional<bool> auto_renew{};                  // edit
  std::optional<string_map> metadata{};              // edit, set_vendor_metadata
  std::optional<string_map> config{};                // edit
  std::vector<access_point> endpoints{};             // set_endpoints
  string_map instructions{};                         // set_instructions
  std::vector<credential> credentials{};             // set_credentials
  std::optional<new_invoice> invoice{};              // issue_invoice
  core::invoice_edit invoice_edit{};                 // edit_invoice
  std::optional<cost_change> costs{};                // set_costs
};

struct circumstances {
  timestamp now{};
  const core::plan* plan = nullptr;  // of the subscription
  // Those that `change` names, that is scheduled, and that the vendor is asked about.
  std::array<const core::plan*, 3> other_plans{};
  const core::product* product = nullptr;  // none: no approval, changes are told and not asked for
  const tenant* new_owner = nullptr;       // of `transfer`, `relocate`
  bool tenant_effective = true;            // `transfer`: the new owner
  std::uint64_t same_product = 0;          // creation: the owner's others of the product, not ended
  const core::invoice* invoice = nullptr;  // the one that edit_invoice names
  lifecycle_settings settings{};           // as the product's profile makes them

  const core::plan* find(plan_id id) const noexcept;  // among all of these
};

struct subscription_decision {
  subscription next;
  std::vector<event_draft> events;
  bool changed = false;  // false: a repeat; nothing is written
  // What becomes of invoices, one step for each; `issued` is the row of a new one, as it begins.
  std::vector<invoice_step> invoices{};
  std::optional<invoice> issued{};
};

// S1a-S1d. `owner` must be a customer or unit and effective; quantities obey the plan.
result<subscription_decision> create_subscription(subscription_id id,
                                                  const new_subscription& wanted,
                                                  const tenant& owner, const circumstances& now);

result<subscription_decision> decide(const subscription& present,
                                     const subscription_command& command, const circumstances& now);

// Arms what the state waits for, and disarms the rest. `decide` has done so; this is for records of
// a time when there were none.
void settle_timers(subscription& s, const lifecycle_settings& settings, timestamp now);

}  // namespace syndicated::core
