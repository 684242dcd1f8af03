// The durations of a subscription's life, and the profiles that set them (domain.md 10.5, default
// timers). Plain values; milliseconds.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

struct lifecycle_settings {
  using duration = std::chrono::milliseconds;

  duration first_payment = std::chrono::hours{72};        // S4b
  duration provisioning_overdue = std::chrono::hours{1};  // S5e
  duration provisioning_fail = std::chrono::hours{24};    // S5d
  duration unpaid_stop = std::chrono::hours{48};          // an overdue invoice: S6 with UNPAID
  duration unpaid_cancel = std::chrono::hours{72};        // STOPPED for UNPAID: S12
  duration grace{0};                                      // the service runs on after its end: S10
  duration hold = std::chrono::hours{72};                 // STOPPED for EXPIRED: S12
  duration cancel_grace = std::chrono::days{30};          // data is kept after S12; 0: S14 at once
  duration deprovision_timeout = std::chrono::days{7};    // S15
  bool deprovision_force = true;                          // false: the vendor is asked again
  duration retention = std::chrono::days{90};             // S16
  // Days before the end at which `subscription.expiring` tells, falling; 0 ends the list.
  std::array<std::int16_t, 16> expiring_days{14, 10, 7, 4, 3, 2, 1};
  std::uint32_t provisioning_attempts_max = 5;
  duration tenant_recover = std::chrono::days{30};  // deleted tenants and users: N6, N7
};

// `configured` as the product's profile, and then the product itself, change it.
lifecycle_settings settings_for(const lifecycle_settings& configured, const product& p) noexcept;

}  // namespace syndicated::core
