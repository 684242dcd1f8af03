// Aggregate commitments: the licences of all customers below a reseller, counted together for a
// price by tiers (domain.md, 5.6, 6, 10.8). Pure: the clock is a parameter.
//
// The tier is looked at once in a billing month, at the snapshot. Without a commitment it is what
// the counter says. With one it is at least what was committed to; passing the next tier's minimum
// lifts the commitment, and only a request takes it down again, at the end of the term. Who has
// none may commit at any time: the term begins then. Limits: limits::commitment_tiers_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/commitment.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

// What is counted, and for whom.
struct counted_group {
  tenant_id reseller;    // it and all below
  entity_kind kind{};    // vendor or product
  std::uint64_t of = 0;  // its id
  std::string resource;  // empty: all resources together
  friend auto operator<=>(const counted_group&, const counted_group&) = default;
};

// It is DEPLOYED or STOPPED.
bool counted(const subscription& s) noexcept;
// Whoever counts it has to look again.
bool counted_differently(const subscription* before, const subscription& after) noexcept;
// Of one that does not count: none.
std::int64_t counted_units(const subscription& s, const counted_group& group) noexcept;

struct aggregate {
  commitment_id id;
  counted_group group;
  vendor_id vendor;                     // of the group
  std::vector<std::int64_t> tiers;      // tier n is from tiers[n - 1] units on; the first is from 0
  std::uint32_t committed = 0;          // a tier; 0: nobody committed to anything
  std::optional<std::uint32_t> wanted;  // the tier that is committed to from the next term on
  int term_months = 0;                  // 0 without a commitment: no term, no end
  bool auto_renew = true;
  bool allow_early_cancel = false;
  bool cancel_fee = false;
  commitment_state state = commitment_state::active;
  std::uint32_t term = 1;
  timestamp starts_at{};  // of the term
  std::optional<timestamp> ends_at;
  std::uint32_t tier = 1;  // at the last snapshot
  std::int64_t counter = 0;
  std::int64_t shortfall = 0;            // at the last snapshot
  bool fee = false;                      // it was cancelled early, and that is charged
  std::optional<timestamp> snapshot_at;  // the last one
  timestamp next_snapshot{};
  timestamp next_recount{};
  std::uint64_t version = 0;  // the counter alone does not move it
  std::uint64_t seq = 0;      // last sequence of its stream
  timestamp created_at{};
  timestamp updated_at{};

  bool in_force() const noexcept { return core::in_force(state); }
  std::int64_t minimum() const noexcept { return committed == 0 ? 0 : tiers[committed - 1]; }
};

std::uint32_t tier_of(const std::vector<std::int64_t>& tiers, std::int64_t counter) noexcept;

struct new_aggregate {
  counted_group group;
  vendor_id vendor;
  std::vector<std::int64_t> tiers;
  std::uint32_t committed = 0;
  int term_months = 0;
  bool auto_renew = true;
  bool allow_early_cancel = false;
  bool cancel_fee = false;
};

enum class aggregate_action : std::uint8_t { edit, step_down, snapshot, cancel, timer };

struct aggregate_command {
  aggregate_action action = aggregate_action::edit;
  std::optional<bool> auto_renew{};          // edit
  std::optional<std::uint32_t> committed{};  // edit: a higher tier, or the first, at once
  // edit, with the first commitment: what is agreed for its term.
  std::optional<int> term_months{};
  std::optional<bool> allow_early_cancel{}, cancel_fee{};
  std::uint32_t tier = 0;  // step_down
};

struct aggregate_decision {
  aggregate next;
  std::vector<event_draft> events;
  bool changed = false;  // false: a repeat; nothing is written
};

// Errors: errc::invalid names the field.
result<aggregate_decision> create_aggregate(commitment_id id, const new_aggregate& wanted,
                                            timestamp now);
// A timer that is early, late or repeated is harmless: what is due is read from the state.
result<aggregate_decision> decide(const aggregate& present, const aggregate_command& command,
                                  timestamp now);

// The earliest instant at which there is something to do: snapshot, end of the term, recount.
std::optional<timestamp> next_timer(const aggregate& a) noexcept;
// It was counted anew; the next time is a day later.
void recounted(aggregate& a, timestamp now) noexcept;
bool recount_due(const aggregate& a, timestamp now) noexcept;

void write_members(json_writer& out, const aggregate& a);
std::string to_json(const aggregate& a);

}  // namespace syndicated::core
