// Sends an endpoint's past events again: reads the event log in pages, hands each event to its
// entity, and goes on when the page is committed. Internal to actors/ (includes CAF).
#pragma once

#include <deque>

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

struct replayer_state {
  static inline const char* name = "replayer";

  struct running {
    replay_job job;
    core::event_id next;  // where the next page begins
    std::size_t under_way = 0;
    bool at_end = false;
  };

  services* s = nullptr;
  std::deque<running> jobs;  // the first one runs
  bool draining = false;
};

replayer_actor::behavior_type replayer(replayer_actor::stateful_pointer<replayer_state> self,
                                       services* s);

// The first event that happened at `since` or later (ids grow with time). Errors: the store's.
core::result<core::event_id> first_event_since(const services& s, core::timestamp since);

}  // namespace syndicated::actors
