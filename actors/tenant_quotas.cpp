// What a tenant has to do with its usages: it tells how near they are to its quotas, and does not
// move to where a hard quota would not bear them. What they are, the ledger knows.
#include <algorithm>

#include "actors/tenant_entity.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

std::int64_t used_of(const core::tenant_usage& row, core::timestamp now) {
  return core::as_of(row, core::range_of(now)).total.value();
}

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
    if (!after.blocked) news.events.push_back(core::blocked_event(one, *tried));
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

core::result<void> tenant_entity::bears_move(const core::tenant& parent) const {
  std::vector<core::tenant_usage> rows;
  auto scanned = usages_.of_tenant(record_->id, [&rows](core::tenant_usage&& row) {
    rows.push_back(std::move(row));
    return rows.size() < core::limits::scan_rows_max;
  });
  if (!scanned || rows.empty()) return scanned;
  std::vector<core::tenant_id> above = parent.path;
  above.push_back(parent.id);
  for (const core::tenant_id id : above) {
    if (std::ranges::find(record_->path, id) != record_->path.end()) continue;
    auto items = s_.repo.offerings(id);
    if (!items) return std::move(items).failure();
    for (const core::tenant_usage& row : rows) {
      const core::offering_item* item = core::find_item(*items, row.item);
      const std::int64_t more = used_of(row, s_.now());
      if (item == nullptr || !is_hard(*item) || more == 0) continue;
      auto there = usages_.find(id, store::usage_item_id(row.item));
      if (!there) return std::move(there).failure();
      std::int64_t sum = 0;
      const std::int64_t used = *there ? used_of(**there, s_.now()) : 0;
      const bool endless = __builtin_add_overflow(used, more, &sum);
      if (endless || core::blocked(item->quota, sum)) return quota_exceeded(id, *item);
    }
  }
  return {};
}

}  // namespace syndicated::actors
