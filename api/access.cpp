#include "api/access.hpp"

#include <algorithm>

#include "api/token.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::api {
namespace {

std::optional<std::string_view> after_scheme(std::string_view value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = value[i] >= 'A' && value[i] <= 'Z' ? static_cast<char>(value[i] + 32) : value[i];
    if (c != scheme[i]) return std::nullopt;
  }
  return value.substr(scheme.size() + 1);
}

// The address without the port.
std::string_view source_of(const net::http_request& r) {
  const std::string_view peer = r.peer;
  const std::size_t colon = peer.rfind(':');
  return colon == std::string_view::npos ? peer : peer.substr(0, colon);
}

std::shared_ptr<const core::token> valid_token(const actors::engine& engine,
                                               std::string_view text) {
  const auto parts = parse_token(text);
  if (!parts) return nullptr;
  auto known = engine.catalog()->find(parts->id);
  const std::array<std::uint8_t, 32> hash = token_hash(parts->secret);
  static constexpr std::array<std::uint8_t, 32> nobody{};
  // An unknown id takes the same way as a wrong secret.
  const auto& wanted = known ? known->secret_sha256 : nobody;
  const auto bytes = [](const std::array<std::uint8_t, 32>& a) {
    return std::string_view{reinterpret_cast<const char*>(a.data()), a.size()};
  };
  const bool same = core::equal_constant_time(bytes(hash), bytes(wanted));
  if (!known || !same || known->revoked ||
      (known->expires_at && *known->expires_at <= engine.now()))
    return nullptr;
  return known;
}

bool product_of_vendor(const call& c, std::uint64_t product, std::uint64_t vendor) {
  const auto found = c.engine().catalog()->find(core::product_id{product});
  return found && found->vendor.value == vendor;
}

// Any steady clock will do.
core::timestamp steady_now() {
  return core::timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace

std::optional<std::string> presented_token(face where, const net::http_request& r) {
  const bool lenient = where == face::cloudesire;
  const std::size_t authorizations = r.count("Authorization");
  const std::size_t tokens = lenient ? r.count("CMW-Auth-Token") : 0;
  if (authorizations + tokens != 1) return std::nullopt;
  if (tokens == 1) return std::string{r.header("CMW-Auth-Token")};
  const std::string_view value = r.header("Authorization");
  if (const auto bearer = after_scheme(value, "bearer")) return std::string{*bearer};
  if (!lenient) return std::nullopt;
  const auto basic = after_scheme(value, "basic");
  if (!basic) return std::nullopt;
  const auto pair = core::base64_decode(*basic);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return pair->substr(colon + 1);
}

core::result<core::caller> authenticate(context& shared, face where, const net::http_request& r) {
  const core::error refused{
      core::errc::unauthorized, "unauthorized", "this call needs one valid token", {}, {}};
  // Asking without credentials is how clients learn which ones are wanted: it is not a guess.
  if (r.count("Authorization") + r.count("CMW-Auth-Token") == 0) return refused;
  const auto text = presented_token(where, r);
  const auto known = text ? valid_token(shared.engine, *text) : nullptr;
  if (!known) {
    shared.stats.auth_failed();
    if (shared.failures.note(source_of(r), core::to_unix_seconds(steady_now()))) {
      return core::error{core::errc::too_many,
                         "too_many_failures",
                         "too many refused credentials from this address",
                         {},
                         {}};
    }
    return refused;
  }
  core::caller by{known->role, known->scope, "token/" + std::to_string(known->id.value)};
  if (by.role == core::role::tenant) {
    // A disabled tenant's clients are shut out at once (domain.md, 10.3, N3).
    const auto tenant = shared.engine.tenant(core::tenant_id{by.scope});
    if (!tenant || !shared.engine.tenant_effective(*tenant)) {
      return core::error{
          core::errc::forbidden, "tenant_disabled", "the token's tenant is disabled", {}, {}};
    }
  }
  if (!r.admitted && !shared.rates.take(known->id, steady_now())) {
    shared.stats.rate_limited();
    return core::error{core::errc::too_many,
                       "rate_limited",
                       "this token asks more often than limits.requests_per_token_per_s allows",
                       {},
                       {}};
  }
  return by;
}

bool is_staff(const core::caller& by) noexcept {
  return by.role == core::role::operator_ || by.role == core::role::marketplace;
}

core::error no_such(std::string_view what, std::uint64_t id) {
  return core::not_found("there is no " + std::string{what} + ' ' + std::to_string(id));
}

core::error forbidden(std::string detail) {
  return {core::errc::forbidden, "forbidden", std::move(detail), {}, {}};
}

core::result<void> require_staff(const call& c) {
  if (is_staff(c.by)) return {};
  return forbidden("this call needs the role operator or marketplace");
}

core::result<void> require_operator(const call& c) {
  if (c.by.role == core::role::operator_) return {};
  return forbidden("this call needs the role operator");
}

bool may_see(const call& c, const core::subscription& s) {
  switch (c.by.role) {
    case core::role::operator_:
    case core::role::marketplace: return true;
    case core::role::vendor: return s.vendor.value == c.by.scope;
    case core::role::tenant: return c.engine().tenant_within(s.tenant, core::tenant_id{c.by.scope});
  }
  return false;
}

bool may_see(const call& c, const core::invoice& i, const core::subscription& of) {
  if (c.by.role != core::role::tenant) return may_see(c, of);
  return c.engine().tenant_within(i.tenant, core::tenant_id{c.by.scope});
}

bool may_see(const call& c, const core::tenant& t) {
  if (is_staff(c.by)) return true;
  if (c.by.role != core::role::tenant) return false;
  return !c.engine().hidden_from(t, core::tenant_id{c.by.scope});
}

bool may_see(const call& c, const core::endpoint& e) { return may_own(c, e.scope, e.scope_id); }

bool may_see(const call& c, const core::event& e) {
  switch (c.by.role) {
    case core::role::operator_:
    case core::role::marketplace: return true;
    case core::role::vendor: return e.vendor.value == c.by.scope;
    case core::role::tenant:
      return e.tenant && c.engine().tenant_within(e.tenant, core::tenant_id{c.by.scope});
  }
  return false;
}

bool may_see(const call& c, const core::vendor& v) {
  return is_staff(c.by) || (c.by.role == core::role::vendor && v.id.value == c.by.scope);
}

// Tenants may read what they can order.
bool may_see(const call& c, const core::product& p) {
  return c.by.role != core::role::vendor || p.vendor.value == c.by.scope;
}

bool may_see(const call& c, const core::plan& p) {
  return c.by.role != core::role::vendor || p.vendor.value == c.by.scope;
}

bool may_own(const call& c, core::endpoint_scope scope, std::uint64_t scope_id) {
  if (is_staff(c.by)) return true;
  switch (scope) {
    case core::endpoint_scope::platform: return false;
    case core::endpoint_scope::vendor:
      return c.by.role == core::role::vendor && scope_id == c.by.scope;
    case core::endpoint_scope::product:
      return c.by.role == core::role::vendor && product_of_vendor(c, scope_id, c.by.scope);
    case core::endpoint_scope::tenant:
      return c.by.role == core::role::tenant &&
             c.engine().tenant_within(core::tenant_id{scope_id}, core::tenant_id{c.by.scope});
  }
  return false;
}

core::result<core::subscription> visible_subscription(const call& c, core::subscription_id id) {
  auto found = c.engine().subscription(id);
  if (!found || may_see(c, *found)) return found;
  return no_such("subscription", id.value);
}

core::result<core::invoice> visible_invoice(const call& c, core::invoice_id id) {
  auto found = c.engine().invoice(id);
  if (!found && found.failure().kind != core::errc::not_found) return found;
  const auto of = c.engine().subscription(core::subscription_of(id));
  if (!found || !of || !may_see(c, *found, *of)) return no_such("invoice", id.value);
  return found;
}

core::result<core::tenant> visible_tenant(const call& c, core::tenant_id id) {
  auto found = c.engine().tenant(id);
  if (!found || may_see(c, *found)) return found;
  return no_such("tenant", id.value);
}

core::result<core::user> visible_user(const call& c, core::user_id id) {
  auto found = c.engine().user(id);
  if (!found || is_staff(c.by)) return found;
  const auto owner = c.engine().tenant(found->tenant);
  if (!owner || !may_see(c, *owner)) return no_such("user", id.value);
  return found;
}

core::result<std::shared_ptr<const core::endpoint>> visible_endpoint(const call& c,
                                                                     core::endpoint_id id) {
  auto found = c.engine().catalog()->find(id);
  if (!found || !may_see(c, *found)) return no_such("endpoint", id.value);
  return found;
}

core::result<core::event> visible_event(const call& c, core::event_id id) {
  auto found = c.engine().event(id);
  if (!found || may_see(c, *found)) return found;
  return no_such("event", id.value);
}

core::party party_of(const call& c, core::subscription_action action) {
  switch (c.by.role) {
    case core::role::vendor: return core::party::vendor;
    case core::role::tenant: {
      const auto tenant = c.engine().tenant(core::tenant_id{c.by.scope});
      const bool sells = tenant && (tenant->kind == core::tenant_kind::reseller ||
                                    tenant->kind == core::tenant_kind::provider);
      return sells ? core::party::reseller : core::party::customer;
    }
    case core::role::operator_:
    case core::role::marketplace: break;
  }
  using enum core::subscription_action;
  const bool of_billing =
      action == pay || action == overdue || action == issue_invoice || action == edit_invoice;
  return of_billing ? core::party::billing : core::party::provider;
}

}  // namespace syndicated::api
