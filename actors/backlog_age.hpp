// How old the oldest pending notification is, found out a little at a time: a look reads a few
// lanes of a few endpoints, the next look goes on behind them.
//
// An endpoint's lanes are read from where the last look at it found the first one: before that
// there are only the remains of what was sent, and a walk through those of a large backlog would
// make deliveries wait.
//
// Of an endpoint with many lanes only those due first are read, so a young retry can hide an older
// one that is due later. Threads: tick() from one, oldest() from any. CAF-free.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "store/committer.hpp"
#include "store/repository.hpp"

namespace syndicated::actors {

class backlog_age {
 public:
  backlog_age(const store::repository& repo, const store::committer& committer)
      : repo_(repo), committer_(committer) {}

  void tick(core::timestamp now);
  // When the event of the oldest happened; none: nothing is pending, or nobody has looked yet.
  std::optional<core::timestamp> oldest() const noexcept;

 private:
  static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::max();

  // Where the first lane of each side can be; later ones get a later place.
  struct begins {
    std::uint64_t fresh_ms = 0;
    std::uint64_t late_ms = 0;
  };

  void look(core::timestamp now);
  std::optional<core::timestamp> oldest_of(core::endpoint_id id, core::timestamp now);
  void look_at(core::endpoint_id id, store::due_side side, std::uint64_t& begin_ms,
               core::timestamp now, std::optional<core::timestamp>& oldest) const;

  const store::repository& repo_;
  const store::committer& committer_;
  core::timestamp next_look_{};
  // Endpoints that have something pending, and what was found there; the last one looked at.
  std::map<core::endpoint_id, std::optional<core::timestamp>> found_;
  core::endpoint_id last_;
  std::map<core::endpoint_id, begins> begins_;  // of every endpoint that was looked at
  std::atomic<std::int64_t> oldest_ms_{nothing};
};

}  // namespace syndicated::actors
