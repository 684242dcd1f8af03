#include "actors/backlog_age.hpp"

#include <algorithm>

namespace syndicated::actors {
namespace {

constexpr std::size_t endpoints_in_look = 8;
constexpr std::size_t rows_of_side = 8;  // each is a read beside deliveries
constexpr std::chrono::milliseconds look_interval{500};

}  // namespace

void backlog_age::tick(core::timestamp now) {
  // A clock that was set back must not stop the looks.
  if (now < next_look_ && next_look_ - now <= look_interval) return;
  next_look_ = now + look_interval;
  look();
}

void backlog_age::look() {
  const auto before = std::exchange(found_, {});
  for (const auto& [id, count] : committer_.pending()) {
    const auto known = before.find(id);
    found_.emplace(id, known == before.end() ? std::nullopt : known->second);
  }
  auto next = found_.upper_bound(last_);
  for (std::size_t i = 0; i < std::min(endpoints_in_look, found_.size()); ++i) {
    if (next == found_.end()) next = found_.begin();
    next->second = oldest_of(next->first);
    last_ = next->first;
    ++next;
  }
  std::int64_t oldest = nothing;
  for (const auto& [id, at] : found_) {
    if (at) oldest = std::min(oldest, core::to_unix_ms(*at));
  }
  oldest_ms_.store(oldest, std::memory_order_relaxed);
}

std::optional<core::timestamp> backlog_age::oldest() const noexcept {
  const std::int64_t ms = oldest_ms_.load(std::memory_order_relaxed);
  return ms == nothing ? std::nullopt : std::optional{core::from_unix_ms(ms)};
}

std::optional<core::timestamp> backlog_age::oldest_of(core::endpoint_id id) const {
  std::optional<core::timestamp> oldest;
  for (const auto side : {store::due_side::fresh, store::due_side::late}) {
    std::size_t rows = 0;
    // What cannot be read is looked at again in its turn.
    (void)repo_.due_lanes(id, side, side, {}, [&](const core::lane_key& key, std::string_view) {
      const auto lane = repo_.find(key);
      if (lane.ok() && *lane && (!oldest || (*lane)->head_at < *oldest)) {
        oldest = (*lane)->head_at;
      }
      return ++rows < rows_of_side;
    });
  }
  return oldest;
}

}  // namespace syndicated::actors
