// How many requests an endpoint may get: `per_s` on the average, `burst` at once. Pure.
//
// Starts full. A clock that was set back neither stops nor fills it. One thread at a time.
#pragma once

#include <chrono>
#include <optional>

#include "core/base/time.hpp"
#include "core/delivery/endpoint.hpp"

namespace syndicated::core {

class token_bucket {
 public:
  // A new limit takes effect at once; what is in the bucket stays, up to the new burst.
  void configure(const rate_limit& limit, timestamp now);
  bool limited() const noexcept { return limit_.per_s > 0; }
  // A request may go now.
  bool has(timestamp now) const noexcept { return !limited() || level(now) >= 1.0; }
  bool full(timestamp now) const noexcept { return level(now) >= limit_.burst; }
  void take(timestamp now) noexcept;
  void give_back(timestamp now) noexcept;  // what was taken was not used
  // When the next request may go; none when one may go now.
  std::optional<timestamp> next(timestamp now) const noexcept;

 private:
  double level(timestamp now) const noexcept;

  rate_limit limit_{};
  double level_ = 0;
  mutable timestamp filled_at_{};  // moves back with the clock
};

}  // namespace syndicated::core
