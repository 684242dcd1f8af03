// A job that sends an endpoint's past events again. Plain record and its words.
//
// It is stored with every page it finishes, and each event it hands out is noted in the plan that
// opens the event's lane, so that it goes on where it was after a restart and repeats nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

// Which events of the time range. Persisted: never renumber.
enum class replay_choice : std::uint8_t {
  sent = 1,             // every event that went, or is to go, to the endpoint
  delivered = 2,        // those it took
  parked = 3,           // those that were given up
  failed = 4,           // those it has not taken although it was asked: parked, or being retried
  never_attempted = 5,  // those it would get by its present settings, but was never asked about
};
std::string_view to_string(replay_choice choice) noexcept;
std::optional<replay_choice> parse_replay_choice(std::string_view text) noexcept;

// Persisted: never renumber.
enum class replay_phase : std::uint8_t { running = 1, done = 2, cancelled = 3, failed = 4 };
std::string_view to_string(replay_phase phase) noexcept;

struct replay_job {
  std::uint64_t id = 0;
  endpoint_id endpoint;
  timestamp since{}, until{};  // of the events, both included
  replay_choice choice = replay_choice::sent;
  bool dry_run = false;  // counts only
  int rate_per_s = 0;    // events handed out, at most
  replay_phase phase = replay_phase::running;
  event_id next;               // everything before it is done
  std::uint64_t examined = 0;  // events looked at
  std::uint64_t matched = 0;   // of these, chosen
  std::uint64_t replayed = 0;  // of these, on disk as to be sent again
  std::uint64_t refused = 0;   // of these, what cannot be sent again
  std::string refusal;         // code of the last of those refusals
  std::string waiting;         // code of the refusal for which it waits; empty: it goes on
  std::string problem;         // why it failed
  std::string cause;           // who asked
  timestamp started_at{};
  std::optional<timestamp> ended_at;
};

}  // namespace syndicated::core
