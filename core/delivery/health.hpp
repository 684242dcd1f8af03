// Whether an endpoint is well, over hours and days: when to tell its operators and when to stop
// sending (delivery.md, 2; Standard Webhooks: notify, then disable). Pure: the clock is a
// parameter.
//
// Degraded: its origin's breaker opened while it failed, or three redirects in a row, or nothing
// but failures for an hour. Paused: nothing but failures for the failing age. Recovered: the first
// delivery after it was degraded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"

namespace syndicated::core {

enum class health_change : std::uint8_t { none, degraded, recovered, pause };

class endpoint_health {
 public:
  // As it was told last, after a restart.
  void restore(bool degraded, std::optional<timestamp> failing_since) noexcept;
  // Failures of our own (response_class::local) are none of the endpoint's.
  // `pause_after` 0: never. `pause` is said again each minute while it has no effect: a full disk
  // may have refused it.
  health_change failed(std::string_view reason, std::chrono::milliseconds pause_after,
                       timestamp now) noexcept;
  health_change delivered() noexcept;
  health_change breaker_opened() noexcept;
  // Active again after a pause: the failing age begins anew.
  void resumed() noexcept;

  bool degraded() const noexcept { return degraded_; }
  std::optional<timestamp> failing_since() const noexcept { return failing_since_; }

 private:
  health_change degrade() noexcept;

  std::optional<timestamp> failing_since_;
  std::uint32_t failures_ = 0;   // in a row
  std::uint32_t redirects_ = 0;  // in a row
  bool degraded_ = false;
  std::optional<timestamp> asked_to_pause_;
};

}  // namespace syndicated::core
