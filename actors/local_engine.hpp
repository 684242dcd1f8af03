// The engine on this machine's store: owns the committer, the curl loops and the actor system.
//
// Threads: create, start, drain, stop from the owner's thread; the engine's own members from any.
// Lifetime: create -> start -> (drain) -> stop. stop() is called by the destructor as well.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/delivery_stats.hpp"
#include "actors/engine.hpp"
#include "actors/load_gate.hpp"
#include "core/delivery/protection.hpp"
#include "net/curl_loop.hpp"
#include "store/key_rotation.hpp"

namespace syndicated::actors {

struct engine_options {
  std::string directory;
  std::string master_key;                         // 32 bytes
  std::vector<std::string> previous_master_keys;  // they only open what they sealed
  // The keys of now, for rotate_keys; called on a thread of the store. Empty: refused.
  std::function<core::result<store::master_keys>()> read_master_keys;
  std::uint64_t wal_bytes_max = 64ULL << 20U;
  std::uint64_t block_cache_bytes = 64ULL << 20U;
  std::uint64_t free_bytes_min = 512ULL << 20U;  // less free: writes are refused with no_space
  load_limits load;

  int worker_threads = 0;  // 0 = half the cores, at least one: other threads need theirs
  int shards = 16;
  std::chrono::milliseconds entity_idle = std::chrono::seconds{30};

  int curl_loops = 1;
  int sockets_max = 1'024;      // together
  int platform_weight = 1;      // of the platform's endpoints in the scheduler's turns
  net::curl_loop_options curl;  // `name` is set for each loop
  std::vector<std::chrono::milliseconds> retry_schedule;
  double retry_jitter = 0.2;
  core::protection protection;
  core::egress_rules egress;

  core::lifecycle_settings lifecycle;
  std::chrono::milliseconds idempotency_retention = std::chrono::hours{24};
  bool tell_usage_records = false;  // usage.recorded
  bool tell_orders = false;         // order.created, order.changed
  // What is kept of the past (store/retention.hpp); bytes 0 = no limit.
  std::chrono::milliseconds events_age = std::chrono::hours{90 * 24};
  std::chrono::milliseconds attempts_age = std::chrono::hours{30 * 24};
  std::uint64_t events_bytes_max = 0;
  std::uint64_t attempts_bytes_max = 0;

  std::function<core::timestamp()> now;  // empty = the system's clock
  core::timestamp clock_least{};         // before it the clock was not set yet, and nothing is sent
  bool simulated_time = false;           // the clock can be moved (clock_walk.hpp)
  std::function<void(std::string)> on_disk_failure;  // once; the process must end (R19)
};

// How delivering goes; counts are of the time since the start.
struct delivery_figures {
  named_counts attempts_by_class;
  named_counts parked_by_reason;
  duration_sum attempts;    // from a request's begin to its end
  duration_sum deliveries;  // from the event, or the wish to send it again, to its acceptance
  named_counts endpoints;   // now, by state
  std::uint64_t endpoints_failing = 0;  // nothing but failures lately
  std::uint64_t jobs_running = 0;       // replay jobs that go on
  std::uint64_t jobs_waiting = 0;       // besides them: refused for the time being
  std::uint64_t events_replayed = 0;    // by jobs
  std::optional<std::chrono::milliseconds> oldest_pending;  // its age
};

struct engine_metrics {
  std::uint64_t commit_batches = 0;
  std::uint64_t commit_synced = 0;
  std::uint64_t commit_plans = 0;
  std::uint64_t commit_queue = 0;
  std::uint64_t commit_no_space = 0;
  delivery_counters deliveries;
  std::vector<net::curl_loop_stats> loops;
  std::uint64_t published = 0;          // events of publishers, accepted
  std::uint64_t published_unheard = 0;  // of these, those that no endpoint wants
  std::uint64_t publish_repeats = 0;    // not published again: known by key or dedup_id
  std::uint64_t expired = 0;            // parked without a request: too old for their endpoint
  std::uint64_t coalesced = 0;          // left out, as a newer one tells the same
  std::uint64_t token_fetches = 0;      // requests for OAuth2 access tokens
  std::uint64_t polls_answered = 0, polls_failed = 0;  // questions for metrics
  std::uint64_t usages_taken = 0, usages_refused = 0;  // of tenants' items
  // Those that a caller waits for: answered with any status, or not at all.
  std::uint64_t questions_answered = 0, questions_failed = 0;
  named_counts invoices;  // what became of them since the start
  std::uint64_t awake_entities = 0;
  std::uint64_t store_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
  delivery_figures figures;
};

class local_engine : public engine {
 public:
  // Opens the store and reads the catalogue. Errors: as store::database::open and check_store.
  static core::result<std::unique_ptr<local_engine>> create(engine_options options);
  ~local_engine() override = default;

  virtual void start() = 0;
  // Refuses new commands and starts no further attempt; true when everything under way has ended
  // within `limit`.
  virtual bool drain(std::chrono::milliseconds limit) = 0;
  virtual void stop() = 0;

  // Reloadable settings.
  virtual void set_retry(std::vector<std::chrono::milliseconds> schedule, double jitter,
                         const core::protection& protection) = 0;
  virtual void set_egress(core::egress_rules rules) = 0;
  virtual void set_load_limits(const load_limits& limits) = 0;

  // `done` is called when every worker, the committer's queue and the curl loops have turned once.
  virtual void ping(std::function<void()> done) = 0;
  virtual engine_metrics metrics() const = 0;
};

}  // namespace syndicated::actors
