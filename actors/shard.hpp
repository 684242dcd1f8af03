// Parent of the entities of one hash range: wakes, feeds and puts to sleep. Internal (CAF).
//
// An entity never ends by itself: the shard asks it to, keeps back what arrives meanwhile, and
// wakes it again only after DOWN, so two incarnations never overlap (library-notes.md, 1.3).
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

class entity;

struct shard_settings {
  std::chrono::milliseconds entity_idle = std::chrono::seconds{30};
  std::size_t awake_max = 4'096;
};

struct shard_state {
  static inline const char* name = "shard";

  struct child {
    entity_actor actor;
    std::shared_ptr<entity> body;  // the actor's; not touched here while the actor lives
    core::timestamp last_used{};
    bool falling_asleep = false;
    std::deque<std::variant<request_ptr, report_ptr>> kept;
  };
  struct crash_record {
    int count = 0;
    core::timestamp until{};  // refused before this instant
    // What crashed, while its plans are still on their way to the disk: a new incarnation must not
    // read what is there before they are.
    std::shared_ptr<entity> remains;
  };

  services* s = nullptr;
  shard_settings settings;
  std::unordered_map<core::stream_id, child> children;
  std::unordered_map<caf::actor_addr, core::stream_id> by_address;
  std::unordered_map<core::stream_id, crash_record> crashes;
};

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, services* s,
                                 shard_settings settings);

struct entity_state {
  static inline const char* name = "entity";
  std::shared_ptr<entity> body;
};

entity_actor::behavior_type entity_shell(entity_actor::stateful_pointer<entity_state> self,
                                         std::shared_ptr<entity> body, core::stream_id stream,
                                         shard_actor parent);

}  // namespace syndicated::actors
