// Links of sub-resources: what a new one hangs on, and what may be linked later (domain.md, 2.6).
#include <algorithm>

#include "core/base/json_writer.hpp"
#include "core/base/limits.hpp"
#include "core/lifecycle/resource_work.hpp"

namespace syndicated::core {
namespace {

using rules::resource_work;

error conflict(std::string code, std::string detail) {
  return {errc::conflict, std::move(code), std::move(detail), {}, {}};
}

result<void> check_target(const resource_work& w, const resource_link& l,
                          const std::string& pointer) {
  if (l.target != link_target::resource) return {};
  const resource* to = w.look({l.id});
  if (to == nullptr || to->leaving()) {
    return invalid_field(pointer, "no such sub-resource, or it is on its way out");
  }
  return {};
}

// The parent that was named, or the only one there is. None of a shared parent.
result<resource_id> find_parent(const resource_work& w, const new_resource& wanted,
                                const resource_rule& rule) {
  const bool needs_one = !rule.parent_type.empty() && !rule.parent_is_shared;
  if (wanted.parent) {
    const resource* parent = w.look(wanted.parent);
    if (parent == nullptr || parent->leaving()) {
      return invalid_field("/parent_id", "no such sub-resource, or it is on its way out");
    }
    if (!needs_one || parent->type != rule.parent_type) {
      return invalid_field("/parent_id", needs_one ? "must be of the type " + rule.parent_type
                                                   : "this type has no parent of that kind");
    }
    return wanted.parent;
  }
  if (!needs_one) return resource_id{};
  std::vector<resource_id> fitting = w.of_type(rule.parent_type);
  std::erase_if(fitting, [&w](resource_id id) { return w.look(id)->leaving(); });
  if (fitting.size() == 1) return fitting.front();
  if (rule.link == link_strength::weak && fitting.empty()) return resource_id{};
  return invalid_field("/parent_id", fitting.empty()
                                         ? "there is no " + rule.parent_type + " to hang on"
                                         : "is required: there are several " + rule.parent_type);
}

bool same_place(const resource_link& a, const resource_link& b) {
  return a.name == b.name && a.target == b.target && a.id == b.id;
}

}  // namespace

namespace rules {

result<resource> assemble(const resource_work& w, const new_resource& wanted,
                          const resource_rule& rule) {
  resource r;
  r.subscription = w.at().subscription;
  r.type = rule.type;
  r.properties = wanted.properties;
  const auto parent = find_parent(w, wanted, rule);
  if (!parent) return parent.failure();
  r.parent = *parent;
  if (!rule.parent_type.empty() && (rule.parent_is_shared || *parent)) {
    r.links.push_back({rule.parent_type,
                       rule.parent_is_shared ? link_target::root : link_target::resource,
                       parent->value, rule.link, false});
  }
  for (std::size_t i = 0; i < wanted.links.size(); ++i) {
    const resource_link& l = wanted.links[i];
    const std::string pointer = "/links/" + std::to_string(i);
    if (const auto ok = check_target(w, l, pointer + "/id"); !ok) return ok.failure();
    const bool taken = std::ranges::any_of(r.links, [&l](const resource_link& other) {
      return other.name == l.name && (!l.collection || !other.collection || other.id == l.id);
    });
    if (taken) return invalid_field(pointer + "/name", "this relation is taken");
    r.links.push_back(l);
  }
  if (r.links.size() > limits::resource_links_max) {
    return invalid_field("/links", "there are too many");
  }
  r.status = links_are_ready(w, r) ? resource_status::provisioning : resource_status::proto;
  r.id = w.at().next_id();
  return r;
}

}  // namespace rules

result<resource_decision> link(const resource_set& present, resource_id id,
                               const resource_link& wanted, party by,
                               const resource_circumstances& c) {
  const resource* r = present.find(id);
  if (r == nullptr) return not_found("no such sub-resource");
  if (by == party::billing) return error{errc::forbidden, "forbidden", "not for billing", {}, {}};
  resource_work w(present, c);
  const auto same = std::ranges::find_if(
      r->links, [&wanted](const resource_link& l) { return same_place(l, wanted); });
  if (same != r->links.end()) return std::move(w).done(id);
  if (r->leaving()) return transition_not_allowed(to_string(r->status), "link");
  if (const auto ok = check_target(w, wanted, "/id"); !ok) return ok.failure();
  const auto taken = std::ranges::find_if(
      r->links, [&wanted](const resource_link& l) { return l.name == wanted.name; });
  const bool relink = taken != r->links.end() && !(taken->collection && wanted.collection);
  const link_strength strength = relink ? taken->strength : wanted.strength;
  if (!relink && strength == link_strength::strong) {
    return conflict("strong_link", "a strong link is made with the sub-resource itself");
  }
  if (!relink && r->links.size() >= limits::resource_links_max) {
    return conflict("too_many_links", "it has as many links as there may be");
  }
  if (strength == link_strength::strong && wanted.target == link_target::resource) {
    const auto below = w.children_first(id);  // itself among them
    if (std::ranges::find(below, resource_id{wanted.id}) != below.end()) {
      return invalid_field("/id", "would hang on itself");
    }
    if (r->parent.value == taken->id && taken->target == link_target::resource &&
        w.look({wanted.id})->type != w.look(r->parent)->type) {
      return invalid_field("/id", "must be of the type " + w.look(r->parent)->type);
    }
  }
  if (strength == link_strength::strong && wanted.target != taken->target) {
    return invalid_field("/target", "a strong link goes on leading to the same kind of target");
  }
  resource& changed = w.change(id);
  if (relink) {
    resource_link& old = changed.links[static_cast<std::size_t>(taken - r->links.begin())];
    if (old.target == link_target::resource && changed.parent.value == old.id) {
      changed.parent = {wanted.target == link_target::resource ? wanted.id : 0};
    }
    old.target = wanted.target;
    old.id = wanted.id;
  } else {
    changed.links.push_back(wanted);
  }
  w.emit(id, "resource.linked", r->status);
  return std::move(w).done(id);
}

result<resource_decision> unlink(const resource_set& present, resource_id id,
                                 const resource_link& wanted, party by,
                                 const resource_circumstances& c) {
  const resource* r = present.find(id);
  if (r == nullptr) return not_found("no such sub-resource");
  if (by == party::billing) return error{errc::forbidden, "forbidden", "not for billing", {}, {}};
  resource_work w(present, c);
  const auto found = std::ranges::find_if(
      r->links, [&wanted](const resource_link& l) { return same_place(l, wanted); });
  if (found == r->links.end()) return std::move(w).done(id);
  if (found->strength == link_strength::strong) {
    return conflict("strong_link", "it cannot be without this link; lead it to another");
  }
  resource& changed = w.change(id);
  if (found->target == link_target::resource && changed.parent.value == found->id) {
    changed.parent = {};
  }
  changed.links.erase(changed.links.begin() + (found - r->links.begin()));
  w.emit(id, "resource.unlinked", r->status);
  return std::move(w).done(id);
}

}  // namespace syndicated::core
