// The text of /metrics, from the counts the parts keep themselves.
//
// Purpose: nothing is counted twice and nothing is registered: each scrape reads the parts and
// writes Prometheus' text format 0.0.4. Names are stable; tests/daemon holds the list.
// Threads: any; pure but for process_metrics, which reads /proc/self.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/engine.hpp"
#include "actors/local_engine.hpp"
#include "api/stats.hpp"
#include "daemon/heartbeat.hpp"
#include "net/curl_loop.hpp"
#include "net/http_server.hpp"

namespace syndicated::daemon {

struct server_metrics {
  std::string name;  // "api", "admin", "metrics"
  net::http_server_stats stats{};
};

struct process_metrics {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_files = 0;
  double threads = 0;

  static process_metrics read();
};

struct metrics_input {
  std::string version;
  actors::engine_status engine{};
  actors::delivery_figures figures{};
  std::vector<heartbeat::pulse> parts{};
  std::vector<api::request_count> requests{};
  std::uint64_t auth_failures = 0;
  std::uint64_t overloads = 0;
  std::uint64_t rate_refusals = 0;
  std::vector<server_metrics> servers{};
  net::curl_loop_stats sending{};
  std::uint64_t commits_refused = 0;
  std::uint64_t published = 0;
  std::uint64_t published_unheard = 0;
  std::uint64_t publish_repeats = 0;
  std::uint64_t expired = 0;
  std::uint64_t coalesced = 0;
  std::uint64_t token_fetches = 0;
  std::uint64_t polls_answered = 0, polls_failed = 0;
  std::uint64_t usages_taken = 0, usages_refused = 0;
  std::uint64_t questions_answered = 0, questions_failed = 0;
  actors::named_counts invoices{};
  std::uint64_t log_lines_dropped = 0;
  process_metrics process{};
};

std::string metrics_text(const metrics_input& in);

}  // namespace syndicated::daemon
