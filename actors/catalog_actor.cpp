#include "actors/catalog_actor.hpp"

#include <caf/all.hpp>

#include "actors/defaults.hpp"

namespace syndicated::actors {

catalog_actor::behavior_type catalog_keeper_actor(
    catalog_actor::stateful_pointer<catalog_state> self, services* s) {
  harden(self);
  self->state.body = std::make_unique<catalog_keeper>(*s);
  return {
      [self](const catalog_request_ptr& request) { self->state.body->handle(*request); },
      [](const ping& p) { (*p.pong)(); },
  };
}

}  // namespace syndicated::actors
