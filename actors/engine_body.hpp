// The local engine itself. Internal to actors/ (includes CAF through the handles it keeps).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/clock_walk.hpp"
#include "actors/flight_journal.hpp"
#include "actors/inbox.hpp"
#include "actors/interfaces.hpp"
#include "actors/load_watch.hpp"
#include "actors/local_engine.hpp"
#include "actors/metric_poller.hpp"
#include "actors/services.hpp"
#include "actors/simulated_clock.hpp"
#include "actors/vendor_asker.hpp"
#include "store/key_rotation.hpp"
#include "store/retention.hpp"
#include "store/vault.hpp"

namespace syndicated::actors {

class engine_body final : public local_engine {
 public:
  explicit engine_body(engine_options options);
  ~engine_body() override;

  core::result<void> open();

  // local_engine
  void start() override;
  bool drain(std::chrono::milliseconds limit) override;
  void stop() override;
  void set_retry(std::vector<std::chrono::milliseconds> schedule, double jitter,
                 const core::protection& protection) override;
  void set_egress(core::egress_rules rules) override;
  void set_load_limits(const load_limits& limits) override;
  void ping(std::function<void()> done) override;
  engine_metrics metrics() const override;

  // engine: commands
  void create_subscription(core::new_subscription wanted, write_options options,
                           renderer<core::subscription> render, write_reply reply) override;
  void command(core::subscription_id id, core::subscription_command command, write_options options,
               renderer<core::subscription> render, write_reply reply) override;
  void create_tenant(core::new_tenant wanted, write_options options, renderer<core::tenant> render,
                     write_reply reply) override;
  void command(core::tenant_id id, core::tenant_command command, write_options options,
               renderer<core::tenant> render, write_reply reply) override;
  void set_offerings(core::tenant_id id, core::offering_list items, write_options options,
                     renderer<core::tenant> render, write_reply reply) override;
  void create_user(core::new_user wanted, write_options options, renderer<core::user> render,
                   write_reply reply) override;
  void command(core::user_id id, core::user_command command, write_options options,
               renderer<core::user> render, write_reply reply) override;
  void create_commitment(core::new_aggregate wanted, write_options options,
                         renderer<core::aggregate> render, write_reply reply) override;
  void command(core::commitment_id id, core::aggregate_command command, write_options options,
               renderer<core::aggregate> render, write_reply reply) override;
  void change_catalog(catalog_command command, write_options options, renderer<catalog_item> render,
                      write_reply reply) override;
  void command(core::subscription_id id, resource_order order, write_options options,
               renderer<core::resource> render, write_reply reply) override;
  void command_invoice(core::subscription_id id, core::subscription_command command,
                       write_options options, renderer<core::invoice> render,
                       write_reply reply) override;
  void report_usage(std::vector<usage_item> items, write_options options, usage_renderer render,
                    write_reply reply) override;
  void push_usages(usage_push push, write_options options, usage_push_renderer render,
                   write_reply reply) override;
  void publish(std::vector<published_event> events, write_options options, publish_renderer render,
               write_reply reply) override;
  void replay_event(core::event_id id, std::optional<core::endpoint_id> endpoint,
                    write_options options, write_reply reply) override;
  void discard(core::lane_key lane, write_options options, write_reply reply) override;
  void discard_event(core::event_id id, core::endpoint_id endpoint, write_options options,
                     write_reply reply) override;
  void start_replay(replay_order order, write_options options, renderer<core::replay_job> render,
                    write_reply reply) override;
  void cancel_replay(std::uint64_t id, write_options options, renderer<core::replay_job> render,
                     write_reply reply) override;
  void test_endpoint(core::endpoint_id id, write_options options,
                     std::function<answer(const core::attempt_result&)> render,
                     write_reply reply) override;
  void ask_vendor(vendor_question q, std::function<void(core::attempt_result&&)> reply) override;
  void compact(std::function<void(core::result<compaction_report>&&)> reply) override;
  core::result<std::optional<answer>> idempotency_begin(const idempotency& key) override;
  void idempotency_end(const idempotency& key) override;

  // engine: reads
  std::shared_ptr<const actors::catalog> catalog() const override;
  core::result<core::subscription> subscription(core::subscription_id id) const override;
  core::result<page<core::subscription>> subscriptions(const subscription_filter& f,
                                                       const page_request& p) const override;
  core::result<core::resource> resource(core::subscription_id owner,
                                        core::resource_id id) const override;
  core::result<page<core::resource>> resources(core::subscription_id owner,
                                               const resource_filter& f,
                                               const page_request& p) const override;
  core::result<page<core::usage_record>> usage(core::subscription_id owner, const usage_filter& f,
                                               const page_request& p) const override;
  core::result<core::metric_polls> metric_polls(core::subscription_id owner) const override;
  core::result<core::invoice> invoice(core::invoice_id id) const override;
  core::result<page<core::invoice>> invoices(
      core::subscription_id owner, const std::function<bool(const core::invoice&)>& wanted,
      const page_request& p) const override;
  core::result<core::aggregate> commitment(core::commitment_id id) const override;
  core::result<page<core::aggregate>> commitments(const aggregate_filter& f,
                                                  const page_request& p) const override;
  core::result<core::tenant> tenant(core::tenant_id id) const override;
  core::result<page<core::tenant>> tenants(const tenant_filter& f,
                                           const page_request& p) const override;
  core::result<core::offering_list> offerings(core::tenant_id id) const override;
  core::result<std::vector<tenant_usage_view>> tenant_usages(core::tenant_id id) const override;
  bool has_children(core::tenant_id id) const override;
  core::result<core::user> user(core::user_id id) const override;
  core::result<std::optional<core::user_id>> user_of_login(std::string_view login) const override;
  core::result<page<core::user>> users(const user_filter& f, const page_request& p) const override;
  bool hidden_from(const core::tenant& t, core::tenant_id caller) const override;
  bool tenant_effective(const core::tenant& t) const override;
  bool tenant_within(core::tenant_id inner, core::tenant_id outer) const override;
  core::result<core::event> event(core::event_id id) const override;
  core::result<page<core::event>> events(const event_filter& f,
                                         const page_request& p) const override;
  core::result<std::vector<delivery>> deliveries(core::event_id id) const override;
  core::result<page<attempt_record>> attempts(core::event_id id, const attempt_filter& f,
                                              const page_request& p) const override;
  core::result<page<attempt_record>> attempts_at(core::endpoint_id id, const attempt_filter& f,
                                                 const page_request& p) const override;
  core::result<core::replay_job> replay_job(std::uint64_t id) const override;
  core::result<page<core::replay_job>> replay_jobs(core::endpoint_id id,
                                                   const page_request& p) const override;
  core::result<page<core::lane>> lanes(core::endpoint_id id, std::optional<core::lane_state> state,
                                       const page_request& p) const override;
  core::result<endpoint_status> status_of(core::endpoint_id id) const override;
  breaker_view breaker_at(const std::string& origin) const override;
  page<endpoint_status> endpoints(const endpoint_filter& f, const page_request& p) const override;
  engine_status status() const override;
  std::optional<core::error> refusal() const override;
  std::optional<core::error> load_refusal() const override;
  core::timestamp now() const override { return options_.now(); }
  void show_clock(clock_walk::reply reply) override;
  void move_clock(const clock_move& wanted, clock_walk::reply reply) override;
  master_key_status master_keys() const override;
  void rotate_master_key(std::function<void(core::result<master_key_status>&&)> reply) override;
  std::string seal(std::string_view plain) const override;
  std::shared_ptr<const core::egress_policy> egress() const override;

 private:
  void wire();  // the posting functions of services_
  core::result<void> found_provider();
  core::result<void> open_commitments();
  core::result<void> open_loops();
  core::result<void> open_clock();
  void make_walk();
  core::result<void> save_clock(std::chrono::milliseconds ahead);
  void look_for_work(std::function<void(const pending_work&)> tell);
  void ask_for_work(std::function<void(const pending_work&)> tell);
  pending_work work_outside_actors() const;
  void open_flights();
  void spawn_actors();
  // A command may come in; otherwise the reply has been called.
  bool admit(const write_reply& reply);
  // The same for what makes notifications that nobody is owed yet (load_gate.hpp).
  bool admit_load(const write_reply& reply);
  std::string refusal_now(bool new_load) const;  // "", "no_space", "draining", "starting"
  void post(std::shared_ptr<entity_request> request);
  std::size_t dispatcher_of(core::endpoint_id id) const;
  void tell_dispatcher(core::endpoint_id id, inbox_item item);
  delivery delivery_to(const core::event& e, core::endpoint_id endpoint) const;
  endpoint_status figures_of(std::shared_ptr<const core::endpoint> e) const;
  void add_lanes(endpoint_status& out) const;  // what is read from them
  core::result<std::vector<core::endpoint_id>> sent_to(const core::event& e) const;
  core::result<bool> still_parked(const store::attempt_mark& mark) const;
  retention_status retention_now() const;
  delivery_figures figures() const;
  std::vector<family_size> families() const;
  core::result<std::uint64_t> seq_behind(core::stream_id stream, core::event_id last) const;
  std::shared_ptr<entity_request> request_for(core::stream_id stream, write_options&& options,
                                              write_reply&& reply) const;

  engine_options options_;
  std::unique_ptr<simulated_clock> clock_;  // null: real time
  std::optional<store::vault> vault_;
  std::unique_ptr<store::database> db_;
  store::id_source ids_;
  std::unique_ptr<store::committer> committer_;
  std::unique_ptr<store::key_rotation> rotation_;
  std::unique_ptr<store::repository> repo_;
  std::unique_ptr<services> services_;
  std::unique_ptr<store::retention> retention_;
  std::unique_ptr<load_watch> watch_;
  std::unique_ptr<metric_poller> poller_;
  std::unique_ptr<vendor_asker> asker_;
  std::vector<std::unique_ptr<net::curl_loop>> loops_;
  std::unique_ptr<flight_journal> flights_;  // null: cannot be kept
  std::atomic<std::shared_ptr<const core::egress_policy>> egress_;

  caf::actor_system_config caf_settings_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<shard_actor> shards_;
  std::vector<dispatcher_actor> dispatchers_;
  std::vector<std::shared_ptr<inbox>> inboxes_;  // of the dispatchers, in their order
  catalog_actor catalog_;
  ticker_actor ticker_;
  replayer_actor replayer_;
  std::unique_ptr<clock_walk> walk_;  // null: real time
  std::atomic<std::uint64_t> looks_{0};

  std::atomic<bool> started_{false}, draining_{false}, stopped_{false};
  mutable std::atomic<bool> low_space_{false};
  mutable std::atomic<std::int64_t> next_space_look_ms_{0};
  core::timestamp started_at_{};
};

}  // namespace syndicated::actors
