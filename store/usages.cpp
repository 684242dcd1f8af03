#include "store/usages.hpp"

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

constexpr std::size_t item_bytes = 16;
constexpr std::size_t row_bytes = 8 + item_bytes;
constexpr char told_suffix = 'l';
constexpr char notice_index = 'q';
constexpr char mark_index = 'r';

key_bytes row_key(core::tenant_id tenant, std::string_view item) {
  return key_bytes{}.u64(tenant.value).append(item);
}
key_bytes told_key(core::tenant_id tenant, std::string_view item) {
  return row_key(tenant, item).byte(told_suffix);
}
key_bytes notices_of(core::tenant_id tenant) {
  return key_bytes{}.byte(notice_index).u64(tenant.value);
}
key_bytes notice_key(const quota_notice& n) {
  return notices_of(n.tenant).append(n.item).u64(n.version);
}

core::result<void> scan_notices(const database& db, const key_bytes& group,
                                const std::function<bool(quota_notice&&)>& visit) {
  return db.scan(family::index, group.view(), group.successor().view(),
                 [&](std::string_view key, std::string_view value) {
                   quota_notice n{{read_u64(key, 1)},
                                  std::string{key.substr(9, item_bytes)},
                                  read_u64(key, 9 + item_bytes)};
                   if (!value.empty()) n.tried = static_cast<std::int64_t>(read_u64(value, 0));
                   return visit(std::move(n));
                 });
}

}  // namespace

std::string usage_item_id(const core::offering_key& item) {
  std::string names;
  for (const std::string* part :
       {&item.application_id, &item.name, &item.edition, &item.infra_id}) {
    names += key_bytes{}.u64(part->size()).view();
    names += *part;
  }
  std::string out = core::sha256(names);
  out.resize(item_bytes);
  return out;
}

std::string encode(const core::tenant_usage& u) {
  records::TenantUsage r;
  r.set_application_id(u.item.application_id);
  r.set_name(u.item.name);
  r.set_edition(u.item.edition);
  r.set_infra_id(u.item.infra_id);
  r.set_counter(u.counter);
  r.set_own(u.own.ever);
  r.set_own_before(u.own.before);
  r.set_total(u.total.ever);
  r.set_total_before(u.total.before);
  r.set_range_start_ms(ms(u.range_start));
  r.set_counted_under(u.counted_under.value);
  r.set_version(u.version);
  return framed(r);
}

core::result<core::tenant_usage> decode_tenant_usage(std::string_view value) {
  records::TenantUsage r;
  if (auto e = parse(r, value, "usage of a tenant")) return std::move(*e);
  core::tenant_usage u;
  u.item = {r.application_id(), r.name(), r.edition(), r.infra_id()};
  u.counter = r.counter();
  u.own = {r.own(), r.own_before()};
  u.total = {r.total(), r.total_before()};
  u.range_start = at(r.range_start_ms());
  u.counted_under = {r.counted_under()};
  u.version = r.version();
  return u;
}

core::result<std::optional<core::tenant_usage>> usages::find(core::tenant_id tenant,
                                                             std::string_view item) const {
  auto found = db_.get(family::usages, row_key(tenant, item).view());
  if (!found) return std::move(found).failure();
  if (!*found) return std::optional<core::tenant_usage>{};
  auto decoded = decode_tenant_usage(**found);
  if (!decoded) return std::move(decoded).failure();
  return std::optional{std::move(*decoded)};
}

core::result<void> usages::of_tenant(core::tenant_id tenant,
                                     const std::function<bool(core::tenant_usage&&)>& visit) const {
  core::result<void> problem;
  const key_bytes group = id_key(tenant.value);
  auto scanned = db_.scan(family::usages, group.view(), group.successor().view(),
                          [&](std::string_view key, std::string_view value) {
                            if (key.size() != row_bytes) return true;
                            auto row = decode_tenant_usage(value);
                            if (row) return visit(std::move(*row));
                            problem = std::move(row).failure();
                            return false;
                          });
  return scanned.ok() ? std::move(problem) : std::move(scanned);
}

core::result<core::quota_told> usages::told(core::tenant_id tenant, std::string_view item) const {
  auto found = db_.get(family::usages, told_key(tenant, item).view());
  if (!found) return std::move(found).failure();
  if (!*found) return core::quota_told{};
  const std::string& row = **found;
  if (row.size() != 10 || row[0] < 0 || row[0] > 2) return damaged("level of a quota");
  return core::quota_told{static_cast<core::quota_crossing>(row[0]), row[1] != 0,
                          at(static_cast<std::int64_t>(read_u64(row, 2)))};
}

core::result<void> usages::notices(core::tenant_id tenant,
                                   const std::function<bool(quota_notice&&)>& visit) const {
  return scan_notices(db_, notices_of(tenant), visit);
}

core::result<std::optional<quota_notice>> usages::notice(core::tenant_id tenant,
                                                         std::string_view item) const {
  std::optional<quota_notice> found;
  auto scanned = scan_notices(db_, notices_of(tenant).append(item), [&found](quota_notice&& n) {
    found = std::move(n);
    return false;
  });
  if (!scanned) return std::move(scanned).failure();
  return found;
}

core::result<std::optional<core::tenant_id>> usages::next_noticed(core::tenant_id after) const {
  std::optional<core::tenant_id> found;
  auto scanned = db_.scan(family::index, notices_of({after.value + 1}).view(),
                          key_bytes{}.byte(notice_index).successor().view(),
                          [&found](std::string_view key, std::string_view) {
                            found = core::tenant_id{read_u64(key, 1)};
                            return false;
                          });
  if (!scanned) return std::move(scanned).failure();
  return found;
}

core::result<void> usages::marks(const std::function<bool(usage_mark&&)>& visit) const {
  const key_bytes all = key_bytes{}.byte(mark_index);
  return db_.scan(family::index, all.view(), all.successor().view(),
                  [&visit](std::string_view key, std::string_view) {
                    return visit({{read_u64(key, 1)}, read_u64(key, 9)});
                  });
}

void usages::put(write_plan& plan, core::tenant_id tenant, const core::tenant_usage& row) {
  plan.put(family::usages, row_key(tenant, usage_item_id(row.item)), encode(row));
}
void usages::erase(write_plan& plan, core::tenant_id tenant, std::string_view item) {
  plan.erase(family::usages, row_key(tenant, item));
  plan.erase(family::usages, told_key(tenant, item));
}
void usages::put_told(write_plan& plan, core::tenant_id tenant, std::string_view item,
                      const core::quota_told& told) {
  const key_bytes value = key_bytes{}
                              .byte(static_cast<std::uint8_t>(told.level))
                              .byte(told.blocked ? 1 : 0)
                              .u64(static_cast<std::uint64_t>(ms(told.range)));
  plan.put(family::usages, told_key(tenant, item), std::string{value.view()});
}
void usages::put(write_plan& plan, const quota_notice& n) {
  std::string value;
  if (n.tried) value = key_bytes{}.u64(static_cast<std::uint64_t>(*n.tried)).view();
  plan.put(family::index, notice_key(n), std::move(value));
}
void usages::erase(write_plan& plan, const quota_notice& n) {
  plan.erase(family::index, notice_key(n));
}
void usages::put(write_plan& plan, const usage_mark& m) {
  plan.put(family::index, index_key(mark_index, m.tenant.value, m.seq), {});
}
void usages::erase(write_plan& plan, const usage_mark& m) {
  plan.erase(family::index, index_key(mark_index, m.tenant.value, m.seq));
}

}  // namespace syndicated::store
