#include "core/delivery/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace syndicated::core {

void token_bucket::configure(const rate_limit& limit, timestamp now) {
  if (limit == limit_) return;
  const double kept = limited() ? level(now) : static_cast<double>(limit.burst);
  limit_ = limit;
  level_ = std::min(kept, static_cast<double>(limit.burst));
  filled_at_ = now;
}

double token_bucket::level(timestamp now) const noexcept {
  filled_at_ = std::min(filled_at_, now);
  const double seconds = static_cast<double>((now - filled_at_).count()) / 1000.0;
  return std::min(static_cast<double>(limit_.burst), level_ + seconds * limit_.per_s);
}

void token_bucket::take(timestamp now) noexcept {
  if (!limited()) return;
  level_ = std::max(0.0, level(now) - 1.0);
  filled_at_ = now;
}

void token_bucket::give_back(timestamp now) noexcept {
  if (!limited()) return;
  level_ = std::min(static_cast<double>(limit_.burst), level(now) + 1.0);
  filled_at_ = now;
}

std::optional<timestamp> token_bucket::next(timestamp now) const noexcept {
  if (has(now)) return std::nullopt;
  const double missing = 1.0 - level(now);
  return now + std::chrono::milliseconds{
                   static_cast<std::int64_t>(std::ceil(missing / limit_.per_s * 1000.0))};
}

}  // namespace syndicated::core
