// How much of their offering items tenants use, summed up along the tree, and how near that is to
// their quotas (domain.md, 5.3, 5.4, 10.2; invariant 14 of 10.14). Pure: the clock is a parameter.
//
// Each row holds what a tenant was reported to use itself, and the total of it and all below. A row
// remembers the parent that has its total in its own: so the rows are a tree of their own, in which
// a total is always the own value and the totals counted under it, and settle() makes that tree
// the one in which the tenants stand, whenever and however often it is asked.
// Bytes and quantities are gauges: what there is now. Seconds count from the beginning of the
// calendar month (UTC) on, the range; a row of an earlier month reads as zero.
// Limits: limits::lineage_max. Errors: errc::invalid "/usage_value"; errc::conflict
// "counter_went_down"; errc::unavailable "tree_in_motion"; those of the readers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/offering.hpp"

namespace syndicated::core {

struct usage_sum {
  std::int64_t ever = 0;
  std::int64_t before = 0;  // of it, before the range; of gauges always 0
  constexpr std::int64_t value() const noexcept { return ever - before; }
  friend bool operator==(const usage_sum&, const usage_sum&) = default;
};

struct tenant_usage {
  offering_key item;
  bool counter = false;
  usage_sum own;
  usage_sum total;
  timestamp range_start{};
  tenant_id counted_under;    // has the total in its own; 0: nobody
  std::uint64_t version = 0;  // grows with each write
};

timestamp range_of(timestamp now);  // the beginning of its month
bool is_counter(const offering_item& item) noexcept;
// As it reads in the range that begins then. A clock that was set back changes nothing.
tenant_usage as_of(tenant_usage row, timestamp range);

// The rows of one item, as far as they are needed, and what becomes of them.
class usage_sheet {
 public:
  // What is there; none: nothing yet.
  using row_reader = std::function<result<std::optional<tenant_usage>>(tenant_id)>;
  using parent_reader = std::function<result<tenant_id>(tenant_id)>;  // 0: stands at the top

  usage_sheet(offering_key item, timestamp range, row_reader rows, parent_reader parents)
      : item_(std::move(item)),
        range_(range),
        read_row_(std::move(rows)),
        read_parent_(std::move(parents)) {}

  // The tenant, its parent and so on up to the top: totals are counted where the tenants stand.
  result<std::vector<tenant_id>> settle(tenant_id id);
  // As it is now on this sheet.
  result<tenant_usage> row(tenant_id id);
  // By how much its own value, and so each total above, is to change to become `value`. `counter`:
  // what the item is now.
  result<std::int64_t> change_to(tenant_id id, std::int64_t value, bool counter);
  // After settle().
  result<void> add(tenant_id id, std::int64_t change, bool counter);
  // Its own usage leaves all sums.
  result<void> withdraw(tenant_id id);

  const offering_key& item() const noexcept { return item_; }
  const std::set<tenant_id>& changed() const noexcept { return changed_; }

 private:
  result<tenant_usage*> at(tenant_id id);
  result<void> settle_one(tenant_id id, tenant_id parent);
  // From there up as it is counted.
  result<void> add_from(tenant_id id, usage_sum more, bool counter);

  offering_key item_;
  timestamp range_;
  row_reader read_row_;
  parent_reader read_parent_;
  std::map<tenant_id, tenant_usage> rows_;
  std::set<tenant_id> changed_;
};

// What was told last of a tenant's quota.
struct quota_told {
  quota_crossing level = quota_crossing::within;
  bool blocked = false;  // somebody was refused
  timestamp range{};     // of a counter, in which it was told
};
inline bool same(const quota_told& a, const quota_told& b) noexcept {
  return a.level == b.level && a.blocked == b.blocked;
}
// What of it still counts: of a counter nothing from an earlier range.
quota_told as_of(const quota_told& told, const tenant_usage& row) noexcept;

// After the total has become `used`. That somebody was refused is forgotten a tenth below what the
// hard quota bears, so that a value that swings around it is told once.
quota_told told_after(const offering_quota& quota, std::int64_t used, quota_told before) noexcept;

// quota.reached and quota.exceeded: one for each level above `before` up to `now`.
std::vector<event_draft> level_events(const offering_item& item, std::int64_t used,
                                      quota_crossing before, quota_crossing now);
// quota.blocked: the total would have become `tried`.
event_draft blocked_event(const offering_item& item, std::int64_t tried);

// Whose quota refused it, and what that bears.
error quota_blocked(tenant_id id, const offering_item& item);

}  // namespace syndicated::core
