#include "core/lifecycle/resource.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/lifecycle/resource_work.hpp"

namespace syndicated::core {
namespace {

using status = resource_status;
using rules::resource_work;

error conflict(std::string code, std::string detail, std::string_view now = {}) {
  return {errc::conflict, std::move(code), std::move(detail), {}, std::string{now}};
}

error refused(const resource& r, resource_action action) {
  return transition_not_allowed(to_string(r.status), to_string(action));
}

// The vendor reports; customers order, configure and remove; the sellers also switch (domain.md,
// 2.2: enabling and disabling is for administrators).
bool may(party by, resource_action action) {
  switch (action) {
    case resource_action::provision:
    case resource_action::configure:
    case resource_action::remove: return by != party::billing;
    case resource_action::disable:
    case resource_action::enable:
      return by == party::vendor || by == party::provider || by == party::reseller ||
             by == party::system;
    case resource_action::report_activating:
    case resource_action::report_ready:
    case resource_action::report_failed:
    case resource_action::report_configuring:
    case resource_action::report_removed: return by == party::vendor || by == party::provider;
  }
  return false;
}

bool takes_resources(subscription_status s) {
  return s == subscription_status::pending || s == subscription_status::post_configuration ||
         s == subscription_status::deployed || s == subscription_status::stopped;
}

// What hangs on nobody else and was never begun needs no vendor to go.
void begin_removal(resource_work& w, resource_id id) {
  const resource& r = *w.look(id);
  if (!r.alive() || r.status == status::unprovisioning) return;
  if (r.status == status::proto) {
    w.become(id, status::deleted, "resource.removed");
    w.unlink_all_from(id);
  } else {
    w.become(id, status::unprovisioning, "resource.changed");
  }
}

result<resource_decision> remove(resource_work&& w, resource_id id,
                                 const resource_command& command) {
  const resource& r = *w.look(id);
  if (!r.alive()) return std::move(w).done(id);
  const auto children = w.strong_dependents(id);
  if (!children.empty() && !command.cascade && r.status != status::unprovisioning) {
    return conflict("has_children",
                    std::to_string(children.size()) +
                        " sub-resources hang on it: remove them first, or with cascade",
                    to_string(r.status));
  }
  for (resource_id each : w.children_first(id)) begin_removal(w, each);
  return std::move(w).done(id);
}

result<resource_decision> report_removed(resource_work&& w, resource_id id,
                                         const resource_command& command) {
  const resource& r = *w.look(id);
  if (!r.alive()) return std::move(w).done(id);
  if (!w.strong_dependents(id).empty()) {
    if (command.cascade) return remove(std::move(w), id, command);
    return conflict("has_children", "sub-resources hang on it: they go first", to_string(r.status));
  }
  w.become(id, status::deleted, "resource.removed");
  w.unlink_all_from(id);
  return std::move(w).done(id);
}

result<resource_decision> report_ready(resource_work&& w, resource_id id) {
  const resource& was = *w.look(id);
  if (was.status == status::ready) return std::move(w).done(id);
  if (was.status == status::disabled && was.wanted) {
    resource& r = w.change(id);  // what was under way when it was disabled is done
    r.properties = *std::exchange(r.wanted, std::nullopt);
    w.emit(id, "resource.changed", status::disabled);
    return std::move(w).done(id);
  }
  if (was.status == status::disabled && was.held_by_suspension) {
    return std::move(w).done(id);  // it was ready before the suspension, and is again after it
  }
  const bool configured = was.status == status::configuring;
  if (!configured && was.status != status::provisioning && was.status != status::activating) {
    return refused(was, resource_action::report_ready);
  }
  resource& r = w.change(id);
  if (r.wanted) r.properties = *std::exchange(r.wanted, std::nullopt);
  r.problem.clear();
  w.become(id, status::ready, configured ? "resource.changed" : "resource.ready");
  if (w.at().status == subscription_status::stopped) w.hold(id, true);
  w.settle(id);
  w.wake_prototypes();
  return std::move(w).done(id);
}

result<resource_decision> report_failed(resource_work&& w, resource_id id,
                                        const resource_command& command) {
  const resource& was = *w.look(id);
  if (was.status == status::failed) return std::move(w).done(id);
  const bool beginning = was.status == status::provisioning || was.status == status::activating;
  if (!beginning && was.status != status::configuring) {
    return refused(was, resource_action::report_failed);
  }
  resource& r = w.change(id);
  r.problem = command.problem;
  r.wanted.reset();  // the properties in force stay as they were
  w.become(id, beginning ? status::failed : status::ready, "resource.failed");
  return std::move(w).done(id);
}

result<resource_decision> provision(resource_work&& w, resource_id id) {
  const resource& r = *w.look(id);
  if (r.status == status::provisioning) return std::move(w).done(id);
  if (r.status != status::failed && r.status != status::proto) {
    return refused(r, resource_action::provision);
  }
  if (!links_are_ready(w, r)) {
    return conflict("parent_not_ready", "what it hangs on is not ready", to_string(r.status));
  }
  w.change(id).problem.clear();
  w.become(id, status::provisioning, "resource.changed");
  return std::move(w).done(id);
}

// The vendor's own change is in force at once; what others want is the vendor's to do.
result<resource_decision> configure(resource_work&& w, resource_id id,
                                    const resource_command& command) {
  const resource& was = *w.look(id);
  const bool working = was.status == status::ready || was.status == status::configuring;
  const bool beginning = was.status == status::proto || was.status == status::provisioning ||
                         was.status == status::activating;
  if (!working && !beginning) return refused(was, resource_action::configure);
  const string_map& newest = was.wanted ? *was.wanted : was.properties;
  if (newest == command.properties) return std::move(w).done(id);
  if (command.by == party::vendor || !working) {
    w.change(id).properties = command.properties;
    w.change(id).wanted.reset();
    w.become(id, working ? status::ready : was.status, "resource.changed");
  } else {
    w.change(id).wanted = command.properties;
    w.become(id, status::configuring, "resource.changed");
  }
  return std::move(w).done(id);
}

// Reports about a step on the way: from where they may come.
result<resource_decision> report_step(resource_work&& w, resource_id id, resource_action action) {
  const resource& r = *w.look(id);
  const bool activating = action == resource_action::report_activating;
  const status to = activating ? status::activating : status::configuring;
  if (r.status == to) return std::move(w).done(id);
  if (r.status != (activating ? status::provisioning : status::ready)) return refused(r, action);
  w.become(id, to, "resource.changed");
  return std::move(w).done(id);
}

result<resource_decision> change_hold(resource_work&& w, resource_id id, resource_action action) {
  const resource& r = *w.look(id);
  const bool wanted = action == resource_action::disable;
  const bool switchable =
      r.status == status::ready || r.status == status::configuring || r.status == status::disabled;
  if (!switchable) return refused(r, action);
  if (r.held_by_command == wanted) return std::move(w).done(id);
  if (wanted) {
    w.hold(id, false);
  } else {
    w.release(id, false);
  }
  return std::move(w).done(id);
}

}  // namespace

const resource* resource_set::find(resource_id id) const {
  const auto found = all.find(id);
  return found == all.end() ? nullptr : &found->second;
}

std::int64_t resource_set::count(std::string_view type) const {
  return std::ranges::count_if(
      all, [type](const auto& row) { return row.second.alive() && row.second.type == type; });
}

std::vector<resource_id> resource_set::strong_dependents(resource_id id) const {
  const resource_circumstances nothing;
  return resource_work(*this, nothing).strong_dependents(id);
}

result<resource_decision> decide(const resource_set& present, resource_id id,
                                 const resource_command& command, const resource_circumstances& c) {
  if (present.find(id) == nullptr) return not_found("no such sub-resource");
  if (!may(command.by, command.action)) {
    std::string text = "'";
    text += to_string(command.action);
    return error{errc::forbidden, "forbidden", text + "' is not for this caller", {}, {}};
  }
  resource_work w(present, c);
  switch (command.action) {
    case resource_action::provision: return provision(std::move(w), id);
    case resource_action::configure: return configure(std::move(w), id, command);
    case resource_action::report_activating:
    case resource_action::report_configuring: return report_step(std::move(w), id, command.action);
    case resource_action::report_ready: return report_ready(std::move(w), id);
    case resource_action::report_failed: return report_failed(std::move(w), id, command);
    case resource_action::report_removed: return report_removed(std::move(w), id, command);
    case resource_action::disable:
    case resource_action::enable: return change_hold(std::move(w), id, command.action);
    case resource_action::remove: return remove(std::move(w), id, command);
  }
  return error{};
}

namespace {

// Instances that the plan provides of its own accord and that are missing.
void provide(resource_work& w) {
  for (const resource_rule& rule : w.at().rules->all) {
    if (!rule.instances) continue;
    for (std::int64_t n = w.count(rule.type); n < rule.auto_provide; ++n) {
      if (!allows(rule.allowed, whole(n + 1)) || rule.allowed.limit == 0) break;
      auto made = rules::assemble(w, {rule.type, {}, {}, {}, party::system}, rule);
      if (!made) break;  // no parent: the catalogue's rules do not let that happen
      made->auto_provided = true;
      const resource_id id = w.add(std::move(*made)).id;
      w.emit(id, "resource.created", status::proto);
    }
  }
}

void retry_failed(resource_work& w, const resource_set& present) {
  for (const auto& [id, r] : present.all) {
    if (r.status == status::failed) {
      w.change(id).problem.clear();
      w.become(id, status::provisioning, "resource.changed");
    }
  }
}

void suspend_or_resume(resource_work& w, const resource_set& present, bool suspended) {
  for (const auto& [id, r] : present.all) {
    const bool working = r.status == status::ready || r.status == status::configuring ||
                         r.status == status::disabled;
    if (suspended && working && !r.held_by_suspension) w.hold(id, true);
    if (!suspended && r.held_by_suspension) w.release(id, true);
  }
}

}  // namespace

resource_decision follow(const resource_set& present, std::optional<subscription_status> before,
                         const resource_circumstances& c) {
  resource_work w(present, c);
  const subscription_status now = c.status;
  const bool arrived = before != now;
  if (now == subscription_status::pending && arrived && c.rules != nullptr) {
    provide(w);
    retry_failed(w, present);
  } else if (now == subscription_status::stopped && arrived) {
    suspend_or_resume(w, present, true);
  } else if (now == subscription_status::deployed && arrived) {
    suspend_or_resume(w, present, false);
  } else if (now == subscription_status::undeploy_sent && arrived) {
    for (resource_id id : w.all_children_first()) begin_removal(w, id);
  } else if (ended(now) && arrived) {
    for (resource_id id : w.all_children_first()) {
      w.become(id, status::deleted, "resource.removed");
    }
  }
  return std::move(w).done({});
}

result<resource_decision> create_resource(const resource_set& present, const new_resource& wanted,
                                          const resource_circumstances& c) {
  if (!takes_resources(c.status)) {
    return transition_not_allowed(to_string(c.status), "create a sub-resource");
  }
  const resource_rule* rule = c.rules == nullptr ? nullptr : c.rules->find(wanted.type);
  if (rule == nullptr) return invalid_field("/type", "the plan has no such resource type");
  if (!rule->instances) {
    return invalid_field("/type", "is shared, counted or switched: there is nothing to create");
  }
  if (rule->allowed.limit == 0) return conflict("not_sold", "the plan does not sell this type");
  const auto alive =
      std::ranges::count_if(present.all, [](const auto& r) { return r.second.alive(); });
  if (static_cast<std::size_t>(alive) >= limits::subscription_resources_max) {
    return conflict("too_many_resources", "the subscription has as many as there may be");
  }
  resource_work w(present, c);
  const std::int64_t count = w.count(rule->type) + 1;
  // Having more than is allowed, after a limit was lowered, blocks new ones only.
  if (!allows(rule->allowed, whole(count))) {
    return conflict("quota_blocked", "the plan allows " + std::to_string(rule->allowed.limit) +
                                         " and an overage of " +
                                         std::to_string(*rule->allowed.overage));
  }
  auto made = rules::assemble(w, wanted, *rule);
  if (!made) return std::move(made).failure();
  const resource_id id = w.add(std::move(*made)).id;
  w.emit(id, "resource.created", w.look(id)->status);
  return std::move(w).done(id);
}

bool all_provided(const resource_set& present, const resource_decision& changes,
                  const resource_rules& rules) {
  const bool some = std::ranges::any_of(
      rules.all, [](const resource_rule& r) { return r.instances && r.auto_provide > 0; });
  if (!some) return false;
  std::map<std::string_view, std::int64_t> ready;
  const auto look = [&ready](const resource& r) {
    const bool usable = r.status == status::ready || r.status == status::configuring ||
                        r.status == status::disabled;
    if (r.auto_provided && usable) ++ready[r.type];
  };
  for (const auto& [id, r] : present.all) {
    if (!changes.put.contains(id)) look(r);
  }
  for (const auto& [id, r] : changes.put) look(r);
  return std::ranges::all_of(rules.all, [&ready](const resource_rule& rule) {
    return !rule.instances || ready[rule.type] >= rule.auto_provide;
  });
}

void adopt(resource_set& present, const resource_decision& d) {
  for (const auto& [id, r] : d.put) present.all[id] = r;
  present.told = d.told;
}

}  // namespace syndicated::core
