// Every bound of the system that is not a configuration key, in one place.
// Units stand last in the names. Where a number comes from the specification, the place is named.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace syndicated::core::limits {

// HTTP requests (reliability.md, 3 and 4).
inline constexpr std::size_t request_line_bytes_max = 8 * 1024;
inline constexpr std::size_t request_head_bytes_max = 16 * 1024;
inline constexpr std::size_t request_fields_max = 64;
inline constexpr std::size_t request_body_bytes_max = 256 * 1024;
inline constexpr std::size_t publish_body_bytes_max = 1024 * 1024;  // of POST /v1/events alone
// Of bodies in memory, over all connections of a server (net/body_budget.hpp).
inline constexpr std::size_t request_bodies_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t small_body_bytes_max = 16 * 1024;
inline constexpr int request_head_timeout_ms = 10'000;
inline constexpr int request_body_timeout_ms = 30'000;
inline constexpr int idle_connection_timeout_ms = 60'000;
inline constexpr std::size_t api_connections_max = 10'000;
inline constexpr std::size_t admin_connections_max = 16;
inline constexpr std::size_t requests_in_progress_max = 4'096;
// Published, not yet on disk: events, and bytes of the requests they came in.
inline constexpr std::size_t events_in_progress_max = 32'768;
inline constexpr std::size_t event_bytes_in_progress_max = 64 * 1024 * 1024;

// JSON (reliability.md, 3).
inline constexpr int json_depth_max = 32;

// Entities.
inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t contact_text_bytes_max = 512;
inline constexpr std::size_t contact_types_max = 16;
inline constexpr std::size_t text_bytes_max = 4'096;  // Cloudesire's instructions limit
inline constexpr std::size_t map_entries_max = 64;
inline constexpr std::size_t map_key_bytes_max = 128;
inline constexpr std::size_t map_value_bytes_max = 2'048;
inline constexpr int reseller_depth_max = 4;           // domain.md, 10.2
inline constexpr std::size_t operations_kept_max = 8;  // ended ones, of a subscription
inline constexpr std::size_t message_bytes_max = 500;  // domain.md, 10.13
inline constexpr int operation_wait_days_max = 30;     // for a vendor that never answers
// A deleted tenant or user that goes for good looks after this whether all below it has gone.
inline constexpr std::chrono::hours purge_look_pause{1};
inline constexpr std::size_t tenants_walked_max = 100'000;  // below a tenant that is moved deeper
inline constexpr int lineage_max = 16;                      // ancestors that are followed
inline constexpr std::size_t internal_tag_bytes_max = 256;
inline constexpr std::size_t login_bytes_max = 255;
inline constexpr std::size_t password_bytes_max = 1'024;
inline constexpr std::size_t user_roles_max = 64;
inline constexpr std::chrono::hours activation_link_life{72};
inline constexpr std::size_t offering_items_max = 256;  // of a tenant
// Usages of tenants: items of one call, and rows of the ledger that memory holds until they are on
// disk; tenants that it looks at in one go, and rows of theirs that move with them.
inline constexpr std::size_t tenant_usages_max = 1'000;
inline constexpr std::size_t ledger_rows_kept_max = 65'536;
inline constexpr std::size_t ledger_marks_page = 64;
inline constexpr std::size_t quota_notices_page = 256;  // that a tenant tells of in one go
inline constexpr std::size_t idempotency_key_bytes_max = 255;
inline constexpr std::size_t endpoint_filters_max = 64;
inline constexpr std::size_t endpoint_headers_max = 16;
inline constexpr std::size_t endpoint_headers_bytes_max = 4 * 1024;     // names and values together
inline constexpr std::size_t endpoint_credential_bytes_max = 4 * 1024;  // token, password ...
inline constexpr std::size_t endpoint_pem_bytes_max = 32 * 1024;  // certificate, key, authorities
inline constexpr std::int64_t endpoint_age_s_max = 90 * 86'400;
inline constexpr int endpoint_rate_per_s_max = 10'000;
inline constexpr int endpoint_rate_burst_max = 100'000;
inline constexpr std::size_t retries_max = 32;
inline constexpr std::int64_t retry_pause_s_max = 7 * 86'400;
inline constexpr std::size_t page_items_default = 50;
inline constexpr std::size_t page_items_max = 500;
inline constexpr std::size_t scan_rows_max = 20'000;             // rows one list call may look at
inline constexpr std::size_t blocked_lanes_counted_max = 1'000;  // of an endpoint, to be shown

// Sub-resources and usage of one subscription (domain.md, 10.7 and 10.9). One transition tells of
// all resources in one write. Deleted ones are remembered, so that a repeated removal succeeds.
inline constexpr std::size_t subscription_resources_max = 10'000;
inline constexpr std::size_t deleted_resources_kept_max = 1'000;
inline constexpr std::size_t resource_links_max = 64;
inline constexpr std::size_t usage_items_max = 500;   // of one call
inline constexpr std::size_t usage_series_max = 256;  // metric and source
inline constexpr std::size_t usage_open_windows_max = 1'024;
inline constexpr std::int64_t usage_window_s_max = 31 * 86'400;
inline constexpr std::int64_t usage_close_s = 3'600;        // a window closes so long after its end
inline constexpr std::int64_t usage_kept_s = 400 * 86'400;  // of closed windows
inline constexpr std::size_t metric_polls_max = 64;         // at a time
inline constexpr std::size_t metric_polls_waiting_max = 10'000;
inline constexpr int usage_forgotten_rows_max = 256;  // in one go
// Invoices of one subscription: ever, and not paid at a time. A purge rewrites them all at once.
inline constexpr std::size_t subscription_invoices_max = 10'000;
inline constexpr std::size_t open_invoices_max = 64;
inline constexpr std::size_t invoice_lines_max = 64;    // also of costs for later invoices
inline constexpr std::size_t invoices_shown_max = 100;  // references in Cloudesire's form
// The catalogue (domain.md, 10.2). Money in millionths; units are what is counted and priced.
inline constexpr std::size_t product_parts_max = 64;  // resource types, parameters, metrics
inline constexpr std::size_t product_urls_max = 16;
inline constexpr std::size_t commitment_options_max = 16;
inline constexpr std::size_t commitment_lots_max = 128;  // of one subscription
inline constexpr std::size_t commitment_tiers_max = 32;
inline constexpr std::size_t aggregates_max = 10'000;   // commitments of resellers, in force
inline constexpr std::size_t recount_rows_max = 1'000;  // subscriptions looked at in one go
inline constexpr std::size_t price_ranges_max = 32;
inline constexpr std::size_t product_instances_max = 1'000;  // of one product
inline constexpr std::int64_t price_micros_max = 1'000'000'000'000'000;
inline constexpr std::int64_t units_max = 1'000'000'000'000;
inline constexpr std::int64_t policy_span_s_max = 3'650LL * 86'400;
inline constexpr int plan_months_max = 120;
inline constexpr int lifespan_hours_max = 8'784;
inline constexpr std::size_t usage_samples_max =
    1'000;  // of one metric, in one question for a price

// Questions to vendors that a caller waits for (domain.md, 1.12): at a time, and each.
inline constexpr std::size_t vendor_questions_max = 512;
inline constexpr int vendor_question_ms = 10'000;
inline constexpr std::size_t parameter_values_max = 1'000;  // of one answer

// Publishing.
inline constexpr std::size_t publish_lines_max = 1'000;
inline constexpr std::size_t event_data_bytes_max = 256 * 1024;
inline constexpr std::size_t stream_name_bytes_max = 200;
inline constexpr std::size_t dedup_id_bytes_max = 255;
inline constexpr std::size_t unordered_group_max = 64;  // events of one call that share an owner
inline constexpr std::size_t event_types_max = 1'000;
inline constexpr std::size_t event_schema_bytes_max = 64 * 1024;

// Outgoing requests (reliability.md, 4 and 5.1).
inline constexpr std::size_t url_bytes_max = 2'048;
inline constexpr std::size_t response_head_bytes_max = 16 * 1024;
inline constexpr std::size_t response_body_bytes_max = 64 * 1024;    // cut here
inline constexpr std::size_t response_excerpt_bytes_max = 4 * 1024;  // kept in the attempt
inline constexpr int connect_timeout_ms = 5'000;
// Of each curl loop: look-ups, and TLS connections, that began less than this ago (delivery.md, 1).
inline constexpr int start_patience_ms = 250;
inline constexpr std::size_t dns_lookups_max = 256;
inline constexpr std::size_t tls_handshakes_max = 256;
inline constexpr int attempt_timeout_ms_default = 15'000;
inline constexpr int attempt_timeout_ms_min = 1'000;
inline constexpr int attempt_timeout_ms_max = 30'000;
inline constexpr std::int64_t retry_after_s_max = 86'400;
inline constexpr std::size_t dns_answers_max = 16;
inline constexpr int dns_cache_s_min = 5;
inline constexpr int dns_cache_s_max = 300;

// Delivery (delivery.md, 1).
inline constexpr int endpoint_concurrency_default = 64;
inline constexpr int endpoint_concurrency_max = 256;
inline constexpr std::size_t dispatcher_window_max = 4'096;  // lanes held in memory
inline constexpr std::size_t endpoint_window_max = 256;      // of these, for one endpoint
inline constexpr int sockets_max = 1'024;
inline constexpr int origin_sockets_max = 128;  // of these, for one host and port
inline constexpr int owner_weight_max = 100;
// Bodies that are with vendors, over all: with so many the next request waits for one to end.
inline constexpr std::size_t in_flight_bytes_max = 64U << 20U;
// An event that waits for its turn is read again when it comes, if it is larger than this.
inline constexpr std::size_t waiting_event_bytes_max = 4'096;

// Replay jobs.
inline constexpr int replay_rate_default = 1'000;  // events handed out per second
inline constexpr int replay_rate_max = 10'000;
inline constexpr std::size_t replay_jobs_running_max = 64;
inline constexpr std::size_t replay_jobs_kept_max = 1'000;  // the oldest ended ones are forgotten

// New load (delivery.md, 3).
inline constexpr int load_look_ms = 500;
inline constexpr int store_stalled_ms = 2'000;
inline constexpr unsigned memory_mark_percent = 85;    // of limits.memory_max
inline constexpr unsigned load_resumes_percent = 95;   // of a mark
inline constexpr unsigned quota_reached_percent = 80;  // of a limit: a warning

// Committer.
inline constexpr std::size_t commit_batch_bytes_max = 1024 * 1024;
inline constexpr std::size_t commit_batch_plans_max = 1'024;
inline constexpr std::size_t commit_queue_plans_max = 65'536;

// Sealing with a new master key: rows looked at, and bytes of those to be sealed anew, in one go.
inline constexpr std::size_t reseal_page_rows_max = 4'096;
inline constexpr std::size_t reseal_page_bytes_max = 512 * 1024;

// Actors.
// Entities in memory, all shards together; above that, those that rest go at once.
inline constexpr std::size_t awake_entities_max = 16'384;
inline constexpr int entity_idle_ms = 30'000;
// Lanes of one stream. With so many, further events without an order queue in the stream's lane;
// with so many replays of one endpoint, further ones wait.
inline constexpr std::size_t lanes_of_stream_max = 1'024;

}  // namespace syndicated::core::limits
