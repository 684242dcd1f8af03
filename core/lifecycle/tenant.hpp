// Tenants and their state machine N1-N8 (domain.md, 10.3). Pure: the clock is a parameter, and so
// is whatever a guard must know of other tenants.
//
// `path` is a copy of the chain of parents. A move leaves those below with an old copy until its
// cascade has passed, so guards are given the chain as it is (actors/lineage.hpp).
// Errors: errc::invalid names the field; errc::conflict "not_disabled", "provider_is_fixed",
// "parent_disabled", "personal_tenant", "recover_window_over", "transition_not_allowed";
// errc::forbidden "tenant_locked"; errc::gone "tenant_purged".
#pragma once

#include <array>
#include <chrono>
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
enum class tenant_state : std::uint8_t { enabled = 1, disabled = 2, deleted = 3, purged = 4 };
enum class pricing_mode : std::uint8_t { trial = 1, production = 2 };

std::string_view to_string(tenant_kind kind) noexcept;
std::string_view to_string(tenant_state state) noexcept;  // "ENABLED" ...
std::optional<tenant_kind> parse_tenant_kind(std::string_view text) noexcept;
std::string_view to_string(pricing_mode mode) noexcept;  // "trial", "production"

struct contact {
  std::string email;
  std::string first_name;
  std::string last_name;
  std::string phone;
  string_map more{};                 // by the names of contact_texts; none is empty
  std::vector<std::string> types{};  // what it is for: "billing" ...
  friend bool operator==(const contact&, const contact&) = default;
};

// What partners' tools keep with an address. It means nothing here, and they get back what they
// gave. Limits: limits::contact_text_bytes_max, contact_types_max.
inline constexpr std::array<std::string_view, 14> contact_texts{
    "address1", "address2", "city", "country",           "state", "zipcode", "external_id", "title",
    "website",  "industry", "fax",  "organization_size", "aan",   "language"};

// While it is enabled only users of the owner may change the tenant.
struct tenant_lock {
  bool enabled = false;
  tenant_id owner;
  friend bool operator==(const tenant_lock&, const tenant_lock&) = default;
};

// What may be edited and means nothing to the machine.
struct tenant_profile {
  std::string name;
  std::string external_ref;
  core::contact contact;
  std::string language = "en";
  std::string internal_tag;
  std::string customer_type = "default";
  std::string default_idp_id;
  std::uint64_t brand_id = 0;
  bool ancestral_access = true;  // false: callers of tenants above do not see it
  friend bool operator==(const tenant_profile&, const tenant_profile&) = default;
};

struct tenant : tenant_profile {
  tenant_id id;
  tenant_kind kind = tenant_kind::customer;
  tenant_id parent;             // 0 for the provider
  std::vector<tenant_id> path;  // ancestors from the provider down to the parent
  tenant_state state = tenant_state::enabled;
  bool ancestors_enabled = true;  // as last told by tenant.access_suspended / _restored
  std::uint64_t epoch = 0;        // number of disable/enable commits on this tenant
  std::uint64_t version = 0;
  std::uint64_t seq = 0;  // last sequence of its stream
  timestamp created_at{};
  timestamp updated_at{};
  std::optional<timestamp> deleted_at;
  tenant_lock update_lock;
  pricing_mode pricing = pricing_mode::trial;
  std::optional<timestamp> trial_until;  // becomes production by itself
  std::optional<timestamp> purge_at;     // of a deleted one: may be recovered until then
  bool purging = false;                  // that instant has passed: it goes, with all below
  std::optional<timestamp> look_at;      // while purging: whether all below is gone by now
  user_id personal_of;                   // the user whose personal unit it is; 0: nobody's
};

struct new_tenant : tenant_profile {
  tenant_kind kind = tenant_kind::customer;
  tenant_id parent;
  user_id personal_of{};
};

// `condemn`: something above is purged, so this is, whatever its state. `purge`: nothing alive is
// left below. Both are the daemon's own, as is `timer`.
enum class tenant_action : std::uint8_t {
  update,
  disable,
  enable,
  erase,
  move,
  recover,
  convert,
  timer,
  condemn,
  purge,
};
std::string_view to_string(tenant_action action) noexcept;

// One command may edit, move and switch: the wanted ones are told in this order, in one commit.
struct tenant_edit {
  std::optional<std::string> name, external_ref, language, internal_tag, customer_type,
      default_idp_id;
  std::optional<core::contact> contact;
  std::optional<std::uint64_t> brand_id;
  std::optional<bool> ancestral_access;
  std::optional<tenant_lock> update_lock;  // without an owner: the caller's tenant
  std::optional<tenant_id> parent;
  std::optional<bool> enabled;
};

struct tenant_command {
  tenant_action action = tenant_action::update;
  tenant_id by{};      // the caller's tenant; 0: staff, or the daemon itself
  tenant_edit edit{};  // of update; `parent` also of move
};

struct tenant_decision {
  tenant next;
  std::vector<event_draft> events;
  bool changed = false;  // false: a repeat; nothing is written
};

// Where a tenant is moved to.
struct move_target {
  tenant parent;  // with its path as it is now
  bool parent_effective = true;
  int resellers_below = 0;  // the longest row of resellers under the moved tenant
};

struct tenant_circumstances {
  timestamp now{};
  std::chrono::milliseconds recover_window = std::chrono::hours{720};
  const move_target* target = nullptr;  // of edit.parent, when it exists
};

// N1. `parent` with its path as it is; `parent_effective`: it and all its ancestors are ENABLED.
result<tenant_decision> create_tenant(tenant_id id, const new_tenant& wanted, const tenant& parent,
                                      bool parent_effective, timestamp now);

// N2 to N8. Repeating a reached state changes nothing.
result<tenant_decision> decide(const tenant& present, const tenant_command& command,
                               const tenant_circumstances& now);

// The instant at which `timer` has something to do; none: never.
std::optional<timestamp> next_timer(const tenant& t) noexcept;

// Own ENABLED and every ancestor ENABLED; `states` are those of the path, in any order.
bool effective(tenant_state own, const std::vector<tenant_state>& ancestors) noexcept;

}  // namespace syndicated::core
