// The daemon's settings, as read from syndicated.toml.
//
// Purpose: one plain struct per section of the file. The values written here are the defaults, and
// config/syndicated.toml shows the same ones with the same words; a test compares both.
// Threads: a value; whoever holds a copy may read it. Lifetime: made once at the start and again at
// each reload (config/reload.hpp).
//
// [R] = taken over by a reload (SIGHUP); every other key needs a restart.
// Sizes are bytes; in the file they are integers or strings like "256MiB". Durations are strings
// with a unit in the file: "500ms", "15s", "5m", "2h", "3d".
// Ranges and rules: config/keys.cpp (one key) and config/validate.cpp (several keys).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/log.hpp"

namespace syndicated::config {

using std::chrono::milliseconds;

enum class log_format : std::uint8_t { json, text };

struct api_section {
  std::string listen = "127.0.0.1:8080";  // address:port; port 0 = the kernel chooses
  std::string tls_certificate;            // PEM chain file; empty = plain HTTP
  std::string tls_key;                    // PEM key file; both or none
  std::string public_url;                 // how vendors reach /api; empty = http(s)://listen
};

struct admin_section {
  std::string socket = "/run/syndicated/admin.sock";
  std::uint32_t mode = 0660;  // "0660" in the file
  std::string group;          // group that owns the socket; empty = the process's
};

struct metrics_section {
  std::string listen;  // health and metrics on a port of their own; empty = on the API's port
};

struct store_section {
  std::string directory = "/var/lib/syndicated";
  std::uint64_t wal_bytes_max = 64ULL << 20U;      // replay at a start stays within seconds
  std::uint64_t block_cache_bytes = 64ULL << 20U;  // memory for stored blocks
  std::uint64_t free_bytes_min = 512ULL << 20U;    // less free disk: writes are answered 503
};

struct secrets_section {
  // 32 bytes that encrypt endpoint secrets at rest. Empty = the systemd credential "master-key".
  std::string master_key_file;  // [R]
  // Keys that only open what they sealed; the systemd credential "master-key-previous" as well.
  std::vector<std::string> previous_master_key_files;  // [R]
};

struct delivery_section {
  int curl_loops = 1;               // threads that send
  int sockets_max = 1'024;          // requests in progress, over all loops
  int attempt_timeout_ms = 15'000;  // one attempt, from name look-up to the last byte
  std::vector<milliseconds> schedule = default_schedule();   // [R] wait before attempt 1, 2 ...
  double jitter = 0.2;                                       // [R] each wait times 1 +- this
  milliseconds breaker_open = std::chrono::seconds{30};      // [R] first pause; 0 = no breaker
  milliseconds breaker_open_max = std::chrono::minutes{15};  // [R] longest pause
  milliseconds pause_after = std::chrono::hours{5 * 24};     // [R] of failures; 0 = never
  double retry_share = 0.2;              // [R] of an endpoint's attempts; 1 = no bound
  int platform_weight = 1;               // as the weight of a vendor, for the platform's endpoints
  std::vector<std::string> dns_servers;  // "192.0.2.53" or with port; empty = the system's
  std::string ca_file;                   // PEM bundle; empty = the system's trust store
  std::string user_agent = "syndicated";

  static std::vector<milliseconds> default_schedule();
};

// Which destinations endpoints may have (core/delivery/egress_policy.hpp). All [R].
struct egress_section {
  std::vector<std::string> allow;         // "10.1.2.0/24:8443", "127.0.0.0/8:*"
  std::vector<std::string> deny;          // "203.0.113.7", "198.51.100.0/24"
  std::vector<std::uint16_t> ports{443};  // ports an endpoint may use
  bool allow_http = false;                // plain http URLs
  bool allow_ip_literals = false;         // https://192.0.2.1/
};

// What new load meets (docs/operations.md). All [R].
struct limits_section {
  int pending_events_max = 50'000'000;            // all owners together: 503
  int pending_events_per_owner_max = 20'000'000;  // a vendor, a tenant, the platform: 429
  std::uint64_t memory_max = 512ULL << 20U;       // above 85 % of it: 503; 0 = no bound
  int requests_per_token_per_s = 0;               // more: 429; 0 = no bound
};

struct publish_section {
  bool refuse_unknown_types = false;  // "unknown_types" = "refuse" in the file
};

// Waiting times of the subscription's life (domain.md, 10.5).
struct lifecycle_section {
  milliseconds first_payment = std::chrono::hours{72};        // unpaid order expires
  milliseconds provisioning_overdue = std::chrono::hours{1};  // somebody should look
  milliseconds provisioning_fail = std::chrono::hours{24};    // the vendor did not confirm
  milliseconds unpaid_stop = std::chrono::hours{48};          // from overdue to suspended
  milliseconds unpaid_cancel = std::chrono::hours{72};        // from that to cancelled
  milliseconds grace{0};                                      // expired, and still running
  milliseconds hold = std::chrono::hours{72};                // expired, from suspended to cancelled
  milliseconds cancel_grace = std::chrono::days{30};         // from cancel to removal
  bool destroy_on_cancel = false;                            // cancel_grace may be short
  milliseconds deprovision_timeout = std::chrono::days{7};   // then ended without the vendor
  milliseconds retention = std::chrono::days{90};            // ended, until purged
  std::vector<int> expiring_days = {14, 10, 7, 4, 3, 2, 1};  // reminders before the end
  milliseconds tenant_recover = std::chrono::days{30};       // of deleted tenants and users
  int provisioning_max_attempts = 5;
  bool tell_usage_records = false;  // usage.recorded
  bool order_events = false;        // order.created, order.changed
};

struct actors_section {
  int threads = 0;  // worker threads; 0 = half the cores, at least one
  int shards = 16;
  milliseconds entity_idle = std::chrono::seconds{30};  // unused entities leave memory after this
};

struct log_section {
  core::log_level level = core::log_level::info;  // [R]
  log_format format = log_format::json;
  std::string target = "stderr";  // "stderr", or a file's absolute path
};

struct retention_section {
  milliseconds idempotency = std::chrono::hours{24};    // how long Idempotency-Key answers are kept
  milliseconds events = std::chrono::hours{90 * 24};    // how long events are kept, ...
  milliseconds attempts = std::chrono::hours{30 * 24};  // ... and what was tried
  std::uint64_t events_max = 0;                         // bytes, the newest; 0 = no limit
  std::uint64_t attempts_max = 0;
};

// For tests only.
struct testing_section {
  bool simulated_time = false;  // the clock can be moved forward (docs/simulated-time.md)
};

struct settings {
  api_section api;
  admin_section admin;
  metrics_section metrics;
  store_section store;
  secrets_section secrets;
  delivery_section delivery;
  egress_section egress;
  limits_section limits;
  publish_section publish;
  lifecycle_section lifecycle;
  actors_section actors;
  log_section log;
  retention_section retention;
  testing_section testing;
};

}  // namespace syndicated::config
