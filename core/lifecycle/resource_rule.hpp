// What a plan sells of a product's resource types: the rules that sub-resources obey. Plain values.
// Source: domain.md, 2.1, 10.2 and 10.7.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/lifecycle/allowance.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

struct resource_rule {
  std::string type;
  bool instances = true;          // a service; others are shared, counted or switched, not made
  std::string parent_type;        // empty: none
  bool parent_is_shared = false;  // the application's root: there is no resource to look for
  link_strength link = link_strength::weak;
  allowance allowed{};
  std::int64_t auto_provide = 0;
};

struct resource_rules {
  std::vector<resource_rule> all;  // parents before their children

  const resource_rule* find(std::string_view type) const {
    const auto found =
        std::ranges::find_if(all, [type](const resource_rule& r) { return r.type == type; });
    return found == all.end() ? nullptr : &*found;
  }
};

// What the plan sells, seen with the product's resource types; parents before their children.
resource_rules rules_of(const product& p, const plan& sold);
// The plan's limit of a metric; unlimited when it does not sell it by that name.
allowance allowance_of(const plan& sold, std::string_view name);

}  // namespace syndicated::core
