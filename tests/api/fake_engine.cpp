#include "tests/api/fake_engine_parts.hpp"

#include "core/lifecycle/catalog_rules.hpp"

namespace syndicated::tests {
namespace {

core::timestamp now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void stamp(auto& entity, std::uint64_t id) {
  entity.id.value = id;
  entity.version = 1;
  entity.created_at = entity.updated_at = now();
}

template <class T>
void take(const std::optional<T>& given, T& field) {
  if (given) field = *given;
}

}  // namespace

fake_engine::fake_engine() {
  core::tenant provider;
  provider.id = core::provider_tenant;
  provider.kind = core::tenant_kind::provider;
  provider.name = "Provider";
  provider.version = 1;
  all_tenants[1] = provider;
  state.ready = state.accepting = true;
  policy = std::make_shared<core::egress_policy>(core::egress_rules{});
}

std::optional<core::error> fake_engine::refusal() const {
  if (state.accepting) return std::nullopt;
  return core::error{core::errc::unavailable, state.why_not, "not now", {}, {}};
}

std::optional<core::error> fake_engine::load_refusal() const {
  if (auto why = refusal(); why || state.refusing_load.empty()) return why;
  return core::error{core::errc::unavailable, state.refusing_load, "not now", {}, {}};
}

void fake_engine::create_subscription(core::new_subscription wanted, actors::write_options options,
                                      actors::renderer<core::subscription> render,
                                      actors::write_reply reply) {
  const auto owner = tenant(wanted.tenant);
  if (!owner) return reply(owner.failure());
  const auto plan = items->find(wanted.plan);
  if (!plan) return reply(core::not_found("there is no such plan"));
  core::circumstances c;
  c.now = now();
  c.plan = plan.get();
  c.tenant_effective = tenant_effective(*owner);
  auto decided = core::create_subscription(core::subscription_id{next_id_}, wanted, *owner, c);
  if (!decided) return reply(std::move(decided).failure());
  ++next_id_;
  all_subscriptions[decided->next.id.value] = decided->next;
  commit(options, decided->next, true, render, std::move(reply));
}

void fake_engine::command(core::subscription_id id, core::subscription_command command,
                          actors::write_options options,
                          actors::renderer<core::subscription> render, actors::write_reply reply) {
  const auto present = subscription(id);
  if (!present) return reply(present.failure());
  if (options.if_match && *options.if_match != present->version) return reply(stale());
  const auto plan = items->find(present->plan);
  const auto new_plan = command.new_plan ? items->find(*command.new_plan) : nullptr;
  core::circumstances c;
  c.now = now();
  c.plan = plan.get();
  c.other_plans[0] = new_plan.get();
  auto decided = core::decide(*present, command, c);
  if (!decided) return reply(std::move(decided).failure());
  all_subscriptions[id.value] = decided->next;
  adopt_invoices(*this, *decided);
  commit(options, decided->next, decided->changed, render, std::move(reply));
}

namespace {

// Applies catalogue commands to the tables; the changed item or the refusal.
struct catalog_writer {
  fake_catalog& items;
  std::uint64_t& next_id;
  const actors::write_options& options;

  using outcome = core::result<actors::catalog_item>;

  template <class T>
  outcome insert(fake_catalog::table<T>& to, T entity) {
    stamp(entity, next_id++);
    to[entity.id.value] = std::make_shared<const T>(entity);
    return actors::catalog_item{entity};
  }

  template <class T, class Change>
  outcome change(fake_catalog::table<T>& in, std::uint64_t id, Change apply) {
    const auto found = in.find(id);
    if (found == in.end()) return core::not_found("no " + std::to_string(id));
    T next = *found->second;
    if (options.if_match && *options.if_match != next.version) return stale();
    apply(next);
    ++next.version;
    found->second = std::make_shared<const T>(next);
    return actors::catalog_item{next};
  }

  outcome operator()(const actors::create_event_type& c) {
    core::event_type t = c.type;
    if (items.all_event_types.contains(t.name)) {
      return core::error{core::errc::conflict, "event_type_exists", "exists", {}, {}};
    }
    stamp(t, core::type_id_of(t.name).value);
    items.all_event_types[t.name] = std::make_shared<const core::event_type>(t);
    return actors::catalog_item{t};
  }
  outcome operator()(const actors::update_event_type& c) {
    core::event_type t = *items.all_event_types.at(c.name);
    take(c.description, t.description);
    take(c.schema, t.schema);
    take(c.example, t.example);
    ++t.version;
    items.all_event_types[t.name] = std::make_shared<const core::event_type>(t);
    return actors::catalog_item{t};
  }
  outcome operator()(const actors::delete_event_type& c) {
    const core::event_type t = *items.all_event_types.at(c.name);
    items.all_event_types.erase(c.name);
    return actors::catalog_item{t};
  }
  outcome operator()(const actors::create_vendor& c) {
    core::vendor v;
    v.name = c.name;
    v.metadata = c.metadata;
    v.weight = c.weight;
    return insert(items.all_vendors, v);
  }
  outcome operator()(const actors::update_vendor& c) {
    return change(items.all_vendors, c.id.value, [&](core::vendor& v) {
      take(c.name, v.name);
      take(c.metadata, v.metadata);
      take(c.weight, v.weight);
    });
  }
  outcome operator()(const actors::create_product& c) {
    if (auto ok = core::check(c.product); !ok) return std::move(ok).failure();
    return insert(items.all_products, c.product);
  }
  outcome operator()(const actors::update_product& c) {
    return change(items.all_products, c.id.value, [&](core::product& p) { c.edit(p); });
  }
  outcome operator()(const actors::move_product& c) {
    return change(items.all_products, c.id.value, [&](core::product& p) { p.state = c.to; });
  }
  outcome operator()(const actors::move_plan& c) {
    return change(items.all_plans, c.id.value, [&](core::plan& p) { p.state = c.to; });
  }
  outcome operator()(const actors::create_instance& c) {
    return insert(items.all_instances, c.instance);
  }
  outcome operator()(const actors::update_instance& c) {
    return change(items.all_instances, c.id.value,
                  [&](core::product_instance& i) { take(c.name, i.name); });
  }
  outcome operator()(const actors::delete_instance& c) {
    return change(items.all_instances, c.id.value,
                  [&](core::product_instance& i) { i.deleted = true; });
  }
  outcome operator()(const actors::create_plan& c) {
    core::plan p = c.plan;
    const auto product = items.find(p.product);
    p.vendor = product->vendor;
    if (auto ok = core::check(p, *product); !ok) return std::move(ok).failure();
    return insert(items.all_plans, p);
  }
  outcome operator()(const actors::update_plan& c) {
    return change(items.all_plans, c.id.value, [&](core::plan& p) { c.edit(p); });
  }
  outcome operator()(const actors::create_endpoint& c) {
    return insert(items.all_endpoints, c.endpoint);
  }
  outcome operator()(const actors::update_endpoint& c) {
    return change(items.all_endpoints, c.id.value, [&](core::endpoint& e) {
      take(c.url, e.url);
      take(c.filter, e.filter);
      take(c.events, e.events);
      take(c.success_codes, e.success_codes);
      take(c.retry_schedule, e.retry_schedule);
      take(c.timeout_ms, e.timeout_ms);
      take(c.headers, e.headers);
      take(c.auth, e.auth);
      take(c.identity, e.identity);
      take(c.rate, e.rate);
      take(c.max_age, e.max_age);
      take(c.signing_key, e.signing_key);
      take(c.ordering, e.ordering);
    });
  }
  outcome operator()(const actors::set_endpoint_state& c) {
    return change(items.all_endpoints, c.id.value, [&](core::endpoint& e) {
      e.state = c.state;
      e.state_reason = c.reason;
    });
  }
  outcome operator()(const actors::rotate_secret& c) {
    return change(items.all_endpoints, c.id.value, [&](core::endpoint& e) {
      const auto turn = [&](auto& key, auto& previous, auto& until, const auto& next) {
        if (!next) return;
        previous = std::exchange(key, *next);
        until = now() + c.overlap;
      };
      turn(e.secret, e.previous_secret, e.previous_until, c.secret);
      turn(e.signing_key, e.previous_signing_key, e.previous_signing_until, c.signing_key);
    });
  }
  outcome operator()(const actors::create_token& c) {
    core::token t = c.token;
    t.id.value = next_id++;
    t.version = 1;
    items.all_tokens[t.id.value] = std::make_shared<const core::token>(t);
    return actors::catalog_item{t};
  }
  outcome operator()(const actors::revoke_token& c) {
    return change(items.all_tokens, c.id.value, [](core::token& t) { t.revoked = true; });
  }
};

}  // namespace

void fake_engine::change_catalog(actors::catalog_command command, actors::write_options options,
                                 actors::renderer<actors::catalog_item> render,
                                 actors::write_reply reply) {
  auto outcome = std::visit(catalog_writer{*items, next_id_, options}, command);
  if (!outcome) return reply(std::move(outcome).failure());
  commit(options, *outcome, true, render, std::move(reply));
}

void fake_engine::publish(std::vector<actors::published_event> events,
                          actors::write_options options, actors::publish_renderer render,
                          actors::write_reply reply) {
  ++writes;
  actors::publish_outcomes outcomes;
  for (auto& event : events) {
    // Names that tests use to see a refusal of the engine.
    if (event.name == "refused.event") {
      outcomes.push_back(core::invalid_field("/endpoint_scope/scope_id", "no such vendor"));
      continue;
    }
    outcomes.push_back(core::event_id{next_id_++});
    published.push_back(std::move(event));
  }
  auto answer = render(outcomes);
  if (answer && options.idempotency) {
    answered[options.idempotency->key] = {options.idempotency->request_hash, *answer};
  }
  auto send = [reply = std::move(reply), answer = std::move(answer)]() mutable {
    reply(std::move(answer));
  };
  if (!hold_replies) return send();
  kept_replies.emplace_back(std::move(send));
}

void fake_engine::replay_event(core::event_id, std::optional<core::endpoint_id> endpoint,
                               actors::write_options, actors::write_reply reply) {
  replayed_to = endpoint;
  replays.push_back(endpoint);
  reply(actors::answer{202, R"({"replayed":1})"});
}

void fake_engine::discard(core::lane_key lane, actors::write_options, actors::write_reply reply) {
  discarded = lane;
  reply(actors::answer{200, "{}"});
}

void fake_engine::discard_event(core::event_id id, core::endpoint_id endpoint,
                                actors::write_options, actors::write_reply reply) {
  discarded_event = {id, endpoint};
  reply(actors::answer{202, "{}"});
}

void fake_engine::start_replay(actors::replay_order order, actors::write_options options,
                               actors::renderer<core::replay_job> render,
                               actors::write_reply reply) {
  job = core::replay_job{};
  job->id = 7;
  job->endpoint = order.endpoint;
  job->since = order.since;
  job->until = order.until;
  job->choice = order.choice;
  job->dry_run = order.dry_run;
  job->rate_per_s = order.rate_per_s;
  job->started_at = now();
  commit(options, *job, true, render, std::move(reply));
}

void fake_engine::cancel_replay(std::uint64_t, actors::write_options options,
                                actors::renderer<core::replay_job> render,
                                actors::write_reply reply) {
  job->phase = core::replay_phase::cancelled;
  job->ended_at = now();
  commit(options, *job, true, render, std::move(reply));
}

core::result<core::replay_job> fake_engine::replay_job(std::uint64_t id) const {
  if (job && job->id == id) return *job;
  return core::not_found("no such job");
}

core::result<actors::page<core::replay_job>> fake_engine::replay_jobs(
    core::endpoint_id id, const actors::page_request&) const {
  actors::page<core::replay_job> out;
  if (job && (!id || job->endpoint == id)) out.items.push_back(*job);
  return out;
}

void fake_engine::test_endpoint(core::endpoint_id, actors::write_options options,
                                std::function<actors::answer(const core::attempt_result&)> render,
                                actors::write_reply reply) {
  commit(options, test_answer, true,
         actors::renderer<core::attempt_result>{
             [&](const core::attempt_result& r, bool) { return render(r); }},
         std::move(reply));
}

core::result<actors::page<actors::attempt_record>> fake_engine::attempts_at(
    core::endpoint_id id, const actors::attempt_filter& f, const actors::page_request&) const {
  asked_attempts = f;
  actors::page<actors::attempt_record> out;
  for (const auto& a : all_attempts) {
    if (a.endpoint == id) out.items.push_back(a);
  }
  return out;
}

core::result<std::optional<actors::answer>> fake_engine::idempotency_begin(
    const actors::idempotency& key) {
  if (held.contains(key.key)) {
    return core::error{core::errc::conflict, "idempotency_key_in_use", "in use", {}, {}};
  }
  const auto found = answered.find(key.key);
  if (found == answered.end()) {
    held.insert(key.key);
    return std::optional<actors::answer>{};
  }
  if (found->second.first != key.request_hash) {
    return core::error{core::errc::invalid, "idempotency_key_reused", "other request", {}, {}};
  }
  return std::optional{found->second.second};
}

core::result<core::subscription> fake_engine::subscription(core::subscription_id id) const {
  return look_up(all_subscriptions, id.value);
}

core::result<actors::page<core::subscription>> fake_engine::subscriptions(
    const actors::subscription_filter& f, const actors::page_request& p) const {
  return select(all_subscriptions, p, [&](const core::subscription& s) {
    return (!f.tenant || s.tenant == f.tenant) &&
           (!f.within || tenant_within(s.tenant, f.within)) &&
           (!f.vendor || s.vendor == f.vendor) && (!f.product || s.product == f.product) &&
           (!f.plan || s.plan == f.plan) && (!f.status || s.status == *f.status) &&
           (!f.type || s.type == *f.type);
  });
}

core::result<core::event> fake_engine::event(core::event_id id) const {
  return look_up(all_events, id.value);
}

core::result<actors::page<core::event>> fake_engine::events(const actors::event_filter& f,
                                                            const actors::page_request& p) const {
  return select(all_events, p, [&](const core::event& e) {
    return (!f.stream || e.stream == *f.stream) && (!f.vendor || e.vendor == f.vendor) &&
           (!f.within || tenant_within(e.tenant, f.within)) &&
           (f.name.empty() || core::matches({f.name}, e.name));
  });
}

core::result<std::vector<actors::delivery>> fake_engine::deliveries(core::event_id id) const {
  const auto found = all_deliveries.find(id.value);
  return found == all_deliveries.end() ? std::vector<actors::delivery>{} : found->second;
}

core::result<actors::page<actors::attempt_record>> fake_engine::attempts(
    core::event_id id, const actors::attempt_filter& f, const actors::page_request&) const {
  asked_attempts = f;
  actors::page<actors::attempt_record> out;
  for (const actors::attempt_record& a : all_attempts) {
    if (a.event == id) out.items.push_back(a);
  }
  return out;
}

core::result<actors::page<core::lane>> fake_engine::lanes(core::endpoint_id id,
                                                          std::optional<core::lane_state> wanted,
                                                          const actors::page_request&) const {
  actors::page<core::lane> out;
  for (const core::lane& l : all_lanes) {
    if (l.key.endpoint == id && (!wanted || l.state == *wanted)) out.items.push_back(l);
  }
  return out;
}

core::result<actors::endpoint_status> fake_engine::status_of(core::endpoint_id id) const {
  actors::endpoint_status out;
  out.endpoint = items->find(id);
  if (!out.endpoint) return core::not_found("no endpoint");
  ++lanes_read;
  out.blocked_lanes = blocked_lanes;
  out.counters.accepted = id.value;  // so that the order can be seen
  out.breaker = breaker_at(out.endpoint->origin);
  return out;
}

actors::page<actors::endpoint_status> fake_engine::endpoints(const actors::endpoint_filter& f,
                                                             const actors::page_request& p) const {
  actors::page<actors::endpoint_status> out;
  const std::uint64_t after = p.after.empty() ? 0 : std::stoull(p.after);
  for (const auto& [id, endpoint] : items->all_endpoints) {
    if (id <= after || endpoint->state == core::endpoint_state::deleted) continue;
    if (out.items.size() == p.limit) {
      out.next = std::to_string(out.items.back().endpoint->id.value);
      break;
    }
    out.items.push_back(*status_of(core::endpoint_id{id}));
    if (f.without_lanes) --lanes_read;
  }
  return out;
}

void fake_engine::show_clock(std::function<void(core::result<actors::clock_status>&&)> reply) {
  actors::clock_status shown = clock;
  shown.now = now();
  reply(std::move(shown));
}

void fake_engine::move_clock(const actors::clock_move& wanted,
                             std::function<void(core::result<actors::clock_status>&&)> reply) {
  if (!clock.simulated) {
    return reply(core::error{
        core::errc::conflict, "clock_not_simulated", "the clock is the machine's", {}, {}});
  }
  moved = wanted;
  clock.ahead += wanted.to - now();
  show_clock(std::move(reply));
}

void fake_engine::rotate_master_key(
    std::function<void(core::result<actors::master_key_status>&&)> reply) {
  if (refuse_keys) return reply(*std::exchange(refuse_keys, std::nullopt));
  keys.keys.insert(keys.keys.begin(), {"00000002", true, true, std::nullopt});
  keys.keys.back() = {"00000001", false, true, 3};
  keys.state = actors::key_rotation_state::working;
  reply(actors::master_key_status{keys});
}

std::string fake_engine::seal(std::string_view plain) const {
  return "sealed(" + std::to_string(plain.size()) + ")";
}

}  // namespace syndicated::tests
