// What a subscription waits for: absolute instants, each with the version that set it
// (domain.md 10.5; invariant 17). Plain values, at most one of each kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class timer_kind : std::uint8_t {
  first_payment = 1,         // S4b
  start = 2,                 // S3
  provisioning_overdue = 3,  // S5e
  provisioning_fail = 4,     // S5d
  unpaid_stop = 5,           // S6 with UNPAID
  unpaid_cancel = 6,         // S12
  period_end = 7,            // S9, S10, S11e
  grace_end = 8,             // S6 with EXPIRED
  hold_end = 9,              // S12
  purge = 10,                // S14
  deprovision = 11,          // S15
  retention = 12,            // S16
  reminder = 13,             // subscription.expiring
  operation = 14,            // the vendor's answer in confirm mode (10.6)
  commitment_end = 15,       // it was not renewed (10.8)
  invoice_due = 16,          // the next open invoice that is overdue then (S6)
};
inline constexpr int timer_kind_count = 16;
std::string_view to_string(timer_kind kind) noexcept;  // "first_payment" ...

struct armed_timer {
  timer_kind kind{};
  timestamp due{};
  std::uint64_t version = 0;  // of the entity, that armed it
  friend bool operator==(const armed_timer&, const armed_timer&) = default;
};

class timer_table {
 public:
  // One that is armed for this instant already keeps the version that armed it.
  void arm(timer_kind kind, timestamp due, std::uint64_t version);
  void disarm(timer_kind kind) noexcept;
  const armed_timer* find(timer_kind kind) const noexcept;
  bool armed(timer_kind kind) const noexcept { return find(kind) != nullptr; }
  // The earliest; of those at one instant the one with the lowest number.
  const armed_timer* next() const noexcept;
  const std::vector<armed_timer>& all() const noexcept { return timers_; }

  friend bool operator==(const timer_table&, const timer_table&) = default;

 private:
  std::vector<armed_timer> timers_;  // by kind
};

}  // namespace syndicated::core
