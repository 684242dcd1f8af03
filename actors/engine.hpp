// The one face of the actor system: commands in, answers out; reads of committed state.
//
// Nothing of CAF or RocksDB is visible here. Threads: every member may be called from any thread.
// Commands return at once; their `reply` is called exactly once, on an unspecified thread, after
// the change is on disk (or refused); it must only post or answer a responder. Reads are bounded
// look-ups on the caller's thread and see every change that was answered or notified before.
// Lifetime: made by start(), ended by stop(); replies outstanding at stop() get errc::unavailable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/commands.hpp"
#include "actors/parts.hpp"
#include "actors/tenant_usages.hpp"
#include "actors/views.hpp"
#include "core/delivery/egress_policy.hpp"
#include "core/lifecycle/subscription_machine.hpp"

namespace syndicated::actors {

class engine {
 public:
  virtual ~engine() = default;

  // Commands. The tenant of create_subscription and the parent of create_tenant must exist.
  virtual void create_subscription(core::new_subscription wanted, write_options options,
                                   renderer<core::subscription> render, write_reply reply) = 0;
  virtual void command(core::subscription_id id, core::subscription_command command,
                       write_options options, renderer<core::subscription> render,
                       write_reply reply) = 0;
  virtual void create_tenant(core::new_tenant wanted, write_options options,
                             renderer<core::tenant> render, write_reply reply) = 0;
  virtual void command(core::tenant_id id, core::tenant_command command, write_options options,
                       renderer<core::tenant> render, write_reply reply) = 0;
  // What the tenant may use: items that are named are set, others stay. `options.if_match` is not
  // asked; each quota has a version of its own.
  virtual void set_offerings(core::tenant_id id, core::offering_list items, write_options options,
                             renderer<core::tenant> render, write_reply reply) = 0;
  // Errors: errc::conflict "login_taken". The tenant must exist.
  virtual void create_user(core::new_user wanted, write_options options,
                           renderer<core::user> render, write_reply reply) = 0;
  virtual void command(core::user_id id, core::user_command command, write_options options,
                       renderer<core::user> render, write_reply reply) = 0;
  virtual void change_catalog(catalog_command command, write_options options,
                              renderer<catalog_item> render, write_reply reply) = 0;

  // Aggregate commitments. Errors: errc::conflict "commitment_exists".
  virtual void create_commitment(core::new_aggregate wanted, write_options options,
                                 renderer<core::aggregate> render, write_reply reply) = 0;
  virtual void command(core::commitment_id id, core::aggregate_command command,
                       write_options options, renderer<core::aggregate> render,
                       write_reply reply) = 0;

  // Of the subscription's sub-resources; `render` gets the one that the order is about.
  virtual void command(core::subscription_id id, resource_order order, write_options options,
                       renderer<core::resource> render, write_reply reply) = 0;
  // Of the subscription's invoices: issue_invoice or edit_invoice. If-Match of an edit is about the
  // invoice, which `render` gets.
  virtual void command_invoice(core::subscription_id id, core::subscription_command command,
                               write_options options, renderer<core::invoice> render,
                               write_reply reply) = 0;
  // Each item has its own outcome, also one of an unknown subscription. The reply is an error only
  // when nothing was judged.
  virtual void report_usage(std::vector<usage_item> items, write_options options,
                            usage_renderer render, write_reply reply) = 0;

  // The same for tenants and subscriptions together. A refused item does not stop the others.
  virtual void push_usages(usage_push push, write_options options, usage_push_renderer render,
                           write_reply reply) = 0;

  // Accepts events of publishers; `reply` comes when each is on disk or refused. Events of one
  // stream keep their order. A `dedup_id` of the same caller that was seen within the retention of
  // idempotency keys answers the id it had. With an idempotency key a repeat after a crash gives
  // each line exactly one event, whatever part of the call was on disk. Each outcome is its own: a
  // refused one does not stop the others. The reply is an error only when nothing was accepted
  // because the engine takes no writes now.
  virtual void publish(std::vector<published_event> events, write_options options,
                       publish_renderer render, write_reply reply) = 0;

  // Sends the event again: to `endpoint`, or to every recipient it had. The body has no entity.
  virtual void replay_event(core::event_id id, std::optional<core::endpoint_id> endpoint,
                            write_options options, write_reply reply) = 0;
  // A parked head is given up for good (counted as cancelled); the lane goes on.
  virtual void discard(core::lane_key lane, write_options options, write_reply reply) = 0;
  // The same for any event that is parked at the endpoint, a head or one that was passed over.
  virtual void discard_event(core::event_id id, core::endpoint_id endpoint, write_options options,
                             write_reply reply) = 0;
  // Starts a job that survives restarts. errc::too_many when limits::replay_jobs_running_max run.
  virtual void start_replay(replay_order order, write_options options,
                            renderer<core::replay_job> render, write_reply reply) = 0;
  // What it has handed out stays so. A job that has ended is left as it is.
  virtual void cancel_replay(std::uint64_t id, write_options options,
                             renderer<core::replay_job> render, write_reply reply) = 0;
  // Sends one test.ping now, outside every queue; `render` gets what came of it.
  virtual void test_endpoint(core::endpoint_id id, write_options options,
                             std::function<answer(const core::attempt_result&)> render,
                             write_reply reply) = 0;

  // Asks a vendor once, outside of every queue, while a caller waits (vendor_asker.hpp). `reply`
  // comes once, on an unspecified thread; the answer's body is in the excerpt.
  virtual void ask_vendor(vendor_question q, std::function<void(core::attempt_result&&)> reply) = 0;

  // Drops what is no longer kept, and compacts the whole store; may take long. `reply` comes once,
  // on an unspecified thread. Errors: errc::unavailable when the daemon ends meanwhile, errc::io.
  virtual void compact(std::function<void(core::result<compaction_report>&&)> reply) = 0;

  // Idempotency (durable for at least 24 h). begin() answers: nothing = go on, the key is now held
  // until end(); an answer = repeat it; an error = 422 "idempotency_key_reused" or 409
  // "idempotency_key_in_use".
  virtual core::result<std::optional<answer>> idempotency_begin(const idempotency& key) = 0;
  virtual void idempotency_end(const idempotency& key) = 0;

  // Reads.
  virtual std::shared_ptr<const actors::catalog> catalog() const = 0;
  virtual core::result<core::subscription> subscription(core::subscription_id id) const = 0;
  virtual core::result<page<core::subscription>> subscriptions(const subscription_filter& f,
                                                               const page_request& p) const = 0;
  virtual core::result<core::resource> resource(core::subscription_id owner,
                                                core::resource_id id) const = 0;
  virtual core::result<page<core::resource>> resources(core::subscription_id owner,
                                                       const resource_filter& f,
                                                       const page_request& p) const = 0;
  // By window, oldest first.
  virtual core::result<page<core::usage_record>> usage(core::subscription_id owner,
                                                       const usage_filter& f,
                                                       const page_request& p) const = 0;
  // The product's metrics that are asked for.
  virtual core::result<core::metric_polls> metric_polls(core::subscription_id owner) const = 0;
  virtual core::result<core::invoice> invoice(core::invoice_id id) const = 0;
  // Those that `wanted` says yes to, in the order of their numbers.
  virtual core::result<page<core::invoice>> invoices(
      core::subscription_id owner, const std::function<bool(const core::invoice&)>& wanted,
      const page_request& p) const = 0;
  virtual core::result<core::aggregate> commitment(core::commitment_id id) const = 0;
  virtual core::result<page<core::aggregate>> commitments(const aggregate_filter& f,
                                                          const page_request& p) const = 0;
  virtual core::result<core::tenant> tenant(core::tenant_id id) const = 0;
  virtual core::result<page<core::tenant>> tenants(const tenant_filter& f,
                                                   const page_request& p) const = 0;
  // What the tenant may use now, with those above taken into account.
  virtual core::result<core::offering_list> offerings(core::tenant_id id) const = 0;
  // How much it uses, with all below it, of each item that it has or that something is counted of.
  virtual core::result<std::vector<tenant_usage_view>> tenant_usages(core::tenant_id id) const = 0;
  virtual bool has_children(core::tenant_id id) const = 0;
  virtual core::result<core::user> user(core::user_id id) const = 0;
  virtual core::result<std::optional<core::user_id>> user_of_login(
      std::string_view login) const = 0;
  virtual core::result<page<core::user>> users(const user_filter& f,
                                               const page_request& p) const = 0;
  // It does not stand below the caller's tenant, or keeps those above out (`ancestral_access`).
  virtual bool hidden_from(const core::tenant& t, core::tenant_id caller) const = 0;
  virtual bool tenant_effective(const core::tenant& t) const = 0;
  // `inner` is `outer` or below it.
  virtual bool tenant_within(core::tenant_id inner, core::tenant_id outer) const = 0;
  virtual core::result<core::event> event(core::event_id id) const = 0;
  virtual core::result<page<core::event>> events(const event_filter& f,
                                                 const page_request& p) const = 0;
  virtual core::result<std::vector<delivery>> deliveries(core::event_id id) const = 0;
  virtual core::result<page<attempt_record>> attempts(core::event_id id, const attempt_filter& f,
                                                      const page_request& p) const = 0;
  // Newest first.
  virtual core::result<page<attempt_record>> attempts_at(core::endpoint_id id,
                                                         const attempt_filter& f,
                                                         const page_request& p) const = 0;
  virtual core::result<core::replay_job> replay_job(std::uint64_t id) const = 0;
  // Newest first; of one endpoint, or of all (0).
  virtual core::result<page<core::replay_job>> replay_jobs(core::endpoint_id id,
                                                           const page_request& p) const = 0;
  virtual core::result<page<core::lane>> lanes(core::endpoint_id id,
                                               std::optional<core::lane_state> state,
                                               const page_request& p) const = 0;
  virtual core::result<endpoint_status> status_of(core::endpoint_id id) const = 0;
  // Of the endpoints at this origin; cheap.
  virtual breaker_view breaker_at(const std::string& origin) const = 0;
  virtual page<endpoint_status> endpoints(const endpoint_filter& f,
                                          const page_request& p) const = 0;
  virtual engine_status status() const = 0;
  // Why no write is taken now ("no_space", "draining", "starting"), or no new load (load_gate.hpp;
  // counted). None: welcome. Cheap enough to ask for each request, which status() is not.
  virtual std::optional<core::error> refusal() const = 0;
  virtual std::optional<core::error> load_refusal() const = 0;

  // What every wall-clock time is taken from.
  virtual core::timestamp now() const = 0;
  virtual void show_clock(std::function<void(core::result<clock_status>&&)> reply) = 0;
  // Errors: errc::conflict "clock_not_simulated"; those of clock_walk::move.
  virtual void move_clock(const clock_move& wanted,
                          std::function<void(core::result<clock_status>&&)> reply) = 0;

  virtual master_key_status master_keys() const = 0;
  // Reads the key files again; `reply` comes when the new primary key seals. What older ones sealed
  // is sealed anew in the background. Errors: errc::conflict "key_missing", those of the files.
  virtual void rotate_master_key(std::function<void(core::result<master_key_status>&&)> reply) = 0;

  // Seals a secret for storage inside a record (credentials of subscriptions).
  virtual std::string seal(std::string_view plain) const = 0;
  virtual std::shared_ptr<const core::egress_policy> egress() const = 0;
};

}  // namespace syndicated::actors
