// Parent of the entities of one hash range: wakes, feeds and puts to sleep. Internal (CAF).
//
// An entity never leaves memory by itself: the shard asks it to, keeps back what arrives meanwhile,
// and wakes it again only after its actor said that it let go, or after DOWN if it crashed. So two
// incarnations never overlap (library-notes.md, 1.3). Actors outlive their entities: an actor that
// has none waits for the next (making and ending one costs more than reading a record). And they
// are asked a few at a time: thousands at once would keep the worker from everything else.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "core/base/id_set.hpp"

namespace syndicated::actors {

class entity;

struct shard_settings {
  std::chrono::milliseconds entity_idle = std::chrono::seconds{30};
  std::size_t awake_max = 4'096;
};

struct shard_state {
  static inline const char* name = "shard";

  struct child {
    core::stream_id stream;
    entity_actor actor;
    std::shared_ptr<entity> body;  // the actor's; not touched here while the actor has it
    core::timestamp last_used{};
    bool falling_asleep = false;
    std::vector<std::variant<request_ptr, report_ptr>> kept;
  };
  using queue = std::list<child>;
  struct crash_record {
    int count = 0;
    core::timestamp until{};  // refused before this instant
    // What crashed, while its plans are still on their way to the disk: a new incarnation must not
    // read what is there before they are.
    std::shared_ptr<entity> remains;
  };

  services* s = nullptr;
  shard_settings settings;
  std::unordered_map<core::stream_id, queue::iterator> children;
  queue waiting;                     // the one that was not used for longest first
  queue unordered;                   // likewise, streams of unordered events: nobody adds to those
  queue leaving;                     // asked to sleep
  std::vector<entity_actor> vacant;  // actors without an entity; the last one is taken first
  std::size_t vacant_least = 0;      // since the last look: so many nobody needed
  std::unordered_map<core::stream_id, crash_record> crashes;
  core::id_set without_lanes;  // subscriptions that went to sleep with nothing left to send
};

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, services* s,
                                 shard_settings settings);

struct entity_state {
  static inline const char* name = "entity";
  core::stream_id stream;
  std::shared_ptr<entity> body;  // null while the actor is vacant; then nothing is sent to it
};

entity_actor::behavior_type entity_shell(entity_actor::stateful_pointer<entity_state> self,
                                         shard_actor parent);

}  // namespace syndicated::actors
