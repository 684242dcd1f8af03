// Gives out ids. Never the same twice, crash or not: the committer stores the counters with every
// batch, so an id that is on disk was counted on disk. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace syndicated::store {

class id_source {
 public:
  core::tenant_id next_tenant() { return {take(0)}; }
  core::vendor_id next_vendor() { return {take(1)}; }
  core::product_id next_product() { return {take(2)}; }
  core::plan_id next_plan() { return {take(3)}; }
  core::subscription_id next_subscription() { return {take(4)}; }
  core::endpoint_id next_endpoint() { return {take(5)}; }
  core::token_id next_token() { return {take(6)}; }
  core::event_id next_event() { return {take(7)}; }
  // Users and tenants share their numbers: both are `user/{id}` to vendors (domain.md 10.11).
  core::user_id next_user() { return {take(0)}; }
  core::resource_id next_resource() { return {take(8)}; }
  // (9 was of operations, whose ids now carry their subscription's.)
  core::commitment_id next_commitment() { return {take(10)}; }
  // Both belong to products, and share their numbers.
  core::instance_id next_instance() { return {take(11)}; }
  core::parameter_id next_parameter() { return {take(11)}; }
  core::event_id last_event() const { return {last_[7].load(std::memory_order_relaxed)}; }

  std::string encode() const;
  core::result<void> load(std::string_view bytes);

 private:
  std::uint64_t take(std::size_t kind) {
    return last_[kind].fetch_add(1, std::memory_order_relaxed) + 1;
  }
  std::array<std::atomic<std::uint64_t>, 12> last_{};
};

}  // namespace syndicated::store
