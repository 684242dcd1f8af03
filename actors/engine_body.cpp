// Making, wiring and ending the engine. Commands: engine_commands.cpp; reads: engine_reads.cpp.
#include "actors/engine_body.hpp"

#include <caf/all.hpp>

#include <random>
#include <thread>

#include "actors/catalog_actor.hpp"
#include "actors/dispatcher.hpp"
#include "actors/replayer.hpp"
#include "actors/shard.hpp"
#include "actors/ticker.hpp"
#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "core/delivery/retry_policy.hpp"

namespace syndicated::actors {
namespace {

core::timestamp system_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

double uniform_random() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>{0.0, 1.0}(generator);
}

// Counts down as the parts answer; the last one calls `done`.
class ping_round {
 public:
  ping_round(std::size_t parts, std::function<void()> done)
      : open_(parts), done_(std::move(done)) {}
  void answered() {
    if (open_.fetch_sub(1) == 1) done_();
  }

 private:
  std::atomic<std::size_t> open_;
  std::function<void()> done_;
};

}  // namespace

engine_body::engine_body(engine_options options) : options_(std::move(options)) {
  if (!options_.now) options_.now = system_now;
  if (options_.simulated_time) {
    clock_ = std::make_unique<simulated_clock>(options_.now);
    options_.now = [clock = clock_.get()] { return clock->now(); };
  }
  if (options_.retry_schedule.empty()) options_.retry_schedule = core::default_schedule();
}

engine_body::~engine_body() { stop(); }

core::result<void> engine_body::open() {
  auto vault = store::vault::with_key(options_.master_key, options_.previous_master_keys);
  if (!vault) return std::move(vault).failure();
  vault_.emplace(std::move(*vault));
  store::database_options where;
  where.directory = options_.directory;
  where.wal_bytes_max = options_.wal_bytes_max;
  where.block_cache_bytes = options_.block_cache_bytes;
  // New work is refused at the mark; what is under way may use half of what is left then.
  where.reserve_bytes = options_.free_bytes_min / 2;
  where.now = options_.now;
  auto db = store::database::open(where);
  if (!db) return std::move(db).failure();
  db_ = std::move(*db);
  if (auto ok = store::check_store(*db_, *vault_, ids_); !ok) return ok;
  if (auto ok = open_clock(); !ok) return ok;
  repo_ = std::make_unique<store::repository>(*db_, *vault_);
  if (auto ok = found_provider(); !ok) return ok;
  auto committer = store::committer::create(*db_, ids_, options_.on_disk_failure);
  if (!committer) return std::move(committer).failure();
  committer_ = std::move(*committer);
  auto rotation = store::key_rotation::create(*db_, *committer_, *vault_);
  if (!rotation) return std::move(rotation).failure();
  rotation_ = std::move(*rotation);
  services_ = std::make_unique<services>(*repo_, *committer_, ids_);
  services_->now = options_.now;
  services_->random = uniform_random;
  services_->clock_least = options_.clock_least;
  services_->lifecycle = options_.lifecycle;
  services_->idempotency_retention = options_.idempotency_retention;
  services_->tell_usage_records = options_.tell_usage_records;
  services_->tell_orders = options_.tell_orders;
  const store::retention_limits kept{options_.events_age, options_.attempts_age,
                                     options_.events_bytes_max, options_.attempts_bytes_max};
  retention_ = std::make_unique<store::retention>(*db_, *repo_, *committer_, ids_, services_->gate,
                                                  kept, options_.now);
  if (auto ok = retention_->load(); !ok) return ok;
  set_retry(options_.retry_schedule, options_.retry_jitter, options_.protection);
  set_load_limits(options_.load);
  watch_ = std::make_unique<load_watch>(*services_);
  egress_ = std::make_shared<const core::egress_policy>(options_.egress);
  catalog_keeper keeper(*services_);
  if (auto ok = keeper.load(); !ok) return ok;
  if (auto ok = open_commitments(); !ok) return ok;
  return open_loops();
}

// Tenant 1 exists from the first start on.
core::result<void> engine_body::found_provider() {
  auto present = repo_->find(core::provider_tenant);
  if (!present) return std::move(present).failure();
  if (*present) return {};
  core::tenant provider;
  provider.id = ids_.next_tenant();
  provider.kind = core::tenant_kind::provider;
  provider.name = "provider";
  provider.version = 1;
  provider.pricing = core::pricing_mode::production;
  provider.created_at = options_.now();
  provider.updated_at = provider.created_at;
  store::write_plan plan;
  repo_->put(plan, provider, nullptr);
  plan.put(store::family::meta, store::key_bytes{"ids"}, ids_.encode());
  const auto report = db_->write({&plan}, {}, true);
  if (report.result == store::commit_result::committed) return {};
  return core::error{core::errc::io, "store_io", report.detail, {}, {}};
}

core::result<void> engine_body::open_loops() {
  for (int i = 0; i < options_.curl_loops; ++i) {
    net::curl_loop_options o = options_.curl;
    o.name = "curl-" + std::to_string(i);
    o.connections_max = std::max(o.connections_max, 2 * options_.sockets_max / options_.curl_loops);
    auto loop = net::curl_loop::create(std::move(o), egress_.load());
    if (!loop) return std::move(loop).failure();
    loops_.push_back(std::move(*loop));
  }
  return {};
}

// Without it everything works but the search for events that end the process.
void engine_body::open_flights() {
  const auto loops = static_cast<std::size_t>(options_.curl_loops);
  // Twice: what is in flight, and what was.
  const std::size_t slots = 2 * static_cast<std::size_t>(options_.sockets_max) / loops + 1;
  auto opened = flight_journal::open(options_.directory + "/in_flight", boot_name(), loops, slots,
                                     [loops](core::endpoint_id id) { return id.value % loops; });
  if (opened) {
    flights_ = std::move(*opened);
  } else {
    core::log(core::log_level::error, "engine", "what is in flight cannot be noted",
              {{"detail", opened.failure().detail}});
  }
}

std::size_t engine_body::dispatcher_of(core::endpoint_id id) const {
  // By id, so that no change of its URL gives an endpoint two senders.
  return id.value % dispatchers_.size();
}

void engine_body::post(std::shared_ptr<entity_request> request) {
  if (clock_) request->open = services_->open_requests;  // a walk asks; others share no counter
  const auto& shard = shards_[std::hash<core::stream_id>{}(request->stream) % shards_.size()];
  caf::anon_send(shard, std::move(request));
}

void engine_body::tell_dispatcher(core::endpoint_id id, inbox_item item) {
  const std::size_t i = dispatcher_of(id);
  if (inboxes_[i]->push(std::move(item))) caf::anon_send(dispatchers_[i], look_into_inbox{});
}

void engine_body::wire() {
  auto& s = *services_;
  s.to_shard = [this](std::shared_ptr<entity_request> r) { post(std::move(r)); };
  s.report_to_shard = [this](std::shared_ptr<const lane_report> r) {
    const auto& shard = shards_[std::hash<core::stream_id>{}(r->lane.stream) % shards_.size()];
    caf::anon_send(shard, std::move(r));
  };
  s.lane_is_ready = [this](std::shared_ptr<const lane_work> w) {
    const core::endpoint_id id = w->lane.key.endpoint;
    tell_dispatcher(id, lane_ready{std::move(w)});
  };
  s.lane_is_resting = [this](const core::lane_key& lane, std::optional<core::timestamp> due) {
    tell_dispatcher(lane.endpoint, lane_rests{lane, due});
  };
  s.lane_is_barred = [this](const core::lane_key& lane, core::timestamp until) {
    tell_dispatcher(lane.endpoint, lane_barred{lane, until});
  };
  s.endpoint_was_changed = [this](core::endpoint_id id) {
    caf::anon_send(dispatchers_[dispatcher_of(id)], endpoint_changed{id});
  };
  poller_ = std::make_unique<metric_poller>(
      s, [l = loops_.front().get()](net::attempt_request&& r) { l->submit(std::move(r)); });
  // What follows an answer may read from the disk: that is no work for the curl loop's thread.
  asker_ = std::make_unique<vendor_asker>(
      [l = loops_.front().get()](net::attempt_request&& r) { l->submit(std::move(r)); },
      // With an argument: for actors without one CAF 0.17 looks into an empty pointer, which the
      // library's own checks of a release do not forgive.
      [this](std::function<void()> work) {
        system_->spawn([](const std::function<void()>& run) { run(); }, std::move(work));
      },
      s.open_requests);
  s.ask_metric = [this](core::subscription_id owner, const core::metric& m) {
    poller_->ask(owner, m);
  };
  s.start_cascade = [this](core::tenant_id t) {
    caf::anon_send(ticker_, actors::start_cascade{t});
  };
  s.change_catalog = [this](catalog_command c) {
    auto request = std::make_shared<catalog_request>();
    request->command = std::move(c);
    request->options.by = {core::role::operator_, 0, "system"};
    caf::anon_send(catalog_, std::move(request));
  };
}

void engine_body::spawn_actors() {
  const auto half = std::max(1U, std::thread::hardware_concurrency() / 2);
  const int wanted = options_.worker_threads;
  caf_settings_.set("scheduler.policy", caf::atom("sharing"));
  caf_settings_.set("scheduler.max-threads", wanted > 0 ? static_cast<std::size_t>(wanted) : half);
  // Messages of one actor in a row: few, since the others wait meanwhile.
  caf_settings_.set("scheduler.max-throughput", std::size_t{8});
  system_ = std::make_unique<caf::actor_system>(caf_settings_);
  const shard_settings per_shard{
      options_.entity_idle,
      core::limits::awake_entities_max / static_cast<std::size_t>(options_.shards)};
  for (int i = 0; i < options_.shards; ++i) {
    shards_.push_back(system_->spawn(shard, services_.get(), per_shard));
  }
  open_flights();
  dispatch_settings per_loop{options_.sockets_max / options_.curl_loops,
                             core::limits::dispatcher_window_max, core::limits::origin_sockets_max,
                             nullptr, options_.platform_weight};
  for (auto& loop : loops_) {
    if (flights_) per_loop.journal = &flights_->of(inboxes_.size());
    inboxes_.push_back(std::make_shared<inbox>());
    dispatchers_.push_back(
        system_->spawn(dispatcher, services_.get(), inboxes_.back(), per_loop,
                       [l = loop.get()](net::attempt_request&& r) { l->submit(std::move(r)); }));
  }
  catalog_ = system_->spawn(catalog_keeper_actor, services_.get());
  replayer_ = system_->spawn(replayer, services_.get());
}

void engine_body::start() {
  started_at_ = options_.now();
  wire();
  committer_->start();
  rotation_->start();
  retention_->start();
  for (auto& loop : loops_) loop->start();
  spawn_actors();
  watch_->start();
  ticker_ =
      system_->spawn(ticker, services_.get(), ticker_settings{}, shards_, dispatchers_, replayer_);
  // Each dispatcher looks once at what its endpoints left undone.
  for (const auto& [id, endpoint] : services_->catalog.load()->all_endpoints()) {
    caf::anon_send(dispatchers_[dispatcher_of({id})], endpoint_changed{{id}});
  }
  // What was counted may have been lost by a crash.
  for (const core::commitment_id id : services_->aggregates.all()) {
    services_->tell(core::stream_of(id), aggregate_recount{});
  }
  if (clock_) make_walk();
  started_ = true;
}

bool engine_body::drain(std::chrono::milliseconds limit) {
  draining_ = true;
  if (!started_) return true;
  if (walk_) walk_->stop();
  retention_->ask_stop();
  for (const auto& d : dispatchers_) caf::anon_send(d, actors::drain{});
  caf::anon_send(ticker_, actors::drain{});
  caf::anon_send(replayer_, actors::drain{});
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    // In this order: an attempt is an open report before it stops being in flight.
    const bool quiet = services_->gauges.in_flight() == 0 &&
                       services_->open_reports.use_count() == 1 && committer_->stats().queued == 0;
    if (quiet) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

void engine_body::stop() {
  if (stopped_.exchange(true)) return;
  draining_ = true;
  if (walk_) walk_->stop();
  if (started_) {
    for (const auto& d : dispatchers_) caf::anon_send(d, actors::drain{});
  }
  if (poller_) poller_->stop();
  for (auto& loop : loops_) loop->stop();
  if (rotation_) rotation_->stop();
  if (retention_) retention_->stop();
  if (watch_) watch_->stop();
  if (committer_) committer_->stop();
  if (system_) {
    const auto end = [](const auto& handle) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    };
    if (ticker_) end(ticker_);
    if (replayer_) end(replayer_);
    if (catalog_) end(catalog_);
    for (const auto& shard : shards_) end(shard);
    for (const auto& d : dispatchers_) end(d);
    ticker_ = nullptr;
    replayer_ = nullptr;
    catalog_ = nullptr;
    // The posting functions use these until the last actor is gone, so they go with the system.
    system_->await_all_actors_done();
    shards_.clear();
    dispatchers_.clear();
    system_.reset();
  }
  if (flights_) flights_->close();
  loops_.clear();
}

void engine_body::set_retry(std::vector<std::chrono::milliseconds> schedule, double jitter,
                            const core::protection& protection) {
  options_.retry_schedule = schedule;
  options_.retry_jitter = jitter;
  options_.protection = protection;
  services_->delivery.store(std::make_shared<const delivery_settings>(
      delivery_settings{std::move(schedule), jitter, options_.curl.user_agent, protection}));
}

void engine_body::set_egress(core::egress_rules rules) {
  auto policy = std::make_shared<const core::egress_policy>(std::move(rules));
  egress_ = policy;
  for (auto& loop : loops_) loop->set_policy(policy);
}

void engine_body::set_load_limits(const load_limits& limits) { services_->load.set_limits(limits); }

void engine_body::ping(std::function<void()> done) {
  const std::size_t parts = shards_.size() + dispatchers_.size() + 1 + loops_.size();
  auto round = std::make_shared<ping_round>(parts, std::move(done));
  auto pong = std::make_shared<std::function<void()>>([round] { round->answered(); });
  for (const auto& shard : shards_) caf::anon_send(shard, actors::ping{pong});
  for (const auto& d : dispatchers_) caf::anon_send(d, actors::ping{pong});
  caf::anon_send(catalog_, actors::ping{pong});
  for (auto& loop : loops_) loop->ping([round] { round->answered(); });
}

}  // namespace syndicated::actors
