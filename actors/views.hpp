// What the engine shows: the catalogue, pages of entities with their filters, deliveries, states of
// endpoints, clock and keys. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/limits.hpp"
#include "core/delivery/attempt.hpp"
#include "core/delivery/breaker.hpp"
#include "core/delivery/endpoint.hpp"
#include "core/delivery/lane.hpp"
#include "core/delivery/replay.hpp"
#include "core/lifecycle/access.hpp"
#include "core/lifecycle/aggregate.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/offering.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"
#include "core/lifecycle/user.hpp"

namespace syndicated::actors {

// Immutable; replaced as a whole after each catalogue commit. Lookups return nullptr when absent.
class catalog {
 public:
  virtual ~catalog() = default;
  virtual std::shared_ptr<const core::vendor> find(core::vendor_id id) const = 0;
  virtual std::shared_ptr<const core::product> find(core::product_id id) const = 0;
  virtual std::shared_ptr<const core::plan> find(core::plan_id id) const = 0;
  // Not deleted ones. (Plans are found although deleted: subscriptions go on with them.)
  virtual std::shared_ptr<const core::product_instance> find(core::instance_id id) const = 0;
  virtual std::shared_ptr<const core::endpoint> find(core::endpoint_id id) const = 0;
  virtual std::shared_ptr<const core::token> find(core::token_id id) const = 0;
  // In id order, those with id > after, at most `limit`.
  virtual std::vector<std::shared_ptr<const core::vendor>> vendors(std::uint64_t after,
                                                                   std::size_t limit) const = 0;
  virtual std::vector<std::shared_ptr<const core::product>> products(std::uint64_t after,
                                                                     std::size_t limit) const = 0;
  virtual std::vector<std::shared_ptr<const core::plan>> plans(std::uint64_t after,
                                                               std::size_t limit) const = 0;
  virtual std::vector<std::shared_ptr<const core::product_instance>> instances(
      std::uint64_t after, std::size_t limit) const = 0;
  virtual std::vector<std::shared_ptr<const core::endpoint>> endpoints(std::uint64_t after,
                                                                       std::size_t limit) const = 0;
  virtual std::vector<std::shared_ptr<const core::token>> tokens(std::uint64_t after,
                                                                 std::size_t limit) const = 0;
  // Not deleted ones, by name; in name order.
  virtual std::shared_ptr<const core::event_type> find_event_type(std::string_view name) const = 0;
  virtual std::vector<std::shared_ptr<const core::event_type>> event_types() const = 0;
};

template <class T>
struct page {
  std::vector<T> items;
  std::optional<std::string> next;  // opaque cursor for `after`; none = the end
};

struct page_request {
  std::size_t limit = 50;
  std::string after;  // a cursor from `next`; a wrong one: errc::invalid with pointer "?after"
};

struct subscription_filter {
  core::tenant_id tenant;  // exactly this tenant; 0 = any
  core::tenant_id within;  // this tenant or below; 0 = any
  core::vendor_id vendor;
  core::product_id product;
  core::plan_id plan;
  std::optional<core::subscription_status> status;
  std::optional<core::subscription_type> type;
  std::string name;
  std::optional<core::timestamp> updated_since;
};

struct tenant_filter {
  core::tenant_id parent;
  core::tenant_id within;
  std::optional<core::tenant_kind> kind;
  std::optional<core::tenant_state> state;  // none: all but the purged
  std::string name;
  std::string external_ref;
  std::optional<core::timestamp> updated_since{};
  bool without_deleted = false;
  bool visible_above = false;  // leaves out those below `within` that are hidden from it
};

struct user_filter {
  core::tenant_id tenant;  // of exactly this one; 0 = any
  core::tenant_id within;
  std::optional<core::user_status> status;  // none: all but the purged
  std::string email;
  std::optional<core::timestamp> updated_since;
};

struct aggregate_filter {
  core::tenant_id reseller;  // 0 = any
  core::tenant_id within;    // the reseller is this tenant or below it; 0 = any
  core::vendor_id vendor;
  core::product_id product;
  std::optional<core::commitment_state> state;
};

struct event_filter {
  std::optional<core::stream_id> stream;
  std::optional<core::entity_kind> kind;  // events of every entity of this kind
  std::string stream_name;  // with `stream`: exactly this name of a published stream; empty = any
  std::string name;         // a pattern as in an endpoint's filter; empty = any
  std::optional<core::timestamp> since, until;
  core::vendor_id vendor;  // 0 = any
  core::tenant_id within;  // events of tenants below (or the tenant itself); 0 = any
};

// `ended`: delivered or cancelled, but the attempts that tell are no longer kept.
enum class delivery_state : std::uint8_t {
  pending,
  in_flight,
  delivered,
  parked,
  cancelled,
  ended,
};
std::string_view to_string(delivery_state state) noexcept;

// One (event, endpoint) pair.
struct delivery {
  core::endpoint_id endpoint;
  delivery_state state{};
  std::uint32_t attempts = 0;
  std::optional<core::timestamp> due;  // next attempt of a pending one
  int last_status = 0;
  std::string last_error;
};

struct attempt_record {
  core::event_id event;
  core::endpoint_id endpoint;
  std::uint32_t number = 0;  // 1, 2 ... of this delivery
  core::timestamp at{};
  core::response_class outcome{};
  int status = 0;
  std::string error;
  std::string excerpt;
  core::attempt_timing timing{};
  std::string ended;  // how the delivery ended with it: "", "delivered", "parked", "cancelled"
  std::string cause;  // who ended it by hand; else empty
};

// accepted = delivered + parked + cancelled + pending, at every instant (reliability.md, R26).
struct delivery_counters {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t parked = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t attempts = 0;
  std::uint64_t pending() const noexcept { return accepted - delivered - parked - cancelled; }
};

// The breaker of an endpoint's origin (delivery.md, 1). Closed: the other fields say nothing.
struct breaker_view {
  core::breaker_state state = core::breaker_state::closed;
  core::timestamp until{};  // nothing is sent before
  std::string reason;       // of the last failure
};

struct breaker_totals {
  std::uint64_t open = 0;
  std::uint64_t half_open = 0;
  std::uint64_t openings = 0;  // since the start
};

struct endpoint_status {
  std::shared_ptr<const core::endpoint> endpoint;
  delivery_counters counters;
  int in_flight = 0;
  int concurrency_limit = 0;
  std::optional<core::timestamp> oldest;  // event time of the oldest pending head
  // Streams that stand still behind a parked head; counted up to limits::blocked_lanes_counted_max.
  std::uint64_t blocked_lanes = 0;
  std::optional<core::timestamp> not_before;  // Retry-After of the endpoint
  int last_status = 0;
  std::string last_error;  // empty after a success
  std::optional<core::timestamp> last_success, last_failure;
  std::optional<core::timestamp> failing_since;  // nothing but failures since then
  breaker_view breaker;
};

struct endpoint_filter {
  std::optional<core::endpoint_scope> scope;
  std::uint64_t scope_id = 0;
  bool with_backlog_only = false;
  bool without_lanes = false;  // leaves out what is read from lanes, for many endpoints at a time
};

// What a replay job is to do; the rest of core::replay_job is filled in.
struct replay_order {
  core::endpoint_id endpoint;
  core::timestamp since{}, until{};
  core::replay_choice choice = core::replay_choice::sent;
  bool dry_run = false;
  int rate_per_s = core::limits::replay_rate_default;
};

// still_parked: of those that parked their event, the ones after which nothing has come of it.
enum class attempt_choice : std::uint8_t { any, delivered, failed, parked, still_parked };
struct attempt_filter {
  attempt_choice choice = attempt_choice::any;
  std::optional<core::timestamp> since, until;  // of the attempt
  core::endpoint_id endpoint;                   // of an event's attempts only; 0 = any
};

// What is kept of the past.
struct retention_status {
  core::event_id events_from;    // events with an id below are kept only while somebody waits
  core::event_id attempts_from;  // the same of the attempts at events with an id below
  std::optional<core::timestamp> oldest_event;
  std::uint64_t events_dropped = 0, attempts_dropped = 0;  // since the start
};

struct family_size {
  std::string_view family;
  std::uint64_t bytes = 0;
};

struct compaction_report {
  std::uint64_t bytes_before = 0, bytes_after = 0;  // of the whole store
  std::uint64_t events_dropped = 0, attempts_dropped = 0;
  std::vector<family_size> families;  // afterwards
};

struct engine_status {
  bool ready = false;
  bool accepting = false;  // false: draining, or the disk is full or failing
  std::string why_not;     // "", "no_space", "draining", "starting"
  // Why nothing is sent, though it is taken: "", "draining", "no_space", "clock_unset" (it is
  // before the day of the build).
  std::string not_sending;
  core::timestamp started_at{};
  delivery_counters counters;  // all endpoints
  std::uint64_t commits = 0;   // batches
  std::uint64_t plans = 0;     // changes in them
  std::uint64_t commit_queue = 0;
  std::uint64_t commit_oldest_ms = 0;  // since the oldest change that waits came
  // Why new load is refused: "", "store_stalled", "memory", "backlog_full" (load_gate.hpp).
  std::string refusing_load;
  std::uint64_t owners_full = 0;  // owners whose new load is refused
  std::vector<std::pair<std::string_view, std::uint64_t>> load_refusals;  // by reason
  std::uint64_t in_flight = 0;
  std::uint64_t awake_entities = 0;
  std::uint64_t last_event = 0;
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t store_bytes = 0;
  std::uint64_t subscriptions = 0, tenants = 0, endpoints = 0;
  struct {
    std::uint64_t in_force = 0;
    std::int64_t units = 0;        // what they count, summed up
    std::uint64_t shortfalls = 0;  // told since the start
  } commitments;                   // of resellers
  breaker_totals breakers;
  retention_status retention;
  std::vector<family_size> families;                     // of the store's files
  std::optional<std::chrono::milliseconds> clock_ahead;  // of simulated time; none = real time
};

// The daemon's wall clock. In simulated time, which is for tests, it can be moved forward
// (actors/clock_walk.hpp, docs/simulated-time.md).
inline constexpr std::chrono::hours clock_step_max{24 * 3'653};    // ten years
inline constexpr std::chrono::hours clock_ahead_max{24 * 36'525};  // a hundred
struct clock_status {
  bool simulated = false;
  core::timestamp now{};
  std::chrono::milliseconds ahead{0};        // of the machine's clock
  std::optional<core::timestamp> moving_to;  // it is on its way there
  std::uint64_t due = 0;                     // what is due or under way, and not handled yet
  std::optional<core::timestamp> next;       // the earliest instant that something waits for
};
struct clock_move {
  core::timestamp to{};
  bool jump = false;  // at once, without a halt at what becomes due on the way
};

// The master keys that secrets are sealed with, by id (store/key_rotation.hpp).
enum class key_rotation_state : std::uint8_t { settled, working, blocked };
std::string_view to_string(key_rotation_state state) noexcept;
struct master_key_use {
  std::string id;
  bool primary = false;
  bool needed = false;                  // false: its file may be removed
  std::optional<std::uint64_t> values;  // still sealed with it, if that was counted
};
struct master_key_status {
  key_rotation_state state = key_rotation_state::settled;
  std::vector<master_key_use> keys;  // the primary first
  std::uint64_t resealed = 0;        // values, since the start
  std::uint64_t unreadable = 0;
};

}  // namespace syndicated::actors
