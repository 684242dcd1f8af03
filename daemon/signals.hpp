// Signals as readable events of the main thread.
//
// Purpose: TERM and INT ask for an orderly end, HUP for a reload; PIPE is ignored. create() must
// run before any thread starts, because threads inherit the blocked signals.
// Threads: main only. Lifetime: until the process ends.
#pragma once

#include <chrono>

#include "core/base/error.hpp"

namespace syndicated::daemon {

enum class signal_kind { none, stop, reload };

class signals {
 public:
  static core::result<signals> create();
  signals(signals&& other) noexcept;
  signals& operator=(signals&&) = delete;
  ~signals();

  // Waits for the next signal, at most `limit`; `none` when the time is over.
  signal_kind wait(std::chrono::milliseconds limit);

 private:
  explicit signals(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace syndicated::daemon
