// Strong identifiers and the names of streams.
//
// Purpose: an id of one entity cannot be passed where another is meant. Ids are positive 63-bit
// integers (vendors' code decodes them as signed integers); zero means "none". Values are given
// out once per kind and never reused, crash or not. Plain values: any thread may use them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace syndicated::core {

template <class Tag>
struct strong_id {
  std::uint64_t value = 0;

  constexpr explicit operator bool() const noexcept { return value != 0; }
  friend constexpr auto operator<=>(strong_id, strong_id) = default;
};

using tenant_id = strong_id<struct tenant_tag>;
using vendor_id = strong_id<struct vendor_tag>;
using product_id = strong_id<struct product_tag>;
using plan_id = strong_id<struct plan_tag>;
using subscription_id = strong_id<struct subscription_tag>;
using endpoint_id = strong_id<struct endpoint_tag>;
using event_id = strong_id<struct event_tag>;
using token_id = strong_id<struct token_tag>;
using user_id = strong_id<struct user_tag>;
using resource_id = strong_id<struct resource_tag>;      // of a subscription's sub-resource
using operation_id = strong_id<struct operation_tag>;    // of a change that a vendor confirms
using commitment_id = strong_id<struct commitment_tag>;  // of a term with its rules
using invoice_id = strong_id<struct invoice_tag>;        // of what a subscription is charged for
using instance_id = strong_id<struct instance_tag>;      // of an application, and
using parameter_id = strong_id<struct parameter_tag>;    // what is asked with an order
using event_type_id = strong_id<struct event_type_tag>;  // of its name: type_id_of()

// The provider of the installation is always this tenant (api.md, 3).
inline constexpr tenant_id provider_tenant{1};

// Persisted as one byte in keys: values are never changed or reused.
enum class entity_kind : std::uint8_t {
  tenant = 1,
  vendor = 2,
  product = 3,
  plan = 4,
  subscription = 5,
  endpoint = 6,
  token = 7,
  published = 8,  // a publisher's named stream; the entity is a hash of the name
  unordered = 9,  // events published together without a stream; the entity is the first one's id
  event_type = 10,
  user = 11,
  resource = 12,
  operation = 13,
  commitment = 14,
  instance = 15,
  invoice = 16,
  usages = 17,  // of all tenants: one owner, the ledger
};

std::string_view to_string(entity_kind kind) noexcept;  // "tenant", "subscription" ...

// The ordered events of one entity. Printed as "subscription/2388".
struct stream_id {
  entity_kind kind{};
  std::uint64_t entity = 0;

  friend constexpr auto operator<=>(const stream_id&, const stream_id&) = default;
};

constexpr stream_id stream_of(subscription_id id) { return {entity_kind::subscription, id.value}; }
constexpr stream_id stream_of(tenant_id id) { return {entity_kind::tenant, id.value}; }
constexpr stream_id stream_of(vendor_id id) { return {entity_kind::vendor, id.value}; }
constexpr stream_id stream_of(product_id id) { return {entity_kind::product, id.value}; }
constexpr stream_id stream_of(instance_id id) { return {entity_kind::instance, id.value}; }
constexpr stream_id stream_of(plan_id id) { return {entity_kind::plan, id.value}; }
constexpr stream_id stream_of(user_id id) { return {entity_kind::user, id.value}; }
constexpr stream_id stream_of(commitment_id id) { return {entity_kind::commitment, id.value}; }
constexpr stream_id stream_of(endpoint_id id) { return {entity_kind::endpoint, id.value}; }
constexpr stream_id stream_of(operation_id id) { return {entity_kind::operation, id.value}; }
constexpr stream_id stream_of(invoice_id id) { return {entity_kind::invoice, id.value}; }

// The stream of published events with this name: 63 bits of its SHA-256. A collision would order
// two names together, and do no other harm.
stream_id published_stream(std::string_view name);
event_type_id type_id_of(std::string_view name);

std::string to_string(const stream_id& stream);

}  // namespace syndicated::core

template <class Tag>
struct std::hash<syndicated::core::strong_id<Tag>> {
  std::size_t operator()(syndicated::core::strong_id<Tag> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};

template <>
struct std::hash<syndicated::core::stream_id> {
  std::size_t operator()(const syndicated::core::stream_id& s) const noexcept {
    // Fibonacci mixing: entity numbers are dense, so the low bits alone would be uneven.
    return static_cast<std::size_t>(
        ((s.entity << 4U) ^ static_cast<std::uint64_t>(s.kind)) * 0x9E3779B97F4A7C15ULL >> 8U);
  }
};
