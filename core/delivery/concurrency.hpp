// How many requests an endpoint may have in flight: additive growth per completed cohort, one step
// down at the start of a run of failures, then by halves (delivery.md, 1; Postfix's feedback).
// Pure.
#pragma once

#include <cstdint>

namespace syndicated::core {

class concurrency_window {
 public:
  explicit concurrency_window(int max = 64) noexcept : max_(max < 1 ? 1 : max) {}

  int limit() const noexcept { return limit_; }
  void set_max(int max) noexcept;
  void on_success() noexcept;  // a whole cohort of successes adds one
  // The first failure of a run takes one away, each further cohort of failures halves; floor 1. So
  // an endpoint that hangs gives its places back instead of keeping all but one of them.
  void on_overload() noexcept;
  void restart() noexcept;  // back to one: after a pause or a recovery

 private:
  int max_;
  int limit_ = 1;
  int successes_ = 0;
  int failures_ = 0;  // of the present run, since the last step down
  bool failing_ = false;
};

}  // namespace syndicated::core
