// Tenants and their state machine N1-N5 (domain.md, 10.3). Pure: the clock is a parameter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/limits.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/event.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class tenant_kind : std::uint8_t { provider = 1, reseller = 2, customer = 3, unit = 4 };
enum class tenant_state : std::uint8_t { enabled = 1, disabled = 2, deleted = 3 };

std::string_view to_string(tenant_kind kind) noexcept;
std::string_view to_string(tenant_state state) noexcept;  // "ENABLED" ...
std::optional<tenant_kind> parse_tenant_kind(std::string_view text) noexcept;

struct contact {
  std::string email;
  std::string first_name;
  std::string last_name;
  std::string phone;
  friend bool operator==(const contact&, const contact&) = default;
};

struct tenant {
  tenant_id id;
  tenant_kind kind = tenant_kind::customer;
  tenant_id parent;             // 0 for the provider
  std::vector<tenant_id> path;  // ancestors from the provider down to the parent
  std::string name;
  std::string external_ref;
  core::contact contact;
  tenant_state state = tenant_state::enabled;
  bool ancestors_enabled = true;  // as last told by tenant.access_suspended / _restored
  std::uint64_t epoch = 0;        // number of disable/enable commits on this tenant
  std::uint64_t version = 0;
  std::uint64_t seq = 0;  // last sequence of its stream
  timestamp created_at{};
  timestamp updated_at{};
  std::optional<timestamp> deleted_at;
};

struct new_tenant {
  tenant_kind kind = tenant_kind::customer;
  tenant_id parent;
  std::string name;
  std::string external_ref;
  core::contact contact;
};

enum class tenant_action : std::uint8_t { update, disable, enable, erase };
std::string_view to_string(tenant_action action) noexcept;

struct tenant_command {
  tenant_action action = tenant_action::update;
  // update only:
  std::optional<std::string> name{};
  std::optional<std::string> external_ref{};
  std::optional<core::contact> contact{};
};

struct tenant_decision {
  tenant next;
  std::vector<event_draft> events;  // empty: nothing changes, answer with `next`
};

// N1. `parent_effective`: the parent and all its ancestors are ENABLED.
result<tenant_decision> create_tenant(tenant_id id, const new_tenant& wanted, const tenant& parent,
                                      bool parent_effective, timestamp now);

// N2 (name, external_ref, contact), N3, N4, N5. Repeating a reached state changes nothing.
result<tenant_decision> decide(const tenant& present, const tenant_command& command, timestamp now);

// Own ENABLED and every ancestor ENABLED; `states` are those of the path, in any order.
bool effective(tenant_state own, const std::vector<tenant_state>& ancestors) noexcept;

}  // namespace syndicated::core
