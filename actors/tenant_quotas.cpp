// What a tenant has to do with its usages: it tells how near they are to its quotas, and does not
// move to where a hard quota would not bear them. What they are, the ledger knows.
#include <algorithm>
#include <set>

#include "actors/tenant_entity.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

bool is_hard(const core::offering_item& item) {
  return item.quota.value.has_value() && item.quota.overage.has_value();
}

core::error quota_exceeded(core::tenant_id id, const core::offering_item& item) {
  core::error why = core::quota_blocked(id, item);
  why.code = "quota_exceeded";
  return why;
}

}  // namespace

core::result<core::offering_list> tenant_entity::own_items() const {
  // An earlier change may still be on its way to the disk.
  if (offerings_) return *offerings_;
  return s_.repo.offerings(record_->id);
}

core::result<void> tenant_entity::compare(quota_news& news, const core::offering_list& own,
                                          const std::string& item,
                                          std::optional<std::int64_t> tried) {
  auto stored = usages_.find(record_->id, item);
  if (!stored) return std::move(stored).failure();
  if (!*stored) return {};
  const core::tenant_usage row = core::as_of(std::move(**stored), core::range_of(s_.now()));
  core::quota_told before;
  if (const auto known = news.told.find(item); known != news.told.end()) {
    before = known->second;
  } else if (const auto earlier = told_.find(item); earlier != told_.end()) {
    before = earlier->second;
  } else {
    auto told = usages_.told(record_->id, item);
    if (!told) return std::move(told).failure();
    before = *told;
  }
  before = core::as_of(before, row);
  const core::offering_item* known = core::find_item(own, row.item);
  const core::offering_item one = known != nullptr ? *known : core::offering_item{};
  const std::int64_t used = row.total.value();
  core::quota_told after = core::told_after(one.quota, used, before);
  for (core::event_draft& e : core::level_events(one, used, before.level, after.level)) {
    news.events.push_back(std::move(e));
  }
  if (tried && core::blocked(one.quota, *tried)) {
    // Who reports the same again and again is refused each time, and told of once.
    if (!before.blocked) news.events.push_back(core::blocked_event(one, *tried));
    after.blocked = true;
  }
  if (core::same(after, before)) return {};
  store::usages::put_told(news.plan, record_->id, item, after);
  news.told[item] = after;
  return {};
}

void tenant_entity::keep(const quota_news& news) {
  for (const auto& [item, told] : news.told) told_.insert_or_assign(item, told);
}

void tenant_entity::tell_quotas(entity_request& request) {
  std::vector<store::quota_notice> notices;
  auto scanned = usages_.notices(record_->id, [&notices](store::quota_notice&& n) {
    notices.push_back(std::move(n));
    return notices.size() < core::limits::quota_notices_page;
  });
  if (!scanned) return refuse(request, std::move(scanned).failure());
  if (notices.empty()) return answer_unchanged(request, {});
  auto own = own_items();
  if (!own) return refuse(request, std::move(own).failure());
  quota_news news;
  for (const store::quota_notice& n : notices) {
    if (record_->state != core::tenant_state::purged) {
      if (auto ok = compare(news, *own, n.item, n.tried); !ok) {
        return refuse(request, std::move(ok).failure());
      }
    }
    store::usages::erase(news.plan, n);
  }
  keep(news);
  if (news.events.empty()) return commit(request, std::move(news.plan), {}, {});
  core::tenant_decision decided{*record_, std::move(news.events), true};
  write(request, std::move(decided), false, {}, {}, std::move(news.plan));
}

core::result<void> tenant_entity::follow_quotas(quota_news& news, const core::offering_list& before,
                                                const core::offering_list& after) {
  for (const core::offering_item& item : after) {
    const core::offering_item* was = core::find_item(before, item);
    if (was != nullptr && was->quota.version == item.quota.version) continue;
    if (auto ok = compare(news, after, store::usage_item_id(item), {}); !ok) return ok;
  }
  return {};
}

core::result<std::vector<core::tenant>> tenant_entity::in_motion() const {
  std::vector<core::tenant> out;
  core::result<void> problem;
  auto scanned = usages_.marks([&](store::usage_mark&& mark) {
    auto found = s_.repo.find(mark.tenant);
    if (!found) {
      problem = std::move(found).failure();
    } else if (*found) {
      out.push_back(std::move(**found));
    }
    return problem.ok() && out.size() < core::limits::ledger_marks_page;
  });
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  if (out.size() >= core::limits::ledger_marks_page) {
    return core::error{core::errc::unavailable,
                       "move_in_progress",
                       "many tenants are being moved at this moment",
                       {},
                       {}};
  }
  return out;
}

core::result<void> tenant_entity::bears_move(const core::tenant& parent) const {
  // What the ledger has yet to settle is settled here, too: the totals are those of the tree as
  // it stands on disk.
  auto moved = in_motion();
  if (!moved) return std::move(moved).failure();
  std::set<core::offering_key> used;
  const auto use = [&](core::tenant_id id) {
    return usages_.of_tenant(id, [&used](core::tenant_usage&& row) {
      used.insert(std::move(row.item));
      return used.size() < core::limits::scan_rows_max;
    });
  };
  if (auto ok = use(record_->id); !ok) return ok;
  for (const core::tenant& t : *moved) {
    if (auto ok = use(t.id); !ok) return ok;
  }
  std::vector<core::tenant_id> above = parent.path;
  above.push_back(parent.id);
  std::erase_if(above, [this](core::tenant_id id) {
    return std::ranges::find(record_->path, id) != record_->path.end();
  });
  for (const core::offering_key& item : used) {
    if (auto ok = bears_item(item, *moved, above); !ok) return ok;
  }
  return {};
}

core::result<void> tenant_entity::bears_item(const core::offering_key& key,
                                             const std::vector<core::tenant>& moved,
                                             const std::vector<core::tenant_id>& above) const {
  const auto row = [this, id = store::usage_item_id(key)](core::tenant_id t) {
    return usages_.find(t, id);
  };
  const auto parent = [this](core::tenant_id t) -> core::result<core::tenant_id> {
    if (t == record_->id) return record_->parent;
    auto found = s_.repo.find(t);
    if (!found) return std::move(found).failure();
    return *found ? (*found)->parent : core::tenant_id{};
  };
  core::usage_sheet sheet{key, core::range_of(s_.now()), row, parent};
  for (const core::tenant& t : moved) {
    if (auto line = sheet.settle(t.id); !line) return std::move(line).failure();
    if (t.state != core::tenant_state::purged) continue;
    if (auto ok = sheet.withdraw(t.id); !ok) return ok;
  }
  const auto more = sheet.row(record_->id);
  if (!more) return core::error{more.failure()};
  if (more->total.value() == 0) return {};
  for (const core::tenant_id id : above) {
    auto items = s_.repo.offerings(id);
    if (!items) return std::move(items).failure();
    const core::offering_item* item = core::find_item(*items, key);
    if (item == nullptr || !is_hard(*item)) continue;
    const auto there = sheet.row(id);
    if (!there) return core::error{there.failure()};
    std::int64_t sum = 0;
    const bool endless = __builtin_add_overflow(there->total.value(), more->total.value(), &sum);
    if (endless || core::blocked(item->quota, sum)) return quota_exceeded(id, *item);
  }
  return {};
}

}  // namespace syndicated::actors
