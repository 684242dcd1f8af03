// What is asked of an entity, and what its lanes hand to the dispatchers. CAF-free values.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/engine.hpp"
#include "actors/parts.hpp"
#include "actors/tenant_usages.hpp"
#include "core/delivery/lane.hpp"
#include "core/lifecycle/aggregate.hpp"
#include "store/rows.hpp"

namespace syndicated::actors {

struct subscription_creation {
  core::new_subscription wanted;
  core::tenant owner;
  renderer<core::subscription> render;
};
struct subscription_change {
  core::subscription_command command;
  renderer<core::subscription> render;
};
struct tenant_creation {
  core::new_tenant wanted;
  core::tenant parent;
  renderer<core::tenant> render;
};
struct tenant_change {
  core::tenant_command command;
  renderer<core::tenant> render;
};
struct offerings_change {
  core::offering_list items;
  renderer<core::tenant> render;
};
struct user_creation {
  core::new_user wanted;
  core::tenant_id personal_unit;  // made with the user in a customer
  renderer<core::user> render;
};
struct user_change {
  core::user_command command;
  renderer<core::user> render;
};
// Send the event again to these endpoints.
struct replay_request {
  core::event_id event;
  std::vector<core::endpoint_id> endpoints;
  std::uint64_t job = 0;  // that hands it out, and is noted with it; 0: none
};
// Events of one call that belong to one owner: a named stream, or events without an order.
struct publish_item {
  std::shared_ptr<core::event> event;  // complete but for seq, time and recipients; in a named
                                       // stream also without id
  core::product_id product;
  std::shared_ptr<const std::vector<core::tenant_id>> path;
  std::string dedup_key;  // empty: none
  std::size_t index = 0;  // in the call's outcomes
  std::size_t line = 0;
};
struct publish_group {
  std::vector<publish_item> items;
  // Of a call with an idempotency key whose events have several owners: what was accepted here is
  // written under this key, so that a repeat after a crash finds it.
  std::string row_key;
  std::vector<std::pair<std::size_t, core::event_id>> known;  // line, event: from that row
  std::optional<idempotency> call;
  std::shared_ptr<const void> pass;  // of the ids in it (store/retention_gate.hpp)
  // The whole call's answer, when this is its only group.
  std::function<core::result<answer>()> render;
};
struct publish_request {
  std::shared_ptr<publish_group> group;
};
// Give up what is parked: the head of a lane, or an event that an endpoint's lane has passed over.
struct discard_request {
  core::lane_key lane;
  core::event_id event;  // 0 = the lane's head
};
// Something above may have been disabled or enabled: compare with what is on disk.
struct reconsider_access {};

// An invoice of the subscription is issued or changed; If-Match is about the invoice.
struct invoice_change {
  core::subscription_command command;
  renderer<core::invoice> render;
};
struct resource_change {
  resource_order order;
  renderer<core::resource> render;
};
// What came of asking for a metric; an empty problem: the value.
struct poll_answer {
  std::string metric;
  core::decimal value;
  std::string problem;
};
// Reports of usage for one subscription; `tell` is called before the request is answered.
struct usage_intake {
  std::optional<poll_answer> polled{};
  std::vector<core::usage_report> reports;
  std::function<void(usage_outcomes&&)> tell;
};

// A timer row of the entity is due. What is due is read from its state, so a late, early or
// repeated one is harmless.
struct timer_due {};

// There are events on disk that the stream does not have yet (told_entity.hpp).
struct untold_events {};
// There are notices about the endpoint on disk: tell them.
struct endpoint_notices {};
// Its dispatcher saw it fail, or work again.
struct endpoint_health_changed {
  bool degraded = false;
  std::string reason;
  std::optional<core::timestamp> failing_since;
};
// Its owner has another share of what may be pending for it (load_gate.hpp).
struct owner_quota_changed {
  core::endpoint_scope scope = core::endpoint_scope::platform;  // of the owner
  std::uint64_t scope_id = 0;
  core::quota_level level{};
  std::uint64_t value = 0;
  std::uint64_t limit = 0;
};

// Of aggregate commitments.
struct aggregate_creation {
  core::new_aggregate wanted;
  renderer<core::aggregate> render;
};
struct aggregate_change {
  core::aggregate_command command;
  renderer<core::aggregate> render;
};
// The subscription counts differently; how is read from what is on disk.
struct aggregate_count {
  core::subscription_id subscription;
};
// All of them are counted anew, those behind `after`.
struct aggregate_recount {
  core::subscription_id after;
};

// Of the ledger of usages. `tell` is called before the request is answered.
struct tenant_usage_intake {
  std::vector<tenant_usage_report> reports;
  item_check may;
  std::function<void(tenant_usage_outcomes&&)> tell;
};
// Tenants have left marks for it.
struct usage_marks {};
// The ledger has left notices for the tenant.
struct quota_notices {};

// What is asked of the replay jobs.
struct cancel_job {
  std::uint64_t id = 0;
};
struct job_request {
  std::variant<replay_order, cancel_job> body;
  write_options options;
  renderer<core::replay_job> render;
  write_reply reply;
};

struct entity_request {
  core::stream_id stream;
  std::variant<subscription_creation, subscription_change, tenant_creation, tenant_change,
               offerings_change, user_creation, user_change, publish_request, replay_request,
               discard_request, reconsider_access, timer_due, invoice_change, resource_change,
               usage_intake, aggregate_creation, aggregate_change, aggregate_count,
               aggregate_recount, tenant_usage_intake, usage_marks, quota_notices, untold_events,
               endpoint_notices, endpoint_health_changed, owner_quota_changed>
      body;
  write_options options;
  write_reply reply;                 // may be empty; use answer_with
  std::shared_ptr<const void> open;  // of services::open_requests

  entity_request() = default;
  entity_request(const entity_request&) = delete;
  entity_request& operator=(const entity_request&) = delete;
  // Dropped unanswered (the engine stops, or its entity fell): the caller hears that nothing was
  // done.
  ~entity_request() {
    answer_with(core::error{core::errc::unavailable,
                            "not_handled",
                            "the daemon stops, or could not handle the request; nothing was done",
                            {},
                            {}});
  }

  void answer_with(core::result<answer>&& outcome) {
    if (auto r = std::exchange(reply, nullptr)) r(std::move(outcome));
  }
};

inline void keep_earlier(std::optional<core::timestamp>& slot, core::timestamp t) {
  if (!slot || t < *slot) slot = t;
}

// What a part of the engine has still to do: for simulated time (actors/clock_walk.hpp).
struct pending_work {
  std::uint64_t due = 0;                // changes and deliveries that are due or under way
  std::optional<core::timestamp> next;  // the earliest instant that something waits for
  std::uint64_t commits = 0;            // plans so far
};

// How long an entity that crashed again and again is left alone, and its lanes with it.
inline constexpr std::chrono::milliseconds entity_quarantine = std::chrono::minutes{5};

// The head of a lane, to be sent now. `event` may be missing: it is then read from the store.
struct lane_work {
  core::lane lane;
  std::shared_ptr<const core::event> event;
};
struct attempt_start {
  core::timestamp at{};
  std::chrono::steady_clock::time_point steady{};  // the same by a clock that nobody sets
  std::size_t body_bytes = 0;
  std::uint32_t address = 0;  // which of the endpoint's, in the order of its changes
};

// What came of it; the entity moves the lane's cursor.
struct lane_report {
  core::lane_key lane;
  core::event_id head;
  // The lane's due time when it was sent: a replay gives it another. None: nothing was sent.
  std::optional<core::timestamp> sent_due{};
  core::lane_outcome outcome;
  store::attempt_row row;
  // Not an attempt: what becomes of the lane because of what became of its endpoint.
  enum class end : std::uint8_t { none, cancelled, parked };
  end whole = end::none;
  std::shared_ptr<const void> open;  // kept until the outcome is on disk; the drain waits for that
};

}  // namespace syndicated::actors
