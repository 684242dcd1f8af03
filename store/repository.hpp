// Typed reads of committed rows, and the writing of typed rows into plans.
//
// Threads: any. Every read is a bounded look-up or a page. Errors: errc::corrupt, errc::io.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/delivery/breaker.hpp"
#include "core/delivery/endpoint.hpp"
#include "core/delivery/lane.hpp"
#include "core/delivery/replay.hpp"
#include "core/lifecycle/access.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/offering.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"
#include "core/lifecycle/user.hpp"
#include "store/database.hpp"
#include "store/rows.hpp"
#include "store/vault.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

struct timer_row {
  core::timestamp due{};
  core::stream_id stream;
};

struct due_row {
  std::uint64_t due_ms = 0;
  core::lane_key lane;
  friend auto operator<=>(const due_row&, const due_row&) = default;
};

class repository {
 public:
  repository(database& db, const vault& secrets) : db_(db), vault_(secrets) {}

  // Single records; none when absent.
  core::result<std::optional<core::subscription>> find(core::subscription_id id) const;
  core::result<std::optional<core::tenant>> find(core::tenant_id id) const;
  core::result<std::optional<core::user>> find(core::user_id id) const;
  core::result<std::optional<core::user_id>> user_of_login(std::string_view login_key) const;
  core::result<core::offering_list> offerings(core::tenant_id id) const;  // its own; may be empty
  core::result<std::optional<core::event>> find(core::event_id id) const;
  core::result<std::optional<core::event_id>> event_at(const core::stream_id& stream,
                                                       std::uint64_t seq) const;
  // The last seq given out in a published stream; zero for a new one. Kept apart from its events,
  // which are forgotten some day.
  core::result<std::uint64_t> last_seq(const core::stream_id& stream) const;
  core::result<std::optional<core::lane>> find(const core::lane_key& key) const;
  core::result<std::optional<stored_answer>> answer(std::string_view key) const;

  // Pages. The visitor returns false to stop.
  template <class T>
  using visit = std::function<bool(T&&)>;
  core::result<void> subscriptions(std::uint64_t after, const visit<core::subscription>& v) const;
  core::result<void> subscriptions_of_tenant(core::tenant_id tenant, std::uint64_t after,
                                             const visit<core::subscription_id>& v) const;
  core::result<void> subscriptions_of_vendor(core::vendor_id vendor, std::uint64_t after,
                                             const visit<core::subscription_id>& v) const;
  core::result<void> tenants(std::uint64_t after, const visit<core::tenant>& v) const;
  core::result<void> children_of(core::tenant_id parent, std::uint64_t after,
                                 const visit<core::tenant_id>& v) const;
  core::result<void> users(std::uint64_t after, const visit<core::user>& v) const;
  core::result<void> users_of(core::tenant_id tenant, std::uint64_t after,
                              const visit<core::user_id>& v) const;
  core::result<void> events(core::event_id from, const visit<core::event>& v) const;
  core::result<void> stream_events(const core::stream_id& stream, std::uint64_t from_seq,
                                   const visit<core::event_id>& v) const;
  core::result<std::vector<core::lane>> lanes_of(const core::stream_id& stream) const;
  // Lanes of an endpoint that stand on one of these sides, in the order of the sides and then of
  // due times. `key` is where the next page goes on behind.
  core::result<void> due_lanes(
      core::endpoint_id endpoint, due_side first, due_side last, std::string_view after_key,
      const std::function<bool(const core::lane_key&, std::string_view key)>& v) const;
  // Those of one side from a due time on.
  core::result<void> due_rows(core::endpoint_id endpoint, due_place from,
                              const visit<due_row>& v) const;
  core::result<void> attempts(
      core::event_id event, std::string_view after,
      const std::function<bool(attempt_row&&, std::string_view key)>& v) const;
  core::result<std::optional<attempt_row>> attempt(const attempt_mark& mark) const;
  // Marks of an endpoint's attempts, newest first, made at `from` or later and before the place
  // `before` (an earlier mark's place; empty: before `until`, inclusive).
  core::result<void> attempts_at(core::endpoint_id endpoint, core::timestamp from,
                                 core::timestamp until, std::string_view before,
                                 const visit<attempt_mark>& v) const;
  core::result<std::optional<attempt_row>> last_attempt(core::event_id event,
                                                        core::endpoint_id endpoint) const;
  // In the order of their due times, up to `until`, behind `after`.
  core::result<void> timers(core::timestamp until, const std::optional<timer_row>& after,
                            const visit<timer_row>& v) const;

  core::result<std::optional<core::replay_job>> replay_job(std::uint64_t id) const;
  // Newest first, those with an id below `before`.
  core::result<void> replay_jobs(std::uint64_t before, const visit<core::replay_job>& v) const;
  core::result<void> job_notes(const visit<job_note>& v) const;

  core::result<void> cascades(const visit<core::tenant_id>& v) const;
  // The event was given up for the endpoint and its lane went on: it counts as parked, without a
  // lane.
  core::result<bool> is_skipped(core::event_id event, core::endpoint_id endpoint) const;
  core::result<std::optional<endpoint_journal>> find_journal(core::endpoint_id id) const;
  core::result<void> journals(const visit<endpoint_journal>& v) const;
  // What is to be told of an endpoint; and the first endpoint after `after` with such a notice.
  core::result<void> notices(core::endpoint_id endpoint, const visit<notice_row>& v) const;
  core::result<std::optional<core::endpoint_id>> next_noticed(core::endpoint_id after) const;
  // Events of streams whose records others own, which those do not have yet: of one stream, in the
  // order of entity_version; and the first stream after `after` with such an event.
  core::result<void> untold(const core::stream_id& stream, const visit<core::event>& v) const;
  core::result<std::optional<core::stream_id>> next_untold(const core::stream_id& after) const;
  core::result<retention_record> find_retention() const;  // zeros when there is none yet
  // The first id at which events that happened at `since` or later begin (ids grow with time);
  // `last` is the last id given out.
  core::result<core::event_id> first_event_since(core::timestamp since, core::event_id last) const;
  // The event is given up at an endpoint, or at several, whose lanes went on.
  core::result<void> skipped_at(core::event_id event, const visit<core::endpoint_id>& v) const;
  // All such marks behind `after`, by event and endpoint.
  core::result<void> skip_marks(const skip_mark& after, const visit<skip_mark>& v) const;
  // Breakers that are not closed; at most one for each origin.
  core::result<std::vector<core::breaker_record>> breakers() const;

  // The catalogue, whole (it is kept in memory).
  core::result<std::vector<core::vendor>> all_vendors() const;
  core::result<std::vector<core::product>> all_products() const;
  core::result<std::vector<core::product_instance>> all_instances() const;
  core::result<std::vector<core::plan>> all_plans() const;
  core::result<std::vector<core::endpoint>> all_endpoints() const;
  core::result<std::vector<core::token>> all_tokens() const;
  core::result<std::vector<core::event_type>> all_event_types() const;

  // Writing.
  void put(write_plan& plan, const core::subscription& s, const core::subscription* before) const;
  // With their timers and index rows; `before` is what is stored now, or nullptr.
  void put(write_plan& plan, const core::tenant& t, const core::tenant* before) const;
  void put(write_plan& plan, const core::user& u, const core::user* before) const;
  void put_offerings(write_plan& plan, core::tenant_id id, const core::offering_list& items) const;
  void put(write_plan& plan, const core::vendor& v) const;
  void put(write_plan& plan, const core::product& p) const;
  void put(write_plan& plan, const core::product_instance& i) const;
  void put(write_plan& plan, const core::plan& p) const;
  void put(write_plan& plan, const core::endpoint& e) const;
  void put(write_plan& plan, const core::token& t) const;
  void put(write_plan& plan, const core::event_type& t) const;
  void put(write_plan& plan, const core::event& e) const;
  void put_last_seq(write_plan& plan, const core::stream_id& stream, std::uint64_t seq) const;
  // Both rows of a lane; `before` is what is stored now, or nullptr.
  void put(write_plan& plan, const core::lane& lane, const core::lane* before) const;
  void erase(write_plan& plan, const core::lane& lane) const;
  void put(write_plan& plan, const attempt_row& a) const;
  void put(write_plan& plan, const core::replay_job& j) const;
  void erase_replay_job(write_plan& plan, std::uint64_t id) const;
  void put(write_plan& plan, const job_note& n) const;
  void erase(write_plan& plan, const job_note& n) const;
  // A disabled or enabled tenant whose fan-out is not finished.
  void put_cascade(write_plan& plan, core::tenant_id tenant) const;
  void erase_cascade(write_plan& plan, core::tenant_id tenant) const;
  void put_skipped(write_plan& plan, core::event_id event, core::endpoint_id endpoint) const;
  void erase_skipped(write_plan& plan, core::event_id event, core::endpoint_id endpoint) const;
  void put(write_plan& plan, const endpoint_journal& j) const;
  void put(write_plan& plan, const retention_record& r) const;
  void put_notice(write_plan& plan, const notice_row& n) const;
  void erase_notice(write_plan& plan, core::endpoint_id endpoint, core::event_id event) const;
  void put_untold(write_plan& plan, const core::event& e) const;
  void erase_untold(write_plan& plan, const core::stream_id& stream, std::uint64_t version) const;
  void put(write_plan& plan, const core::breaker_record& b) const;
  void erase_breaker(write_plan& plan, std::string_view origin) const;
  void put_answer(write_plan& plan, std::string_view key, const stored_answer& a) const;

  const vault& secrets() const noexcept { return vault_; }
  database& db() const noexcept { return db_; }

 private:
  // Before anything is sealed for the plan.
  void hold_keys(write_plan& plan) const;

  database& db_;
  const vault& vault_;
};

// Reads (or, in a new store, writes) the schema version, the id counters, which master keys the
// secrets may be sealed with, and the proof that the vault has them. A new primary key is noted
// before it seals anything. Errors: errc::invalid "wrong_master_key" names the key that is missing;
// "newer_schema".
class id_source;
core::result<void> check_store(database& db, const vault& secrets, id_source& ids);

// The keys that stored values may be sealed with, the newest primary first.
core::result<std::vector<key_id>> keys_in_use(const database& db);
void put_keys_in_use(write_plan& plan, const std::vector<key_id>& keys);
// The proof, sealed with the primary key.
void put_key_proof(write_plan& plan, const vault& secrets);

}  // namespace syndicated::store
