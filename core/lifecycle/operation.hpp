// Orders and operations of a subscription: what was asked of it, and what came of that
// (domain.md 10.2, 10.6). Plain values; they live inside the subscription's record, the newest
// limits::operations_kept_max of them.
//
// An id carries its subscription, so that a vendor's answer finds its owner without a look-up.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

using quantities = std::map<std::string, std::int64_t>;

// Who asks, in the machine's terms (domain.md, 10.5). Roles of the API map to these. Persisted:
// never renumber.
enum class party : std::uint8_t { customer, reseller, provider, vendor, billing, system };
std::string_view to_string(party by) noexcept;  // "customer" ...

// Persisted: never renumber.
enum class operation_kind : std::uint8_t {
  first = 1,  // the order that made the subscription: first_order.hpp; never stored
  renewal = 2,
  plan_change = 3,
  quantity_change = 4,
  conversion = 5,
  unsubscribe = 6,  // S12
  termination = 7,  // S14, S17
  transfer = 8,
  trial = 9,  // as `first`
};
std::string_view to_string(operation_kind kind) noexcept;  // "RENEWAL" ... (domain.md 10.2)

// Persisted: never renumber.
enum class operation_state : std::uint8_t {
  scheduled = 1,    // with the renewal
  in_progress = 2,  // the vendor was asked
  succeeded = 3,
  failed = 4,
  cancelled = 5,
  // Of the first order only, and never stored:
  requires_approval = 6,
  pending = 7,  // until it is paid
  rejected = 8,
};
std::string_view to_string(operation_state state) noexcept;  // "SCHEDULED" ...

struct operation {
  std::uint32_t number = 0;  // 1, 2 ... of its subscription
  operation_kind kind{};
  operation_state state{};
  party requested_by{};
  timestamp requested_at{};
  std::optional<timestamp> due_at;  // when it takes place; or until when the vendor may answer
  std::optional<timestamp> ended_at;
  std::optional<plan_id> plan_from, plan_to;
  quantities from, to;  // those that change
  std::string message;  // the vendor's, or why it ended so; at most limits::message_bytes_max

  bool open() const noexcept {
    return state == operation_state::scheduled || state == operation_state::in_progress;
  }
  friend bool operator==(const operation&, const operation&) = default;
};

inline constexpr unsigned operation_bits = 20;
inline constexpr std::uint32_t operation_number_max = (1U << operation_bits) - 1;
inline constexpr std::uint32_t first_order = 1;

constexpr operation_id operation_of(subscription_id s, std::uint32_t number) noexcept {
  return {s.value << operation_bits | number};
}
constexpr subscription_id subscription_of(operation_id id) noexcept {
  return {id.value >> operation_bits};
}
constexpr std::uint32_t number_of(operation_id id) noexcept {
  return static_cast<std::uint32_t>(id.value & operation_number_max);
}

}  // namespace syndicated::core
