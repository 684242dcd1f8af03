#include "core/lifecycle/resource_work.hpp"

#include <algorithm>
#include <set>

#include "core/base/json_writer.hpp"

namespace syndicated::core::rules {
namespace {

bool hangs_on(const resource& r, resource_id id) {
  return r.alive() && std::ranges::any_of(r.links, [id](const resource_link& l) {
           return l.target == link_target::resource && l.strength == link_strength::strong &&
                  l.id == id.value;
         });
}

bool is_usable(resource_status s) {
  return s == resource_status::ready || s == resource_status::configuring ||
         s == resource_status::disabled;
}

std::string change_of(const resource& r, resource_status from) {
  json_writer out;
  out.begin_object().key("resource").raw(to_json(r));
  if (from != r.status) {
    out.key("status").begin_object().key("from").text(to_string(from));
    out.key("to").text(to_string(r.status)).end_object();
  }
  out.end_object();
  return std::move(out).str();
}

}  // namespace

const resource* resource_work::look(resource_id id) const {
  const auto changed = out_.put.find(id);
  return changed != out_.put.end() ? &changed->second : present_.find(id);
}

resource& resource_work::change(resource_id id) {
  const auto found = out_.put.find(id);
  if (found != out_.put.end()) return found->second;
  resource copy = *present_.find(id);
  ++copy.version;
  copy.updated_at = c_.now;
  return out_.put.emplace(id, std::move(copy)).first->second;
}

resource& resource_work::add(resource&& fresh) {
  fresh.version = 1;
  fresh.created_at = fresh.updated_at = c_.now;
  const resource_id id = fresh.id;
  return out_.put.emplace(id, std::move(fresh)).first->second;
}

void resource_work::emit(resource_id id, std::string_view name, resource_status from) {
  resource& r = change(id);
  ++r.serial;
  event_draft e;
  e.name = name;
  e.metadata["resource_id"] = std::to_string(r.id.value);
  e.metadata["resource_type"] = r.type;
  e.metadata["resource_status"] = to_string(r.status);
  e.metadata["serial"] = std::to_string(r.serial);
  e.change_json = change_of(r, from);
  out_.events.push_back(std::move(e));
}

std::vector<resource_id> resource_work::strong_dependents(resource_id id) const {
  std::vector<resource_id> out;
  for (const auto& [key, was] : present_.all) {
    if (hangs_on(*look(key), id)) out.push_back(key);
  }
  for (const auto& [key, now] : out_.put) {
    if (!present_.all.contains(key) && hangs_on(now, id)) out.push_back(key);
  }
  return out;
}

std::int64_t resource_work::count(std::string_view type) const {
  std::int64_t n = present_.count(type);
  for (const auto& [key, now] : out_.put) {
    if (now.type != type) continue;
    const resource* was = present_.find(key);
    n += static_cast<int>(now.alive()) - static_cast<int>(was != nullptr && was->alive());
  }
  return n;
}

std::vector<resource_id> resource_work::of_type(std::string_view type) const {
  std::vector<resource_id> out;
  for (const auto& [key, was] : present_.all) {
    if (was.type == type && look(key)->alive()) out.push_back(key);
  }
  for (const auto& [key, now] : out_.put) {
    if (!present_.all.contains(key) && now.type == type && now.alive()) out.push_back(key);
  }
  return out;
}

namespace {

using dependents = std::map<resource_id, std::vector<resource_id>>;

// Strong links make no rings (`link` refuses that), so this ends.
void walk(const dependents& below, resource_id id, std::set<resource_id>& seen,
          std::vector<resource_id>& out) {
  if (!seen.insert(id).second) return;
  if (const auto children = below.find(id); children != below.end()) {
    for (const resource_id child : children->second) walk(below, child, seen, out);
  }
  out.push_back(id);
}

}  // namespace

std::vector<resource_id> resource_work::children_first(resource_id id) const {
  dependents below;  // of all, found once: there may be very many
  const auto note = [&](resource_id from) {
    const resource& r = *look(from);
    if (!r.alive()) return;
    for (const resource_link& l : r.links) {
      const bool hangs = l.target == link_target::resource && l.strength == link_strength::strong;
      if (hangs) below[{l.id}].push_back(from);
    }
  };
  for (const auto& [key, was] : present_.all) note(key);
  for (const auto& [key, now] : out_.put) {
    if (!present_.all.contains(key)) note(key);
  }
  std::vector<resource_id> out;
  std::set<resource_id> seen;
  walk(below, id, seen, out);
  return out;
}

// By their depth, so that many are ordered without looking at each pair.
std::vector<resource_id> resource_work::all_children_first() const {
  std::map<resource_id, int> depth;
  const std::function<int(resource_id)> depth_of = [&](resource_id id) -> int {
    const auto known = depth.find(id);
    if (known != depth.end()) return known->second;
    int d = 0;
    for (const resource_link& l : look(id)->links) {
      const resource_id to{l.target == link_target::resource ? l.id : 0};
      if (l.strength == link_strength::strong && to && look(to) != nullptr) {
        d = std::max(d, depth_of(to) + 1);
      }
    }
    return depth[id] = d;
  };
  std::vector<resource_id> out;
  for (const auto& [id, r] : present_.all) {
    if (!look(id)->alive()) continue;
    depth_of(id);
    out.push_back(id);
  }
  std::ranges::stable_sort(out, [&](resource_id a, resource_id b) { return depth[a] > depth[b]; });
  return out;
}

void resource_work::become(resource_id id, resource_status to, std::string_view event) {
  resource& r = change(id);
  const resource_status from = r.status;
  r.status = to;
  if (to == resource_status::deleted || to == resource_status::unprovisioning) {
    r.held_by_command = r.held_by_suspension = false;
    r.wanted.reset();
  }
  emit(id, event, from);
}

void resource_work::hold(resource_id id, bool by_suspension) {
  resource& r = change(id);
  (by_suspension ? r.held_by_suspension : r.held_by_command) = true;
  settle(id);
}

void resource_work::release(resource_id id, bool by_suspension) {
  resource& r = change(id);
  (by_suspension ? r.held_by_suspension : r.held_by_command) = false;
  settle(id);
}

void resource_work::unlink_all_from(resource_id id) {
  const auto leads_there = [id](const resource_link& l) {
    return l.target == link_target::resource && l.strength == link_strength::weak &&
           l.id == id.value;
  };
  for (const auto& [key, was] : present_.all) {
    const resource* r = look(key);
    if (!r->alive() || std::ranges::none_of(r->links, leads_there)) continue;
    resource& changed = change(key);
    std::erase_if(changed.links, leads_there);
    if (changed.parent == id) changed.parent = {};
    emit(key, "resource.unlinked", changed.status);
  }
}

void resource_work::settle(resource_id id) {
  const resource& r = *look(id);
  const bool working =
      r.status == resource_status::ready || r.status == resource_status::configuring;
  if (r.held() && working) become(id, resource_status::disabled, "resource.disabled");
  if (!r.held() && r.status == resource_status::disabled) {
    become(id, r.wanted ? resource_status::configuring : resource_status::ready,
           "resource.enabled");
  }
}

bool links_are_ready(const resource_work& w, const resource& r) {
  return std::ranges::all_of(r.links, [&w](const resource_link& l) {
    if (l.target != link_target::resource || l.strength != link_strength::strong) return true;
    const resource* to = w.look({l.id});
    return to != nullptr && is_usable(to->status);
  });
}

void resource_work::wake_prototypes() {
  std::vector<resource_id> waiting;
  for (const auto& [id, was] : present_.all) {
    const resource* r = look(id);
    if (r->status == resource_status::proto && links_are_ready(*this, *r)) waiting.push_back(id);
  }
  for (resource_id id : waiting) become(id, resource_status::provisioning, "resource.changed");
}

void resource_work::tell_levels() {
  if (c_.rules == nullptr) return;
  for (const resource_rule& rule : c_.rules->all) {
    if (!rule.instances) continue;  // usage tells of those
    const decimal value = whole(count(rule.type));
    const allowance_level now = level_of(rule.allowed, value);
    const auto told = out_.told.find(rule.type);
    const allowance_level before = told == out_.told.end() ? allowance_level::within : told->second;
    for (event_draft& e : quota_events(before, now, rule.type, value, rule.allowed)) {
      out_.events.push_back(std::move(e));
    }
    if (now != before) out_.told[rule.type] = now;
  }
}

resource_decision resource_work::done(resource_id subject) && {
  tell_levels();
  out_.subject = subject;
  out_.changed = !out_.put.empty() || !out_.events.empty() || out_.told != present_.told;
  return std::move(out_);
}

}  // namespace syndicated::core::rules
