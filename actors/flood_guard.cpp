#include "actors/flood_guard.hpp"

#include <algorithm>
#include <utility>

namespace syndicated::actors {

flood_guard::tally& flood_guard::of(index member) {
  if (member >= tallies_.size()) tallies_.resize(member + std::size_t{1});
  tally& t = tallies_[member];
  if (t.period != period_) t = {period_, 0, 0, {}, {}};
  return t;
}

void flood_guard::sent(index member) {
  ++sent_;
  if (next_ && next_->member != member) held_ = std::exchange(next_, std::nullopt);
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

int flood_guard::outside(index member, clock::time_point now) {
  const auto lasted = std::max<microseconds>(std::chrono::duration_cast<microseconds>(now - began_),
                                             microseconds{1});
  return static_cast<int>(std::min<std::int64_t>(of(member).outside / lasted, inside_max));
}

void flood_guard::look(clock::time_point now) {
  if (now < began_ + period) return;
  next_.reset();
  if (const auto flood = flooding(now)) {
    if (held_ && held_->member == *flood) {
      adapt(of(*flood));
    } else {
      inside_ = inside_first;
    }
    held_ = hold{*flood, inside_ + outside(*flood, now)};
  } else {
    held_.reset();
    inside_ = inside_first;
    if (leads()) next_ = hold{leader_, inside_first + outside(leader_, now)};
  }
  began_ = now;
  ++period_;
  sent_ = leader_sent_ = 0;
}

bool flood_guard::leads() const {
  constexpr std::uint32_t few = 16;
  return leader_sent_ >= few && 2 * leader_sent_ > sent_;
}

// More than half to one, and something to others, if not in this period then lately. A moment in
// which the whole process stands still does not end it; a vendor who stops answering does.
std::optional<flood_guard::index> flood_guard::flooding(clock::time_point now) {
  if (sent_ > leader_sent_) others_until_ = now + others_count_for;
  if (now > others_until_) return std::nullopt;
  if (leads()) {
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
