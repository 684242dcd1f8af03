// Who stands above a tenant, by the parents as they are committed now.
//
// A tenant's `path` is a copy that a move leaves old until its cascade has passed, so whoever
// guards something walks the parents instead: at most limits::lineage_max reads, as many as the
// tree is deep. Threads: any. Errors: the store's; errc::corrupt when the tree has no end.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "store/repository.hpp"

namespace syndicated::actors {

// The tenant, its parent, and so on up to the provider; empty when there is no such tenant.
core::result<std::vector<core::tenant>> lineage(const store::repository& repo, core::tenant_id id);

// The ids from the provider down to the tenant itself: the `path` of what hangs below it.
core::result<std::vector<core::tenant_id>> path_to(const store::repository& repo,
                                                   core::tenant_id id);

// It and all above are ENABLED; of none (0) so.
core::result<bool> all_enabled(const store::repository& repo, core::tenant_id id);

// Resellers under a reseller, the longest row of them. Errors: errc::conflict "subtree_too_large"
// when more than limits::tenants_walked_max tenants would have to be looked at.
core::result<int> resellers_below(const store::repository& repo, core::tenant_id id);

// What the tenant may use, with what those above have taken into account. A personal unit without
// items of its own has its customer's while its user has a service role.
core::result<core::offering_list> offerings_in_effect(const store::repository& repo,
                                                      core::tenant_id id);

// For many questions at once: remembers the parents that it has read.
class family_tree {
 public:
  explicit family_tree(const store::repository& repo) : repo_(repo) {}
  // `inner` is `outer` or below it; false when that cannot be read.
  bool within(core::tenant_id inner, core::tenant_id outer);

 private:
  core::tenant_id parent_of(core::tenant_id id);

  const store::repository& repo_;
  std::unordered_map<core::tenant_id, core::tenant_id> parents_;
};

}  // namespace syndicated::actors
