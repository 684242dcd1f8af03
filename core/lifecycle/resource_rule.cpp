#include "core/lifecycle/resource_rule.hpp"

namespace syndicated::core {
namespace {

allowance allowed(const plan_resource& r) { return {r.limit, r.overage}; }

const resource_type* type_named(const product& p, std::string_view name) {
  const auto found = std::ranges::find_if(
      p.resource_types, [name](const resource_type& t) { return t.name == name; });
  return found == p.resource_types.end() ? nullptr : &*found;
}

// How many types stand above it; rings, which the catalogue refuses, end at the number of types.
std::size_t depth_of(const product& p, const resource_type& type) {
  std::size_t depth = 0;
  for (const resource_type* t = type_named(p, type.parent_type);
       t != nullptr && depth < p.resource_types.size(); t = type_named(p, t->parent_type)) {
    ++depth;
  }
  return depth;
}

}  // namespace

resource_rules rules_of(const product& p, const plan& sold) {
  std::vector<std::pair<std::size_t, resource_rule>> found;
  for (const plan_resource& r : sold.resources) {
    resource_rule rule;
    rule.type = r.name;
    rule.allowed = allowed(r);
    rule.instances = false;
    std::size_t depth = 0;
    if (const resource_type* type = type_named(p, r.name)) {
      const resource_type* parent = type_named(p, type->parent_type);
      rule.instances = type->kind == resource_class::service;
      rule.parent_type = type->parent_type;
      rule.parent_is_shared = parent != nullptr && parent->kind != resource_class::service;
      rule.link = type->link;
      rule.auto_provide = r.auto_provide;
      depth = depth_of(p, *type);
    }
    found.emplace_back(depth, std::move(rule));
  }
  std::ranges::stable_sort(found, {}, [](const auto& entry) { return entry.first; });
  resource_rules out;
  for (auto& [depth, rule] : found) out.all.push_back(std::move(rule));
  return out;
}

allowance allowance_of(const plan& sold, std::string_view name) {
  const auto found = std::ranges::find_if(
      sold.resources, [name](const plan_resource& r) { return r.name == name; });
  return found == sold.resources.end() ? allowance{} : allowed(*found);
}

}  // namespace syndicated::core
