#include "core/lifecycle/tenant.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::core {
namespace {

error conflict(std::string code, std::string detail, tenant_state state) {
  return {errc::conflict, std::move(code), std::move(detail), {}, std::string{to_string(state)}};
}

bool may_contain(tenant_kind parent, tenant_kind child) {
  switch (parent) {
    case tenant_kind::provider:
    case tenant_kind::reseller:
      return child == tenant_kind::reseller || child == tenant_kind::customer;
    case tenant_kind::customer: return child == tenant_kind::unit;
    case tenant_kind::unit: return false;
  }
  return false;
}

bool ended(tenant_state state) {
  return state == tenant_state::deleted || state == tenant_state::purged;
}

// A change on its way: what is told, and the state that follows. One commit is one version.
struct draft {
  tenant next;
  std::vector<event_draft> events{};

  void emit(std::string name, wire_type type, json_writer&& change) {
    events.push_back({std::move(name), type, {}, std::move(change).str()});
  }
  tenant_decision done(timestamp now) && {
    if (events.empty()) return {std::move(next), {}, false};
    ++next.version;
    next.updated_at = now;
    return {std::move(next), std::move(events), true};
  }
};

json_writer one(json_name name, std::uint64_t value) {
  json_writer out;
  out.begin_object().key(name).number(value).end_object();
  return out;
}
json_writer one(json_name name, const std::optional<timestamp>& at) {
  json_writer out;
  out.begin_object().key(name).time(at).end_object();
  return out;
}

// The lock's owner is whoever sets it, unless staff names another.
result<tenant_lock> wanted_lock(const tenant_command& command) {
  tenant_lock lock = *command.edit.update_lock;
  const tenant_id own = command.by ? command.by : provider_tenant;
  if (!lock.enabled) return tenant_lock{};
  if (!lock.owner) lock.owner = own;
  if (command.by && lock.owner != command.by) {
    return invalid_field("/update_lock/owner_id", "must be the caller's tenant");
  }
  return lock;
}

result<void> edit(draft& d, const tenant_command& command) {
  std::vector<std::string_view> changed;
  const auto take = [&changed](auto& field, const auto& wanted, std::string_view name) {
    if (!wanted || *wanted == field) return;
    field = *wanted;
    changed.push_back(name);
  };
  const tenant_edit& e = command.edit;
  take(d.next.name, e.name, "name");
  take(d.next.external_ref, e.external_ref, "external_ref");
  take(d.next.contact, e.contact, "contact");
  take(d.next.language, e.language, "language");
  take(d.next.internal_tag, e.internal_tag, "internal_tag");
  take(d.next.customer_type, e.customer_type, "customer_type");
  take(d.next.default_idp_id, e.default_idp_id, "default_idp_id");
  take(d.next.brand_id, e.brand_id, "brand_id");
  take(d.next.ancestral_access, e.ancestral_access, "ancestral_access");
  if (e.update_lock) {
    auto lock = wanted_lock(command);
    if (!lock) return std::move(lock).failure();
    take(d.next.update_lock, std::optional{*lock}, "update_lock");
  }
  if (changed.empty()) return {};
  json_writer out;
  out.begin_object().key("changed").begin_array();
  for (const std::string_view name : changed) out.text(name);
  out.end_array().end_object();
  d.emit("tenant.updated", wire_type::modified, std::move(out));
  return {};
}

result<void> fits_there(const tenant& t, const move_target& target) {
  const tenant& parent = target.parent;
  if (ended(parent.state)) return not_found("no such parent tenant");
  if (!may_contain(parent.kind, t.kind)) {
    return invalid_field("/parent_id", "a " + std::string{to_string(parent.kind)} +
                                           " cannot contain a " + std::string{to_string(t.kind)});
  }
  const bool below = std::ranges::find(parent.path, t.id) != parent.path.end();
  if (parent.id == t.id || below) {
    return invalid_field("/parent_id", "is the tenant itself, or stands below it");
  }
  if (!target.parent_effective) {
    return conflict("parent_disabled", "the new parent or one of its ancestors is disabled",
                    parent.state);
  }
  // The provider is no reseller: as many resellers as the parent has ancestors, with the parent.
  const int above = static_cast<int>(parent.path.size());
  const int own = t.kind == tenant_kind::reseller ? 1 + target.resellers_below : 0;
  if (own > 0 && above + own > limits::reseller_depth_max) {
    return invalid_field("/parent_id", "resellers may be nested at most " +
                                           std::to_string(limits::reseller_depth_max) + " deep");
  }
  return {};
}

result<void> move(draft& d, const tenant_circumstances& c, tenant_id wanted) {
  if (wanted == d.next.parent) return {};
  if (d.next.kind == tenant_kind::provider) {
    return conflict("provider_is_fixed", "the provider of the installation cannot be moved",
                    d.next.state);
  }
  if (d.next.personal_of) {
    return conflict("personal_tenant", "the personal tenant of a user stays with the user",
                    d.next.state);
  }
  if (c.target == nullptr || c.target->parent.id != wanted) {
    return invalid_field("/parent_id", "no such tenant");
  }
  if (auto ok = fits_there(d.next, *c.target); !ok) return ok;
  json_writer out;
  out.begin_object().key("from").number(d.next.parent.value);
  out.key("to").number(wanted.value).end_object();
  d.next.parent = wanted;
  d.next.path = c.target->parent.path;
  d.next.path.push_back(wanted);
  d.emit("tenant.moved", wire_type::modified, std::move(out));
  return {};
}

result<void> set_enabled(draft& d, bool wanted) {
  const tenant_state target = wanted ? tenant_state::enabled : tenant_state::disabled;
  if (d.next.state == target) return {};
  if (d.next.kind == tenant_kind::provider) {
    return conflict("provider_is_fixed", "the provider of the installation cannot be disabled",
                    d.next.state);
  }
  d.next.state = target;
  ++d.next.epoch;
  d.emit(wanted ? "tenant.enabled" : "tenant.disabled", wire_type::modified,
         one("epoch", d.next.epoch));
  return {};
}

result<tenant_decision> change(const tenant& present, const tenant_command& command,
                               const tenant_circumstances& c) {
  draft d{present};
  if (auto ok = edit(d, command); !ok) return std::move(ok).failure();
  if (command.edit.parent) {
    if (auto ok = move(d, c, *command.edit.parent); !ok) return std::move(ok).failure();
  }
  if (command.edit.enabled) {
    if (auto ok = set_enabled(d, *command.edit.enabled); !ok) return std::move(ok).failure();
  }
  return std::move(d).done(c.now);
}

void set_deleted(draft& d, timestamp now, timestamp purge_at) {
  d.next.state = tenant_state::deleted;
  d.next.deleted_at = now;
  d.next.purge_at = purge_at;
  d.next.look_at.reset();
  d.emit("tenant.deleted", wire_type::deleted, one("purge_at", d.next.purge_at));
}

result<tenant_decision> erase(const tenant& present, const tenant_circumstances& c) {
  if (present.state != tenant_state::disabled) {
    return conflict("not_disabled", "a tenant is deleted only after it was disabled",
                    present.state);
  }
  draft d{present};
  set_deleted(d, c.now, c.now + c.recover_window);
  return std::move(d).done(c.now);
}

result<tenant_decision> recover(const tenant& present, const tenant_circumstances& c) {
  if (present.state == tenant_state::disabled) return tenant_decision{present, {}, false};
  if (present.state != tenant_state::deleted) {
    return transition_not_allowed(to_string(present.state), "recover");
  }
  if (present.purging || (present.purge_at && *present.purge_at <= c.now)) {
    return conflict("recover_window_over", "the tenant was deleted too long ago", present.state);
  }
  draft d{present};
  d.next.state = tenant_state::disabled;
  d.next.deleted_at.reset();
  d.next.purge_at.reset();
  d.emit("tenant.recovered", wire_type::created, {});
  return std::move(d).done(c.now);
}

result<tenant_decision> convert(const tenant& present, const tenant_circumstances& c) {
  if (present.pricing == pricing_mode::production) return tenant_decision{present, {}, false};
  draft d{present};
  d.next.pricing = pricing_mode::production;
  d.next.trial_until.reset();
  json_writer out;
  out.begin_object().key("pricing_mode").text("production").end_object();
  d.emit("tenant.converted", wire_type::modified, std::move(out));
  return std::move(d).done(c.now);
}

// From here on it cannot be recovered. Nothing is told yet: it is still DELETED.
tenant_decision begin_purge(const tenant& present, const tenant_circumstances& c) {
  tenant_decision out{present, {}, true};
  out.next.purging = true;
  out.next.look_at = c.now + limits::purge_look_pause;
  return out;
}

tenant_decision timer(const tenant& present, const tenant_circumstances& c) {
  if (present.state == tenant_state::deleted) {
    const bool over = present.purge_at && *present.purge_at <= c.now;
    return over || present.purging ? begin_purge(present, c) : tenant_decision{present, {}, false};
  }
  const bool trial_over = present.trial_until && *present.trial_until <= c.now;
  if (!trial_over) return {present, {}, false};
  return *convert(present, c);
}

tenant_decision condemn(const tenant& present, const tenant_circumstances& c) {
  if (present.purging) return {present, {}, false};
  draft d{present};
  if (d.next.state != tenant_state::deleted) set_deleted(d, c.now, c.now);
  d.next.purging = true;
  d.next.look_at = c.now + limits::purge_look_pause;
  tenant_decision out = std::move(d).done(c.now);
  out.changed = true;
  return out;
}

// Ids, times and the audit stay; whatever tells of people goes.
result<tenant_decision> purge(const tenant& present, const tenant_circumstances& c) {
  if (!present.purging) return transition_not_allowed(to_string(present.state), "purge");
  draft d{present};
  static_cast<tenant_profile&>(d.next) = {};
  d.next.language.clear();
  d.next.update_lock = {};
  d.next.state = tenant_state::purged;
  d.next.trial_until.reset();
  d.next.look_at.reset();
  d.emit("tenant.purged", wire_type::none, {});
  return std::move(d).done(c.now);
}

bool by_the_daemon(tenant_action action) {
  return action == tenant_action::timer || action == tenant_action::condemn ||
         action == tenant_action::purge;
}

}  // namespace

result<tenant_decision> create_tenant(tenant_id id, const new_tenant& wanted, const tenant& parent,
                                      bool parent_effective, timestamp now) {
  if (!may_contain(parent.kind, wanted.kind)) {
    std::string rule = "a ";
    rule += to_string(parent.kind);
    rule += " cannot contain a ";
    rule += to_string(wanted.kind);
    return invalid_field("/kind", std::move(rule));
  }
  if (ended(parent.state)) return not_found("no such parent tenant");
  if (!parent_effective) {
    return conflict("parent_disabled", "the parent or one of its ancestors is disabled",
                    parent.state);
  }
  std::vector<tenant_id> path = parent.path;
  path.push_back(parent.id);
  // The provider is no reseller: path.size() - 1 resellers stand above.
  if (wanted.kind == tenant_kind::reseller &&
      static_cast<int>(path.size()) > limits::reseller_depth_max) {
    return invalid_field("/parent_id", "resellers may be nested at most " +
                                           std::to_string(limits::reseller_depth_max) + " deep");
  }
  draft d;
  static_cast<tenant_profile&>(d.next) = wanted;
  d.next.id = id;
  d.next.kind = wanted.kind;
  d.next.parent = parent.id;
  d.next.path = std::move(path);
  d.next.personal_of = wanted.personal_of;
  d.next.trial_until = add_months(now, 1);
  d.next.created_at = now;
  json_writer change;
  change.begin_object().key("kind").text(to_string(wanted.kind));
  change.key("parent_id").number(parent.id.value).end_object();
  d.emit("tenant.created", wire_type::created, std::move(change));
  return std::move(d).done(now);
}

result<tenant_decision> decide(const tenant& present, const tenant_command& command,
                               const tenant_circumstances& now) {
  if (present.state == tenant_state::purged) {
    if (by_the_daemon(command.action)) return tenant_decision{present, {}, false};
    return error{errc::gone, "tenant_purged", "the tenant was purged", {}, "PURGED"};
  }
  if (present.state == tenant_state::deleted && command.action == tenant_action::erase) {
    return tenant_decision{present, {}, false};
  }
  const tenant_lock& lock = present.update_lock;
  if (lock.enabled && command.by && command.by != lock.owner) {
    return error{errc::forbidden,
                 "tenant_locked",
                 "the tenant is locked: only users of its lock's owner may change it",
                 {},
                 {}};
  }
  tenant_command wanted = command;
  switch (command.action) {
    case tenant_action::erase: return erase(present, now);
    case tenant_action::recover: return recover(present, now);
    case tenant_action::timer: return timer(present, now);
    case tenant_action::condemn: return condemn(present, now);
    case tenant_action::purge: return purge(present, now);
    case tenant_action::disable: wanted.edit.enabled = false; break;
    case tenant_action::enable: wanted.edit.enabled = true; break;
    case tenant_action::update:
    case tenant_action::move:
    case tenant_action::convert: break;
  }
  if (ended(present.state)) {
    return transition_not_allowed(to_string(present.state), to_string(command.action));
  }
  return command.action == tenant_action::convert ? convert(present, now)
                                                  : change(present, wanted, now);
}

std::optional<timestamp> next_timer(const tenant& t) noexcept {
  if (t.state == tenant_state::purged) return std::nullopt;
  if (t.state == tenant_state::deleted) return t.purging ? t.look_at : t.purge_at;
  return t.trial_until;
}

bool effective(tenant_state own, const std::vector<tenant_state>& ancestors) noexcept {
  return own == tenant_state::enabled &&
         std::all_of(ancestors.begin(), ancestors.end(),
                     [](tenant_state s) { return s == tenant_state::enabled; });
}

}  // namespace syndicated::core
