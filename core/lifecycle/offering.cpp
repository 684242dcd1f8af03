#include "core/lifecycle/offering.hpp"

#include <algorithm>
#include <limits>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

const offering_key& key_of(const offering_item& item) { return item; }

error conflict(std::string code, const offering_item& item, std::string_view what) {
  return {
      errc::conflict, std::move(code), "the item " + item.name + ' ' + std::string{what}, {}, {}};
}

bool same_quota(const offering_quota& a, const offering_quota& b) {
  return a.value == b.value && a.overage == b.overage;
}

bool same_item(const offering_item& a, const offering_item& b) {
  return key_of(a) == key_of(b) && a.on == b.on && a.quota.version == b.quota.version &&
         same_quota(a.quota, b.quota) && a.usage_name == b.usage_name &&
         a.measurement_unit == b.measurement_unit && a.type == b.type && a.locked == b.locked;
}

// What the parent says of an item holds below, too.
void describe_as(offering_item& item, const offering_item& source) {
  item.usage_name = source.usage_name;
  item.measurement_unit = source.measurement_unit;
  item.type = source.type;
  item.locked = source.locked;
}

result<void> set_one(offering_list& list, const offering_item& wanted, const offering_list* above) {
  const offering_item* source = above != nullptr ? find_item(*above, wanted) : nullptr;
  if (wanted.on && above != nullptr && source == nullptr) {
    return conflict("not_offered", wanted, "is not among those that the parent has");
  }
  const auto known = std::ranges::find(list, key_of(wanted), key_of);
  if (known == list.end()) {
    offering_item fresh = wanted;
    if (wanted.quota.version != 0) {
      return error{errc::precondition,
                   "quota_version_mismatch",
                   "the item " + wanted.name + " has no quota yet: its version is 0",
                   {},
                   {}};
    }
    if (source != nullptr) describe_as(fresh, *source);
    if (!same_quota(fresh.quota, {})) fresh.quota.version = 1;
    list.push_back(std::move(fresh));
    return {};
  }
  if (wanted.quota.version != known->quota.version) {
    return error{
        errc::precondition,
        "quota_version_mismatch",
        "the quota of " + wanted.name + " has the version " + std::to_string(known->quota.version),
        {},
        {}};
  }
  // What was counted the one way cannot be read the other way.
  const bool counts = known->measurement_unit == "seconds";
  if (above == nullptr && counts != (wanted.measurement_unit == "seconds")) {
    return conflict("measurement_unit_fixed", wanted,
                    "is measured in " + known->measurement_unit + ", which does not change");
  }
  if (known->on && !wanted.on && known->locked && above != nullptr) {
    return conflict("item_locked", wanted, "is locked: it cannot be switched off by itself");
  }
  if (!same_quota(known->quota, wanted.quota)) {
    known->quota = wanted.quota;
    ++known->quota.version;
  }
  known->on = wanted.on;
  describe_as(*known, source != nullptr ? *source : above == nullptr ? wanted : *known);
  return {};
}

}  // namespace

const offering_item* find_item(const offering_list& items, const offering_key& key) noexcept {
  const auto it = std::ranges::find(items, key, key_of);
  return it == items.end() ? nullptr : &*it;
}

offering_list in_effect(offering_list list, const offering_list& above) {
  for (offering_item& item : list) {
    const offering_item* source = find_item(above, item);
    item.on = item.on && source != nullptr && source->on;
    if (source != nullptr) describe_as(item, *source);
  }
  return list;
}

offering_list for_child(const offering_list& effective) {
  offering_list out;
  for (const offering_item& item : effective) {
    if (!item.on) continue;
    out.push_back(item);
    out.back().quota = {};
  }
  return out;
}

result<offering_list> set_items(const offering_list& present, const offering_list& wanted,
                                const offering_list* above) {
  offering_list next = present;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string at = "/offering_items/" + std::to_string(i);
    const offering_quota& quota = wanted[i].quota;
    if (quota.value.value_or(0) < 0) {
      return invalid_field(at + "/quota/value", "must not be negative");
    }
    if (quota.overage.value_or(0) < 0) {
      return invalid_field(at + "/quota/overage", "must not be negative");
    }
    if (auto ok = set_one(next, wanted[i], above); !ok) return std::move(ok).failure();
  }
  if (next.size() > limits::offering_items_max) {
    return invalid_field("/offering_items",
                         "a tenant has at most " + std::to_string(limits::offering_items_max));
  }
  return next;
}

bool same_settings(const offering_list& a, const offering_list& b) noexcept {
  return std::ranges::equal(a, b, same_item);
}

std::string_view to_string(quota_crossing level) noexcept {
  switch (level) {
    case quota_crossing::within: return "within";
    case quota_crossing::reached: return "reached";
    case quota_crossing::exceeded: return "exceeded";
  }
  return "";
}

quota_crossing crossing(const offering_quota& quota, std::int64_t used,
                        quota_crossing before) noexcept {
  if (!quota.value) return quota_crossing::within;
  const std::int64_t limit = *quota.value;
  const std::int64_t slack = limit / 10;
  // A level that was told is kept until `used` is a tenth of the limit below where it begins.
  const auto at_least = [&](std::int64_t begins, quota_crossing level) {
    return used >= (before >= level ? begins - slack : begins);
  };
  if (at_least(limit == std::numeric_limits<std::int64_t>::max() ? limit : limit + 1,
               quota_crossing::exceeded)) {
    return quota_crossing::exceeded;
  }
  // Without an overflow for quotas of many bytes.
  constexpr std::int64_t warn_left = 100 - std::int64_t{limits::quota_reached_percent};
  const std::int64_t warn = limit - limit / 100 * warn_left - limit % 100 * warn_left / 100;
  return limit > 0 && at_least(warn, quota_crossing::reached) ? quota_crossing::reached
                                                              : quota_crossing::within;
}

bool blocked(const offering_quota& quota, std::int64_t used) noexcept {
  if (!quota.value || !quota.overage) return false;
  const std::int64_t room = std::numeric_limits<std::int64_t>::max() - *quota.value;
  return *quota.overage <= room && used > *quota.value + *quota.overage;
}

}  // namespace syndicated::core
