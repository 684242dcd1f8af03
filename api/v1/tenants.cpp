// Tenants: resellers, customers and their units.
#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "core/base/uuid.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr auto tenant_text = [](const core::tenant& t) { return core::to_json(t); };

std::optional<core::tenant_kind> parse_kind(std::string_view text) {
  const auto kind = core::parse_tenant_kind(text);
  return kind == core::tenant_kind::provider ? std::nullopt : kind;
}

// What creation and change have in common.
core::tenant_edit read_profile(object_reader& in) {
  core::tenant_edit e;
  e.language = in.text("language", 16, 2);
  e.internal_tag = in.text("internal_tag", internal_tag_bytes_max);
  e.customer_type = in.text("customer_type", 64);
  e.default_idp_id = in.text("default_idp_id", 64);
  // Shown to partners, whose clients expect one. Empty: the default.
  if (e.default_idp_id && !e.default_idp_id->empty() && !core::is_uuid(*e.default_idp_id)) {
    in.refuse("default_idp_id", "must be a UUID");
  }
  e.ancestral_access = in.boolean("ancestral_access");
  if (const auto brand = in.integer("brand_id", 0, id_max)) {
    e.brand_id = static_cast<std::uint64_t>(*brand);
  }
  return e;
}

std::optional<core::tenant_lock> read_lock(object_reader& in) {
  const json* given = in.value("update_lock");
  if (given == nullptr) return std::nullopt;
  object_reader nested{*given, "/update_lock"};
  core::tenant_lock lock;
  lock.enabled = nested.required("enabled", nested.boolean("enabled"));
  lock.owner.value = nested.id("owner_id").value_or(0);
  in.absorb(std::move(nested));
  return lock;
}

void create_tenant(const call_ptr& c) {
  if (c->by.role == core::role::vendor) return c->fail(forbidden("vendors have no tenants"));
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::new_tenant wanted;
  wanted.kind = in.required("kind", in.word("kind", parse_kind, "reseller, customer, unit"));
  wanted.parent.value = in.required("parent_id", in.id("parent_id"));
  wanted.name = in.required("name", in.text("name", name_bytes_max, 1));
  wanted.external_ref = in.text("external_ref", name_bytes_max).value_or(std::string{});
  wanted.contact = v1::read_contact(in).value_or(core::contact{});
  const core::tenant_edit more = read_profile(in);
  if (more.language) wanted.language = *more.language;
  if (more.internal_tag) wanted.internal_tag = *more.internal_tag;
  if (more.customer_type) wanted.customer_type = *more.customer_type;
  if (more.default_idp_id) wanted.default_idp_id = *more.default_idp_id;
  if (more.ancestral_access) wanted.ancestral_access = *more.ancestral_access;
  if (more.brand_id) wanted.brand_id = *more.brand_id;
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (!is_staff(c->by)) {
    if (const auto parent = visible_tenant(*c, wanted.parent); !parent)
      return c->fail(parent.failure());
  }
  c->engine().create_tenant(std::move(wanted), std::move(*options),
                            rendered<core::tenant>(c, 201, tenant_text), finish(c));
}

void get_tenant(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  core::json_writer out;
  out.begin_object();
  core::write_members(out, *found);
  out.key("effective").boolean(c->engine().tenant_effective(*found));
  out.end_object();
  c->send_entity(std::move(out).str(), found->version);
}

void list_tenants(const call_ptr& c) {
  query_reader q{c->query};
  actors::tenant_filter filter;
  const actors::page_request page = v1::page_query(q);
  filter.parent.value = q.id("parent_id").value_or(0);
  filter.within.value = q.id("within").value_or(0);
  filter.kind = q.word("kind", core::parse_tenant_kind, "provider, reseller, customer, unit");
  filter.state = q.word(
      "status",
      [](std::string_view text) -> std::optional<core::tenant_state> {
        for (const auto s : {core::tenant_state::enabled, core::tenant_state::disabled,
                             core::tenant_state::deleted, core::tenant_state::purged}) {
          if (core::to_string(s) == text) return s;
        }
        return std::nullopt;
      },
      "ENABLED, DISABLED, DELETED, PURGED");
  filter.name = q.text("name").value_or(std::string{});
  filter.external_ref = q.text("external_ref").value_or(std::string{});
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (c->by.role == core::role::vendor) return c->fail(forbidden("vendors have no tenants"));
  if (c->by.role == core::role::tenant) {
    const core::tenant_id own{c->by.scope};
    if (filter.within && !c->engine().tenant_within(filter.within, own)) {
      return c->fail(no_such("tenant", filter.within.value));
    }
    if (!filter.within) filter.within = own;
    filter.visible_above = true;
  }
  const auto found = c->engine().tenants(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, tenant_text));
}

std::string usage_text(const actors::tenant_usage_view& one) {
  const core::offering_quota& quota = one.item.quota;
  const auto amount = [](core::json_writer& to, const std::optional<std::int64_t>& value) {
    if (value) {
      to.number(*value);
    } else {
      to.null();
    }
  };
  core::json_writer out;
  out.begin_object();
  out.key("application_id").text(one.item.application_id);
  out.key("name").text(one.item.name);
  out.key("edition").text(one.item.edition);
  out.key("infra_id").text(one.item.infra_id);
  out.key("measurement_unit").text(one.item.measurement_unit);
  out.key("in_effect").boolean(one.item.on);
  out.key("own").number(one.usage.own.value());
  out.key("total").number(one.usage.total.value());
  out.key("total_ever").number(one.usage.total.ever);
  out.key("range_start").time(one.usage.range_start);
  amount(out.key("quota"), quota.value);
  amount(out.key("overage"), quota.overage);
  out.key("level").text(core::to_string(one.level));
  out.key("blocked").boolean(one.blocked);
  out.end_object();
  return std::move(out).str();
}

void list_usages(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  const auto usages = c->engine().tenant_usages(found->id);
  if (!usages) return c->fail(usages.failure());
  c->send(200, v1::page_text(*usages, std::nullopt, usage_text));
}

// Runs a command on a tenant. The caller must stand above it, or be it for `update`.
void run(const call_ptr& c, core::tenant_command command, std::optional<std::uint64_t> version,
         int status) {
  const core::tenant_id id{c->id()};
  if (!is_staff(c->by)) {
    const auto found = visible_tenant(*c, id);
    if (!found) return c->fail(found.failure());
    const bool edits = command.action == core::tenant_action::update && !command.edit.parent;
    if (!edits && found->id.value == c->by.scope) {
      return c->fail(forbidden("a tenant is moved, disabled, enabled and deleted by one above it"));
    }
    if (command.edit.parent) {
      const auto there = visible_tenant(*c, *command.edit.parent);
      if (!there) return c->fail(there.failure());
    }
    command.by.value = c->by.scope;
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (version) options->if_match = version;
  c->engine().command(id, std::move(command), std::move(*options),
                      rendered<core::tenant>(c, status,
                                             [status](const core::tenant& t) {
                                               return status == 204 ? std::string{}
                                                                    : core::to_json(t);
                                             }),
                      finish(c));
}

void update_tenant(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::tenant_command command;
  command.action = core::tenant_action::update;
  command.edit = read_profile(in);
  core::tenant_edit& e = command.edit;
  e.name = in.text("name", name_bytes_max, 1);
  e.external_ref = in.text("external_ref", name_bytes_max);
  e.contact = v1::read_contact(in);
  e.update_lock = read_lock(in);
  if (const auto parent = in.id("parent_id")) e.parent = core::tenant_id{*parent};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command), std::nullopt, 200);
}

template <core::tenant_action Action>
void switch_tenant(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  core::tenant_command command;
  command.action = Action;
  run(c, std::move(command), std::nullopt, 200);
}

void delete_tenant(const call_ptr& c) {
  query_reader q{c->query};
  const auto version = q.id("version");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  core::tenant_command command;
  command.action = core::tenant_action::erase;
  run(c, std::move(command), version, 204);
}

}  // namespace

route_list tenant_routes() {
  return {
      {"POST", "/v1/tenants", face::v1, true, create_tenant, nullptr, false, true},
      {"GET", "/v1/tenants", face::v1, false, list_tenants, nullptr, true},
      {"GET", "/v1/tenants/{id}", face::v1, false, get_tenant},
      {"GET", "/v1/tenants/{id}/usages", face::v1, false, list_usages},
      {"PATCH", "/v1/tenants/{id}", face::v1, true, update_tenant},
      {"DELETE", "/v1/tenants/{id}", face::v1, true, delete_tenant, nullptr, true},
      {"POST", "/v1/tenants/{id}/disable", face::v1, true,
       switch_tenant<core::tenant_action::disable>},
      {"POST", "/v1/tenants/{id}/enable", face::v1, true,
       switch_tenant<core::tenant_action::enable>},
      {"POST", "/v1/tenants/{id}/recover", face::v1, true,
       switch_tenant<core::tenant_action::recover>},
      {"POST", "/v1/tenants/{id}/convert", face::v1, true,
       switch_tenant<core::tenant_action::convert>},
  };
}

}  // namespace syndicated::api
