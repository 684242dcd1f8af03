// The table of calls: which handler answers which method and path, and what it needs first.
//
// Patterns: "/v1/vendors/{id}": {id} is a positive decimal number, {key} any percent-encoded text
// without a slash (one in a path), {tenant} and {user} the UUID of one (core/base/uuid.hpp).
// Immutable after start: any thread may look things up.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/call.hpp"

namespace syndicated::api {

struct route {
  std::string_view method;
  std::string_view pattern;
  api::face face;
  bool write;  // idempotency key, write permit, refused while writes are not accepted
  void (*handle)(const call_ptr&);
  // Completes the stored answer of an idempotent repeat; nullptr: it is repeated as it is.
  void (*repeat)(call&, std::string& body) = nullptr;
  // The handler reads the query, and refuses what it does not know. Otherwise /v1 takes none.
  bool takes_query = false;
  bool adds_load = false;      // each makes notifications (actors/load_gate.hpp)
  bool without_token = false;  // the handler itself sees to who may
};

using route_list = std::vector<route>;

// One function per group of entities, defined in its folder.
route_list vendor_routes();
route_list product_routes();
route_list plan_routes();
route_list endpoint_routes();
route_list lane_routes();
route_list job_routes();
route_list tenant_routes();
route_list subscription_routes();
route_list operation_routes();
route_list commitment_routes();
route_list invoice_routes();
route_list cloudesire_operation_routes();
route_list cloudesire_order_routes();
route_list cloudesire_patch_routes();
route_list cloudesire_event_routes();
route_list cloudesire_stub_routes();
route_list parameter_value_routes();
route_list resource_routes();
route_list event_routes();
route_list publish_routes();
route_list event_type_routes();
route_list cloudesire_routes();
route_list cloudesire_reference_routes();
route_list user_routes();
route_list account_tenant_routes();
route_list account_user_routes();
route_list account_token_routes();
route_list account_usage_routes();
route_list cloudesire_resource_routes();
route_list cloudesire_invoice_routes();
route_list admin_routes();
route_list admin_key_routes();
route_list admin_clock_routes();
route_list open_routes();

struct route_match {
  const route* found = nullptr;
  std::vector<std::uint64_t> ids;
  std::string key;
  std::string allow;  // methods of this path when only the method is wrong
};

// A path cut at its slashes. `ok` is false for paths that no route can have.
struct path_parts {
  static constexpr std::size_t parts_max = 8;
  std::array<std::string_view, parts_max> part{};
  std::size_t count = 0;
  bool ok = true;
};

class route_table {
 public:
  explicit route_table(route_list routes);
  route_match find(std::string_view method, std::string_view path) const;
  const route_list& all() const noexcept { return routes_; }

 private:
  route_list routes_;
  std::vector<path_parts> patterns_;                 // of the routes, in the same order
  std::vector<std::vector<std::size_t>> by_length_;  // index of routes by number of segments
};

const route_table& public_routes();
const route_table& admin_socket_routes();
const route_table& health_routes();

}  // namespace syndicated::api
