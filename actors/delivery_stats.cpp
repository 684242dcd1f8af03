#include "actors/delivery_stats.hpp"

#include <algorithm>

namespace syndicated::actors {
namespace {

using core::response_class;

constexpr std::array classes{response_class::delivered,     response_class::failure,
                             response_class::overload,      response_class::gone,
                             response_class::rejected_size, response_class::blocked,
                             response_class::local};

// Of core::judge, of the dispatcher and of disabled endpoints; what is none of these counts as the
// last one.
constexpr std::array<std::string_view, 12> reasons{"exhausted",
                                                   "expired",
                                                   "gone",
                                                   "rejected_size",
                                                   "blocked_destination",
                                                   "cannot_sign",
                                                   "event_missing",
                                                   "record_unreadable",
                                                   "quarantined",
                                                   "aborted_by_receiver",
                                                   "disabled_by_receiver",
                                                   "other"};

}  // namespace

void delivery_stats::durations::add(std::chrono::microseconds took) noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
  // A clock that was set back makes nothing younger than new.
  total_us.fetch_add(std::max<std::int64_t>(took.count(), 0), std::memory_order_relaxed);
}

duration_sum delivery_stats::durations::read() const noexcept {
  return {count.load(std::memory_order_relaxed),
          std::chrono::microseconds{total_us.load(std::memory_order_relaxed)}};
}

void delivery_stats::attempt_ended(response_class kind, std::chrono::microseconds took,
                                   std::chrono::milliseconds age) noexcept {
  by_class_.at(static_cast<std::size_t>(kind)).fetch_add(1, std::memory_order_relaxed);
  attempts_.add(took);
  if (kind == response_class::delivered) deliveries_.add(age);
}

void delivery_stats::parked(std::string_view reason) noexcept {
  const auto known = std::find(reasons.begin(), reasons.end() - 1, reason);
  by_reason_.at(static_cast<std::size_t>(known - reasons.begin()))
      .fetch_add(1, std::memory_order_relaxed);
}

named_counts delivery_stats::attempts_by_class() const {
  static_assert(classes.size() == class_count);
  named_counts out;
  for (const response_class kind : classes) {
    const auto& count = by_class_.at(static_cast<std::size_t>(kind));
    out.emplace_back(core::to_string(kind), count.load(std::memory_order_relaxed));
  }
  return out;
}

named_counts delivery_stats::parked_by_reason() const {
  static_assert(reasons.size() == reason_count);
  named_counts out;
  for (std::size_t i = 0; i < reason_count; ++i) {
    out.emplace_back(reasons[i], by_reason_[i].load(std::memory_order_relaxed));
  }
  return out;
}

}  // namespace syndicated::actors
