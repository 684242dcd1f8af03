// How many of an endpoint's attempts may be retries (delivery.md, 1): a fifth of those of the last
// minute, and never less than one in ten seconds. Pure: the clock is a parameter.
//
// A retry that was delivered no longer counts as one: it shows that the endpoint is well, and what
// had to wait for that must be able to drain. So retries of a recovered endpoint begin with a few
// and grow with their success, while those of a failing one stay a trickle.
#pragma once

#include "core/base/time.hpp"
#include "core/delivery/breaker.hpp"

namespace syndicated::core {

class retry_budget {
 public:
  // `share` of 1 or more: retries are never held back.
  bool allows_retry(double share, timestamp now) noexcept;
  void began(bool retry, timestamp now) noexcept { counts_.add(now, retry); }
  void retry_delivered() noexcept { counts_.forgive(); }
  void retry_not_sent() noexcept { counts_.forgive(); }
  // When it may allow more without a further attempt.
  static timestamp next_look(timestamp now) noexcept { return minute_counts::next_step(now); }

 private:
  minute_counts counts_;
};

}  // namespace syndicated::core
