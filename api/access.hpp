// Who may do what to which object (api.md, 2). Other owners' objects look as if they did not exist.
// Reads of committed state only; any thread.
#pragma once

#include "api/call.hpp"
#include "core/lifecycle/subscription_machine.hpp"

namespace syndicated::api {

// Bearer on /v1; also CMW-Auth-Token and Basic with a token as password on /api.
// Errors: unauthorized with one wording for every cause; too_many "too_many_failures", and
// "rate_limited" unless the request was admitted before; forbidden "tenant_disabled".
core::result<core::caller> authenticate(context& shared, face where, const net::http_request& r);
// The presented token, or nothing when there is not exactly one well-formed credential.
std::optional<std::string> presented_token(face where, const net::http_request& r);

bool is_staff(const core::caller& by) noexcept;  // operator or marketplace

core::error no_such(std::string_view what, std::uint64_t id);
core::error forbidden(std::string detail);
core::result<void> require_staff(const call& c);
core::result<void> require_operator(const call& c);

// These answer not_found for objects of others.
core::result<core::subscription> visible_subscription(const call& c, core::subscription_id id);
// By its subscription.
core::result<core::invoice> visible_invoice(const call& c, core::invoice_id id);
core::result<core::tenant> visible_tenant(const call& c, core::tenant_id id);
core::result<core::user> visible_user(const call& c, core::user_id id);  // by his tenant
core::result<std::shared_ptr<const core::endpoint>> visible_endpoint(const call& c,
                                                                     core::endpoint_id id);
core::result<core::event> visible_event(const call& c, core::event_id id);

bool may_see(const call& c, const core::subscription& s);
// `of` is its subscription, which may be another tenant's by now.
bool may_see(const call& c, const core::invoice& i, const core::subscription& of);
bool may_see(const call& c, const core::tenant& t);
bool may_see(const call& c, const core::endpoint& e);
bool may_see(const call& c, const core::event& e);
bool may_see(const call& c, const core::vendor& v);
bool may_see(const call& c, const core::product& p);
bool may_see(const call& c, const core::plan& p);

// The caller may own endpoints with this scope.
bool may_own(const call& c, core::endpoint_scope scope, std::uint64_t scope_id);

// Whose word a command counts as (domain.md, 10.5).
core::party party_of(const call& c, core::subscription_action action);

}  // namespace syndicated::api
