// What is told and asked of tenants' usages (core/lifecycle/tenant_usage.hpp). Plain values; any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/commands.hpp"
#include "actors/parts.hpp"
#include "core/lifecycle/tenant_usage.hpp"

namespace syndicated::actors {

// The tenant uses that much of the item. What is not said of the item may be anything, as long as
// one item only fits.
struct tenant_usage_report {
  core::tenant_id tenant;
  std::string name;
  std::optional<std::string> application_id{}, edition{}, infra_id{};
  std::int64_t value = 0;
};
struct tenant_usage_taken {
  core::tenant_id tenant;
  core::offering_key item;
  std::int64_t value = 0;
};
// In the order of the reports; an error says why this one was not taken.
using tenant_usage_outcomes = std::vector<core::result<tenant_usage_taken>>;

// Items that the caller may tell of; empty: any.
using item_check = std::function<bool(const core::offering_key&)>;

// One call: for tenants, and for subscriptions.
struct usage_push {
  std::vector<tenant_usage_report> tenants;
  item_check may;
  std::vector<usage_item> subscriptions;
};
using usage_push_renderer =
    std::function<answer(const tenant_usage_outcomes&, const usage_outcomes&)>;

// An item that the tenant has, or that something is counted of, as of now.
struct tenant_usage_view {
  core::offering_item item;  // on: in effect
  core::tenant_usage usage;
  core::quota_crossing level = core::quota_crossing::within;
  bool blocked = false;
};

}  // namespace syndicated::actors
