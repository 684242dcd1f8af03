// What every actor may use, in one place: the store, the clock, the catalogue, and the ways to post
// to others. CAF-free, so that entities and queues are tested without an actor system.
//
// Threads: members are thread-safe or constant after start. Lifetime: outlives every actor.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/aggregate_board.hpp"
#include "actors/backlog_age.hpp"
#include "actors/catalog_snapshot.hpp"
#include "actors/delivery_stats.hpp"
#include "actors/load_gate.hpp"
#include "actors/work.hpp"
#include "core/delivery/protection.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "store/committer.hpp"
#include "store/id_source.hpp"
#include "store/repository.hpp"
#include "store/retention_gate.hpp"

namespace syndicated::actors {

struct delivery_settings {
  std::vector<std::chrono::milliseconds> schedule;
  double jitter = 0.2;
  std::string user_agent = "syndicated";
  core::protection protection{};
};

// What an endpoint is doing at the moment; written by its dispatcher, read by operators.
struct endpoint_gauge {
  int in_flight = 0;
  int concurrency_limit = 1;
  std::optional<core::timestamp> not_before;
  int last_status = 0;
  std::string last_error;
  std::optional<core::timestamp> last_success, last_failure;
  std::optional<core::timestamp> failing_since;  // nothing but failures since then
};

class gauge_board {
 public:
  void set(core::endpoint_id id, const endpoint_gauge& gauge);
  endpoint_gauge get(core::endpoint_id id) const;
  std::uint64_t in_flight() const;
  std::uint64_t failing() const;  // endpoints with nothing but failures lately

 private:
  mutable std::mutex mutex_;
  std::unordered_map<core::endpoint_id, endpoint_gauge> gauges_;
};

// The breakers that are not closed, by origin; written by dispatchers when one changes.
class breaker_board {
 public:
  void set(const std::string& origin, const core::breaker& b, core::timestamp now);
  breaker_view get(const std::string& origin, core::timestamp now) const;
  breaker_totals totals(core::timestamp now) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, core::breaker> not_closed_;
  std::uint64_t openings_ = 0;
};

// Keys of requests under way: each is held by one request at a time. Any thread.
class held_keys {
 public:
  bool hold(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return keys_.insert(key).second;
  }
  void release(const std::string& key) {
    const std::lock_guard lock(mutex_);
    keys_.erase(key);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> keys_;
};

// What the dispatchers have to hear once a plan is on disk, and what counts from then on.
struct follow_ups {
  std::vector<std::shared_ptr<const lane_work>> ready;
  std::vector<std::pair<core::lane_key, std::optional<core::timestamp>>> rests;
  std::vector<std::string> parked;  // why, of each
  std::uint64_t expired = 0;
  std::uint64_t coalesced = 0;
};

struct services {
  services(store::repository& r, store::committer& c, store::id_source& i)
      : repo(r), committer(c), ids(i), age(r, c) {}

  store::repository& repo;
  store::committer& committer;
  store::id_source& ids;

  std::function<core::timestamp()> now;
  std::function<double()> random;  // [0, 1), any thread
  // Before it the clock was not set yet. Vendors refuse signatures of such a time, and an attempt
  // that was refused is spent: so nothing is sent (reliability.md, R17).
  core::timestamp clock_least{};
  bool clock_is_set() const { return clock_least == core::timestamp{} || now() >= clock_least; }
  core::lifecycle_settings lifecycle;
  std::chrono::milliseconds idempotency_retention = std::chrono::hours{24};
  bool tell_usage_records = false;  // usage.recorded
  bool tell_orders = false;         // order.created, order.changed

  std::atomic<std::shared_ptr<const catalog_snapshot>> catalog;
  std::atomic<std::shared_ptr<const delivery_settings>> delivery;
  std::atomic<std::uint64_t> access_epoch{0};  // grows with every disable and enable of a tenant
  // Grows with every move; not 0 at the start when a cascade is open: copies of paths may be old.
  std::atomic<std::uint64_t> moves{0};
  std::atomic<std::uint64_t> awake{0};
  // Every lane_report that is not yet on disk holds a copy.
  const std::shared_ptr<const char> open_reports = std::make_shared<const char>('\0');
  // The same of every entity_request until it is handled.
  const std::shared_ptr<const char> open_requests = std::make_shared<const char>('\0');
  store::retention_gate gate;  // a plan with an event's id, or a lane for an old event: its pass
  load_gate load;
  held_keys keys;
  aggregate_board aggregates;
  std::atomic<std::uint64_t> published{0};          // events of publishers, on disk
  std::atomic<std::uint64_t> published_unheard{0};  // of these, for nobody: no endpoint wants them
  std::atomic<std::uint64_t> publish_repeats{0};    // known by their dedup_id or idempotency key
  std::atomic<std::uint64_t> expired{0};            // events older than their endpoint wants them
  std::atomic<std::uint64_t> coalesced{0};          // left out, as a newer one tells the same
  std::atomic<std::uint64_t> token_fetches{0};      // requests for OAuth2 access tokens
  std::atomic<std::uint64_t> invoices_issued{0}, invoices_paid{0}, invoices_overdue{0},
      invoices_expired{0};
  std::atomic<std::uint64_t> polls_answered{0}, polls_failed{0};  // questions for metrics
  std::atomic<std::uint64_t> usages_taken{0}, usages_refused{0};  // of tenants' items
  delivery_stats stats;
  backlog_age age;
  std::atomic<std::uint64_t> jobs_running{0}, jobs_waiting{0};  // replay jobs, as of the last tick
  std::atomic<std::uint64_t> events_replayed{0};                // that jobs have handed out
  gauge_board gauges;
  breaker_board breakers;

  // Posting; set once by the engine before anything runs.
  std::function<void(std::shared_ptr<entity_request>)> to_shard;
  std::function<void(std::shared_ptr<const lane_report>)> report_to_shard;
  std::function<void(std::shared_ptr<const lane_work>)> lane_is_ready;
  std::function<void(const core::lane_key&, std::optional<core::timestamp>)> lane_is_resting;
  // The row says that the lane is due, but nothing may be sent from it before `until`.
  std::function<void(const core::lane_key&, core::timestamp until)> lane_is_barred;
  std::function<void(core::endpoint_id)> endpoint_was_changed;
  std::function<void(core::tenant_id)> start_cascade;
  std::function<void(core::subscription_id, const core::metric&)> ask_metric;
  std::function<void(catalog_command)> change_catalog;  // of our own accord (410)

  void post(const follow_ups& f);
  // Of the daemon's own accord, and nobody waits for the answer.
  void tell(core::stream_id stream, decltype(entity_request::body) body) const;
};

// Asked by the daemon itself. Body and reply are the caller's to fill in.
std::shared_ptr<entity_request> system_request(core::stream_id stream);

core::error unavailable(std::string detail);

// An event that is not there: it never was, or is no longer kept (errc::gone, "event_expired").
core::error event_missing(const store::retention_gate& gate, core::event_id id);

// If-Match is stale.
core::error version_mismatch(std::uint64_t wanted, std::uint64_t present);

// What to answer when a plan was refused for lack of space, or its outcome is unknown.
core::error not_committed(store::commit_result result);

// The plan also stores the answer for repeats of the request; nothing without a key.
void keep_answer(const services& s, store::write_plan& plan, const std::optional<idempotency>& key,
                 const answer& a);
// Of a plan: answers when its fate is known. `reply` may be empty.
std::function<void(store::commit_result)> answers_with(write_reply reply, answer a);

}  // namespace syndicated::actors
