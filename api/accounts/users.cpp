// Users, logins, roles and passwords on the partners' face.
#include "api/accounts/common.hpp"
#include "api/routes.hpp"
#include "api/token.hpp"
#include "core/base/uuid.hpp"
#include "core/lifecycle/password.hpp"

namespace syndicated::api {
namespace {

using namespace accounts;
using namespace core::limits;

// A client is shown as a user of its tenant: that is how clients find where they are.
void who_am_i(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  core::user me;
  me.tenant = own_tenant(*c);
  me.login = c->by.name;
  me.activated = true;
  me.version = 1;
  std::uint64_t token = 0;
  if (const std::size_t slash = c->by.name.find('/'); slash != std::string::npos) {
    token = parse_id(std::string_view{c->by.name}.substr(slash + 1)).value_or(0);
  }
  const auto known = c->engine().catalog()->find(core::token_id{token});
  if (known) me.created_at = me.updated_at = known->created_at;
  std::string text = user_text(me);
  // The id is the token's.
  const std::string nobody = core::to_uuid(core::user_id{});
  text.replace(text.find(nobody), nobody.size(), core::to_uuid(core::uuid_kind::token, token));
  c->send(200, std::move(text));
}

void check_login(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  query_reader q{c->query};
  const auto login = q.text("username");
  if (!login) q.refuse("username", "is required");
  if (login) {
    if (auto why = core::why_not_login(*login); !why.empty()) q.refuse("username", std::move(why));
  }
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  const auto taken = c->engine().user_of_login(*login);
  if (!taken) return c->fail(taken.failure());
  if (!*taken) return c->send(204, {});
  c->fail({core::errc::conflict, "login_taken", "the login is taken by another account", {}, {}});
}

std::optional<std::vector<std::string>> texts(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  if (given == nullptr || given->is_null()) return std::nullopt;
  return in.texts(name, 32, map_key_bytes_max);
}

void create_user(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  core::new_user wanted;
  wanted.tenant = in.required("tenant_id", tenant_field(in, "tenant_id"));
  wanted.login = in.required("login", in.text("login", login_bytes_max, 1));
  wanted.contact = in.required("contact", contact_field(in));
  if (in.clean() && wanted.contact.email.empty()) in.refuse("contact/email", "is required");
  wanted.language = in.text("language", 16, 2).value_or("en");
  wanted.notifications =
      texts(in, "notifications").value_or(std::vector<std::string>{"quota", "reports"});
  wanted.business_types = texts(in, "business_types").value_or(std::vector<std::string>{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto owner = visible_tenant(*c, wanted.tenant);
  if (!owner) return c->fail(owner.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().create_user(std::move(wanted), std::move(*options),
                          rendered<core::user>(c, 200, user_text), finish(c));
}

void get_user(const call_ptr& c) {
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send(200, user_text(*found));
}

void list_users(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  query_reader q{c->query};
  const core::timestamp asked_at = c->now();
  const actors::page_request page = page_query(q);
  actors::user_filter filter;
  filter.tenant = tenant_query(q, "tenant_id").value_or(core::tenant_id{});
  filter.within = tenant_query(q, "subtree_root_tenant_id").value_or(own_tenant(*c));
  filter.updated_since = q.time("updated_since");
  const bool with_deleted = q.text("allow_deleted").value_or("false") == "true";
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  for (const core::tenant_id id : {filter.within, filter.tenant}) {
    if (!id) continue;
    if (const auto root = visible_tenant(*c, id); !root) return c->fail(root.failure());
  }
  auto found = c->engine().users(filter, page);
  if (!found) return c->fail(found.failure());
  std::erase_if(found->items, [&](const core::user& u) {
    return (u.deleted_at && !with_deleted) || (!is_staff(c->by) && !visible_user(*c, u.id));
  });
  c->send(200, page_text(found->items, found->next, asked_at, write_user));
}

void users_of_tenant(const call_ptr& c) {
  const auto owner = visible_tenant(*c, core::tenant_id{c->id()});
  if (!owner) return c->fail(owner.failure());
  query_reader q{c->query};
  const core::timestamp asked_at = c->now();
  const actors::page_request page = page_query(q);
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  actors::user_filter filter;
  filter.tenant = owner->id;
  auto found = c->engine().users(filter, page);
  if (!found) return c->fail(found.failure());
  std::erase_if(found->items, [](const core::user& u) { return u.deleted_at.has_value(); });
  c->send(200, page_text(found->items, found->next, asked_at,
                         [](core::json_writer& out, const core::user& u) {
                           out.text(core::to_uuid(u.id));
                         }));
}

// Sends a command to the user of the path, if the caller may see it.
template <class ToText>
void run(const call_ptr& c, core::user_command command, std::optional<std::uint64_t> version,
         int status, ToText to_text) {
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (version) options->if_match = version;
  c->engine().command(found->id, std::move(command), std::move(*options),
                      rendered<core::user>(c, status, to_text), finish(c));
}

std::string nothing(const core::user&) { return {}; }

void update_user(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  core::user_command command;
  command.edit.contact = contact_field(in);
  command.edit.language = in.text("language", 16, 2);
  command.edit.notifications = texts(in, "notifications");
  command.edit.business_types = texts(in, "business_types");
  command.edit.enabled = in.boolean("enabled");
  const auto version = version_field(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command), version, 200, user_text);
}

void delete_user(const call_ptr& c) {
  query_reader q{c->query};
  const auto version = version_query(q);
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  core::user_command command;
  command.action = core::user_action::erase;
  run(c, std::move(command), version, 204, nothing);
}

void set_password(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  // Any characters: in.text() would refuse some.
  const json* given = in.value("password");
  const std::string* password = given == nullptr ? nullptr : given->text();
  if (password == nullptr) in.refuse("password", "must be a string");
  if (password != nullptr && password->size() > password_bytes_max) {
    in.refuse("password", "must have at most " + std::to_string(password_bytes_max) + " bytes");
  }
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto found = visible_user(*c, core::user_id{c->id()}); !found) {
    return c->fail(found.failure());  // before the hash, which takes its time
  }
  core::user_command command;
  command.action = core::user_action::activate;
  if (!password->empty()) {
    command.password_hash = core::hash_password(*password, random_bytes(core::password_salt_bytes));
  }
  run(c, std::move(command), std::nullopt, 204, nothing);
}

void send_activation_email(const call_ptr& c) {
  core::user_command command;
  command.action = core::user_action::request_activation;
  run(c, std::move(command), std::nullopt, 204, nothing);
}

// ---- roles

std::string policies_text(const core::user& u, core::timestamp at) {
  return page_text(u.roles, std::nullopt, at,
                   [&u](core::json_writer& out, const core::role_assignment& r) {
                     out.begin_object();
                     out.key("id").text(core::to_uuid(core::uuid_kind::role, u.id.value, r.id));
                     out.key("issuer_id").text(core::to_uuid(r.issuer));
                     out.key("role_id").text(r.role);
                     out.key("tenant_id").text(core::to_uuid(r.tenant));
                     out.key("trustee_id").text(core::to_uuid(u.id));
                     out.key("trustee_type").text("user");
                     out.key("version").number(r.version);
                     out.end_object();
                   });
}

void get_policies(const call_ptr& c) {
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send(200, policies_text(*found, c->now()));
}

// Of the path's user only; where the role holds must be the user's tenant or stand below it.
core::role_assignment read_role(const call& c, object_reader& in, const core::user& u) {
  core::role_assignment r;
  r.tenant = in.required("tenant_id", tenant_field(in, "tenant_id"));
  r.role = in.required("role_id", in.text("role_id", map_key_bytes_max, 1));
  const auto trustee = in.text("trustee_id", 64);
  if (trustee && core::parse_uuid(*trustee, core::uuid_kind::user) != u.id.value) {
    in.refuse("trustee_id", "is not the user of the path");
  }
  if (const auto type = in.text("trustee_type", 64); type && *type != "user") {
    in.refuse("trustee_type", "must be user");
  }
  const std::string id = nullable_text(in, "id", 64).value_or(std::string{});
  if (!id.empty() && id != core::nil_uuid) {
    const auto parts = core::parse_uuid(id);
    const bool own = parts && parts->kind == core::uuid_kind::role && parts->id == u.id.value;
    if (!own) in.refuse("id", "is not an assignment of this user");
    r.id = own ? parts->part : 0;
  }
  r.version = static_cast<std::uint64_t>(in.integer("version", 0, id_max).value_or(0));
  if (r.tenant && !c.engine().tenant_within(r.tenant, u.tenant)) {
    in.refuse("tenant_id", "must be the user's tenant, or stand below it");
  }
  return r;
}

void set_policies(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  const auto found = visible_user(*c, core::user_id{c->id()});
  if (!found) return c->fail(found.failure());
  object_reader in{*body, {}, true};
  core::user_command command;
  command.action = core::user_action::set_roles;
  command.issuer = own_tenant(*c);
  const auto read = [&](object_reader& each) { return read_role(*c, each, *found); };
  command.roles = in.required("items", in.objects("items", user_roles_max, read));
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command), std::nullopt, 200,
      [at = c->now()](const core::user& u) { return policies_text(u, at); });
}

}  // namespace

route_list account_user_routes() {
  constexpr face f = face::accounts;
  return {
      {"GET", "/api/2/users/me", f, false, who_am_i},
      {"GET", "/api/2/users/check_login", f, false, check_login, nullptr, true},
      {"POST", "/api/2/users", f, true, create_user, nullptr, false, true},
      {"GET", "/api/2/users", f, false, list_users, nullptr, true},
      {"GET", "/api/2/tenants/{tenant}/users", f, false, users_of_tenant, nullptr, true},
      {"GET", "/api/2/users/{user}", f, false, get_user},
      {"PUT", "/api/2/users/{user}", f, true, update_user},
      {"DELETE", "/api/2/users/{user}", f, true, delete_user, nullptr, true},
      {"POST", "/api/2/users/{user}/password", f, true, set_password},
      {"POST", "/api/2/users/{user}/send-activation-email", f, true, send_activation_email},
      {"GET", "/api/2/users/{user}/access_policies", f, false, get_policies},
      {"PUT", "/api/2/users/{user}/access_policies", f, true, set_policies},
  };
}

}  // namespace syndicated::api
