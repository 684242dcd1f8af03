#include "actors/flood_guard.hpp"

#include <algorithm>

namespace syndicated::actors {

void flood_guard::sent(index group) {
  if (group >= counts_.size()) counts_.resize(group + std::size_t{1});
  count& c = counts_[group];
  if (c.period != period_) c = {period_, 0};
  ++sent_;
  if (++c.sent <= leader_sent_) return;
  leader_ = group;
  leader_sent_ = c.sent;
}

void flood_guard::ended(index group, std::chrono::microseconds took,
                        std::chrono::microseconds inside) {
  if (!held_ || held_->group != group) return;
  ++ended_;
  took_ += std::max(took, std::chrono::microseconds{1});
  inside_ += std::max(inside, std::chrono::microseconds{0});
}

std::optional<flood_guard::hold> flood_guard::look(clock::time_point now) {
  if (now < ends_) return held_;
  const auto flood = flooding(now);
  if (!flood) {
    held_.reset();
  } else if (!held_ || held_->group != *flood) {
    held_ = hold{*flood, limit_first};
  } else {
    adapt();
  }
  ends_ = now + period;
  ++period_;
  sent_ = leader_sent_ = ended_ = 0;
  took_ = inside_ = {};
  return held_;
}

// More than half by one, and something by others, if not in this period then lately. A moment in
// which the whole process stands still does not end it; a vendor who stops answering does.
std::optional<flood_guard::index> flood_guard::flooding(clock::time_point now) {
  constexpr std::uint32_t few = 16;
  if (sent_ > leader_sent_) others_until_ = now + others_count_for;
  if (now > others_until_) return std::nullopt;
  if (leader_sent_ >= few && 2 * leader_sent_ > sent_) {
    flood_until_ = now + flood_counts_for;
    return leader_;
  }
  return held_ && now <= flood_until_ ? std::optional{held_->group} : std::nullopt;
}

void flood_guard::adapt() {
  if (ended_ == 0) return;
  const auto wait = inside_ / ended_;
  int& limit = held_->limit;
  if (wait > wait_goal && limit * inside_ > took_) {
    limit = std::max(limit_min, limit - std::max(1, limit / 4));
  } else if (2 * wait < wait_goal || 2 * limit * inside_ < took_) {
    limit = std::min(limit_max, limit + std::max(1, limit / 2));
  }
}

}  // namespace syndicated::actors
