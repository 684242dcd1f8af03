#include "core/delivery/health.hpp"

namespace syndicated::core {
namespace {

constexpr std::uint32_t redirects_max = 3;
constexpr std::chrono::milliseconds degraded_after = std::chrono::hours{1};
// A clock that jumps must not pause an endpoint that failed once.
constexpr std::uint32_t failures_to_pause = 3;
constexpr std::chrono::milliseconds asked_again_after = std::chrono::minutes{1};

}  // namespace

void endpoint_health::restore(bool degraded, std::optional<timestamp> failing_since) noexcept {
  degraded_ = degraded;
  failing_since_ = failing_since;
}

health_change endpoint_health::degrade() noexcept {
  if (degraded_) return health_change::none;
  degraded_ = true;
  return health_change::degraded;
}

health_change endpoint_health::failed(std::string_view reason,
                                      std::chrono::milliseconds pause_after,
                                      timestamp now) noexcept {
  if (!failing_since_ || *failing_since_ > now) failing_since_ = now;
  ++failures_;
  redirects_ = reason == "redirect" ? redirects_ + 1 : 0;
  const auto age = now - *failing_since_;
  const bool pause = pause_after.count() > 0 && age >= pause_after;
  const bool asked =
      asked_to_pause_ && *asked_to_pause_ <= now && now - *asked_to_pause_ < asked_again_after;
  if (pause && failures_ >= failures_to_pause && !asked) {
    asked_to_pause_ = now;
    return health_change::pause;
  }
  return redirects_ >= redirects_max || age >= degraded_after ? degrade() : health_change::none;
}

health_change endpoint_health::delivered() noexcept {
  const bool was_degraded = degraded_;
  *this = {};
  return was_degraded ? health_change::recovered : health_change::none;
}

health_change endpoint_health::breaker_opened() noexcept {
  return failing_since_ ? degrade() : health_change::none;
}

void endpoint_health::resumed() noexcept {
  failing_since_.reset();
  failures_ = 0;
  redirects_ = 0;
  asked_to_pause_.reset();
}

}  // namespace syndicated::core
