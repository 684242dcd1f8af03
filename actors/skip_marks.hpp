// Marks of events that were given up at an endpoint and whose lane went on: as the newest plan of
// their entity leaves them, on disk and under way.
//
// Owned by an outbox, used on its thread only. Bound: the marks of plans that are under way.
#pragma once

#include <vector>

#include "store/repository.hpp"

namespace syndicated::actors {

class skip_marks {
 public:
  explicit skip_marks(const store::repository& repo) : repo_(repo) {}

  // What follows goes into the entity's plan with this number; those up to `settled` are on disk.
  void begin_plan(std::uint64_t number, std::uint64_t settled);
  void clear() { under_way_.clear(); }  // the entity starts again from the disk

  void set(store::write_plan& plan, core::event_id event, core::endpoint_id endpoint, bool there);
  // Errors: the store's.
  core::result<bool> is_set(core::event_id event, core::endpoint_id endpoint) const;
  core::result<bool> any_of(core::event_id event) const;

 private:
  struct mark {
    std::uint64_t plan = 0;
    core::event_id event;
    core::endpoint_id endpoint;
    bool there = false;
  };

  const store::repository& repo_;
  std::vector<mark> under_way_;  // in the order of their plans
  std::uint64_t plan_ = 0;
};

}  // namespace syndicated::actors
