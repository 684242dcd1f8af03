// A URL that is told about events, and how. Plain record (domain.md 10.10, 10.15; api.md 3).
//
// What shapes the bytes of a notification (form, id_format, with_*) is fixed at creation, so that
// every attempt of an event has the same body.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/limits.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "core/delivery/content_filter.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class endpoint_scope : std::uint8_t { platform = 1, vendor = 2, product = 3, tenant = 4 };
enum class wire_form : std::uint8_t { cloudesire = 1, standard = 2 };
enum class id_format : std::uint8_t { number = 1, string = 2 };
enum class exhausted_policy : std::uint8_t { hold = 1, skip = 2 };
enum class ordering_mode : std::uint8_t {
  stream = 1,    // one in flight for each stream
  endpoint = 2,  // one in flight for the whole endpoint, oldest first
  none = 3,      // every event is a lane of its own
};
// When the Cloudesire form says DELETED: after the vendor's confirmation, or when it is asked for.
enum class termination_signal : std::uint8_t { modified = 1, deleted = 2 };
enum class auth_kind : std::uint8_t { none = 0, basic = 1, bearer = 2, api_key = 3, oauth2 = 4 };
enum class endpoint_state : std::uint8_t {
  active = 1,
  paused = 2,    // by an operator or the owner
  disabled = 3,  // the endpoint answered 410
  deleted = 4,
};

std::string_view to_string(endpoint_scope scope) noexcept;
std::string_view to_string(wire_form form) noexcept;
std::string_view to_string(id_format format) noexcept;
std::string_view to_string(exhausted_policy policy) noexcept;
std::string_view to_string(endpoint_state state) noexcept;
std::string_view to_string(ordering_mode mode) noexcept;
std::string_view to_string(termination_signal signal) noexcept;
std::string_view to_string(auth_kind kind) noexcept;
std::optional<endpoint_scope> parse_endpoint_scope(std::string_view text) noexcept;
std::optional<wire_form> parse_wire_form(std::string_view text) noexcept;

std::optional<ordering_mode> parse_ordering_mode(std::string_view text) noexcept;
std::optional<termination_signal> parse_termination_signal(std::string_view text) noexcept;
std::optional<auth_kind> parse_auth_kind(std::string_view text) noexcept;

// A header that the owner adds to every request.
using endpoint_header = secret_header;

// How the daemon proves itself to the vendor.
struct endpoint_auth {
  auth_kind kind = auth_kind::none;
  std::string name;        // basic: user; api_key: header; oauth2: client_id
  secret_bytes secret;     // password, token, value, client_secret
  std::string token_url;   // oauth2 (RFC 6749, 4.4), as the three below
  std::string scope{};     // may be empty
  std::string audience{};  // may be empty
};

// A client certificate with its key, both PEM; no certificate: empty.
struct client_identity {
  std::string certificate;  // the leaf first, then its chain
  secret_bytes key;
  std::optional<timestamp> expires_at;  // of the leaf
};

// Requests to the endpoint, first attempts, retries and replays alike; per_s 0: no limit.
struct rate_limit {
  double per_s = 0;
  std::uint32_t burst = 0;
  friend bool operator==(const rate_limit&, const rate_limit&) = default;
};

struct endpoint {
  endpoint_id id;
  endpoint_scope scope = endpoint_scope::platform;
  std::uint64_t scope_id = 0;  // vendor, product or tenant; 0 for platform
  std::string url;
  std::string origin;  // scheme://host:port of the URL
  wire_form form = wire_form::cloudesire;
  secret_bytes secret;           // as given: UTF-8 text, or "whsec_..." in the standard form
  secret_bytes previous_secret;  // standard form only, until previous_until
  std::optional<timestamp> previous_until;
  std::vector<std::string> events{"*"};  // patterns: "*", "subscription.*", exact names
  content_filter filter;                 // of what the patterns let through
  std::string description;
  core::id_format id_format = core::id_format::number;
  bool with_event_id = true;       // Cloudesire form: the `eventId` key
  bool with_metadata = false;      // Cloudesire form: the `metadata` key
  std::vector<int> success_codes;  // empty = the form's default
  int timeout_ms = limits::attempt_timeout_ms_default;
  int concurrency_max = limits::endpoint_concurrency_default;
  std::vector<std::chrono::milliseconds> retry_schedule;  // empty = the installation's
  exhausted_policy on_exhausted = exhausted_policy::hold;
  std::vector<endpoint_header> headers;
  endpoint_auth auth;
  client_identity identity;
  std::string ca;                        // PEM; takes the place of the system's trust store
  std::chrono::milliseconds max_age{0};  // older events are parked as "expired"; 0 = no limit
  rate_limit rate;
  ordering_mode ordering = ordering_mode::stream;
  bool coalesce_modified = false;  // Cloudesire form: of waiting MODIFIED only the newest is sent
  core::termination_signal termination = core::termination_signal::modified;
  bool http2 = false;
  bool receiver_control = false;      // the answer's header webhook-delivery is obeyed
  secret_bytes signing_key;           // Ed25519 seed (32 bytes); empty: no v1a signature
  secret_bytes previous_signing_key;  // until previous_signing_until
  std::optional<timestamp> previous_signing_until;
  endpoint_state state = endpoint_state::active;
  std::string state_reason;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

// A filter accepts a dotted event name: "*" all, "a.*" everything below a, else the exact name.
bool matches_one(std::string_view pattern, std::string_view event_name) noexcept;
bool matches(const std::vector<std::string>& patterns, std::string_view event_name) noexcept;

}  // namespace syndicated::core
