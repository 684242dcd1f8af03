#include "actors/lineage.hpp"

#include <algorithm>

#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

core::error endless() {
  return {core::errc::corrupt, "record_unreadable", "the tree of tenants has no end", {}, {}};
}

// Its parent's place in the tree decides what a unit may use.
core::result<bool> takes_over(const store::repository& repo, const core::tenant& t) {
  if (!t.personal_of) return false;
  auto user = repo.find(t.personal_of);
  if (!user) return std::move(user).failure();
  return *user && core::has_service_role(**user);
}

}  // namespace

core::result<std::vector<core::tenant>> lineage(const store::repository& repo, core::tenant_id id) {
  std::vector<core::tenant> out;
  while (id) {
    if (out.size() == static_cast<std::size_t>(core::limits::lineage_max)) return endless();
    auto found = repo.find(id);
    if (!found) return std::move(found).failure();
    if (!*found) return std::vector<core::tenant>{};
    id = (*found)->parent;
    out.push_back(std::move(**found));
  }
  return out;
}

core::result<std::vector<core::tenant_id>> path_to(const store::repository& repo,
                                                   core::tenant_id id) {
  auto above = lineage(repo, id);
  if (!above) return std::move(above).failure();
  std::vector<core::tenant_id> out;
  for (auto t = above->rbegin(); t != above->rend(); ++t) out.push_back(t->id);
  return out;
}

core::result<bool> all_enabled(const store::repository& repo, core::tenant_id id) {
  for (int depth = 0; id; ++depth) {
    if (depth == core::limits::lineage_max) return endless();
    auto found = repo.find(id);
    if (!found) return std::move(found).failure();
    if (!*found || (*found)->state != core::tenant_state::enabled) return false;
    id = (*found)->parent;
  }
  return true;
}

core::result<int> resellers_below(const store::repository& repo, core::tenant_id id) {
  std::size_t looked = 0;
  core::result<void> problem;
  int rows = 0;
  for (std::vector<core::tenant_id> level{id}; rows < core::limits::reseller_depth_max; ++rows) {
    std::vector<core::tenant_id> next;
    for (const core::tenant_id parent : level) {
      auto scanned = repo.children_of(parent, 0, [&](core::tenant_id&& child) {
        auto t = repo.find(child);
        if (!t) problem = std::move(t).failure();
        if (t && *t && (*t)->kind == core::tenant_kind::reseller) next.push_back(child);
        return problem.ok() && ++looked <= core::limits::tenants_walked_max;
      });
      if (!scanned) return std::move(scanned).failure();
      if (!problem) return std::move(problem).failure();
      if (looked > core::limits::tenants_walked_max) {
        return core::error{core::errc::conflict,
                           "subtree_too_large",
                           "too many tenants stand below to move this one deeper",
                           {},
                           {}};
      }
    }
    if (next.empty()) break;
    level = std::move(next);
  }
  return rows;
}

core::result<core::offering_list> offerings_in_effect(const store::repository& repo,
                                                      core::tenant_id id) {
  auto above = lineage(repo, id);
  if (!above) return std::move(above).failure();
  core::offering_list effective;
  for (auto t = above->rbegin(); t != above->rend(); ++t) {
    auto own = repo.offerings(t->id);
    if (!own) return std::move(own).failure();
    if (t == above->rbegin()) {
      effective = std::move(*own);
      continue;
    }
    auto all = own->empty() ? takes_over(repo, *t) : core::result<bool>{false};
    if (!all) return std::move(all).failure();
    if (!*all) effective = core::in_effect(std::move(*own), effective);
  }
  return effective;
}

core::tenant_id family_tree::parent_of(core::tenant_id id) {
  const auto known = parents_.find(id);
  if (known != parents_.end()) return known->second;
  const auto found = repo_.find(id);
  const core::tenant_id parent = found && *found ? (*found)->parent : core::tenant_id{};
  parents_.emplace(id, parent);
  return parent;
}

bool family_tree::within(core::tenant_id inner, core::tenant_id outer) {
  for (int depth = 0; inner && depth < core::limits::lineage_max; ++depth) {
    if (inner == outer) return true;
    inner = parent_of(inner);
  }
  return false;
}

}  // namespace syndicated::actors
