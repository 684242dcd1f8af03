// How many requests an endpoint may have in flight: additive growth per completed cohort, one step
// down at the start of a run of failures (delivery.md, 1; Postfix's 1/N feedback). Pure.
#pragma once

#include <cstdint>

namespace syndicated::core {

class concurrency_window {
 public:
  explicit concurrency_window(int max = 64) noexcept : max_(max < 1 ? 1 : max) {}

  int limit() const noexcept { return limit_; }
  void set_max(int max) noexcept;
  void on_success() noexcept;   // a whole cohort of successes adds one
  void on_overload() noexcept;  // only the first failure of a run takes one away, floor 1
  void restart() noexcept;      // back to one: after a pause or a recovery

 private:
  int max_;
  int limit_ = 1;
  int successes_ = 0;
  bool failing_ = false;
};

}  // namespace syndicated::core
