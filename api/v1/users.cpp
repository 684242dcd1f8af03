// Users: who may log in, in which tenant, with which roles (domain.md, 10.4).
//
// The daemon sends no mail. `request-activation` tells user.activation_requested, which holds
// nothing secret; whoever mails then asks for the link with `activation-link` (staff only). The
// link works once, for limits::activation_link_life; only its hash is kept.
#include "api/routes.hpp"
#include "api/token.hpp"
#include "api/v1/common.hpp"
#include "core/delivery/signature.hpp"
#include "core/lifecycle/password.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr auto user_text = [](const core::user& u) { return core::to_json(u); };
constexpr std::size_t link_bytes = 32;

core::result<void> not_for_vendors(const call& c) {
  if (c.by.role == core::role::vendor) return forbidden("vendors have no users");
  return {};
}

void create_user(const call_ptr& c) {
  if (const auto ok = not_for_vendors(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::new_user wanted;
  wanted.tenant.value = in.required("tenant_id", in.id("tenant_id"));
  wanted.login = in.required("login", in.text("login", login_bytes_max, 1));
  wanted.contact = v1::read_contact(in).value_or(core::contact{});
  wanted.language = in.text("language", 16, 2).value_or("en");
  wanted.notifications =
      in.texts("notifications", 32, map_key_bytes_max).value_or(std::vector<std::string>{});
  wanted.business_types =
      in.texts("business_types", 32, map_key_bytes_max).value_or(std::vector<std::string>{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto owner = c->engine().tenant(wanted.tenant);
  if (!owner || !may_see(*c, *owner)) {
    return c->fail(core::invalid_field("/tenant_id", "no such tenant"));
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().create_user(std::move(wanted), std::move(*options),
                          rendered<core::user>(c, 201, user_text), finish(c));
}

void get_user(const call_ptr& c) {
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  const auto owner = c->engine().tenant(found->tenant);
  core::json_writer out;
  out.begin_object();
  core::write_members(out, *found);
  out.key("usable").boolean(
      core::usable(*found, owner.ok() && c->engine().tenant_effective(*owner)));
  out.end_object();
  c->send_entity(std::move(out).str(), found->version);
}

void list_users(const call_ptr& c) {
  if (const auto ok = not_for_vendors(*c); !ok) return c->fail(ok.failure());
  query_reader q{c->query};
  actors::user_filter filter;
  const actors::page_request page = v1::page_query(q);
  filter.tenant.value = q.id("tenant_id").value_or(0);
  filter.within.value = q.id("within").value_or(0);
  filter.status =
      q.word("status", core::parse_user_status, "CREATED, ACTIVE, DISABLED, DELETED, PURGED");
  filter.email = q.text("email").value_or(std::string{});
  filter.updated_since = q.time("updated_since");
  const auto login = q.text("login");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (c->by.role == core::role::tenant) {
    const core::tenant_id own{c->by.scope};
    if (filter.within && !c->engine().tenant_within(filter.within, own)) {
      return c->fail(no_such("tenant", filter.within.value));
    }
    if (!filter.within) filter.within = own;
  }
  if (login) {
    const auto id = c->engine().user_of_login(*login);
    if (!id) return c->fail(id.failure());
    std::vector<core::user> one;
    if (*id) {
      if (auto found = visible_user(*c, **id)) one.push_back(std::move(*found));
    }
    return c->send(200, v1::page_text(one, std::nullopt, user_text));
  }
  auto found = c->engine().users(filter, page);
  if (!found) return c->fail(found.failure());
  if (!is_staff(c->by)) {
    std::erase_if(found->items, [&c](const core::user& u) { return !visible_user(*c, u.id); });
  }
  c->send(200, v1::page_text(found->items, found->next, user_text));
}

void run(const call_ptr& c, core::user_command command, int status = 200,
         std::optional<std::uint64_t> version = {}) {
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (version) options->if_match = version;
  const auto text = [status](const core::user& u) {
    return status == 204 ? std::string{} : core::to_json(u);
  };
  c->engine().command(found->id, std::move(command), std::move(*options),
                      rendered<core::user>(c, status, text), finish(c));
}

void update_user(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::user_command command;
  command.edit.contact = v1::read_contact(in);
  command.edit.language = in.text("language", 16, 2);
  command.edit.notifications = in.texts("notifications", 32, map_key_bytes_max);
  command.edit.business_types = in.texts("business_types", 32, map_key_bytes_max);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command));
}

template <core::user_action Action>
void act(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  core::user_command command;
  command.action = Action;
  run(c, std::move(command));
}

void delete_user(const call_ptr& c) {
  query_reader q{c->query};
  const auto version = q.id("version");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  core::user_command command;
  command.action = core::user_action::erase;
  run(c, std::move(command), 204, version);
}

// Any characters, and none: then there is no password, and one logs in by link only.
std::optional<std::string> read_password(object_reader& in) {
  const json* given = in.value("password");
  const std::string* password = given == nullptr ? nullptr : given->text();
  if (password == nullptr) in.refuse("password", "must be a string");
  if (password != nullptr && password->size() > password_bytes_max) {
    in.refuse("password", "must have at most " + std::to_string(password_bytes_max) + " bytes");
  }
  return password == nullptr ? std::nullopt : std::optional{*password};
}

std::string hash_of(const std::string& password) {
  if (password.empty()) return {};
  return core::hash_password(password, random_bytes(core::password_salt_bytes));
}

void set_password(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const auto password = read_password(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto found = visible_user(*c, core::user_id{c->id()}); !found) {
    return c->fail(found.failure());  // before the hash, which takes its time
  }
  core::user_command command;
  command.action = core::user_action::activate;
  command.password_hash = hash_of(*password);
  run(c, std::move(command));
}

// "<id>.<64 hex digits>"; only in this answer. No idempotent repeat: another call, another link.
void issue_link(const call_ptr& c) {
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  const std::string secret = core::hex_encode(random_bytes(link_bytes));
  core::user_command command;
  command.action = core::user_action::issue_link;
  command.link_hash = core::sha256(secret);
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().command(
      core::user_id{c->id()}, std::move(command), std::move(*options),
      [secret](const core::user& u, bool) {
        core::json_writer out;
        out.begin_object();
        out.key("user_id").number(u.id.value);
        out.key("email").text(u.contact.email);
        out.key("token").text(std::to_string(u.id.value) + '.' + secret);
        out.key("expires_at").time(u.activation_until);
        out.end_object();
        return actors::answer{200, std::move(out).str()};
      },
      finish(c));
}

void follow_link(const call_ptr& c) {
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const auto token = in.required("token", in.text("token", 128, 1));
  const auto password = read_password(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const std::size_t dot = token.find('.');
  const auto id = parse_id(std::string_view{token}.substr(0, dot));
  const auto found =
      id ? c->engine().user(core::user_id{*id}) : core::result<core::user>{core::not_found("")};
  const std::string hash = dot == std::string::npos ? "" : core::sha256(token.substr(dot + 1));
  if (!found || !core::equal_constant_time(hash, found->activation_hash)) {
    return c->fail({core::errc::conflict,
                    "link_invalid",
                    "the link was used, replaced, or is too old",
                    {},
                    {}});
  }
  core::user_command command;
  command.action = core::user_action::follow_link;
  command.link_hash = hash;
  command.password_hash = hash_of(*password);
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().command(found->id, std::move(command), std::move(*options),
                      rendered<core::user>(c, 200, user_text), finish(c));
}

// For whoever shows the login form. One answer for every reason to refuse.
void authenticate_user(const call_ptr& c) {
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const auto login = in.required("login", in.text("login", login_bytes_max, 1));
  const auto password = read_password(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto id = c->engine().user_of_login(login);
  if (!id) return c->fail(id.failure());
  const auto found = *id ? c->engine().user(**id) : core::result<core::user>{core::not_found("")};
  // As slow for a login that nobody has.
  const bool fits = core::fits_password(found ? found->password_hash : "", *password);
  const auto owner =
      found ? c->engine().tenant(found->tenant) : core::result<core::tenant>{core::not_found("")};
  const bool may = fits && owner && core::usable(*found, c->engine().tenant_effective(*owner));
  if (!may) {
    return c->fail(403, {core::errc::forbidden,
                         "not_authenticated",
                         "login and password do not fit, or the user may not use anything",
                         {},
                         {}});
  }
  c->send(200, core::to_json(*found));
}

void set_roles(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  object_reader in{*body};
  core::user_command command;
  command.action = core::user_action::set_roles;
  command.issuer =
      c->by.role == core::role::tenant ? core::tenant_id{c->by.scope} : core::provider_tenant;
  const auto read = [&](object_reader& each) {
    core::role_assignment r;
    r.id = each.id("id").value_or(0);
    r.role = each.required("role", each.text("role", map_key_bytes_max, 1));
    r.tenant.value = each.id("tenant_id").value_or(found->tenant.value);
    r.version = each.id("version").value_or(0);
    (void)each.id("issuer_id");  // as it was read; who grants is the caller
    if (!c->engine().tenant_within(r.tenant, found->tenant)) {
      each.refuse("tenant_id", "must be the user's tenant, or stand below it");
    }
    return r;
  };
  command.roles = in.required("items", in.objects("items", user_roles_max, read));
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command));
}

}  // namespace

route_list user_routes() {
  using ua = core::user_action;
  constexpr face f = face::v1;
  return {
      {"POST", "/v1/users", f, true, create_user, nullptr, false, true},
      {"GET", "/v1/users", f, false, list_users, nullptr, true},
      {"POST", "/v1/users/activate", f, true, follow_link},
      {"POST", "/v1/users/authenticate", f, false, authenticate_user},
      {"GET", "/v1/users/{id}", f, false, get_user},
      {"PATCH", "/v1/users/{id}", f, true, update_user},
      {"DELETE", "/v1/users/{id}", f, true, delete_user, nullptr, true},
      {"POST", "/v1/users/{id}/disable", f, true, act<ua::disable>},
      {"POST", "/v1/users/{id}/enable", f, true, act<ua::enable>},
      {"POST", "/v1/users/{id}/request-activation", f, true, act<ua::request_activation>},
      {"POST", "/v1/users/{id}/activation-link", f, true, issue_link},
      {"POST", "/v1/users/{id}/password", f, true, set_password},
      {"PUT", "/v1/users/{id}/roles", f, true, set_roles},
  };
}

}  // namespace syndicated::api
