#include "actors/flood_guard.hpp"

#include <algorithm>
#include <utility>

namespace syndicated::actors {
namespace {

constexpr std::int64_t far_away = 8;  // with the vendor at a time

}  // namespace

flood_guard::tally& flood_guard::of(index member) {
  if (member >= tallies_.size()) tallies_.resize(member + std::size_t{1});
  tally& t = tallies_[member];
  if (t.period != period_) t = {period_, 0, 0, {}, t.in_flight, {}, began_};
  return t;
}

void flood_guard::count(tally& t, clock::time_point now) {
  t.time_in_flight += t.in_flight * std::chrono::duration_cast<microseconds>(now - t.counted_until);
  t.counted_until = now;
}

void flood_guard::sent(index member, clock::time_point now) {
  ++sent_;
  if (next_ && next_->member != member) held_ = std::exchange(next_, std::nullopt);
  tally& t = of(member);
  count(t, now);
  ++t.in_flight;
  const std::uint32_t own = ++t.sent;
  if (own <= leader_sent_) return;
  leader_ = member;
  leader_sent_ = own;
}

void flood_guard::ended(index member, clock::time_point now, std::optional<microseconds> inside) {
  tally& t = of(member);
  count(t, now);
  --t.in_flight;
  if (!inside) return;
  ++t.ended;
  t.inside += std::max(*inside, microseconds{0});
}

int flood_guard::outside(index member, clock::time_point now) {
  const auto lasted = std::max<microseconds>(std::chrono::duration_cast<microseconds>(now - began_),
                                             microseconds{1});
  tally& t = of(member);
  count(t, now);
  const std::int64_t there = std::max(t.time_in_flight - t.inside, microseconds{0}) / lasted;
  // One more, as else what is rounded off could never be made up by a vendor far away.
  return static_cast<int>(std::min<std::int64_t>(there < far_away ? there : there + 1, inside_max));
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
