#include "daemon/heartbeat.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace syndicated::daemon {
namespace {

std::chrono::microseconds between(heartbeat::clock::time_point from,
                                  heartbeat::clock::time_point to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

}  // namespace

struct heartbeat::memory {
  explicit memory(std::size_t probes) : lag_us(probes), stalls(probes) {}
  std::vector<std::atomic<std::int64_t>> lag_us;
  std::vector<std::atomic<std::uint64_t>> stalls;
};

struct heartbeat::round {
  round(std::size_t probes, clock::time_point at) : answered(probes), begun(at) {}
  std::vector<std::atomic<bool>> answered;
  const clock::time_point begun;
};

heartbeat::heartbeat(std::vector<probe> probes, std::function<clock::time_point()> now)
    : probes_(std::move(probes)),
      now_(std::move(now)),
      memory_(std::make_shared<memory>(probes_.size())) {}

heartbeat::~heartbeat() = default;

void heartbeat::begin() {
  auto started = std::make_shared<round>(probes_.size(), now_());
  {
    const std::lock_guard lock(mutex_);
    round_ = started;
  }
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    probes_[i].ask([i, mine = started, kept = memory_, now = now_] {
      if (mine->answered[i].exchange(true)) return;
      const auto lag = between(mine->begun, now());
      kept->lag_us[i].store(lag.count());
      if (lag > stall) kept->stalls[i].fetch_add(1);
    });
  }
}

std::shared_ptr<const heartbeat::round> heartbeat::current() const {
  const std::lock_guard lock(mutex_);
  return round_;
}

bool heartbeat::complete() const { return current() != nullptr && silent().empty(); }

std::vector<std::string> heartbeat::silent() const {
  std::vector<std::string> names;
  const auto asked = current();
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (!asked || !asked->answered[i].load()) names.push_back(probes_[i].name);
  }
  return names;
}

std::vector<heartbeat::pulse> heartbeat::pulses() const {
  std::vector<pulse> out;
  const auto asked = current();
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    std::chrono::microseconds lag{memory_->lag_us[i].load()};
    if (asked && !asked->answered[i].load()) lag = std::max(lag, between(asked->begun, now_()));
    out.push_back({probes_[i].name, lag, memory_->stalls[i].load()});
  }
  return out;
}

}  // namespace syndicated::daemon
