// The wall clock of a daemon that lives in simulated time (docs/simulated-time.md): its machine's
// clock and an offset that only grows.
//
// Threads: now() and ahead() from any; set_ahead() from one at a time. CAF-free.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

#include "core/base/time.hpp"

namespace syndicated::actors {

class simulated_clock {
 public:
  explicit simulated_clock(std::function<core::timestamp()> machine)
      : machine_(std::move(machine)) {}

  core::timestamp now() const { return machine_() + ahead(); }
  std::chrono::milliseconds ahead() const noexcept {
    return std::chrono::milliseconds{ahead_ms_.load()};
  }
  // A smaller value than the present one changes nothing.
  void set_ahead(std::chrono::milliseconds ahead) noexcept {
    if (ahead.count() > ahead_ms_.load()) ahead_ms_ = ahead.count();
  }

 private:
  const std::function<core::timestamp()> machine_;
  std::atomic<std::int64_t> ahead_ms_{0};
};

}  // namespace syndicated::actors
