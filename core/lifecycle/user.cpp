#include "core/lifecycle/user.hpp"

#include <algorithm>
#include <array>

#include "core/base/json_writer.hpp"
#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

error conflict(std::string code, std::string detail, const user& u) {
  return {
      errc::conflict, std::move(code), std::move(detail), {}, std::string{to_string(status_of(u))}};
}

// One commit is one version, whatever it tells.
struct draft {
  user next;
  std::vector<event_draft> events{};
  bool touched = false;  // changed without an event

  void emit(std::string name, json_writer&& change = {}, wire_type type = wire_type::modified) {
    events.push_back({std::move(name), type, {}, std::move(change).str()});
  }
  user_decision done(timestamp now) && {
    if (events.empty()) return {std::move(next), {}, touched};
    ++next.version;
    next.updated_at = now;
    return {std::move(next), std::move(events), true};
  }
};

void set_enabled(draft& d, bool wanted) {
  if (d.next.enabled == wanted) return;
  d.next.enabled = wanted;
  d.emit(wanted ? "user.enabled" : "user.disabled");
}

user_decision update(const user& present, const user_edit& edit, timestamp now) {
  draft d{present};
  std::vector<std::string_view> changed;
  const auto take = [&changed](auto& field, const auto& wanted, std::string_view name) {
    if (!wanted || *wanted == field) return;
    field = *wanted;
    changed.push_back(name);
  };
  take(d.next.contact, edit.contact, "contact");
  take(d.next.language, edit.language, "language");
  take(d.next.notifications, edit.notifications, "notifications");
  take(d.next.business_types, edit.business_types, "business_types");
  if (!changed.empty()) {
    json_writer out;
    out.begin_object().key("changed").begin_array();
    for (const std::string_view name : changed) out.text(name);
    out.end_array().end_object();
    d.emit("user.updated", std::move(out));
  }
  if (edit.enabled) set_enabled(d, *edit.enabled);
  return std::move(d).done(now);
}

// A new password of an active user is a change that nobody is told.
user_decision activate(const user& present, const user_command& command, timestamp now) {
  draft d{present};
  d.next.password_hash = command.password_hash;
  d.next.activation_hash.clear();
  d.next.activation_until.reset();
  d.touched = true;
  if (!std::exchange(d.next.activated, true)) d.emit("user.activated");
  return std::move(d).done(now);
}

result<user_decision> follow_link(const user& present, const user_command& command, timestamp now) {
  const bool open = !present.activation_hash.empty() && present.activation_until &&
                    now < *present.activation_until;
  if (!open || command.link_hash != present.activation_hash) {
    return conflict("link_invalid", "the link was used, replaced, or is too old", present);
  }
  return activate(present, command, now);
}

result<user_decision> request_activation(const user& present, timestamp now) {
  if (present.activated) return user_decision{present, {}, false};
  if (present.contact.email.empty()) {
    return invalid_field("/contact/email", "the user has no address to send to");
  }
  draft d{present};
  d.emit("user.activation_requested", {}, wire_type::none);
  return std::move(d).done(now);
}

user_decision issue_link(const user& present, const user_command& command, timestamp now) {
  user_decision out{present, {}, true};
  out.next.activation_hash = command.link_hash;
  out.next.activation_until = now + limits::activation_link_life;
  return out;
}

void set_deleted(draft& d, timestamp now, timestamp purge_at) {
  d.next.deleted_at = now;
  d.next.purge_at = purge_at;
  json_writer out;
  out.begin_object().key("purge_at").time(purge_at).end_object();
  d.emit("user.deleted", std::move(out), wire_type::deleted);
}

result<user_decision> erase(const user& present, const user_circumstances& c) {
  if (present.enabled) {
    return conflict("not_disabled", "a user is deleted only after it was disabled", present);
  }
  draft d{present};
  set_deleted(d, c.now, c.now + c.recover_window);
  return std::move(d).done(c.now);
}

json_writer role_json(const role_assignment& r) {
  json_writer out;
  out.begin_object().key("role_id").number(r.id).key("role").text(r.role);
  out.key("tenant_id").number(r.tenant.value).end_object();
  return out;
}

const role_assignment* find_role(const user& u, std::uint64_t id) {
  const auto it = std::ranges::find(u.roles, id, &role_assignment::id);
  return it == u.roles.end() ? nullptr : &*it;
}

// One of the wanted list: a kept one as it is, a changed one with the next version, a new one.
result<role_assignment> settled_role(const user& present, const role_assignment& wanted,
                                     const std::string& at) {
  const bool named = !wanted.role.empty() && wanted.role.size() <= limits::map_key_bytes_max &&
                     std::ranges::all_of(wanted.role, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                     });
  if (!named) return invalid_field(at + "/role_id", "must be a name of a-z, 0-9 and _");
  if (wanted.id == 0) return wanted;
  const role_assignment* known = find_role(present, wanted.id);
  if (known == nullptr) return invalid_field(at + "/id", "the user has no such assignment");
  if (wanted.version != known->version) {
    return conflict("version_mismatch", "an assignment was changed meanwhile", present);
  }
  role_assignment kept = *known;
  kept.role = wanted.role;
  kept.tenant = wanted.tenant;
  if (!(kept == *known)) ++kept.version;
  return kept;
}

result<user_decision> set_roles(const user& present, const user_command& command, timestamp now) {
  if (command.roles.size() > limits::user_roles_max) {
    return invalid_field("/items",
                         "a user has at most " + std::to_string(limits::user_roles_max) + " roles");
  }
  draft d{present};
  d.next.roles.clear();
  for (std::size_t i = 0; i < command.roles.size(); ++i) {
    auto role = settled_role(present, command.roles[i], "/items/" + std::to_string(i));
    if (!role) return std::move(role).failure();
    // The same role in the same tenant is one role, named by id or not.
    const auto same = [&role](const role_assignment& r) {
      return r.tenant == role->tenant && r.role == role->role;
    };
    if (std::ranges::any_of(d.next.roles, same)) continue;
    const auto held = std::ranges::find_if(present.roles, same);
    if (role->id == 0 && held != present.roles.end()) *role = *held;
    d.next.roles.push_back(std::move(*role));
  }
  for (const role_assignment& old : present.roles) {
    const role_assignment* now_held = find_role(d.next, old.id);
    if (now_held == nullptr || now_held->version != old.version) {
      d.emit("user.role_revoked", role_json(old));
    }
  }
  for (role_assignment& r : d.next.roles) {
    const role_assignment* old = r.id == 0 ? nullptr : find_role(present, r.id);
    if (old != nullptr && old->version == r.version) continue;
    if (r.id == 0) {
      r.id = ++d.next.last_role;
      r.version = 1;
      r.issuer = command.issuer;
    }
    d.emit("user.role_granted", role_json(r));
  }
  return std::move(d).done(now);
}

user_decision condemn(const user& present, timestamp now) {
  draft d{present};
  if (present.purging) return {present, {}, false};
  if (!present.deleted_at) set_deleted(d, now, now);
  d.next.purging = true;
  d.next.look_at = now + limits::purge_look_pause;
  d.touched = true;
  return std::move(d).done(now);
}

// What tells of a person goes; the id and the audit stay. Nobody is told: who was, knows of
// DELETED.
result<user_decision> purge(const user& present, timestamp now) {
  if (!present.purging) return transition_not_allowed(to_string(status_of(present)), "purge");
  user_decision out{present, {}, true};
  user& u = out.next;
  static_cast<user_profile&>(u) = {};
  u.language.clear();
  u.login.clear();
  u.password_hash.clear();
  u.activation_hash.clear();
  u.activation_until.reset();
  u.roles.clear();
  u.look_at.reset();
  u.purged = true;
  ++u.version;
  u.updated_at = now;
  return out;
}

user_decision timer(const user& present, timestamp now) {
  const bool over = present.deleted_at && present.purge_at && *present.purge_at <= now;
  if (!over && !present.purging) return {present, {}, false};
  user_decision out{present, {}, true};
  out.next.purging = true;
  out.next.look_at = now + limits::purge_look_pause;
  return out;
}

}  // namespace

user_status status_of(const user& u) noexcept {
  if (u.purged) return user_status::purged;
  if (u.deleted_at) return user_status::deleted;
  if (!u.enabled) return user_status::disabled;
  return u.activated ? user_status::active : user_status::created;
}

std::string_view to_string(user_status status) noexcept {
  switch (status) {
    case user_status::created: return "CREATED";
    case user_status::active: return "ACTIVE";
    case user_status::disabled: return "DISABLED";
    case user_status::deleted: return "DELETED";
    case user_status::purged: return "PURGED";
  }
  return "";
}

std::optional<user_status> parse_user_status(std::string_view text) noexcept {
  for (const auto s : {user_status::created, user_status::active, user_status::disabled,
                       user_status::deleted, user_status::purged}) {
    if (to_string(s) == text) return s;
  }
  return std::nullopt;
}

std::string_view to_string(user_action action) noexcept {
  switch (action) {
    case user_action::update: return "update";
    case user_action::activate: return "activate";
    case user_action::follow_link: return "activate";
    case user_action::request_activation: return "send activation e-mail";
    case user_action::issue_link: return "issue a link";
    case user_action::disable: return "disable";
    case user_action::enable: return "enable";
    case user_action::erase: return "delete";
    case user_action::set_roles: return "set roles";
    case user_action::timer: return "timer";
    case user_action::condemn: return "condemn";
    case user_action::purge: return "purge";
  }
  return "";
}

std::string login_key(std::string_view login) {
  std::string key{login};
  std::ranges::transform(key, key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return key;
}

std::string why_not_login(std::string_view login) {
  if (login.empty()) return "must not be empty";
  if (login.size() > limits::login_bytes_max) {
    return "must have at most " + std::to_string(limits::login_bytes_max) + " characters";
  }
  const bool visible = std::ranges::all_of(login, [](char c) { return c > 0x20 && c < 0x7F; });
  return visible ? "" : "must consist of visible ASCII characters";
}

bool is_service_role(std::string_view role) noexcept {
  static constexpr std::array<std::string_view, 6> managing{"root_admin",     "partner_admin",
                                                            "company_admin",  "unit_admin",
                                                            "readonly_admin", "monitoring_admin"};
  return std::ranges::find(managing, role) == managing.end();
}

bool has_service_role(const user& u) noexcept {
  return std::ranges::any_of(u.roles, [](const auto& r) { return is_service_role(r.role); });
}

result<user_decision> create_user(user_id id, const new_user& wanted, const tenant& owner,
                                  bool owner_effective, tenant_id personal_unit, timestamp now) {
  if (owner.state == tenant_state::deleted || owner.state == tenant_state::purged) {
    return invalid_field("/tenant_id", "no such tenant");
  }
  if (!owner_effective) {
    return error{errc::conflict,
                 "tenant_disabled",
                 "the tenant or one of its ancestors is disabled",
                 {},
                 std::string{to_string(owner.state)}};
  }
  if (auto why = why_not_login(wanted.login); !why.empty()) {
    return invalid_field("/login", std::move(why));
  }
  draft d;
  static_cast<user_profile&>(d.next) = wanted;
  d.next.id = id;
  d.next.tenant = wanted.tenant;
  d.next.login = wanted.login;
  d.next.personal_unit = personal_unit;
  d.next.created_at = now;
  d.emit("user.created", {}, wire_type::created);
  return std::move(d).done(now);
}

result<user_decision> decide(const user& present, const user_command& command,
                             const user_circumstances& c) {
  const user_status status = status_of(present);
  const bool own = command.action == user_action::timer || command.action == user_action::condemn ||
                   command.action == user_action::purge;
  if (status == user_status::purged) {
    if (own) return user_decision{present, {}, false};
    return error{errc::gone, "user_purged", "the user was purged", {}, "PURGED"};
  }
  if (status == user_status::deleted && !own) {
    if (command.action == user_action::erase) return user_decision{present, {}, false};
    return transition_not_allowed(to_string(status), to_string(command.action));
  }
  switch (command.action) {
    case user_action::update: return update(present, command.edit, c.now);
    case user_action::activate: return activate(present, command, c.now);
    case user_action::follow_link: return follow_link(present, command, c.now);
    case user_action::request_activation: return request_activation(present, c.now);
    case user_action::issue_link: return issue_link(present, command, c.now);
    case user_action::disable: return update(present, {{}, {}, {}, {}, false}, c.now);
    case user_action::enable: return update(present, {{}, {}, {}, {}, true}, c.now);
    case user_action::erase: return erase(present, c);
    case user_action::set_roles: return set_roles(present, command, c.now);
    case user_action::timer: return timer(present, c.now);
    case user_action::condemn: return condemn(present, c.now);
    case user_action::purge: return purge(present, c.now);
  }
  return error{errc::internal, "internal", "unknown user action", {}, {}};
}

std::optional<timestamp> next_timer(const user& u) noexcept {
  if (u.purged) return std::nullopt;
  if (u.purging) return u.look_at;
  return u.deleted_at ? u.purge_at : std::nullopt;
}

bool usable(const user& u, bool tenant_effective) noexcept {
  return status_of(u) == user_status::active && tenant_effective && !u.roles.empty();
}

}  // namespace syndicated::core
