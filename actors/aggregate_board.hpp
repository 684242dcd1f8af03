// Which aggregate commitments are in force: for subscriptions, to tell those that count them; and
// what they have counted, for /metrics.
//
// Threads: any; commitments write it, committed subscriptions read it. Limits: aggregates_max.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "core/base/limits.hpp"
#include "core/lifecycle/aggregate.hpp"

namespace syndicated::actors {

class aggregate_board {
 public:
  enum class taken : std::uint8_t { yes, exists, too_many };

  // One for each group. It counts from now on.
  taken take(core::commitment_id id, const core::counted_group& group) {
    const std::unique_lock lock(mutex_);
    if (groups_.size() >= core::limits::aggregates_max) return taken::too_many;
    return groups_.emplace(group, id).second ? taken::yes : taken::exists;
  }
  void release(core::commitment_id id) {
    const std::unique_lock lock(mutex_);
    std::erase_if(groups_, [id](const auto& entry) { return entry.second == id; });
    counters_.erase(id);
  }
  // On disk, of one in force.
  void counted(core::commitment_id id, std::int64_t units) {
    const std::unique_lock lock(mutex_);
    counters_[id] = units;
  }
  void note_shortfall() { shortfalls_.fetch_add(1); }
  struct sums {
    std::uint64_t in_force = 0;
    std::int64_t units = 0;        // two that count the same have it twice
    std::uint64_t shortfalls = 0;  // told since the start
  };
  sums totals() const {
    const std::shared_lock lock(mutex_);
    sums out{groups_.size(), 0, shortfalls_.load()};
    for (const auto& [id, units] : counters_) out.units += units;
    return out;
  }
  std::vector<core::commitment_id> all() const {
    const std::shared_lock lock(mutex_);
    std::vector<core::commitment_id> out;
    for (const auto& [group, id] : groups_) out.push_back(id);
    return out;
  }
  // Those that may count what is sold to somebody who stands below these tenants.
  std::vector<core::commitment_id> counting(const std::vector<core::tenant_id>& path,
                                            core::vendor_id vendor,
                                            core::product_id product) const {
    const std::shared_lock lock(mutex_);
    std::vector<core::commitment_id> out;
    if (groups_.empty()) return out;
    for (const core::tenant_id reseller : path) {
      add(out, {reseller, core::entity_kind::vendor, vendor.value, {}});
      add(out, {reseller, core::entity_kind::product, product.value, {}});
    }
    return out;
  }

 private:
  void add(std::vector<core::commitment_id>& out, const core::counted_group& any_resource) const {
    for (auto at = groups_.lower_bound(any_resource); at != groups_.end(); ++at) {
      core::counted_group group = at->first;
      group.resource.clear();
      if (group != any_resource) return;
      out.push_back(at->second);
    }
  }

  mutable std::shared_mutex mutex_;
  std::map<core::counted_group, core::commitment_id> groups_;
  std::map<core::commitment_id, std::int64_t> counters_;
  std::atomic<std::uint64_t> shortfalls_{0};
};

}  // namespace syndicated::actors
