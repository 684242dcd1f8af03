#include "daemon/heartbeat.hpp"

#include <atomic>
#include <utility>

namespace syndicated::daemon {

struct heartbeat::round {
  explicit round(std::size_t probes) : answered(probes) {}
  std::vector<std::atomic<bool>> answered;
};

heartbeat::heartbeat(std::vector<probe> probes)
    : probes_(std::move(probes)), round_(std::make_shared<round>(probes_.size())) {}

heartbeat::~heartbeat() = default;

void heartbeat::begin() {
  round_ = std::make_shared<round>(probes_.size());
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    probes_[i].ask([i, current = round_] { current->answered[i].store(true); });
  }
}

bool heartbeat::complete() const { return silent().empty(); }

std::vector<std::string> heartbeat::silent() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (!round_->answered[i].load()) names.push_back(probes_[i].name);
  }
  return names;
}

}  // namespace syndicated::daemon
