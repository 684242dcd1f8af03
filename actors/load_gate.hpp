// What new load is told: welcome, or why not now (delivery.md, 3).
//
// New load is what makes notifications: creations and changes that the marketplace asks for,
// publishing, replays. Everything else (what vendors report, cancels and ends, timers, reads,
// administration) passes by this gate, so that work that was accepted can end. Nothing that was
// accepted is ever dropped.
//
//   store_stalled  503  no batch has ended for limits::store_stalled_ms while plans wait
//   memory         503  the process has more than 85 % of limits.memory_max
//   backlog_full   503  limits.pending_events_max notifications are pending
//   tenant_backlog_full  429  an owner of a recipient has limits.pending_events_per_owner_max
//   pending
//
// Memory and backlogs are welcome again at 95 % of their marks. An owner's backlog is a quota whose
// levels are told to the platform (core/delivery/quota.hpp). The figures are looked at every
// limits::load_look_ms (load_watch.hpp), so what comes in between may go over a mark; asking costs
// one atomic read while everything is well. Threads: take() from one; everything else from any.
// CAF-free.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/catalog_snapshot.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/delivery/quota.hpp"

namespace syndicated::actors {

struct load_limits {
  std::uint64_t pending_events_max = 50'000'000;
  std::uint64_t pending_events_per_owner_max = 20'000'000;
  std::uint64_t memory_max = 0;  // bytes; 0 = none
};

struct load_sample {
  std::chrono::milliseconds stalled{0};  // since a batch ended, while plans wait
  std::uint64_t resident_bytes = 0;
  std::vector<std::pair<core::endpoint_id, std::uint64_t>> pending;  // without zeros
};

// In the order of their gravity.
enum class overload : std::uint8_t { store_stalled, memory, backlog_full, tenant_backlog_full };
inline constexpr std::size_t overload_count = 4;
std::string_view to_string(overload why) noexcept;

struct quota_change {
  endpoint_owner owner;
  core::quota_level level{};
  std::uint64_t value = 0;
  std::uint64_t limit = 0;
};

class load_gate {
 public:
  // Looked at anew with the next sample.
  void set_limits(const load_limits& limits);
  // Owners whose quota has another level than the one told last.
  std::vector<quota_change> take(const load_sample& sample, const catalog_snapshot& catalog);
  // What was told in the life of an earlier process. Before the first take().
  void restore(const endpoint_owner& owner, core::quota_level told);
  // It could not be told, so the next take() says it again.
  void not_told(const endpoint_owner& owner);

  // For all new load. None: welcome.
  std::optional<core::error> refusal() const;
  // For new load to these endpoints. Asked only while owners_full().
  std::optional<core::error> refusal(const catalog_snapshot& catalog,
                                     std::span<const core::endpoint_id> recipients) const;
  bool owners_full() const noexcept {
    return (closed_.load(std::memory_order_relaxed) & bit(overload::tenant_backlog_full)) != 0;
  }

  // Without counting: the gravest reason for which all new load is refused.
  std::optional<overload> closed() const noexcept;
  std::size_t full_owners() const;
  std::uint64_t refusals(overload why) const noexcept {
    return refused_[static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  }

 private:
  using owner_set = std::set<endpoint_owner>;
  using pending_map = std::map<endpoint_owner, std::uint64_t>;
  static constexpr unsigned bit(overload why) { return 1U << static_cast<unsigned>(why); }
  void count(overload why) const noexcept {
    refused_[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
  std::vector<quota_change> take_levels(const pending_map& owners);
  bool is_over(overload why, std::uint64_t value, std::uint64_t mark) const noexcept;

  mutable std::mutex mutex_;
  load_limits limits_;
  std::map<endpoint_owner, core::quota_level> levels_;  // but those within
  std::map<endpoint_owner, core::quota_level> told_;    // likewise
  std::atomic<unsigned> closed_{0};
  std::atomic<std::shared_ptr<const owner_set>> full_;
  mutable std::array<std::atomic<std::uint64_t>, overload_count> refused_{};
};

// The command makes notifications that nobody is owed yet.
bool adds_load(const core::subscription_command& command) noexcept;
bool adds_load(const core::tenant_command& command) noexcept;

}  // namespace syndicated::actors
