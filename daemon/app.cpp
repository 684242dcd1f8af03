#include "daemon/app.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "actors/local_engine.hpp"
#include "api/router.hpp"
#include "config/load.hpp"
#include "config/reload.hpp"
#include "daemon/addresses.hpp"
#include "daemon/heartbeat.hpp"
#include "daemon/logging.hpp"
#include "daemon/metrics.hpp"
#include "daemon/version.hpp"
#include "daemon/wiring.hpp"
#include "net/http_server.hpp"

namespace syndicated::daemon {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

// Together below TimeoutStopSec= of the unit, and R20's 30 s (reliability.md, 1).
constexpr milliseconds drain_attempts{20'000};
constexpr milliseconds drain_answers{5'000};
// Opening after a crash replays the log; systemd is asked for patience beforehand.
constexpr std::chrono::seconds start_patience{120};
constexpr milliseconds turn{1'000};               // the main loop looks around this often
constexpr milliseconds silence_patience{15'000};  // without a watchdog
constexpr milliseconds status_period{10'000};     // between two status lines for systemd

void say(core::log_level level, std::string message,
         std::initializer_list<core::log_field> fields = {}) {
  core::log(level, "daemon", std::move(message), fields);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

// What was acknowledged is on disk, what was not is unknown: nothing may be answered any more.
[[noreturn]] void end_on_disk_failure(const std::string& why) {
  say(core::log_level::critical, "the disk failed; ending", {{"reason", why}});
  stop_logging();
  ::_exit(exit_store_failed);
}

core::lifecycle_settings lifecycle_of(const config::lifecycle_section& s) {
  core::lifecycle_settings out;
  out.first_payment = s.first_payment;
  out.provisioning_overdue = s.provisioning_overdue;
  out.provisioning_fail = s.provisioning_fail;
  out.unpaid_stop = s.unpaid_stop;
  out.unpaid_cancel = s.unpaid_cancel;
  out.grace = s.grace;
  out.hold = s.hold;
  out.cancel_grace = s.cancel_grace;
  out.deprovision_timeout = s.deprovision_timeout;
  out.retention = s.retention;
  out.tenant_recover = s.tenant_recover;
  out.provisioning_attempts_max = static_cast<std::uint32_t>(s.provisioning_max_attempts);
  out.expiring_days = {};
  std::ranges::copy(s.expiring_days, out.expiring_days.begin());  // at most 15: the loader's rule
  return out;
}

core::protection protection_of(const config::delivery_section& s) {
  return {{s.breaker_open, s.breaker_open_max}, s.retry_share, s.pause_after};
}

actors::load_limits load_limits_of(const config::limits_section& s) {
  return {static_cast<std::uint64_t>(s.pending_events_max),
          static_cast<std::uint64_t>(s.pending_events_per_owner_max), s.memory_max};
}

store::master_keys converted(const config::master_key_set& keys) {
  store::master_keys out;
  out.primary.assign(keys.primary.begin(), keys.primary.end());
  for (const auto& key : keys.previous) out.previous.emplace_back(key.begin(), key.end());
  return out;
}

actors::engine_options engine_options_of(const config::settings& s) {
  actors::engine_options out;
  out.directory = s.store.directory;
  out.wal_bytes_max = s.store.wal_bytes_max;
  out.block_cache_bytes = s.store.block_cache_bytes;
  out.free_bytes_min = s.store.free_bytes_min;
  out.load = load_limits_of(s.limits);
  out.worker_threads = s.actors.threads;
  out.shards = s.actors.shards;
  out.entity_idle = s.actors.entity_idle;
  out.curl_loops = s.delivery.curl_loops;
  out.sockets_max = s.delivery.sockets_max;
  out.platform_weight = s.delivery.platform_weight;
  out.curl.user_agent = s.delivery.user_agent;
  out.curl.ca_file = s.delivery.ca_file;
  out.curl.dns_servers = s.delivery.dns_servers;
  out.retry_schedule = s.delivery.schedule;
  out.retry_jitter = s.delivery.jitter;
  out.protection = protection_of(s.delivery);
  out.egress = egress_rules_of(s.egress);
  out.lifecycle = lifecycle_of(s.lifecycle);
  out.tell_usage_records = s.lifecycle.tell_usage_records;
  out.tell_orders = s.lifecycle.order_events;
  out.idempotency_retention = s.retention.idempotency;
  out.events_age = s.retention.events;
  out.attempts_age = s.retention.attempts;
  out.events_bytes_max = s.retention.events_max;
  out.attempts_bytes_max = s.retention.attempts_max;
  out.simulated_time = s.testing.simulated_time;
  if (!out.simulated_time) out.clock_least = built_at();
  out.on_disk_failure = end_on_disk_failure;
  return out;
}

}  // namespace

class app::impl {
 public:
  explicit impl(app_inputs inputs) : in_(std::move(inputs)) {}
  ~impl() { stop(); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  core::result<void> start();
  int run(signals& from);

 private:
  core::result<void> start_engine();
  core::result<void> bind_servers();
  core::result<void> announce();
  api::api_settings api_settings();
  std::string api_address() const;
  std::string metrics() const;
  std::vector<heartbeat::probe> probes();
  void listen_to_parts();
  void tell_status();
  void reload();
  void drain();
  void stop();

  app_inputs in_;
  std::unique_ptr<actors::local_engine> engine_;
  std::unique_ptr<api::router> router_;
  // Declared after what their handlers use: they go first.
  std::unique_ptr<net::http_server> admin_;
  std::unique_ptr<net::http_server> api_;
  std::unique_ptr<net::http_server> metrics_;
  std::string addresses_file_;
  std::unique_ptr<heartbeat> heartbeat_;
  milliseconds watchdog_{0};
  steady::time_point next_beat_{};
  steady::time_point last_answer_{};
  steady::time_point next_status_{};
  bool silence_told_ = false;
};

core::result<void> app::impl::start() {
  notify_extend_timeout(start_patience);
  notify_status("opening the store");
  if (auto ok = start_engine(); !ok) return ok;
  if (auto ok = bind_servers(); !ok) return ok;
  heartbeat_ = std::make_unique<heartbeat>(probes());  // requests for metrics look at it
  engine_->start();
  for (auto* server : {admin_.get(), api_.get(), metrics_.get()}) {
    if (server != nullptr) server->start();
  }
  return announce();
}

core::result<void> app::impl::start_engine() {
  auto options = engine_options_of(in_.settings);
  auto keys = converted(in_.keys);
  in_.keys.primary.fill(0);
  for (auto& key : in_.keys.previous) key.fill(0);
  options.master_key = std::move(keys.primary);
  options.previous_master_keys = std::move(keys.previous);
  // Called on another thread: it uses nothing that a reload changes.
  options.read_master_keys = [path = in_.config_path,
                              credentials =
                                  in_.credentials_directory]() -> core::result<store::master_keys> {
    auto settings = config::load_file(path);
    if (!settings) return std::move(settings).failure();
    auto read = config::read_master_keys(settings->secrets, credentials);
    if (!read) return std::move(read).failure();
    return converted(*read);
  };
  auto made = actors::local_engine::create(std::move(options));
  if (!made) return std::move(made).failure();
  engine_ = std::move(*made);
  if (in_.settings.testing.simulated_time) {
    say(core::log_level::warning, "simulated time: the clock can be moved; for tests only",
        {{"now", core::format_rfc3339_ms(engine_->now())}});
  }
  router_ = std::make_unique<api::router>(*engine_, api_settings());
  return {};
}

api::api_settings app::impl::api_settings() {
  api::api_settings out;
  out.public_url = public_url(in_.settings);
  out.version = version();
  out.refuse_unknown_types = in_.settings.publish.refuse_unknown_types;
  out.requests_per_token_per_s = in_.settings.limits.requests_per_token_per_s;
  out.metrics_text = [this] { return metrics(); };
  out.address = [this] { return api_address(); };
  out.set_log_level = [](std::string_view name) {
    using core::log_level;
    for (const auto level : {log_level::debug, log_level::info, log_level::warning,
                             log_level::error, log_level::critical}) {
      if (core::to_string(level) != name) continue;
      core::set_log_level(level);
      return true;
    }
    return false;
  };
  return out;
}

core::result<void> app::impl::bind_servers() {
  auto admin = net::http_server::bind(admin_server_options(in_.settings, in_.sockets.admin),
                                      router_->admin_handler());
  if (!admin) return std::move(admin).failure().prefixed("admin socket");
  admin_ = std::move(*admin);
  if (in_.sockets.admin < 0) {
    if (auto ok = give_to_group(in_.settings.admin.socket, in_.settings.admin.group); !ok) {
      return ok;
    }
  }
  auto api_options = api_server_options(in_.settings, in_.sockets.api);
  api_options.gate = router_->public_gate();
  auto api = net::http_server::bind(std::move(api_options), router_->public_handler());
  if (!api) return std::move(api).failure().prefixed("API");
  api_ = std::move(*api);
  if (in_.settings.metrics.listen.empty()) return {};
  auto metrics =
      net::http_server::bind(metrics_server_options(in_.settings), router_->health_handler());
  if (!metrics) return std::move(metrics).failure().prefixed("metrics");
  metrics_ = std::move(*metrics);
  return {};
}

std::string app::impl::api_address() const {
  const auto& s = in_.settings.api;
  const std::string handed = in_.sockets.api >= 0 ? bound_address(in_.sockets.api) : s.listen;
  return base_address(handed, api_->port(), !s.tls_key.empty());
}

core::result<void> app::impl::announce() {
  const auto& s = in_.settings;
  addresses told;
  told.api = api_address();
  if (metrics_) told.metrics = base_address(s.metrics.listen, metrics_->port(), false);
  told.admin = s.admin.socket;
  watchdog_ = watchdog_period();
  heartbeat_->begin();
  last_answer_ = steady::now();
  notify_ready("serving " + told.api);
  say(core::log_level::info, "ready",
      {{"version", version()}, {"api", told.api}, {"state", s.store.directory}});
  addresses_file_ = addresses_path(s.admin.socket);
  return write_addresses(addresses_file_, told);
}

std::string app::impl::metrics() const {
  metrics_input in;
  in.version = version();
  in.engine = engine_->status();
  in.parts = heartbeat_->pulses();
  in.requests = router_->stats().read();
  in.auth_failures = router_->stats().auth_failures();
  in.overloads = router_->stats().overloads();
  in.rate_refusals = router_->stats().rate_refusals();
  in.servers.push_back({"admin", admin_->stats()});
  in.servers.push_back({"api", api_->stats()});
  if (metrics_) in.servers.push_back({"metrics", metrics_->stats()});
  auto inside = engine_->metrics();
  in.figures = std::move(inside.figures);
  in.commits_refused = inside.commit_no_space;
  in.published = inside.published;
  in.published_unheard = inside.published_unheard;
  in.publish_repeats = inside.publish_repeats;
  in.expired = inside.expired;
  in.coalesced = inside.coalesced;
  in.token_fetches = inside.token_fetches;
  in.questions_answered = inside.questions_answered;
  in.questions_failed = inside.questions_failed;
  in.polls_answered = inside.polls_answered;
  in.polls_failed = inside.polls_failed;
  in.usages_taken = inside.usages_taken;
  in.usages_refused = inside.usages_refused;
  in.invoices = std::move(inside.invoices);
  for (const auto& loop : inside.loops) {
    in.sending.attempts += loop.attempts;
    in.sending.connections_opened += loop.connections_opened;
    in.sending.in_flight += loop.in_flight;
    in.sending.dns_queries += loop.dns_queries;
    in.sending.dns_cache_hits += loop.dns_cache_hits;
    in.sending.blocked += loop.blocked;
    in.sending.waiting += loop.waiting;
  }
  in.log_lines_dropped = log_lines_dropped();
  in.process = process_metrics::read();
  return metrics_text(in);
}

std::vector<heartbeat::probe> app::impl::probes() {
  std::vector<heartbeat::probe> out;
  out.push_back(
      {"engine", [this](std::function<void()> answer) { engine_->ping(std::move(answer)); }});
  const auto add = [&out](std::string name, net::http_server* server) {
    if (server == nullptr) return;
    out.push_back({std::move(name),
                   [server](std::function<void()> answer) { server->ping(std::move(answer)); }});
  };
  add("admin", admin_.get());
  add("api", api_.get());
  add("metrics", metrics_.get());
  return out;
}

int app::impl::run(signals& from) {
  while (true) {
    const milliseconds patience = watchdog_.count() > 0 ? std::min(turn, watchdog_ / 4) : turn;
    switch (from.wait(patience)) {
      case signal_kind::stop: drain(); return 0;
      case signal_kind::reload: reload(); break;
      case signal_kind::none: break;
    }
    listen_to_parts();
    tell_status();
  }
}

// A round in each turn, so that its lag is worth showing; the watchdog hears of it less often.
void app::impl::listen_to_parts() {
  const auto now = steady::now();
  const milliseconds patience = watchdog_.count() > 0 ? watchdog_ / 2 : silence_patience;
  if (heartbeat_->complete()) {
    last_answer_ = now;
    silence_told_ = false;
    if (watchdog_.count() > 0 && now >= next_beat_) {
      next_beat_ = now + watchdog_ / 5;
      notify_watchdog();
    }
    heartbeat_->begin();
  } else if (now > last_answer_ + patience && !silence_told_) {
    silence_told_ = true;
    say(core::log_level::error, "no answer from a part; the watchdog is not fed",
        {{"parts", joined(heartbeat_->silent())}});
  }
}

void app::impl::tell_status() {
  if (steady::now() < next_status_) return;
  next_status_ = steady::now() + status_period;
  const auto status = engine_->status();
  std::string line = std::to_string(status.counters.pending()) + " notifications pending, " +
                     std::to_string(status.in_flight) + " in flight";
  if (!status.accepting) line += "; refusing writes: " + status.why_not;
  if (!status.not_sending.empty()) line += "; nothing is sent: " + status.not_sending;
  if (!status.refusing_load.empty()) line += "; refusing new load: " + status.refusing_load;
  notify_status(line);
}

void app::impl::reload() {
  notify_reloading();
  auto found = config::load_and_diff(in_.config_path, in_.settings);
  if (!found) {
    say(core::log_level::error, "the changed configuration is refused; the old one stays",
        {{"reason", found.failure().detail}});
  } else {
    in_.settings = std::move(found->next);
    core::set_log_level(in_.settings.log.level);
    engine_->set_retry(in_.settings.delivery.schedule, in_.settings.delivery.jitter,
                       protection_of(in_.settings.delivery));
    engine_->set_egress(egress_rules_of(in_.settings.egress));
    engine_->set_load_limits(load_limits_of(in_.settings.limits));
    router_->set_token_rate(in_.settings.limits.requests_per_token_per_s);
    say(core::log_level::info, "configuration read again",
        {{"taken", joined(found->taken)}, {"need_restart", joined(found->need_restart)}});
  }
  notify_ready("serving");
}

void app::impl::drain() {
  notify_stopping("draining");
  say(core::log_level::info, "ending: no new connections, finishing what is under way");
  ::unlink(addresses_file_.c_str());
  api_->stop_accepting();
  const bool attempts_ended = engine_->drain(drain_attempts);
  const bool answered = api_->drain(drain_answers);
  if (!attempts_ended || !answered) {
    // Harmless: what was not recorded is sent again with the same id.
    say(core::log_level::warning, "the time to finish is over",
        {{"attempts_ended", attempts_ended}, {"answered", answered}});
  }
}

void app::impl::stop() {
  for (auto* server : {api_.get(), metrics_.get(), admin_.get()}) {
    if (server != nullptr) server->stop();
  }
  if (engine_) {
    engine_->stop();
    say(core::log_level::info, "ended");
  }
}

app::app(std::unique_ptr<impl> body) : impl_(std::move(body)) {}
app::~app() = default;

core::result<std::unique_ptr<app>> app::create(app_inputs inputs) {
  auto body = std::make_unique<impl>(std::move(inputs));
  if (auto ok = body->start(); !ok) return std::move(ok).failure();
  return std::unique_ptr<app>(new app(std::move(body)));
}

int app::run(signals& from) { return impl_->run(from); }

}  // namespace syndicated::daemon
