// The text of /metrics: names that dashboards depend on, and sums that add up.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <set>
#include <sstream>
#include <string>

#include "daemon/metrics.hpp"

namespace daemon_ns = syndicated::daemon;
using namespace std::chrono_literals;

namespace {

std::string value_of(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
  }
  return "absent";
}

daemon_ns::metrics_input sample() {
  daemon_ns::metrics_input in;
  in.version = "1.2.3";
  in.engine.ready = true;
  in.engine.counters = {10, 6, 1, 1, 14};
  in.engine.families = {{"events", 77}};
  in.engine.retention.attempts_dropped = 5;
  in.engine.commit_oldest_ms = 1'500;
  in.invoices = {{"issued", 9}, {"paid", 4}};
  in.engine.refusing_load = "memory";
  in.engine.not_sending = "clock_unset";
  in.engine.load_refusals = {{"memory", 3}, {"backlog_full", 0}};
  in.engine.commitments = {2, 110, 7};
  in.figures.attempts_by_class = {{"delivered", 6}, {"overload", 8}};
  in.figures.parked_by_reason = {{"exhausted", 1}, {"other", 0}};
  in.figures.attempts = {14, 7s};
  in.figures.deliveries = {6, 90s};
  in.figures.endpoints = {{"active", 3}, {"paused", 1}};
  in.figures.endpoints_failing = 2;
  in.figures.jobs_waiting = 1;
  in.figures.events_replayed = 11;
  in.figures.oldest_pending = 2'500ms;
  in.parts = {{"engine", 250ms, 4}, {"api", 300us, 0}};
  in.requests.push_back({syndicated::api::face::v1, "POST", 2, 4, 2'500'000});
  in.servers.push_back({"api", {9, 1, 3, 20, 2}});
  return in;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(daemon_metrics)

BOOST_AUTO_TEST_CASE(values_are_told_with_their_labels) {
  const std::string text = daemon_ns::metrics_text(sample());
  BOOST_TEST(value_of(text, "syndicated_info{version=\"1.2.3\"}") == "1");
  BOOST_TEST(value_of(text, "syndicated_ready") == "1");
  BOOST_TEST(value_of(text, "syndicated_accepting") == "0");
  BOOST_TEST(value_of(text, "syndicated_sending") == "0");
  BOOST_TEST(value_of(text, "syndicated_notifications_total{state=\"accepted\"}") == "10");
  BOOST_TEST(value_of(text, "syndicated_notifications_pending") == "2");
  BOOST_TEST(
      value_of(text, "syndicated_requests_total{face=\"v1\",method=\"POST\",status=\"2xx\"}") ==
      "4");
  BOOST_TEST(value_of(text,
                      "syndicated_request_seconds_total{face=\"v1\",method=\"POST\","
                      "status=\"2xx\"}") == "2.5");
  BOOST_TEST(value_of(text, "syndicated_store_family_bytes{family=\"events\"}") == "77");
  BOOST_TEST(value_of(text, "syndicated_retention_dropped_total{kind=\"attempt\"}") == "5");
  BOOST_TEST(value_of(text, "syndicated_commit_oldest_seconds") == "1.5");
  BOOST_TEST(value_of(text, "syndicated_load_refused{reason=\"memory\"}") == "1");
  BOOST_TEST(value_of(text, "syndicated_load_refused{reason=\"backlog_full\"}") == "0");
  BOOST_TEST(value_of(text, "syndicated_load_refusals_total{reason=\"memory\"}") == "3");
  BOOST_TEST(value_of(text, "syndicated_connections{server=\"api\"}") == "3");
  BOOST_TEST(value_of(text, "syndicated_commitments") == "2");
  BOOST_TEST(value_of(text, "syndicated_commitment_units") == "110");
  BOOST_TEST(value_of(text, "syndicated_commitment_shortfalls_total") == "7");
  BOOST_TEST(value_of(text, "syndicated_invoices_total{became=\"paid\"}") == "4");
  BOOST_TEST(value_of(text, "syndicated_bad_requests_total{server=\"api\"}") == "2");
}

BOOST_AUTO_TEST_CASE(deliveries_are_told_in_figures) {
  const std::string text = daemon_ns::metrics_text(sample());
  BOOST_TEST(value_of(text, "syndicated_attempts_ended_total{class=\"overload\"}") == "8");
  BOOST_TEST(value_of(text, "syndicated_parked_total{reason=\"exhausted\"}") == "1");
  BOOST_TEST(value_of(text, "syndicated_parked_total{reason=\"other\"}") == "0");
  BOOST_TEST(value_of(text, "syndicated_attempt_seconds_count") == "14");
  BOOST_TEST(value_of(text, "syndicated_attempt_seconds_sum") == "7");
  BOOST_TEST(value_of(text, "syndicated_delivery_seconds_count") == "6");
  BOOST_TEST(value_of(text, "syndicated_delivery_seconds_sum") == "90");
  BOOST_TEST(value_of(text, "syndicated_endpoints{state=\"paused\"}") == "1");
  BOOST_TEST(value_of(text, "syndicated_endpoints_failing") == "2");
  BOOST_TEST(value_of(text, "syndicated_replay_jobs{state=\"running\"}") == "0");
  BOOST_TEST(value_of(text, "syndicated_replay_jobs{state=\"waiting\"}") == "1");
  BOOST_TEST(value_of(text, "syndicated_events_replayed_total") == "11");
  BOOST_TEST(value_of(text, "syndicated_pending_oldest_seconds") == "2.5");
  BOOST_TEST(value_of(text, "syndicated_loop_lag_seconds{part=\"engine\"}") == "0.25");
  BOOST_TEST(value_of(text, "syndicated_loop_stalls_total{part=\"engine\"}") == "4");
}

// What dashboards and alarms are built on.
const std::set<std::string> stable_names{"process_cpu_seconds_total",
                                         "process_open_fds",
                                         "process_resident_memory_bytes",
                                         "process_threads",
                                         "syndicated_accepting",
                                         "syndicated_sending",
                                         "syndicated_attempt_seconds",
                                         "syndicated_attempts_ended_total",
                                         "syndicated_attempts_in_flight",
                                         "syndicated_attempts_total",
                                         "syndicated_breaker_openings_total",
                                         "syndicated_breakers",
                                         "syndicated_auth_failures_total",
                                         "syndicated_bad_requests_total",
                                         "syndicated_changes_total",
                                         "syndicated_commitment_shortfalls_total",
                                         "syndicated_commitment_units",
                                         "syndicated_commitments",
                                         "syndicated_commit_oldest_seconds",
                                         "syndicated_commit_queue",
                                         "syndicated_commits_refused_total",
                                         "syndicated_commits_total",
                                         "syndicated_connections",
                                         "syndicated_connections_refused_total",
                                         "syndicated_delivery_seconds",
                                         "syndicated_disk_free_bytes",
                                         "syndicated_dns_cache_hits_total",
                                         "syndicated_dns_queries_total",
                                         "syndicated_egress_blocked_total",
                                         "syndicated_egress_connections_total",
                                         "syndicated_egress_waiting",
                                         "syndicated_endpoints",
                                         "syndicated_endpoints_failing",
                                         "syndicated_entities",
                                         "syndicated_entities_awake",
                                         "syndicated_events_published_total",
                                         "syndicated_events_replayed_total",
                                         "syndicated_events_total",
                                         "syndicated_info",
                                         "syndicated_invoices_total",
                                         "syndicated_load_refusals_total",
                                         "syndicated_load_refused",
                                         "syndicated_log_lines_dropped_total",
                                         "syndicated_loop_lag_seconds",
                                         "syndicated_loop_stalls_total",
                                         "syndicated_notifications_pending",
                                         "syndicated_owners_full",
                                         "syndicated_notifications_total",
                                         "syndicated_overloads_total",
                                         "syndicated_parked_total",
                                         "syndicated_pending_oldest_seconds",
                                         "syndicated_events_unheard_total",
                                         "syndicated_publish_repeats_total",
                                         "syndicated_replay_jobs",
                                         "syndicated_events_expired_total",
                                         "syndicated_events_coalesced_total",
                                         "syndicated_metric_polls_answered_total",
                                         "syndicated_metric_polls_failed_total",
                                         "syndicated_oauth2_token_requests_total",
                                         "syndicated_tenant_usages_total",
                                         "syndicated_vendor_questions_answered_total",
                                         "syndicated_vendor_questions_failed_total",
                                         "syndicated_rate_refusals_total",
                                         "syndicated_ready",
                                         "syndicated_request_body_bytes",
                                         "syndicated_request_seconds_total",
                                         "syndicated_requests_total",
                                         "syndicated_retention_dropped_total",
                                         "syndicated_store_bytes",
                                         "syndicated_store_family_bytes"};

BOOST_AUTO_TEST_CASE(the_names_are_stable) {
  std::set<std::string> named;
  std::istringstream lines(daemon_ns::metrics_text(sample()));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string rest = line.substr(7);
    BOOST_TEST(named.insert(rest.substr(0, rest.find(' '))).second, line);
  }
  BOOST_TEST(named == stable_names, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_process_sees_itself) {
  const auto self = daemon_ns::process_metrics::read();
  BOOST_TEST(self.resident_bytes > 1e6);
  BOOST_TEST(self.open_files >= 3);
  BOOST_TEST(self.threads >= 1);
}

BOOST_AUTO_TEST_SUITE_END()
