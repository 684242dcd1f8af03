// Users, their roles and their state machine (domain.md, 10.4). Pure: the clock is a parameter.
//
//   CREATED (not activated) -> ACTIVE (password set, or link followed) <-> DISABLED
//   DISABLED -> DELETED -> PURGED (window over, or the tenant goes)
//
// A login is held from creation to purge; who gives it out sees to it that it is unique
// (actors/user_commands.cpp). Passwords and links are kept as hashes only, and appear in no event.
// Limits: limits::user_roles_max roles. Errors: errc::invalid names the field; errc::conflict
// "not_disabled", "link_invalid", "version_mismatch" of a role; "transition_not_allowed";
// errc::gone "user_purged".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {

// Not stored: follows from the flags.
enum class user_status : std::uint8_t { created, active, disabled, deleted, purged };
std::string_view to_string(user_status status) noexcept;  // "CREATED" ...
std::optional<user_status> parse_user_status(std::string_view text) noexcept;

struct role_assignment {
  std::uint64_t id = 0;  // 1, 2 ... of this user; never given out again
  tenant_id tenant;      // where it holds, and below
  std::string role;
  tenant_id issuer;  // who granted it
  std::uint64_t version = 0;
  friend bool operator==(const role_assignment&, const role_assignment&) = default;
};

// What may be edited and means nothing to the machine.
struct user_profile {
  core::contact contact;
  std::string language = "en";
  std::vector<std::string> notifications;
  std::vector<std::string> business_types;
  friend bool operator==(const user_profile&, const user_profile&) = default;
};

struct user : user_profile {
  user_id id;
  tenant_id tenant;
  std::string login;
  tenant_id personal_unit;  // 0: none
  bool activated = false;
  bool enabled = true;
  std::string password_hash;    // core::hash_password(); empty: logs in by link only
  std::string activation_hash;  // SHA-256 of the one open link
  std::optional<timestamp> activation_until;
  std::vector<role_assignment> roles;
  std::uint64_t last_role = 0;
  std::optional<timestamp> deleted_at;
  std::optional<timestamp> purge_at;
  bool purging = false;
  std::optional<timestamp> look_at;  // while purging: whether the personal unit is gone
  bool purged = false;
  std::uint64_t version = 0;
  std::uint64_t seq = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

user_status status_of(const user& u) noexcept;

struct new_user : user_profile {
  tenant_id tenant;
  std::string login;
};

enum class user_action : std::uint8_t {
  update,
  activate,            // with a password (of any length, also none)
  follow_link,         // the same by who has the link
  request_activation,  // tells whoever mails that a link is wanted
  issue_link,
  disable,
  enable,
  erase,
  set_roles,
  timer,
  condemn,  // the daemon's own: its tenant goes, so it goes
  purge,    // the daemon's own: nothing of it is left elsewhere
};
std::string_view to_string(user_action action) noexcept;

struct user_edit {
  std::optional<core::contact> contact;
  std::optional<std::string> language;
  std::optional<std::vector<std::string>> notifications, business_types;
  std::optional<bool> enabled;
};

struct user_command {
  user_action action = user_action::update;
  user_edit edit{};                      // update
  std::string password_hash{};           // activate, follow_link
  std::string link_hash{};               // follow_link, issue_link
  std::vector<role_assignment> roles{};  // set_roles: all of them; id 0 = new
  tenant_id issuer{};                    // set_roles
};

struct user_decision {
  user next;
  std::vector<event_draft> events;
  bool changed = false;
};

struct user_circumstances {
  timestamp now{};
  std::chrono::milliseconds recover_window = std::chrono::hours{720};
};

// The spelling under which a login is unique: ASCII letters in lower case.
std::string login_key(std::string_view login);
// Why it cannot be a login; empty: it can. 1 to limits::login_bytes_max visible ASCII characters,
// so that "case-insensitive" means the same to everybody.
std::string why_not_login(std::string_view login);

// Roles that let somebody manage; all others let him use a service.
bool is_service_role(std::string_view role) noexcept;
bool has_service_role(const user& u) noexcept;

// `owner` is effective. `personal_unit`: the tenant that is made with the user, or 0.
result<user_decision> create_user(user_id id, const new_user& wanted, const tenant& owner,
                                  bool owner_effective, tenant_id personal_unit, timestamp now);

// Repeating a reached state changes nothing.
result<user_decision> decide(const user& present, const user_command& command,
                             const user_circumstances& now);

std::optional<timestamp> next_timer(const user& u) noexcept;

// May use something: activated, enabled, tenant effective, at least one role.
bool usable(const user& u, bool tenant_effective) noexcept;

}  // namespace syndicated::core
