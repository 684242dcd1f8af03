#include "core/delivery/concurrency.hpp"

#include <algorithm>

namespace syndicated::core {

void concurrency_window::set_max(int max) noexcept {
  max_ = std::max(1, max);
  limit_ = std::min(limit_, max_);
}

void concurrency_window::on_success() noexcept {
  failing_ = false;
  if (++successes_ < limit_) return;
  successes_ = 0;
  limit_ = std::min(limit_ + 1, max_);
}

void concurrency_window::on_overload() noexcept {
  successes_ = 0;
  if (!failing_) {
    failing_ = true;
    failures_ = 0;
    limit_ = std::max(1, limit_ - 1);
    return;
  }
  if (++failures_ < limit_) return;
  failures_ = 0;
  limit_ = std::max(1, limit_ / 2);
}

void concurrency_window::restart() noexcept {
  limit_ = 1;
  successes_ = 0;
  failing_ = false;
}

}  // namespace syndicated::core
