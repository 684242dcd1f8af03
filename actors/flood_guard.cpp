#include "actors/flood_guard.hpp"

#include <algorithm>

namespace syndicated::actors {

flood_guard::tally& flood_guard::of(index member) {
  if (member >= tallies_.size()) tallies_.resize(member + std::size_t{1});
  tally& t = tallies_[member];
  if (t.period != period_) t = {period_, 0, 0, {}, {}};
  return t;
}

void flood_guard::sent(index member) {
  ++sent_;
  const std::uint32_t own = ++of(member).sent;
  if (own <= leader_sent_) return;
  leader_ = member;
  leader_sent_ = own;
}

void flood_guard::ended(index member, microseconds took, microseconds inside) {
  inside = std::clamp(inside, microseconds{0}, took);
  tally& t = of(member);
  ++t.ended;
  t.inside += inside;
  t.outside += took - inside;
}

std::optional<flood_guard::hold> flood_guard::look(clock::time_point now) {
  if (now < began_ + period) return held_;
  if (const auto flood = flooding(now)) {
    const tally& t = of(*flood);
    if (held_ && held_->member == *flood) {
      adapt(t);
    } else {
      inside_ = inside_first;
    }
    // Little's law: how many were with the vendor at a time.
    const auto lasted = std::max<microseconds>(
        std::chrono::duration_cast<microseconds>(now - began_), microseconds{1});
    const auto outside = std::min<std::int64_t>(t.outside / lasted, inside_max);
    held_ = hold{*flood, inside_ + static_cast<int>(outside)};
  } else {
    held_.reset();
  }
  began_ = now;
  ++period_;
  sent_ = leader_sent_ = 0;
  return held_;
}

// More than half to one, and something to others, if not in this period then lately. A moment in
// which the whole process stands still does not end it; a vendor who stops answering does.
std::optional<flood_guard::index> flood_guard::flooding(clock::time_point now) {
  constexpr std::uint32_t few = 16;
  if (sent_ > leader_sent_) others_until_ = now + others_count_for;
  if (now > others_until_) return std::nullopt;
  if (leader_sent_ >= few && 2 * leader_sent_ > sent_) {
    flood_until_ = now + flood_counts_for;
    return leader_;
  }
  return held_ && now <= flood_until_ ? std::optional{held_->member} : std::nullopt;
}

void flood_guard::adapt(const tally& t) {
  if (t.ended == 0) return;
  const microseconds wait = t.inside / t.ended;
  if (wait > wait_goal) {
    inside_ = std::max(inside_min, inside_ - std::max(1, inside_ / 4));
  } else if (2 * wait < wait_goal) {
    inside_ = std::min(inside_max, inside_ + std::max(1, inside_ / 2));
  }
}

}  // namespace syndicated::actors
