// The beat of the actors, the lifecycle timers, and the fan-out of disabled tenants. Internal
// (CAF).
//
// Timers live in the store, never in CAF's clock (library-notes.md 1.2, 4): once a second those
// that are due are handed to their entities, at most timers_page of them under way, the next ones
// as soon as half of those are done. A cascade walks the tree below a tenant in pages, with less
// than two of them under way, and is remembered on disk until it is done.
#pragma once

#include <deque>
#include <unordered_set>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

struct ticker_settings {
  std::chrono::milliseconds beat = std::chrono::milliseconds{100};
};

struct ticker_state {
  static inline const char* name = "ticker";

  // Where a cascade stands: tenants still to be visited, and the place in the first one.
  struct cascade {
    core::tenant_id root;
    std::deque<core::tenant_id> to_visit;
    std::uint64_t after_subscription = 0;
    std::size_t under_way = 0;
    bool failed = false;  // a part of it: it is walked again
  };

  services* s = nullptr;
  ticker_settings settings;
  std::vector<shard_actor> shards;
  std::vector<dispatcher_actor> dispatchers;
  replayer_actor jobs;
  core::timestamp next_second{};
  core::timestamp next_overlaps{};  // when ended overlaps are looked for
  bool clock_told = false;          // that it is not set
  std::unordered_set<core::stream_id> timers_under_way;
  bool more_timers = false;                      // are due in this second
  std::optional<store::timer_row> timers_after;  // behind this one
  std::deque<cascade> cascades;
  std::vector<core::tenant_id> cascades_again;  // with the next second
  bool draining = false;
};

ticker_actor::behavior_type ticker(ticker_actor::stateful_pointer<ticker_state> self, services* s,
                                   ticker_settings settings, std::vector<shard_actor> shards,
                                   std::vector<dispatcher_actor> dispatchers, replayer_actor jobs);

}  // namespace syndicated::actors
