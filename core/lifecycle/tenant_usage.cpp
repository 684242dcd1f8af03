#include "core/lifecycle/tenant_usage.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/json_writer.hpp"
#include "core/base/limits.hpp"
#include "core/base/uuid.hpp"

namespace syndicated::core {
namespace {

// A tree that is changed while it is read may look endless.
error in_motion() {
  return {errc::unavailable,
          "tree_in_motion",
          "tenants are being moved at this moment: try again",
          {},
          {}};
}

bool fits(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return !__builtin_add_overflow(a, b, &sum);
}

std::string_view name_of(quota_crossing level) noexcept {
  return level == quota_crossing::reached ? "quota.reached" : "quota.exceeded";
}

event_draft quota_event(std::string_view name, const offering_item& item, std::int64_t value) {
  event_draft out;
  out.name = name;
  const std::int64_t limit = item.quota.value.value_or(-1);
  out.metadata["metric"] = item.name;
  out.metadata["value"] = std::to_string(value);
  out.metadata["limit"] = std::to_string(limit);
  json_writer change;
  change.begin_object().key("metric").text(item.name).key("value").number(value);
  change.key("limit").number(limit).key("overage");
  if (item.quota.overage) {
    change.number(*item.quota.overage);
  } else {
    change.null();
  }
  change.key("application_id").text(item.application_id);
  change.key("edition").text(item.edition).key("infra_id").text(item.infra_id).end_object();
  out.change_json = std::move(change).str();
  return out;
}

}  // namespace

timestamp range_of(timestamp now) {
  using namespace std::chrono;
  const year_month_day date{floor<days>(now)};
  return sys_days{date.year() / date.month() / 1};
}

bool is_counter(const offering_item& item) noexcept { return item.measurement_unit == "seconds"; }

tenant_usage as_of(tenant_usage row, timestamp range) {
  if (row.range_start >= range) return row;
  row.range_start = range;
  if (!row.counter) return row;
  row.own.before = row.own.ever;
  row.total.before = row.total.ever;
  return row;
}

result<tenant_usage*> usage_sheet::at(tenant_id id) {
  const auto known = rows_.find(id);
  if (known != rows_.end()) return &known->second;
  auto stored = read_row_(id);
  if (!stored) return std::move(stored).failure();
  tenant_usage row;
  if (*stored) {
    row = as_of(std::move(**stored), range_);
  } else {
    auto parent = read_parent_(id);
    if (!parent) return std::move(parent).failure();
    row.item = item_;
    row.range_start = range_;
    row.counted_under = *parent;
  }
  return &rows_.emplace(id, std::move(row)).first->second;
}

result<tenant_usage> usage_sheet::row(tenant_id id) {
  auto found = at(id);
  if (!found) return std::move(found).failure();
  return **found;
}

result<void> usage_sheet::add_from(tenant_id id, usage_sum more, bool counter) {
  if (more == usage_sum{}) return {};
  for (int depth = 0; id; ++depth) {
    if (depth == limits::lineage_max) return in_motion();
    auto found = at(id);
    if (!found) return std::move(found).failure();
    (*found)->total.ever += more.ever;
    (*found)->total.before += more.before;
    (*found)->counter = counter;
    changed_.insert(id);
    id = (*found)->counted_under;
  }
  return {};
}

result<void> usage_sheet::settle_one(tenant_id id, tenant_id parent) {
  auto found = at(id);
  if (!found) return std::move(found).failure();
  tenant_usage& row = **found;
  if (row.counted_under == parent) return {};
  const usage_sum sum = row.total;
  const tenant_id former = std::exchange(row.counted_under, parent);
  changed_.insert(id);
  if (auto ok = add_from(former, {-sum.ever, -sum.before}, row.counter); !ok) return ok;
  return add_from(parent, sum, row.counter);
}

// From the top down: who is counted under a tenant is counted where that stands.
result<std::vector<tenant_id>> usage_sheet::settle(tenant_id id) {
  std::vector<tenant_id> line;
  while (id) {
    if (line.size() == static_cast<std::size_t>(limits::lineage_max)) return in_motion();
    line.push_back(id);
    auto parent = read_parent_(id);
    if (!parent) return std::move(parent).failure();
    id = *parent;
  }
  for (std::size_t i = line.size(); i-- > 0;) {
    const tenant_id parent = i + 1 < line.size() ? line[i + 1] : tenant_id{};
    if (auto ok = settle_one(line[i], parent); !ok) return std::move(ok).failure();
  }
  return line;
}

result<std::int64_t> usage_sheet::change_to(tenant_id id, std::int64_t value, bool counter) {
  if (value < 0) return invalid_field("/usage_value", "must not be negative");
  auto found = at(id);
  if (!found) return std::move(found).failure();
  const std::int64_t change = value - (*found)->own.value();
  if (counter && change < 0) {
    return error{
        errc::conflict,
        "counter_went_down",
        "seconds do not go down within a month: there are " + std::to_string((*found)->own.value()),
        {},
        {}};
  }
  return change;
}

result<void> usage_sheet::add(tenant_id id, std::int64_t change, bool counter) {
  auto line = settle(id);
  if (!line) return std::move(line).failure();
  // First all of them, so that nothing is done by half.
  for (const tenant_id one : *line) {
    auto found = at(one);
    if (!found) return std::move(found).failure();
    if (!fits((*found)->total.ever, change) || !fits((*found)->own.ever, change)) {
      return invalid_field("/usage_value", "is more than can be summed up");
    }
  }
  rows_.at(id).own.ever += change;
  return add_from(id, {change, 0}, counter);
}

result<void> usage_sheet::withdraw(tenant_id id) {
  auto found = at(id);
  if (!found) return std::move(found).failure();
  const usage_sum gone = std::exchange((*found)->own, usage_sum{});
  return add_from(id, {-gone.ever, -gone.before}, (*found)->counter);
}

quota_told as_of(const quota_told& told, const tenant_usage& row) noexcept {
  if (!row.counter) return told;
  return told.range < row.range_start ? quota_told{{}, false, row.range_start} : told;
}

quota_told told_after(const offering_quota& quota, std::int64_t used, quota_told before) noexcept {
  quota_told out{crossing(quota, used, before.level), before.blocked, before.range};
  if (!out.blocked) return out;
  if (!quota.value || !quota.overage) {
    out.blocked = false;
    return out;
  }
  const std::int64_t room = std::numeric_limits<std::int64_t>::max() - *quota.value;
  const std::int64_t borne = *quota.value + std::min(*quota.overage, room);
  out.blocked = used > borne - *quota.value / 10 - 1;
  return out;
}

std::vector<event_draft> level_events(const offering_item& item, std::int64_t used,
                                      quota_crossing before, quota_crossing now) {
  std::vector<event_draft> out;
  for (int level = static_cast<int>(before) + 1; level <= static_cast<int>(now); ++level) {
    out.push_back(quota_event(name_of(static_cast<quota_crossing>(level)), item, used));
  }
  return out;
}

event_draft blocked_event(const offering_item& item, std::int64_t tried) {
  return quota_event("quota.blocked", item, tried);
}

error quota_blocked(tenant_id id, const offering_item& item) {
  return {errc::conflict,
          "quota_blocked",
          "the quota of tenant " + std::to_string(id.value) + " (" + to_uuid(id) + ") for " +
              item.name + " is " + std::to_string(item.quota.value.value_or(0)) +
              " and an overage of " + std::to_string(item.quota.overage.value_or(0)),
          {},
          {}};
}

}  // namespace syndicated::core
