#include "core/delivery/retry_policy.hpp"

#include <algorithm>

namespace syndicated::core {

std::vector<std::chrono::milliseconds> default_schedule() {
  using namespace std::chrono_literals;
  return {0s, 5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
}

std::optional<std::chrono::milliseconds> pause_after(
    std::uint32_t made, const std::vector<std::chrono::milliseconds>& schedule, double jitter,
    double random) {
  if (made >= schedule.size()) return std::nullopt;
  const auto base = static_cast<double>(schedule[made].count());
  const double factor = 1.0 - jitter + 2.0 * jitter * random;
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::max(base * factor, base / 2.0))};
}

}  // namespace syndicated::core
