// Counts of answered requests by face, method and status class, and the time they took.
//
// Purpose: the daemon's metrics read them without knowing routes. Threads: add() from any thread,
// read() from any thread; single counters are exact, a sum over them is not a snapshot.
// Units: microseconds, from the request's arrival at the router to its answer.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace syndicated::api {

enum class face : std::uint8_t { v1, cloudesire, admin, open, accounts };
inline constexpr std::size_t face_count = 5;
std::string_view to_string(face f) noexcept;  // "v1", "api", "admin", "open", "api2"

struct request_count {
  api::face face{};
  std::string_view method;  // "GET" ... or "other"
  int status_class = 0;     // 2 = 2xx ...
  std::uint64_t requests = 0;
  std::uint64_t total_us = 0;
};

class stats {
 public:
  void add(face f, std::string_view method, int status, std::chrono::microseconds took) noexcept;
  void auth_failed() noexcept { auth_failures_.fetch_add(1, std::memory_order_relaxed); }
  void rate_limited() noexcept { rate_refusals_.fetch_add(1, std::memory_order_relaxed); }
  void overloaded() noexcept { overloads_.fetch_add(1, std::memory_order_relaxed); }

  std::vector<request_count> read() const;  // those that are not zero
  std::uint64_t auth_failures() const noexcept { return auth_failures_.load(); }
  std::uint64_t rate_refusals() const noexcept { return rate_refusals_.load(); }
  std::uint64_t overloads() const noexcept { return overloads_.load(); }

 private:
  static constexpr std::size_t methods = 7;
  static constexpr std::size_t classes = 5;
  struct cell {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> total_us{0};
  };
  std::array<cell, face_count * methods * classes> cells_{};
  std::atomic<std::uint64_t> auth_failures_{0};
  std::atomic<std::uint64_t> rate_refusals_{0};
  std::atomic<std::uint64_t> overloads_{0};
};

}  // namespace syndicated::api
