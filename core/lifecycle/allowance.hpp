// How much of a resource or metric a plan allows, and how near a subscription is to it.
//
// Purpose: the one rule of limits (domain.md, 10.2): limit -1 is unlimited, 0 is not sold, n > 0 is
// a limit; without an overage it is soft (events only), with overage k it is hard at n + k.
// Levels rise at the limit, above it, and above what a hard one bears; each rise is told once, and
// a fall is kept silently so that the next rise is told again (domain.md, 10.9). Thread rule: pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lifecycle/event.hpp"

namespace syndicated::core {

struct allowance {
  std::int64_t limit = -1;
  std::optional<std::int64_t> overage;  // none: soft
  friend bool operator==(const allowance&, const allowance&) = default;
};

// Persisted: never renumber.
enum class allowance_level : std::uint8_t { within = 0, reached = 1, exceeded = 2, blocked = 3 };

// A figure with six decimals, as an integer: usage is counted without rounding of its own.
struct decimal {
  std::int64_t micros = 0;
  friend constexpr auto operator<=>(decimal, decimal) = default;
};
inline constexpr std::int64_t decimal_one = 1'000'000;
inline constexpr std::int64_t decimal_max = 1'000'000'000'000;  // whole units that fit
constexpr decimal whole(std::int64_t units) noexcept { return {units * decimal_one}; }
std::string to_string(decimal value);  // "3", "31.67": a JSON number

// `value` >= 0. Blocked: above what is allowed at most; only of a hard limit.
allowance_level level_of(const allowance& a, decimal value) noexcept;
// The value may stand at a commit (invariant 14 of domain.md, 10.14).
bool allows(const allowance& a, decimal value) noexcept;

// quota.reached, quota.exceeded, quota.blocked: one for each level above `told` up to `now`.
std::vector<event_draft> quota_events(allowance_level told, allowance_level now,
                                      std::string_view metric, decimal value, const allowance& a);
event_draft quota_event(allowance_level level, std::string_view metric, decimal value,
                        const allowance& a);

}  // namespace syndicated::core
