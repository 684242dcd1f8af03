// Settles what was passed over (skip_marks.hpp) at endpoints that have been deleted since: such an
// event counts as cancelled, and nothing holds it any more.
//
// Marks stand by event, so those of an endpoint are found by a walk through all of them. What is to
// be done follows from the counters: a deleted endpoint without a lane that counts parked events
// has marks. So a crash at any point and a mark that comes late need no care; the next look finds
// what is left. The entities erase the marks, as they alone write them.
//
// CAF-free; one thread at a time (its actor's). Bounds: one page of marks is under way.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "actors/services.hpp"

namespace syndicated::actors {

class mark_sweep {
 public:
  explicit mark_sweep(services& s) : s_(s) {}

  // Goes on with the walk, a page at a time, or looks whether there is something to do.
  void tick(core::timestamp now);
  void drain() { draining_ = true; }

 private:
  void look(core::timestamp now);
  bool has_lane(core::endpoint_id id) const;
  void read_page();
  void settle(const store::skip_mark& mark);

  struct walk {
    std::uint64_t parked = 0;  // counted when it began
    core::timestamp at{};
  };

  services& s_;
  std::set<core::endpoint_id> sought_;            // of the present walk
  std::map<core::endpoint_id, walk> last_walks_;  // one that changed nothing is not made again soon
  store::skip_mark at_;                           // the last mark that was looked at
  std::shared_ptr<const void> under_way_;  // held by each mark of the page that is not settled
  core::timestamp next_look_{};
  bool draining_ = false;
};

}  // namespace syndicated::actors
