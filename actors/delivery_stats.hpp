// What came of attempts and deliveries since the start, counted for the daemon's metrics.
//
// Threads: any. Each figure is exact; several read together are no snapshot. Words are of closed
// sets, so that no answer of a vendor and no name of a tenant makes a new series.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/delivery/response.hpp"

namespace syndicated::actors {

using named_counts = std::vector<std::pair<std::string_view, std::uint64_t>>;

struct duration_sum {
  std::uint64_t count = 0;
  std::chrono::microseconds total{0};
};

class delivery_stats {
 public:
  // A request came to its end after `took`. `age`: since its event happened or was asked for again.
  void attempt_ended(core::response_class kind, std::chrono::microseconds took,
                     std::chrono::milliseconds age) noexcept;
  void parked(std::string_view reason) noexcept;

  named_counts attempts_by_class() const;
  named_counts parked_by_reason() const;
  duration_sum attempts() const noexcept { return attempts_.read(); }
  duration_sum deliveries() const noexcept { return deliveries_.read(); }

 private:
  static constexpr std::size_t class_count = 7;
  static constexpr std::size_t reason_count = 12;
  struct durations {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::int64_t> total_us{0};
    void add(std::chrono::microseconds took) noexcept;
    duration_sum read() const noexcept;
  };
  std::array<std::atomic<std::uint64_t>, class_count> by_class_{};
  std::array<std::atomic<std::uint64_t>, reason_count> by_reason_{};
  durations attempts_, deliveries_;
};

}  // namespace syndicated::actors
