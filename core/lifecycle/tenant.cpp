#include "core/lifecycle/tenant.hpp"

#include <algorithm>

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

tenant_decision commit(tenant next, timestamp now, std::string name, wire_type type) {
  ++next.version;
  next.updated_at = now;
  std::vector<event_draft> events;
  events.push_back({std::move(name), type, {}, {}});
  return {std::move(next), std::move(events)};
}

result<tenant_decision> update(const tenant& present, const tenant_command& command,
                               timestamp now) {
  if (present.state == tenant_state::deleted) {
    return transition_not_allowed(to_string(present.state), "update");
  }
  tenant next = present;
  if (command.name) next.name = *command.name;
  if (command.external_ref) next.external_ref = *command.external_ref;
  if (command.contact) next.contact = *command.contact;
  const bool same = next.name == present.name && next.external_ref == present.external_ref &&
                    next.contact == present.contact;
  if (same) return tenant_decision{present, {}};
  return commit(std::move(next), now, "tenant.updated", wire_type::modified);
}

result<tenant_decision> set_enabled(const tenant& present, bool wanted, timestamp now) {
  const tenant_state target = wanted ? tenant_state::enabled : tenant_state::disabled;
  if (present.state == target) return tenant_decision{present, {}};
  if (present.kind == tenant_kind::provider) {
    return conflict("provider_is_fixed", "the provider of the installation cannot be disabled",
                    present.state);
  }
  if (present.state == tenant_state::deleted) {
    return transition_not_allowed(to_string(present.state), wanted ? "enable" : "disable");
  }
  tenant next = present;
  next.state = target;
  ++next.epoch;
  return commit(std::move(next), now, wanted ? "tenant.enabled" : "tenant.disabled",
                wire_type::modified);
}

result<tenant_decision> erase(const tenant& present, timestamp now) {
  if (present.state == tenant_state::deleted) return tenant_decision{present, {}};
  if (present.state != tenant_state::disabled) {
    return conflict("not_disabled", "a tenant is deleted only after it was disabled",
                    present.state);
  }
  tenant next = present;
  next.state = tenant_state::deleted;
  next.deleted_at = now;
  return commit(std::move(next), now, "tenant.deleted", wire_type::deleted);
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
  if (parent.state == tenant_state::deleted) return not_found("no such parent tenant");
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
  tenant next;
  next.id = id;
  next.kind = wanted.kind;
  next.parent = parent.id;
  next.path = std::move(path);
  next.name = wanted.name;
  next.external_ref = wanted.external_ref;
  next.contact = wanted.contact;
  next.created_at = now;
  return commit(std::move(next), now, "tenant.created", wire_type::created);
}

result<tenant_decision> decide(const tenant& present, const tenant_command& command,
                               timestamp now) {
  switch (command.action) {
    case tenant_action::update: return update(present, command, now);
    case tenant_action::disable: return set_enabled(present, false, now);
    case tenant_action::enable: return set_enabled(present, true, now);
    case tenant_action::erase: return erase(present, now);
  }
  return error{errc::internal, "internal", "unknown tenant action", {}, {}};
}

bool effective(tenant_state own, const std::vector<tenant_state>& ancestors) noexcept {
  return own == tenant_state::enabled &&
         std::all_of(ancestors.begin(), ancestors.end(),
                     [](tenant_state s) { return s == tenant_state::enabled; });
}

}  // namespace syndicated::core
