// A subscription's own commitment: a term, and what may not be before it is over (domain.md, 6,
// 10.2, 10.8). Pure values and questions about them; what the subscription does with the answers
// stands in subscription_commitment.cpp.
//
// The terms are a copy of the plan's option: what was agreed stays, whatever becomes of the plan.
// Units form lots with their own time: each can be given back within `decrease_window_hours`
// of the day it was bought, or the term began. Limits: limits::commitment_lots_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/operation.hpp"

namespace syndicated::core {

// Persisted: never renumber. RENEWED is in force like ACTIVE, in a term that is not the first.
enum class commitment_state : std::uint8_t {
  pending = 1,  // ordered; it begins with the first billing period
  active = 2,
  renewed = 3,
  lapsed = 4,     // the term ended, and nobody renewed it
  cancelled = 5,  // ended before the term did
};
std::string_view to_string(commitment_state state) noexcept;  // "ACTIVE" ...
std::optional<commitment_state> parse_commitment_state(std::string_view text) noexcept;
constexpr bool in_force(commitment_state state) noexcept {
  return state == commitment_state::active || state == commitment_state::renewed;
}

struct unit_lot {
  std::string resource;
  std::int64_t units = 0;
  timestamp added_at{};
  friend bool operator==(const unit_lot&, const unit_lot&) = default;
};

struct commitment {
  commitment_option terms;
  commitment_state state = commitment_state::pending;
  std::uint32_t term = 0;  // 1, 2 ...
  timestamp starts_at{};
  timestamp ends_at{};
  std::vector<unit_lot> lots;  // the oldest first
  bool fee = false;            // it ends early, and that is charged

  bool in_force() const noexcept { return core::in_force(state); }
  bool binds(timestamp now) const noexcept { return in_force() && now < ends_at; }
};

const commitment_option* find_option(const plan& p, int term_months) noexcept;

// The end of the billing period in which so many months have passed: steps as long as the periods,
// so that both end at the same instant whatever the lengths of the months are.
timestamp term_end(timestamp start, int term_months, int billing_months);

// All units are new with the term.
void begin_term(commitment& c, const quantities& counts, timestamp start, int billing_months);

// Units of the resource that can still be given back.
std::int64_t returnable(const commitment& c, std::string_view resource, timestamp now) noexcept;
// More units are a lot of their own; fewer are taken from the newest.
void note_counts(commitment& c, const quantities& from, const quantities& to, timestamp now);

// Nothing that the renewal brings can be changed any more (10.8, rule 5).
bool locked(const commitment& c, timestamp now) noexcept;
// Whether it can be renewed by hand yet: a window of 0 days is open always.
bool renewal_open(const commitment& c, timestamp now) noexcept;
timestamp lapses_at(const commitment& c) noexcept;  // unless it was renewed by then

struct early_end {
  bool allowed = true;
  bool fee = false;
};
// Within the window of the whole term it is free, as for units.
early_end early_end_of(const commitment& c, timestamp now) noexcept;

// The volume that was agreed: of the resource that `volume_unit` names, else of all.
result<void> check_volume(const commitment_option& terms, const quantities& counts);

// What of a span is left, for whoever computes money (10.8). Both are rounded up.
enum class proration_unit : std::uint8_t { hour, day };
std::string_view to_string(proration_unit unit) noexcept;
struct proration {
  proration_unit unit = proration_unit::hour;
  std::int64_t remaining = 0;
  std::int64_t total = 0;
  friend bool operator==(const proration&, const proration&) = default;
};
proration prorate(timestamp start, timestamp end, timestamp now, proration_unit unit) noexcept;
void write_proration(json_writer& out, const proration& p);  // an object

void write_commitment(json_writer& out, const commitment& c);  // an object

}  // namespace syndicated::core
