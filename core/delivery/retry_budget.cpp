#include "core/delivery/retry_budget.hpp"

#include <algorithm>

namespace syndicated::core {
namespace {

constexpr double retries_a_minute_min = 6;  // one in ten seconds

}  // namespace

bool retry_budget::allows_retry(double share, timestamp now) noexcept {
  if (share >= 1.0) return true;
  counts_.age(now);
  const double allowed =
      std::max(retries_a_minute_min, share * static_cast<double>(counts_.attempts()));
  return static_cast<double>(counts_.failures()) < allowed;
}

}  // namespace syndicated::core
