#include "daemon/metrics.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace syndicated::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

double number(std::uint64_t value) { return static_cast<double>(value); }

class text_builder {
 public:
  void counter(std::string name, std::string help, double value) {
    start(MetricType::Counter, std::move(name), std::move(help));
    sample({}, value);
  }

  void gauge(std::string name, std::string help, double value) {
    start(MetricType::Gauge, std::move(name), std::move(help));
    sample({}, value);
  }

  void summary(std::string name, std::string help, const actors::duration_sum& sum) {
    start(MetricType::Summary, std::move(name), std::move(help));
    ClientMetric metric;
    metric.summary.sample_count = sum.count;
    metric.summary.sample_sum = static_cast<double>(sum.total.count()) / 1e6;
    families_.back().metric.push_back(std::move(metric));
  }

  // One sample for each word, as the value of `label`.
  void by_word(MetricType type, std::string name, std::string help, const char* label,
               const actors::named_counts& counts) {
    start(type, std::move(name), std::move(help));
    for (const auto& [word, count] : counts) sample({{label, std::string{word}}}, number(count));
  }

  // A family whose samples follow by sample().
  void start(MetricType type, std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void sample(labels with, double value) {
    ClientMetric metric;
    metric.label = std::move(with);
    MetricFamily& family = families_.back();
    if (family.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
  }

  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void add_deliveries(text_builder& out, const actors::engine_status& s) {
  out.start(MetricType::Counter, "syndicated_notifications_total",
            "Notifications by what became of them; accepted = delivered + parked + cancelled + "
            "syndicated_notifications_pending.");
  out.sample({{"state", "accepted"}}, number(s.counters.accepted));
  out.sample({{"state", "delivered"}}, number(s.counters.delivered));
  out.sample({{"state", "parked"}}, number(s.counters.parked));
  out.sample({{"state", "cancelled"}}, number(s.counters.cancelled));
  out.gauge("syndicated_notifications_pending", "Notifications accepted and not ended.",
            number(s.counters.pending()));
  out.counter("syndicated_attempts_total", "HTTP requests to endpoints.",
              number(s.counters.attempts));
  out.gauge("syndicated_attempts_in_flight", "Requests to endpoints in progress.",
            number(s.in_flight));
  out.start(MetricType::Gauge, "syndicated_breakers",
            "Origins that are left alone (open) or about to be asked (half_open).");
  out.sample({{"state", "open"}}, number(s.breakers.open));
  out.sample({{"state", "half_open"}}, number(s.breakers.half_open));
  out.counter("syndicated_breaker_openings_total", "Breakers that opened, or stayed open.",
              number(s.breakers.openings));
}

// Words are of closed sets: no label has a value that a caller or a vendor chooses.
void add_figures(text_builder& out, const actors::delivery_figures& f) {
  out.by_word(MetricType::Counter, "syndicated_attempts_ended_total",
              "Requests to endpoints since the start, by what they came to.", "class",
              f.attempts_by_class);
  out.summary("syndicated_attempt_seconds", "Time of a request to an endpoint.", f.attempts);
  out.summary("syndicated_delivery_seconds",
              "Time from an event, or from the wish to send it again, to its acceptance by an "
              "endpoint.",
              f.deliveries);
  out.by_word(MetricType::Counter, "syndicated_parked_total",
              "Notifications given up and parked since the start.", "reason", f.parked_by_reason);
  out.gauge("syndicated_pending_oldest_seconds",
            "Age of the oldest pending notification that a look at a few lanes has found.",
            f.oldest_pending ? static_cast<double>(f.oldest_pending->count()) / 1e3 : 0);
  out.by_word(MetricType::Gauge, "syndicated_endpoints", "Endpoints by state.", "state",
              f.endpoints);
  out.gauge("syndicated_endpoints_failing", "Endpoints with nothing but failures lately.",
            number(f.endpoints_failing));
  out.by_word(MetricType::Gauge, "syndicated_replay_jobs",
              "Replay jobs that go on (running) or are refused for the time being (waiting).",
              "state", {{"running", f.jobs_running}, {"waiting", f.jobs_waiting}});
  out.counter("syndicated_events_replayed_total", "Events that replay jobs have handed out.",
              number(f.events_replayed));
}

void add_parts(text_builder& out, const std::vector<heartbeat::pulse>& parts) {
  out.start(MetricType::Gauge, "syndicated_loop_lag_seconds",
            "How long a part took to answer when it was asked last, about once a second.");
  for (const auto& p : parts) {
    out.sample({{"part", p.name}}, static_cast<double>(p.lag.count()) / 1e6);
  }
  out.start(MetricType::Counter, "syndicated_loop_stalls_total",
            "Answers of a part that took more than 100 ms.");
  for (const auto& p : parts) out.sample({{"part", p.name}}, number(p.stalls));
}

void add_engine(text_builder& out, const actors::engine_status& s) {
  out.gauge("syndicated_ready", "1 when the daemon serves requests.", s.ready ? 1 : 0);
  out.gauge("syndicated_accepting", "1 when writes are accepted.", s.accepting ? 1 : 0);
  out.gauge("syndicated_sending", "0 when nothing is sent: no space, no clock, or the end is near.",
            s.not_sending.empty() ? 1 : 0);
  out.counter("syndicated_commits_total", "Synced batches.", number(s.commits));
  out.counter("syndicated_changes_total", "Changes in the batches.", number(s.plans));
  out.gauge("syndicated_commit_queue", "Changes waiting for a batch.", number(s.commit_queue));
  out.gauge("syndicated_commit_oldest_seconds",
            "Age of the oldest change that waits for its batch.", number(s.commit_oldest_ms) / 1e3);
  out.start(MetricType::Gauge, "syndicated_load_refused",
            "1 for the gravest reason for which all new load is refused.");
  for (const auto& [why, count] : s.load_refusals) {
    out.sample({{"reason", std::string{why}}}, why == s.refusing_load ? 1 : 0);
  }
  out.gauge("syndicated_owners_full", "Owners whose new load is refused for their backlog.",
            number(s.owners_full));
  out.start(MetricType::Counter, "syndicated_load_refusals_total", "Refusals of new load.");
  for (const auto& [why, count] : s.load_refusals) {
    out.sample({{"reason", std::string{why}}}, number(count));
  }
  out.gauge("syndicated_entities_awake", "Entities in memory.", number(s.awake_entities));
  out.counter("syndicated_events_total", "The number of the last event.", number(s.last_event));
  out.start(MetricType::Gauge, "syndicated_entities", "Stored entities by kind.");
  out.sample({{"kind", "subscription"}}, number(s.subscriptions));
  out.sample({{"kind", "tenant"}}, number(s.tenants));
  out.sample({{"kind", "endpoint"}}, number(s.endpoints));
  out.gauge("syndicated_commitments", "Commitments of resellers that are in force.",
            number(s.commitments.in_force));
  out.gauge("syndicated_commitment_units",
            "Units that these count, summed up; two that count the same have it twice.",
            static_cast<double>(s.commitments.units));
  out.counter("syndicated_commitment_shortfalls_total",
              "Snapshots since the start that found fewer units than committed to.",
              number(s.commitments.shortfalls));
  out.gauge("syndicated_disk_free_bytes", "Free space under the state directory.",
            number(s.disk_free_bytes));
  out.gauge("syndicated_store_bytes", "Size of the stored data.", number(s.store_bytes));
  out.start(MetricType::Gauge, "syndicated_store_family_bytes",
            "Size of the stored data by kind of row, without the write-ahead log.");
  for (const auto& one : s.families) {
    out.sample({{"family", std::string{one.family}}}, number(one.bytes));
  }
  out.start(MetricType::Counter, "syndicated_retention_dropped_total",
            "Rows dropped because they are no longer kept.");
  out.sample({{"kind", "event"}}, number(s.retention.events_dropped));
  out.sample({{"kind", "attempt"}}, number(s.retention.attempts_dropped));
}

void add_requests(text_builder& out, const metrics_input& in) {
  const auto labels_of = [](const api::request_count& r) {
    return labels{{"face", std::string{to_string(r.face)}},
                  {"method", std::string{r.method}},
                  {"status", std::to_string(r.status_class) + "xx"}};
  };
  out.start(MetricType::Counter, "syndicated_requests_total", "Answered API requests.");
  for (const auto& r : in.requests) out.sample(labels_of(r), number(r.requests));
  out.start(MetricType::Counter, "syndicated_request_seconds_total",
            "Time from a request's arrival to its answer, summed up.");
  for (const auto& r : in.requests) out.sample(labels_of(r), number(r.total_us) / 1e6);
  out.counter("syndicated_auth_failures_total", "Requests with bad credentials.",
              number(in.auth_failures));
  out.counter("syndicated_rate_refusals_total", "Requests over the rate of their token.",
              number(in.rate_refusals));
  out.counter("syndicated_overloads_total", "Writes refused because too many were in progress.",
              number(in.overloads));
}

void add_servers(text_builder& out, const metrics_input& in) {
  out.start(MetricType::Gauge, "syndicated_connections", "Open client connections.");
  for (const auto& s : in.servers)
    out.sample({{"server", s.name}}, number(s.stats.connections_open));
  out.start(MetricType::Counter, "syndicated_connections_refused_total",
            "Client connections over the limit.");
  for (const auto& s : in.servers) {
    out.sample({{"server", s.name}}, number(s.stats.connections_refused));
  }
  out.start(MetricType::Gauge, "syndicated_request_body_bytes",
            "Bodies of requests that came in parts, until their answers.");
  for (const auto& s : in.servers) out.sample({{"server", s.name}}, number(s.stats.body_bytes));
  out.start(MetricType::Counter, "syndicated_bad_requests_total",
            "Requests that were not clean HTTP or over a limit.");
  for (const auto& s : in.servers)
    out.sample({{"server", s.name}}, number(s.stats.requests_refused));
}

void add_sending(text_builder& out, const net::curl_loop_stats& s) {
  out.counter("syndicated_egress_connections_total", "Connections opened to endpoints.",
              number(s.connections_opened));
  out.counter("syndicated_egress_blocked_total", "Attempts stopped by the egress policy.",
              number(s.blocked));
  out.gauge("syndicated_egress_waiting",
            "Requests to endpoints that wait until fewer look-ups or TLS connections begin.",
            number(s.waiting));
  out.counter("syndicated_dns_queries_total", "Name look-ups.", number(s.dns_queries));
  out.counter("syndicated_dns_cache_hits_total", "Look-ups answered from memory.",
              number(s.dns_cache_hits));
}

}  // namespace

process_metrics process_metrics::read() {
  process_metrics out;
  std::ifstream file("/proc/self/stat");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string line = text.str();
  // The second field is the program's name in brackets and may hold blanks.
  const auto bracket = line.rfind(')');
  if (bracket != std::string::npos) {
    std::istringstream rest(line.substr(bracket + 1));
    std::vector<std::string> fields;
    for (std::string field; rest >> field;) fields.push_back(field);
    const auto field = [&fields](std::size_t number_from_three) {
      const std::size_t at = number_from_three - 3;
      return at < fields.size() ? std::strtod(fields[at].c_str(), nullptr) : 0.0;
    };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    out.cpu_seconds = (field(14) + field(15)) / ticks;
    out.threads = field(20);
    out.resident_bytes = field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  std::error_code ignored;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", ignored);
       !ignored && at != std::filesystem::directory_iterator(); at.increment(ignored)) {
    ++out.open_files;
  }
  return out;
}

std::string metrics_text(const metrics_input& in) {
  text_builder out;
  out.start(MetricType::Gauge, "syndicated_info", "The running version.");
  out.sample({{"version", in.version}}, 1);
  add_engine(out, in.engine);
  add_deliveries(out, in.engine);
  add_figures(out, in.figures);
  add_parts(out, in.parts);
  out.counter("syndicated_commits_refused_total",
              "Batches refused for lack of space; nothing is sent until one is not.",
              number(in.commits_refused));
  out.counter("syndicated_events_published_total", "Events accepted from publishers.",
              number(in.published));
  out.counter("syndicated_events_unheard_total",
              "Published events that no endpoint wanted: a name or scope that nobody listens to.",
              number(in.published_unheard));
  out.counter("syndicated_publish_repeats_total",
              "Published events that were known by their dedup_id or Idempotency-Key.",
              number(in.publish_repeats));
  out.counter("syndicated_events_expired_total",
              "Events given up without a request, older than their endpoint wants them.",
              number(in.expired));
  out.counter("syndicated_events_coalesced_total",
              "Events left out because a newer one tells the same.", number(in.coalesced));
  out.counter("syndicated_oauth2_token_requests_total", "Requests for access tokens.",
              number(in.token_fetches));
  out.counter("syndicated_metric_polls_answered_total",
              "Questions to vendors' metric endpoints that brought a value.",
              number(in.polls_answered));
  out.counter("syndicated_metric_polls_failed_total",
              "Questions to vendors' metric endpoints that brought none.", number(in.polls_failed));
  out.by_word(MetricType::Counter, "syndicated_tenant_usages_total",
              "Reports of what tenants use, by what became of them.", "outcome",
              {{"taken", in.usages_taken}, {"refused", in.usages_refused}});
  out.counter("syndicated_vendor_questions_answered_total",
              "Questions about orders that vendors answered, with whatever status.",
              number(in.questions_answered));
  out.counter("syndicated_vendor_questions_failed_total",
              "Questions about orders without an answer.", number(in.questions_failed));
  out.by_word(MetricType::Counter, "syndicated_invoices_total",
              "Invoices since the start, by what became of them.", "became", in.invoices);
  add_requests(out, in);
  add_servers(out, in);
  add_sending(out, in.sending);
  out.counter("syndicated_log_lines_dropped_total", "Log lines lost to a slow target.",
              number(in.log_lines_dropped));
  out.counter("process_cpu_seconds_total", "CPU time used.", in.process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory.", in.process.resident_bytes);
  out.gauge("process_open_fds", "Open files.", in.process.open_files);
  out.gauge("process_threads", "Threads.", in.process.threads);
  return out.text();
}

}  // namespace syndicated::daemon
