#include "actors/load_gate.hpp"

#include "core/base/limits.hpp"
#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

core::error refused(overload why, std::string detail) {
  const auto kind =
      why == overload::tenant_backlog_full ? core::errc::too_many : core::errc::unavailable;
  return {kind, std::string{to_string(why)}, std::move(detail), {}, {}};
}

std::string detail_of(overload why) {
  switch (why) {
    case overload::store_stalled: return "the disk does not finish writes at the moment";
    case overload::memory:
      return "the daemon has nearly as much memory as limits.memory_max allows";
    case overload::backlog_full:
      return "as many notifications are pending as limits.pending_events_max allows";
    case overload::tenant_backlog_full: break;
  }
  return "as many notifications are pending as limits.pending_events_per_owner_max allows for the ";
}

std::string name_of(const endpoint_owner& owner) {
  std::string name{core::to_string(owner.scope)};
  return owner.id == 0 ? name : name + ' ' + std::to_string(owner.id);
}

void tell_change(unsigned before, unsigned now) {
  for (std::size_t i = 0; i < overload_count; ++i) {
    const auto why = static_cast<overload>(i);
    const bool was = (before >> i & 1U) != 0;
    const bool is = (now >> i & 1U) != 0;
    if (was == is) continue;
    core::log(is ? core::log_level::warning : core::log_level::info, "load",
              is ? "new load is refused" : "new load is taken again",
              {{"reason", std::string{to_string(why)}}});
  }
}

}  // namespace

std::string_view to_string(overload why) noexcept {
  switch (why) {
    case overload::store_stalled: return "store_stalled";
    case overload::memory: return "memory";
    case overload::backlog_full: return "backlog_full";
    case overload::tenant_backlog_full: return "tenant_backlog_full";
  }
  return "";
}

void load_gate::set_limits(const load_limits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

bool load_gate::is_over(overload why, std::uint64_t value, std::uint64_t mark) const noexcept {
  const bool was = (closed_.load(std::memory_order_relaxed) & bit(why)) != 0;
  return core::is_over(value, mark, was);
}

std::vector<quota_change> load_gate::take(const load_sample& sample,
                                          const catalog_snapshot& catalog) {
  const std::lock_guard lock(mutex_);
  unsigned now = 0;
  if (sample.stalled.count() >= core::limits::store_stalled_ms) now |= bit(overload::store_stalled);
  const std::uint64_t memory_mark =
      core::share_of(limits_.memory_max, core::limits::memory_mark_percent);
  if (limits_.memory_max > 0 && is_over(overload::memory, sample.resident_bytes, memory_mark)) {
    now |= bit(overload::memory);
  }
  std::uint64_t all = 0;
  pending_map owners;
  for (const auto& [id, pending] : sample.pending) {
    all += pending;
    if (const auto endpoint = catalog.find_any(id)) owners[catalog.owner_of(*endpoint)] += pending;
  }
  if (is_over(overload::backlog_full, all, limits_.pending_events_max)) {
    now |= bit(overload::backlog_full);
  }
  auto changes = take_levels(owners);
  owner_set full;
  for (const auto& [owner, level] : levels_) {
    if (level == core::quota_level::blocked) full.insert(owner);
  }
  if (!full.empty()) now |= bit(overload::tenant_backlog_full);
  full_ = full.empty() ? nullptr : std::make_shared<const owner_set>(std::move(full));
  tell_change(closed_.exchange(now), now);
  return changes;
}

std::vector<quota_change> load_gate::take_levels(const pending_map& owners) {
  const std::uint64_t limit = limits_.pending_events_per_owner_max;
  const auto before = std::exchange(levels_, {});
  const auto level_in = [](const auto& levels, const endpoint_owner& owner) {
    const auto it = levels.find(owner);
    return it == levels.end() ? core::quota_level::within : it->second;
  };
  for (const auto& [owner, pending] : owners) {
    const auto level = core::level_of(pending, limit, level_in(before, owner));
    if (level != core::quota_level::within) levels_.emplace(owner, level);
  }
  std::vector<quota_change> changes;
  const auto compare = [&](const endpoint_owner& owner) {
    const auto level = level_in(levels_, owner);
    if (level == level_in(told_, owner)) return;
    const auto pending = owners.find(owner);
    changes.push_back({owner, level, pending == owners.end() ? 0 : pending->second, limit});
  };
  for (const auto& [owner, level] : told_) compare(owner);
  for (const auto& [owner, level] : levels_) {
    if (!told_.contains(owner)) compare(owner);
  }
  told_ = levels_;
  return changes;
}

void load_gate::restore(const endpoint_owner& owner, core::quota_level told) {
  const std::lock_guard lock(mutex_);
  if (told != core::quota_level::within) levels_[owner] = told_[owner] = told;
}

void load_gate::not_told(const endpoint_owner& owner) {
  const std::lock_guard lock(mutex_);
  // Another level than the present one, whichever that is; the endpoint knows what it told.
  const bool within = !levels_.contains(owner);
  if (within) {
    told_[owner] = core::quota_level::reached;
  } else {
    told_.erase(owner);
  }
}

std::optional<overload> load_gate::closed() const noexcept {
  const unsigned now = closed_.load(std::memory_order_relaxed);
  for (const auto why : {overload::store_stalled, overload::memory, overload::backlog_full}) {
    if ((now & bit(why)) != 0) return why;
  }
  return std::nullopt;
}

std::size_t load_gate::full_owners() const {
  const auto full = full_.load();
  return full ? full->size() : 0;
}

std::optional<core::error> load_gate::refusal() const {
  const auto why = closed();
  if (!why) return std::nullopt;
  count(*why);
  return refused(*why, detail_of(*why));
}

std::optional<core::error> load_gate::refusal(const catalog_snapshot& catalog,
                                              std::span<const core::endpoint_id> recipients) const {
  const auto full = full_.load();
  if (!full) return std::nullopt;
  for (const core::endpoint_id id : recipients) {
    const auto endpoint = catalog.find_any(id);
    if (!endpoint) continue;
    const endpoint_owner owner = catalog.owner_of(*endpoint);
    if (!full->contains(owner)) continue;
    count(overload::tenant_backlog_full);
    return refused(overload::tenant_backlog_full,
                   detail_of(overload::tenant_backlog_full) + name_of(owner));
  }
  return std::nullopt;
}

bool adds_load(const core::subscription_command& command) noexcept {
  using enum core::subscription_action;
  if (command.by == core::party::vendor || command.by == core::party::system) return false;
  switch (command.action) {
    case reject:
    case overdue:
    case unschedule:
    case answer_operation:
    case cancel_operation:
    case relocate:
    case cancel:
    case terminate:
    case report_deployed:
    case report_post_configuration:
    case report_failed:
    case report_stopped:
    case report_undeployed:
    case set_endpoints:
    case set_instructions:
    case set_credentials:
    case set_vendor_metadata:
    case set_costs:
    case timer: return false;
    default: return true;
  }
}

bool adds_load(const core::tenant_command& command) noexcept {
  return command.action == core::tenant_action::update ||
         command.action == core::tenant_action::enable;
}

}  // namespace syndicated::actors
