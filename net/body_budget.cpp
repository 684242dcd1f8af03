#include "net/body_budget.hpp"

#include <utility>

#include "core/base/limits.hpp"

namespace syndicated::net {

body_share::body_share(std::shared_ptr<body_budget> from) : budget_(std::move(from)) {}

body_share::~body_share() { budget_->held_.fetch_sub(held_, std::memory_order_relaxed); }

bool body_share::hold(std::size_t bytes) {
  if (bytes <= held_) return true;
  const std::size_t all = budget_->bytes_max_;
  const std::size_t room = bytes <= core::limits::small_body_bytes_max ? all : all - all / 4;
  const std::size_t more = bytes - held_;
  if (budget_->held_.fetch_add(more, std::memory_order_relaxed) + more > room) {
    budget_->held_.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  held_ = bytes;
  return true;
}

}  // namespace syndicated::net
