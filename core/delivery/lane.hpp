// One (endpoint, stream) pair: a FIFO stored as a cursor, and its rules. Pure.
//
// A lane exists only while something in it is undelivered. A replay of one event is a lane of its
// own (`replay` names the event), so that it neither waits for nor reorders the stream's lane.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/delivery/response.hpp"

namespace syndicated::core {

struct lane_key {
  stream_id stream;
  endpoint_id endpoint;
  event_id replay;  // 0 = the stream's own lane
  friend constexpr auto operator<=>(const lane_key&, const lane_key&) = default;
};

// Persisted: never renumber.
enum class lane_state : std::uint8_t {
  pending = 1,  // its head is due at `due`
  parked = 2,   // its head used up its attempts; nothing is sent until replay or discard
};
std::string_view to_string(lane_state state) noexcept;

struct lane {
  lane_key key;
  event_id head;               // the event that is next
  std::uint64_t next_seq = 0;  // its sequence
  std::uint64_t backlog = 0;   // undelivered events in the lane, the head included
  lane_state state = lane_state::pending;
  std::uint32_t attempts = 0;  // made for the head
  std::uint32_t alike = 0;     // the last of them that ended too large, or blocked, in a row
  timestamp due{};
  timestamp head_at{};      // when the head's event happened
  timestamp replayed_at{};  // the head was asked for again, and its age counts from there
  // Ordering by endpoint: `due` keeps the lane's place in line, and this holds it back.
  timestamp not_before{};
  timestamp next_attempt() const noexcept { return due < not_before ? not_before : due; }
  int last_status = 0;
  std::string last_error;  // "", "timeout", "http_503", "blocked_destination" ...
};

// What an outcome does to the lane.
enum class lane_step : std::uint8_t {
  advance,  // the head is delivered: go to the next event
  retry,    // the same head again at `due`
  park,     // the head is given up; on_exhausted decides whether the lane goes on
};

inline constexpr std::string_view expired_reason = "expired";

struct lane_outcome {
  lane_step step = lane_step::retry;
  timestamp due{};                // for retry
  std::string reason;             // for park: "exhausted", "gone", "rejected_size", "expired" ...
  bool disable_endpoint = false;  // 410, or the receiver's wish
  std::uint32_t alike = 0;        // for retry: lane::alike
};

// The head's age is counted from its event, or from the wish to send it again. `max_age` 0: none.
bool too_old(const lane& l, std::chrono::milliseconds max_age, timestamp now) noexcept;

// What is too large, or goes to a blocked destination, is given up after fewer tries: attempts in a
// row that ended so, this one included. 0: it ended in another way.
std::uint32_t tries_alike(const lane& l, const verdict& v) noexcept;

// Decides what follows an attempt. `attempts` counts this one, `alike` is of it. `random` in [0,
// 1).
lane_outcome judge(const verdict& v, std::uint32_t attempts, std::uint32_t alike,
                   const std::vector<std::chrono::milliseconds>& schedule, double jitter,
                   double random, timestamp now);

// No outcome of judge() lets a lane wait for longer.
std::chrono::milliseconds longest_wait(const std::vector<std::chrono::milliseconds>& schedule,
                                       double jitter);

// A retry that would come after the head's age limit is given up now.
lane_outcome within_age(lane_outcome outcome, const lane& l, std::chrono::milliseconds max_age);

}  // namespace syndicated::core

template <>
struct std::hash<syndicated::core::lane_key> {
  std::size_t operator()(const syndicated::core::lane_key& k) const noexcept {
    return std::hash<syndicated::core::stream_id>{}(k.stream) * 31U + k.endpoint.value * 7919U +
           k.replay.value;
  }
};
