// The actor around dispatch: one for each curl loop. Internal to actors/ (includes CAF).
#pragma once

#include <memory>

#include "actors/dispatch.hpp"
#include "actors/inbox.hpp"
#include "actors/interfaces.hpp"

namespace syndicated::actors {

struct dispatcher_state {
  static inline const char* name = "dispatcher";
  std::unique_ptr<dispatch> body;
};

dispatcher_actor::behavior_type dispatcher(
    dispatcher_actor::stateful_pointer<dispatcher_state> self, services* s,
    std::shared_ptr<inbox> in, dispatch_settings settings, dispatch::sender send);

}  // namespace syndicated::actors
