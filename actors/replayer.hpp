// The actor around the replay jobs and the sweep of marks. Internal to actors/ (includes CAF).
#pragma once

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/mark_sweep.hpp"
#include "actors/replays.hpp"

namespace syndicated::actors {

struct replayer_state {
  static inline const char* name = "replayer";
  std::unique_ptr<replays> jobs;
  std::unique_ptr<mark_sweep> marks;
};

replayer_actor::behavior_type replayer(replayer_actor::stateful_pointer<replayer_state> self,
                                       services* s);

}  // namespace syndicated::actors
