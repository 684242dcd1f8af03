// Offering items: what a tenant may use, and how much of it (domain.md, 5.3; invariant 14). Pure.
//
// The provider's items define what there is. A tenant has an item in effect when it is switched on
// there and at every tenant above: what an ancestor loses is lost below at once, and is there again
// when the ancestor gets it back, without a walk.
// Limits: limits::offering_items_max. Errors: errc::invalid names the item's field;
// errc::precondition "quota_version_mismatch"; errc::conflict "not_offered", "item_locked",
// "measurement_unit_fixed".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::core {

struct offering_quota {
  std::optional<std::int64_t> value;  // none: unlimited
  std::optional<std::int64_t>
      overage;  // none: soft, one is only told; else hard at value + overage
  std::uint64_t version = 0;
};

// What makes two items the same one.
struct offering_key {
  std::string application_id;
  std::string name;
  std::string edition;
  std::string infra_id;  // of the type "infra" only
  friend auto operator<=>(const offering_key&, const offering_key&) = default;
};

struct offering_item : offering_key {
  std::string usage_name;
  std::string measurement_unit = "quantity";  // bytes, quantity, seconds, n/a
  std::string type = "count";                 // count, feature, infra
  bool locked = false;                        // cannot be switched off by itself
  bool on = true;
  offering_quota quota;
};
using offering_list = std::vector<offering_item>;

const offering_item* find_item(const offering_list& items, const offering_key& key) noexcept;

// `list` (a tenant's own) as far as it is in effect below `above` (what the parent has in effect).
offering_list in_effect(offering_list list, const offering_list& above);

// What could be switched on for a child: the items in effect, without quotas.
offering_list for_child(const offering_list& effective);

// `present` with the wanted ones set; those that are not named stay. `above`: what the parent has
// in effect; nullptr: the provider's own list, which defines. Same list: nothing changed.
result<offering_list> set_items(const offering_list& present, const offering_list& wanted,
                                const offering_list* above);
bool same_settings(const offering_list& a, const offering_list& b) noexcept;

enum class quota_crossing : std::uint8_t { within = 0, reached = 1, exceeded = 2 };
std::string_view to_string(quota_crossing level) noexcept;

// How much of the quota `used` is. One that was passed is left again only a tenth below it, so that
// a value that swings around the limit is told once.
quota_crossing crossing(const offering_quota& quota, std::int64_t used,
                        quota_crossing before) noexcept;

// More than a hard quota lets have.
bool blocked(const offering_quota& quota, std::int64_t used) noexcept;

}  // namespace syndicated::core
