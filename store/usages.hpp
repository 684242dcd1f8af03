// What tenants use of their offering items, what was told of their quotas, and what is to be looked
// at (core/lifecycle/tenant_usage.hpp).
//
// The ledger is the only writer of the rows of usage, of notices, and the only one that takes marks
// away. A tenant is the only writer of what was told of it; it leaves marks, and takes away the
// notices that it has read. Neither ever writes a key of the other's that it has not seen: the keys
// hold a number that grows.
// Reads see committed rows. Threads: any. Errors: errc::corrupt, errc::io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/lifecycle/tenant_usage.hpp"
#include "store/database.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

// 16 bytes that stand for an item.
std::string usage_item_id(const core::offering_key& item);

std::string encode(const core::tenant_usage& row);
core::result<core::tenant_usage> decode_tenant_usage(std::string_view value);

// The ledger left it for the tenant.
struct quota_notice {
  core::tenant_id tenant;
  std::string item;  // its id
  std::uint64_t version = 0;
  std::optional<std::int64_t> tried{};  // refused
};
// A tenant left it for the ledger.
struct usage_mark {
  core::tenant_id tenant;
  std::uint64_t seq = 0;  // of the tenant's stream
};

class usages {
 public:
  explicit usages(const database& db) : db_(db) {}

  core::result<std::optional<core::tenant_usage>> find(core::tenant_id tenant,
                                                       std::string_view item) const;
  // Until the visitor returns false.
  core::result<void> of_tenant(core::tenant_id tenant,
                               const std::function<bool(core::tenant_usage&&)>& visit) const;
  core::result<core::quota_told> told(core::tenant_id tenant, std::string_view item) const;

  core::result<void> notices(core::tenant_id tenant,
                             const std::function<bool(quota_notice&&)>& visit) const;
  // One of them.
  core::result<std::optional<quota_notice>> notice(core::tenant_id tenant,
                                                   std::string_view item) const;
  core::result<std::optional<core::tenant_id>> next_noticed(core::tenant_id after) const;
  core::result<void> marks(const std::function<bool(usage_mark&&)>& visit) const;

  static void put(write_plan& plan, core::tenant_id tenant, const core::tenant_usage& row);
  // With what was told.
  static void erase(write_plan& plan, core::tenant_id tenant, std::string_view item);
  static void put_told(write_plan& plan, core::tenant_id tenant, std::string_view item,
                       const core::quota_told& told);
  static void put(write_plan& plan, const quota_notice& n);
  static void erase(write_plan& plan, const quota_notice& n);
  static void put(write_plan& plan, const usage_mark& m);
  static void erase(write_plan& plan, const usage_mark& m);

 private:
  const database& db_;
};

}  // namespace syndicated::store
