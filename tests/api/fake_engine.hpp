// An engine in memory, with the real rules of core and without actors, disk or network: replies
// come before the command returns. For tests of the faces only.
#pragma once

#include <map>
#include <set>

#include "actors/engine.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::tests {

class fake_catalog : public actors::catalog {
 public:
  template <class T>
  using table = std::map<std::uint64_t, std::shared_ptr<const T>>;

  std::shared_ptr<const core::vendor> find(core::vendor_id id) const override {
    return get(all_vendors, id.value);
  }
  std::shared_ptr<const core::product> find(core::product_id id) const override {
    return get(all_products, id.value);
  }
  std::shared_ptr<const core::plan> find(core::plan_id id) const override {
    return get(all_plans, id.value);
  }
  std::shared_ptr<const core::product_instance> find(core::instance_id id) const override {
    auto found = get(all_instances, id.value);
    return found && found->deleted ? nullptr : found;
  }
  std::shared_ptr<const core::endpoint> find(core::endpoint_id id) const override {
    auto found = get(all_endpoints, id.value);
    return found && found->state == core::endpoint_state::deleted ? nullptr : found;
  }
  std::shared_ptr<const core::token> find(core::token_id id) const override {
    return get(all_tokens, id.value);
  }
  std::vector<std::shared_ptr<const core::vendor>> vendors(std::uint64_t after,
                                                           std::size_t n) const override {
    return range(all_vendors, after, n);
  }
  std::vector<std::shared_ptr<const core::product>> products(std::uint64_t after,
                                                             std::size_t n) const override {
    return range(all_products, after, n);
  }
  std::vector<std::shared_ptr<const core::plan>> plans(std::uint64_t after,
                                                       std::size_t n) const override {
    return range(all_plans, after, n);
  }
  std::vector<std::shared_ptr<const core::product_instance>> instances(
      std::uint64_t after, std::size_t n) const override {
    return range(all_instances, after, n);
  }
  std::vector<std::shared_ptr<const core::endpoint>> endpoints(std::uint64_t after,
                                                               std::size_t n) const override {
    return range(all_endpoints, after, n);
  }
  std::vector<std::shared_ptr<const core::token>> tokens(std::uint64_t after,
                                                         std::size_t n) const override {
    return range(all_tokens, after, n);
  }

  std::shared_ptr<const core::event_type> find_event_type(std::string_view name) const override {
    const auto found = all_event_types.find(std::string{name});
    return found == all_event_types.end() ? nullptr : found->second;
  }
  std::vector<std::shared_ptr<const core::event_type>> event_types() const override {
    std::vector<std::shared_ptr<const core::event_type>> out;
    for (const auto& [name, type] : all_event_types) out.push_back(type);
    return out;
  }

  table<core::vendor> all_vendors;
  table<core::product> all_products;
  table<core::plan> all_plans;
  table<core::product_instance> all_instances;
  table<core::endpoint> all_endpoints;
  table<core::token> all_tokens;
  std::map<std::string, std::shared_ptr<const core::event_type>> all_event_types;

 private:
  template <class T>
  static std::shared_ptr<const T> get(const table<T>& from, std::uint64_t id) {
    const auto found = from.find(id);
    return found == from.end() ? nullptr : found->second;
  }
  template <class T>
  static std::vector<std::shared_ptr<const T>> range(const table<T>& from, std::uint64_t after,
                                                     std::size_t n) {
    std::vector<std::shared_ptr<const T>> out;
    for (auto i = from.upper_bound(after); i != from.end() && out.size() < n; ++i) {
      out.push_back(i->second);
    }
    return out;
  }
};

class fake_engine : public actors::engine {
 public:
  fake_engine();

  void create_subscription(core::new_subscription wanted, actors::write_options options,
                           actors::renderer<core::subscription> render,
                           actors::write_reply reply) override;
  void command(core::subscription_id id, core::subscription_command command,
               actors::write_options options, actors::renderer<core::subscription> render,
               actors::write_reply reply) override;
  void create_tenant(core::new_tenant wanted, actors::write_options options,
                     actors::renderer<core::tenant> render, actors::write_reply reply) override;
  void command(core::tenant_id id, core::tenant_command command, actors::write_options options,
               actors::renderer<core::tenant> render, actors::write_reply reply) override;
  void set_offerings(core::tenant_id id, core::offering_list items, actors::write_options options,
                     actors::renderer<core::tenant> render, actors::write_reply reply) override;
  void create_user(core::new_user wanted, actors::write_options options,
                   actors::renderer<core::user> render, actors::write_reply reply) override;
  void command(core::user_id id, core::user_command command, actors::write_options options,
               actors::renderer<core::user> render, actors::write_reply reply) override;
  void create_commitment(core::new_aggregate wanted, actors::write_options options,
                         actors::renderer<core::aggregate> render,
                         actors::write_reply reply) override;
  void command(core::commitment_id id, core::aggregate_command command,
               actors::write_options options, actors::renderer<core::aggregate> render,
               actors::write_reply reply) override;
  void change_catalog(actors::catalog_command command, actors::write_options options,
                      actors::renderer<actors::catalog_item> render,
                      actors::write_reply reply) override;
  void command(core::subscription_id id, actors::resource_order order,
               actors::write_options options, actors::renderer<core::resource> render,
               actors::write_reply reply) override;
  void command_invoice(core::subscription_id id, core::subscription_command command,
                       actors::write_options options, actors::renderer<core::invoice> render,
                       actors::write_reply reply) override;
  void report_usage(std::vector<actors::usage_item> items, actors::write_options options,
                    actors::usage_renderer render, actors::write_reply reply) override;
  void push_usages(actors::usage_push push, actors::write_options options,
                   actors::usage_push_renderer render, actors::write_reply reply) override;
  void publish(std::vector<actors::published_event> events, actors::write_options options,
               actors::publish_renderer render, actors::write_reply reply) override;
  void replay_event(core::event_id id, std::optional<core::endpoint_id> endpoint,
                    actors::write_options options, actors::write_reply reply) override;
  void discard(core::lane_key lane, actors::write_options options,
               actors::write_reply reply) override;
  void discard_event(core::event_id id, core::endpoint_id endpoint, actors::write_options options,
                     actors::write_reply reply) override;
  void start_replay(actors::replay_order order, actors::write_options options,
                    actors::renderer<core::replay_job> render, actors::write_reply reply) override;
  void cancel_replay(std::uint64_t id, actors::write_options options,
                     actors::renderer<core::replay_job> render, actors::write_reply reply) override;
  void test_endpoint(core::endpoint_id id, actors::write_options options,
                     std::function<actors::answer(const core::attempt_result&)> render,
                     actors::write_reply reply) override;
  void ask_vendor(actors::vendor_question q,
                  std::function<void(core::attempt_result&&)> reply) override {
    asked_vendor.push_back(q);
    reply(vendor ? vendor(q) : core::attempt_result{});
  }
  void compact(std::function<void(core::result<actors::compaction_report>&&)> reply) override {
    reply(actors::compaction_report{900, 300, 7, 8, {{"events", 200}}});
  }
  core::result<std::optional<actors::answer>> idempotency_begin(
      const actors::idempotency& key) override;
  void idempotency_end(const actors::idempotency& key) override { held.erase(key.key); }

  std::shared_ptr<const actors::catalog> catalog() const override { return items; }
  core::result<core::subscription> subscription(core::subscription_id id) const override;
  core::result<actors::page<core::subscription>> subscriptions(
      const actors::subscription_filter& f, const actors::page_request& p) const override;
  core::result<core::resource> resource(core::subscription_id owner,
                                        core::resource_id id) const override;
  core::result<actors::page<core::resource>> resources(
      core::subscription_id owner, const actors::resource_filter& f,
      const actors::page_request& p) const override;
  core::result<actors::page<core::usage_record>> usage(
      core::subscription_id owner, const actors::usage_filter& f,
      const actors::page_request& p) const override;
  core::result<core::metric_polls> metric_polls(core::subscription_id) const override {
    return polls;
  }
  core::result<core::invoice> invoice(core::invoice_id id) const override;
  core::result<actors::page<core::invoice>> invoices(
      core::subscription_id owner, const std::function<bool(const core::invoice&)>& wanted,
      const actors::page_request& p) const override;
  core::result<core::aggregate> commitment(core::commitment_id id) const override;
  core::result<actors::page<core::aggregate>> commitments(
      const actors::aggregate_filter& f, const actors::page_request& p) const override;
  core::result<core::tenant> tenant(core::tenant_id id) const override;
  core::result<actors::page<core::tenant>> tenants(const actors::tenant_filter& f,
                                                   const actors::page_request& p) const override;
  core::result<core::offering_list> offerings(core::tenant_id id) const override;
  core::result<std::vector<actors::tenant_usage_view>> tenant_usages(
      core::tenant_id id) const override;
  bool has_children(core::tenant_id id) const override;
  core::result<core::user> user(core::user_id id) const override;
  core::result<std::optional<core::user_id>> user_of_login(std::string_view login) const override;
  core::result<actors::page<core::user>> users(const actors::user_filter& f,
                                               const actors::page_request& p) const override;
  bool hidden_from(const core::tenant& t, core::tenant_id caller) const override;
  bool tenant_effective(const core::tenant& t) const override;
  bool tenant_within(core::tenant_id inner, core::tenant_id outer) const override;
  core::result<core::event> event(core::event_id id) const override;
  core::result<actors::page<core::event>> events(const actors::event_filter& f,
                                                 const actors::page_request& p) const override;
  core::result<std::vector<actors::delivery>> deliveries(core::event_id id) const override;
  core::result<actors::page<actors::attempt_record>> attempts(
      core::event_id id, const actors::attempt_filter& f,
      const actors::page_request& p) const override;
  core::result<actors::page<actors::attempt_record>> attempts_at(
      core::endpoint_id id, const actors::attempt_filter& f,
      const actors::page_request& p) const override;
  core::result<core::replay_job> replay_job(std::uint64_t id) const override;
  core::result<actors::page<core::replay_job>> replay_jobs(
      core::endpoint_id id, const actors::page_request& p) const override;
  core::result<actors::page<core::lane>> lanes(core::endpoint_id id,
                                               std::optional<core::lane_state> state,
                                               const actors::page_request& p) const override;
  core::result<actors::endpoint_status> status_of(core::endpoint_id id) const override;
  actors::breaker_view breaker_at(const std::string& origin) const override {
    const auto found = breakers.find(origin);
    return found == breakers.end() ? actors::breaker_view{} : found->second;
  }
  actors::page<actors::endpoint_status> endpoints(const actors::endpoint_filter& f,
                                                  const actors::page_request& p) const override;
  actors::engine_status status() const override { return state; }
  std::optional<core::error> refusal() const override;
  std::optional<core::error> load_refusal() const override;
  core::timestamp now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) +
           clock.ahead;
  }
  void show_clock(std::function<void(core::result<actors::clock_status>&&)> reply) override;
  void move_clock(const actors::clock_move& wanted,
                  std::function<void(core::result<actors::clock_status>&&)> reply) override;
  actors::master_key_status master_keys() const override { return keys; }
  void rotate_master_key(
      std::function<void(core::result<actors::master_key_status>&&)> reply) override;
  std::string seal(std::string_view plain) const override;
  std::shared_ptr<const core::egress_policy> egress() const override { return policy; }

  // ---- what tests look at and turn
  std::map<std::string, actors::breaker_view> breakers;  // by origin
  std::shared_ptr<fake_catalog> items = std::make_shared<fake_catalog>();
  std::map<std::uint64_t, core::subscription> all_subscriptions;
  std::map<core::subscription_id, core::resource_set> all_resources;
  std::map<core::subscription_id, core::usage_book> all_usage;
  core::metric_polls polls;  // of every subscription
  std::map<std::uint64_t, core::invoice> all_invoices;
  std::map<std::uint64_t, core::aggregate> all_commitments;
  std::map<std::uint64_t, core::tenant> all_tenants;
  std::map<std::uint64_t, core::user> all_users;
  std::map<std::uint64_t, core::offering_list> all_offerings;  // by tenant
  std::map<core::offering_key, std::map<core::tenant_id, core::tenant_usage>> all_tenant_usages;
  std::map<std::uint64_t, core::event> all_events;
  std::map<std::uint64_t, std::vector<actors::delivery>> all_deliveries;
  std::vector<actors::attempt_record> all_attempts;
  std::vector<core::lane> all_lanes;
  std::vector<actors::published_event> published;
  std::map<std::string, std::pair<std::string, actors::answer>> answered;  // idempotency
  std::set<std::string> held;
  std::optional<core::replay_job> job;
  mutable actors::attempt_filter asked_attempts;
  std::pair<core::event_id, core::endpoint_id> discarded_event;
  std::optional<core::lane_key> discarded;
  std::optional<core::endpoint_id> replayed_to;
  std::vector<std::optional<core::endpoint_id>> replays;  // all that were asked for
  core::attempt_result test_answer{};
  std::vector<actors::vendor_question> asked_vendor;
  std::function<core::attempt_result(const actors::vendor_question&)> vendor;
  actors::engine_status state{};
  actors::clock_status clock{};
  std::optional<actors::clock_move> moved;  // the last one asked for
  std::shared_ptr<core::egress_policy> policy;
  actors::master_key_status keys{
      actors::key_rotation_state::settled, {{"00000001", true, true, std::nullopt}}, 0, 0};
  std::optional<core::error> refuse_keys;  // of the next change of the master key
  std::uint64_t blocked_lanes = 0;
  mutable int lanes_read = 0;  // endpoints whose lanes were looked at
  int writes = 0;
  bool hold_replies = false;  // keep replies back
  std::vector<std::function<void()>> kept_replies;

 private:
  actors::usage_outcomes judged(const std::vector<actors::usage_item>& given);
  template <class Entity>
  void commit(const actors::write_options& options, const Entity& entity, bool changed,
              const actors::renderer<Entity>& render, actors::write_reply reply);

  std::uint64_t next_id_ = 100;
};

}  // namespace syndicated::tests
