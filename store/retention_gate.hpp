// How far the past may be gone, and the way of work that must not meet its disappearance.
//
// Compactions drop events below a horizon that nobody waits for (store/retention.hpp). They look at
// the lanes at one moment; what comes to disk later must not need an event that was free then. So:
//   - whoever gives out an event's id, or makes a lane for an event that is old, takes a pass first
//     and keeps it until his plan has ended;
//   - with the pass in hand he reads the horizon, and makes no new lane for what is below it,
//     unless a lane or a mark of its stream holds the event already;
//   - a round raises the horizon, then waits until every pass given out before is back, then looks.
// A pass taken after the wait began saw the raised horizon. So every id below the horizon is on
// disk with its lanes, or will never be, and no lane below it can still appear.
//
// Threads: any. A pass costs a copy of a shared pointer.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"

namespace syndicated::store {

class retention_gate {
 public:
  using pass = std::shared_ptr<const void>;

  pass enter() const { return generation_.load(); }

  // Events (attempts at events) with an id below may be gone. Never falls.
  core::event_id events_from() const noexcept { return {events_from_.load()}; }
  core::event_id attempts_from() const noexcept { return {attempts_from_.load()}; }

  // For the one thread that applies retention.
  void raise(core::event_id events, core::event_id attempts) noexcept {
    if (events.value > events_from_.load()) events_from_ = events.value;
    if (attempts.value > attempts_from_.load()) attempts_from_ = attempts.value;
  }
  // Waits for all passes given out so far, by whichever turn. False: asked to stop, or not all are
  // back in time.
  bool turn(const std::atomic<bool>& stop, std::chrono::milliseconds limit) {
    before_.push_back(generation_.exchange(std::make_shared<const char>('\0')));
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
      std::erase_if(before_, [](const auto& one) { return one.use_count() == 1; });
      if (before_.empty()) {
        std::atomic_thread_fence(std::memory_order_acquire);  // what they did is seen
        return true;
      }
      if (stop || std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

 private:
  std::atomic<std::shared_ptr<const char>> generation_{std::make_shared<const char>('\0')};
  std::vector<std::shared_ptr<const char>> before_;  // of earlier turns, with passes still out
  std::atomic<std::uint64_t> events_from_{0};
  std::atomic<std::uint64_t> attempts_from_{0};
};

}  // namespace syndicated::store
