// A committed fact about one entity. Frozen at commit: what is sent is rendered from this record
// alone, so every attempt carries the same bytes (api.md, 4; invariant 4 of domain.md 10.14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

// The `type` of Cloudesire's envelope. `none`: not sent in that form. Persisted: never renumber.
enum class wire_type : std::uint8_t { none = 0, created = 1, modified = 2, deleted = 3 };

std::string_view to_string(wire_type type) noexcept;  // "CREATED" ...

// What a state machine says happened; ids, sequence and recipients are added when it is planned.
struct event_draft {
  std::string name;  // dotted, e.g. "subscription.activated"
  wire_type type = wire_type::none;
  string_map metadata{};      // `metadata` of the Cloudesire form when the endpoint wants it
  std::string change_json{};  // JSON object with what changed (`data.change`), or empty
};

// Why a publisher may not use this name; empty: he may. Two to eight words of lower-case letters,
// digits and '_' with dots between, at most limits::map_key_bytes_max bytes; what the daemon tells
// of its own life begins with words that are kept for it (domain.md, 10.11).
std::string why_not_publishable(std::string_view name);

struct event {
  event_id id;
  stream_id stream;
  std::uint64_t seq = 0;  // 1, 2, 3 ... in its stream
  std::string name;
  wire_type type = wire_type::none;
  timestamp at{};
  std::uint64_t entity_version = 0;
  tenant_id tenant;   // owner, for authorisation; 0 = the installation
  vendor_id vendor;   // of the product, 0 when none
  std::string cause;  // caller's name and role: "token/7 (marketplace)"
  string_map metadata;
  // JSON object: the entity's state at the event, its version, seq, change; of published events the
  // publisher's own bytes.
  std::string data;
  std::vector<endpoint_id> recipients;  // decided at commit, in id order
  std::string stream_name;              // of published events: the publisher's ordering key
};

}  // namespace syndicated::core
