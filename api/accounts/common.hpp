// What the calls of /api/2 share: the partners' face, as the account management that they know
// offers it (domain.md, 5). Ids are UUIDs (core/base/uuid.hpp), unknown fields and query
// parameters are ignored, null is the same as absent or empty.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/access.hpp"
#include "api/call.hpp"
#include "api/input.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::api::accounts {

// The tenant that the caller acts for: its own, or the provider for staff.
core::tenant_id own_tenant(const call& c);
// Vendors have no business here. Errors: forbidden.
core::result<void> require_account(const call& c);
// It stands above the tenant, or is staff: what one may not do to oneself. Errors: forbidden.
core::result<void> require_above(const call& c, core::tenant_id id);

// 2019-07-09T06:03:00.502+00:00
std::string time_text(core::timestamp at);

void write_tenant(core::json_writer& out, const call& c, const core::tenant& t);
void write_user(core::json_writer& out, const core::user& u);
void write_quota(core::json_writer& out, const core::offering_quota& quota);
std::string tenant_text(const call& c, const core::tenant& t);
std::string user_text(const core::user& u);

// Fields; null counts as "".
std::optional<std::string> nullable_text(object_reader& in, std::string_view name,
                                         std::size_t bytes_max);
std::optional<core::tenant_id> tenant_field(object_reader& in, std::string_view name);
std::optional<core::contact> contact_field(object_reader& in);
// The version that a PUT must name. Errors through `in`.
std::optional<std::uint64_t> version_field(object_reader& in);
// ?version= of a DELETE.
std::optional<std::uint64_t> version_query(query_reader& q);
std::optional<core::tenant_id> tenant_query(query_reader& q, std::string_view name);

// ?limit= and ?after=
actors::page_request page_query(query_reader& q);

// {"items":[...],"paging":{"cursors":{"after":...}},"timestamp":...}; `write` writes one.
template <class Items, class Write>
std::string page_text(const Items& items, const std::optional<std::string>& next,
                      core::timestamp asked_at, Write write) {
  core::json_writer out;
  out.begin_object().key("items").begin_array();
  for (const auto& item : items) write(out, item);
  out.end_array().key("paging").begin_object().key("cursors").begin_object();
  if (next) out.key("after").text(*next);
  out.end_object().end_object();
  out.key("timestamp").text(time_text(asked_at));
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::api::accounts
