// Rows that exist only in the store: attempts, stored answers, counters. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/delivery/attempt.hpp"
#include "core/delivery/endpoint.hpp"
#include "core/delivery/quota.hpp"
#include "core/delivery/response.hpp"

namespace syndicated::store {

// How a row ended its delivery; `open` when another attempt follows.
enum class delivery_end : std::uint8_t { open, delivered, parked, cancelled };

struct attempt_row {
  core::event_id event;
  core::endpoint_id endpoint;
  core::timestamp at{};
  std::uint32_t number = 0;
  core::response_class outcome{};
  int status = 0;
  std::string error;
  std::string excerpt;
  core::attempt_timing timing{};
  delivery_end end = delivery_end::open;
  std::string cause{};  // who ended it by hand: of discards
};

// Where an attempt is found, and what it came to: a row of the index by endpoint.
struct attempt_mark {
  core::event_id event;
  core::endpoint_id endpoint;
  core::timestamp at{};
  core::response_class outcome{};
  delivery_end end = delivery_end::open;
  std::string_view place{};  // its key; only while it is visited
};

// What the bodies of stored answers, and the credentials inside subscriptions, are sealed for
// (vault.hpp).
inline constexpr const char* answer_context = "answer";
inline constexpr const char* credential_context = "credential";

// `status` of a call that has an answer only when all of its parts are on disk.
inline constexpr int answer_unfinished = 0;

struct stored_answer {
  core::timestamp expires_at{};
  std::string request_hash;
  int status = 0;
  std::string body;
};

// accepted = delivered + parked + cancelled + pending. A replay counts as accepted again.
struct counters {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t parked = 0;  // now; a replayed one leaves
  std::uint64_t cancelled = 0;
  std::uint64_t attempts = 0;
};

// An event that was given up at an endpoint whose lane went on.
struct skip_mark {
  core::event_id event;
  core::endpoint_id endpoint;
};

// An event that a replay job has handed out since its place was stored.
struct job_note {
  std::uint64_t job = 0;
  core::event_id event;
};

// Something to be told about an endpoint (actors/endpoint_entity.hpp): an event given up there, or
// its own state when `event` is 0.
struct notice_row {
  core::endpoint_id endpoint;
  core::event_id event;
  std::string reason;
};

// What was told about an endpoint last.
struct endpoint_journal {
  core::endpoint_id endpoint;
  std::uint64_t seq = 0;  // of the endpoint's own stream
  core::endpoint_state told = core::endpoint_state::active;
  bool degraded = false;
  std::optional<core::timestamp> failing_since{};
  core::quota_level quota = core::quota_level::within;  // told, of its owner
};

// How far retention has come (store/retention.hpp). Ids of events; ids below are meant.
struct retention_record {
  core::event_id events_from;    // may be gone
  core::event_id attempts_from;  // whose attempts may be gone
  core::event_id events_done;    // were looked at
  core::event_id attempts_done;
  core::timestamp swept_at{};  // when everything behind was looked at again
};

// How many there are, exactly; kept with every batch that changes it.
struct totals {
  std::uint64_t subscriptions = 0;
  std::uint64_t tenants = 0;
};

struct counter_delta {
  core::endpoint_id endpoint;
  int accepted = 0;
  int delivered = 0;
  int parked = 0;
  std::int64_t cancelled = 0;
  int attempts = 0;
};

}  // namespace syndicated::store
