// The actor around catalog_keeper. Internal to actors/ (includes CAF).
#pragma once

#include <memory>

#include "actors/catalog_keeper.hpp"
#include "actors/interfaces.hpp"

namespace syndicated::actors {

struct catalog_state {
  static inline const char* name = "catalog";
  std::unique_ptr<catalog_keeper> body;
};

catalog_actor::behavior_type catalog_keeper_actor(
    catalog_actor::stateful_pointer<catalog_state> self, services* s);

}  // namespace syndicated::actors
