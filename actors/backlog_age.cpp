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
  if (core::waits(next_look_, look_interval, now)) return;
  next_look_ = now + look_interval;
  look(now);
}

void backlog_age::look(core::timestamp now) {
  const auto before = std::exchange(found_, {});
  for (const auto& [id, count] : committer_.pending()) {
    const auto known = before.find(id);
    found_.emplace(id, known == before.end() ? std::nullopt : known->second);
  }
  auto next = found_.upper_bound(last_);
  for (std::size_t i = 0; i < std::min(endpoints_in_look, found_.size()); ++i) {
    if (next == found_.end()) next = found_.begin();
    next->second = oldest_of(next->first, now);
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

std::optional<core::timestamp> backlog_age::oldest_of(core::endpoint_id id, core::timestamp now) {
  std::optional<core::timestamp> oldest;
  begins& from = begins_[id];
  look_at(id, store::due_side::fresh, from.fresh_ms, now, oldest);
  look_at(id, store::due_side::late, from.late_ms, now, oldest);
  return oldest;
}

void backlog_age::look_at(core::endpoint_id id, store::due_side side, std::uint64_t& begin_ms,
                          core::timestamp now, std::optional<core::timestamp>& oldest) const {
  // What comes from now on is due now or later, though perhaps before what is there.
  const auto now_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, core::to_unix_ms(now)));
  const std::uint64_t from_ms = std::min(begin_ms, now_ms);  // the clock may have been set back
  std::uint64_t next_ms = now_ms;
  std::size_t rows = 0;
  const auto scanned = repo_.due_rows(id, {side, from_ms}, [&](store::due_row&& row) {
    next_ms = std::min(next_ms, row.due_ms);
    const auto lane = repo_.find(row.lane);
    if (lane.ok() && *lane && (!oldest || (*lane)->head_at < *oldest)) oldest = (*lane)->head_at;
    return ++rows < rows_of_side;
  });
  // What cannot be read is looked at again in its turn.
  begin_ms = scanned.ok() ? next_ms : from_ms;
}

}  // namespace syndicated::actors
