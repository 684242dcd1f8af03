// What other threads hand to a dispatcher: lanes that became ready or rest, attempts that ended.
//
// The committer and the curl loop produce in bursts. One message for each item would wake the actor
// each time; so items wait here and only the first one of a burst sends a message.
// Threads: push from any; take from the dispatcher's. Bound: attempts in flight, and one item for
// each committed lane change not yet looked at (its plans are bounded by permits and slots).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/work.hpp"

namespace syndicated::actors {

// A lane has something to send now.
struct lane_ready {
  std::shared_ptr<const lane_work> work;
};
// It has nothing to send now: the next attempt is at `due`, or there is none.
struct lane_rests {
  core::lane_key lane;
  std::optional<core::timestamp> due;
};
// Its row says that it is due, but nothing may be sent from it before `until`.
struct lane_barred {
  core::lane_key lane;
  core::timestamp until;
};
struct attempt_done {
  std::shared_ptr<const lane_work> work;
  attempt_start started;
  core::attempt_result result;
};
using inbox_item = std::variant<lane_ready, lane_rests, lane_barred, attempt_done>;

class inbox {
 public:
  // True when the inbox was empty: the owner must be told to look.
  bool push(inbox_item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    return std::exchange(quiet_, false);
  }
  std::vector<inbox_item> take() {
    const std::lock_guard lock(mutex_);
    quiet_ = true;
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<inbox_item> items_;
  bool quiet_ = true;
};

}  // namespace syndicated::actors
