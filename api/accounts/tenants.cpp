// Tenants, their pricing and their offering items on the partners' face.
#include "api/accounts/common.hpp"
#include "api/routes.hpp"
#include "core/base/uuid.hpp"

namespace syndicated::api {
namespace {

using namespace accounts;
using namespace core::limits;

std::optional<core::tenant_kind> parse_kind(std::string_view text) {
  if (text == "partner" || text == "folder") return core::tenant_kind::reseller;
  if (text == "customer") return core::tenant_kind::customer;
  if (text == "unit") return core::tenant_kind::unit;
  return std::nullopt;
}

std::optional<core::tenant_lock> lock_field(object_reader& in) {
  const json* given = in.value("update_lock");
  if (given == nullptr || given->is_null()) return std::nullopt;
  object_reader nested{*given, "/update_lock", true};
  core::tenant_lock lock;
  lock.enabled = nested.boolean("enabled").value_or(false);
  lock.owner = tenant_field(nested, "owner_id").value_or(core::tenant_id{});
  in.absorb(std::move(nested));
  return lock;
}

// What POST and PUT have in common.
core::tenant_edit read_edit(object_reader& in) {
  core::tenant_edit e;
  e.name = in.text("name", name_bytes_max, 1);
  e.external_ref = nullable_text(in, "customer_id", name_bytes_max);
  e.language = in.text("language", 16, 2);
  e.internal_tag = nullable_text(in, "internal_tag", internal_tag_bytes_max);
  e.customer_type = nullable_text(in, "customer_type", 64);
  e.default_idp_id = nullable_text(in, "default_idp_id", 64);
  if (e.default_idp_id && !e.default_idp_id->empty() && !core::is_uuid(*e.default_idp_id)) {
    in.refuse("default_idp_id", "must be a UUID");
  }
  e.contact = contact_field(in);
  if (const auto brand = in.integer("brand_id", 0, id_max)) {
    e.brand_id = static_cast<std::uint64_t>(*brand);
  }
  e.ancestral_access = in.boolean("ancestral_access");
  e.update_lock = lock_field(in);
  e.enabled = in.boolean("enabled");
  return e;
}

core::new_tenant profile_of(const core::tenant_edit& e) {
  core::new_tenant out;
  const auto take = [](auto& to, const auto& from) {
    if (from) to = *from;
  };
  take(out.name, e.name);
  take(out.external_ref, e.external_ref);
  take(out.language, e.language);
  take(out.internal_tag, e.internal_tag);
  take(out.customer_type, e.customer_type);
  take(out.default_idp_id, e.default_idp_id);
  take(out.contact, e.contact);
  take(out.brand_id, e.brand_id);
  take(out.ancestral_access, e.ancestral_access);
  return out;
}

auto rendered_tenant(const call_ptr& c, int status) {
  return rendered<core::tenant>(c, status,
                                [c](const core::tenant& t) { return tenant_text(*c, t); });
}

void create_tenant(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  const core::tenant_edit given = read_edit(in);
  core::new_tenant wanted = profile_of(given);
  wanted.kind = in.required("kind", in.word("kind", parse_kind, "partner, folder, customer, unit"));
  wanted.parent = in.required("parent_id", tenant_field(in, "parent_id"));
  in.required("name", given.name);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto parent = visible_tenant(*c, wanted.parent); !parent) {
    return c->fail(parent.failure());
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().create_tenant(std::move(wanted), std::move(*options), rendered_tenant(c, 201),
                            finish(c));
}

void get_tenant(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send(200, tenant_text(*c, *found));
}

void list_tenants(const call_ptr& c) {
  if (const auto ok = require_account(*c); !ok) return c->fail(ok.failure());
  query_reader q{c->query};
  const core::timestamp asked_at = c->now();
  const actors::page_request page = page_query(q);
  actors::tenant_filter filter;
  filter.within = tenant_query(q, "subtree_root_id").value_or(own_tenant(*c));
  filter.parent = tenant_query(q, "parent_id").value_or(core::tenant_id{});
  filter.updated_since = q.time("updated_since");
  filter.without_deleted = q.text("allow_deleted").value_or("false") != "true";
  filter.visible_above = !is_staff(c->by);
  filter.external_ref = q.text("customer_id").value_or(std::string{});
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  if (const auto root = visible_tenant(*c, filter.within); !root) return c->fail(root.failure());
  const auto found = c->engine().tenants(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, page_text(found->items, found->next, asked_at,
                         [&c](core::json_writer& out, const core::tenant& t) {
                           write_tenant(out, *c, t);
                         }));
}

void list_children(const call_ptr& c) {
  const auto parent = visible_tenant(*c, core::tenant_id{c->id()});
  if (!parent) return c->fail(parent.failure());
  query_reader q{c->query};
  const core::timestamp asked_at = c->now();
  const actors::page_request page = page_query(q);
  const bool whole = q.text("include_details").value_or("false") == "true";
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  actors::tenant_filter filter;
  filter.parent = parent->id;
  filter.without_deleted = true;
  const auto found = c->engine().tenants(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, page_text(found->items, found->next, asked_at,
                         [&](core::json_writer& out, const core::tenant& t) {
                           if (whole) return write_tenant(out, *c, t);
                           out.text(core::to_uuid(t.id));
                         }));
}

void run(const call_ptr& c, core::tenant_command command, std::uint64_t version, int status) {
  const core::tenant_id id{c->id()};
  if (const auto found = visible_tenant(*c, id); !found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  options->if_match = version;
  if (c->by.role == core::role::tenant) command.by = own_tenant(*c);
  auto render = status == 204 ? rendered<core::tenant>(
                                    c, 204, [](const core::tenant&) { return std::string{}; })
                              : actors::renderer<core::tenant>{rendered_tenant(c, status)};
  c->engine().command(id, std::move(command), std::move(*options), std::move(render), finish(c));
}

void update_tenant(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  core::tenant_command command;
  command.edit = read_edit(in);
  command.edit.parent = tenant_field(in, "parent_id");
  const auto version = version_field(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto present = visible_tenant(*c, core::tenant_id{c->id()});
  if (!present) return c->fail(present.failure());
  // What is as it was is not asked for: clients send the whole object back.
  if (command.edit.parent == present->parent) command.edit.parent.reset();
  if (command.edit.enabled == (present->state == core::tenant_state::enabled)) {
    command.edit.enabled.reset();
  }
  if (command.edit.parent || command.edit.enabled) {
    if (const auto ok = require_above(*c, present->id); !ok) return c->fail(ok.failure());
  }
  if (command.edit.parent) {
    const auto there = visible_tenant(*c, *command.edit.parent);
    if (!there) return c->fail(there.failure());
  }
  run(c, std::move(command), *version, 200);
}

void delete_tenant(const call_ptr& c) {
  query_reader q{c->query};
  const auto version = version_query(q);
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  if (const auto ok = require_above(*c, core::tenant_id{c->id()}); !ok) {
    return c->fail(ok.failure());
  }
  core::tenant_command command;
  command.action = core::tenant_action::erase;
  run(c, std::move(command), *version, 204);
}

// ---- pricing

std::string pricing_text(const core::tenant& t) {
  core::json_writer out;
  out.begin_object();
  out.key("mode").text(core::to_string(t.pricing));
  out.key("currency").null();
  out.key("production_start_date");
  if (t.trial_until) {
    out.text(time_text(*t.trial_until));
  } else {
    out.null();
  }
  out.key("version").number(t.version);
  out.end_object();
  return std::move(out).str();
}

void get_pricing(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send(200, pricing_text(*found));
}

void set_pricing(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  const auto parse = [](std::string_view text) -> std::optional<core::pricing_mode> {
    if (text == "trial") return core::pricing_mode::trial;
    if (text == "production") return core::pricing_mode::production;
    return std::nullopt;
  };
  const auto mode = in.required("mode", in.word("mode", parse, "trial, production"));
  const auto version = version_field(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  if (const auto ok = require_above(*c, found->id); !ok) return c->fail(ok.failure());
  if (mode == core::pricing_mode::trial) {
    if (found->pricing == mode) return c->send(200, pricing_text(*found));
    return c->fail({core::errc::conflict,
                    "transition_not_allowed",
                    "production does not become trial again",
                    {},
                    "production"});
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  options->if_match = *version;
  core::tenant_command command;
  command.action = core::tenant_action::convert;
  if (c->by.role == core::role::tenant) command.by = own_tenant(*c);
  c->engine().command(found->id, std::move(command), std::move(*options),
                      rendered<core::tenant>(c, 200, pricing_text), finish(c));
}

// ---- offering items

void write_item(core::json_writer& out, const core::offering_item& item) {
  out.begin_object();
  out.key("application_id").text(item.application_id);
  if (!item.edition.empty()) out.key("edition").text(item.edition);
  if (!item.infra_id.empty()) out.key("infra_id").text(item.infra_id);
  out.key("locked").boolean(item.locked);
  out.key("measurement_unit").text(item.measurement_unit);
  out.key("name").text(item.name);
  write_quota(out.key("quota"), item.quota);
  out.key("status").number(item.on ? 1 : 0);
  out.key("type").text(item.type);
  out.key("usage_name").text(item.usage_name.empty() ? item.name : item.usage_name);
  out.end_object();
}

std::string items_text(const core::offering_list& items, core::timestamp at) {
  return page_text(items, std::nullopt, at, write_item);
}

void get_items(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  const auto items = c->engine().offerings(found->id);
  if (!items) return c->fail(items.failure());
  c->send(200, items_text(*items, c->now()));
}

void get_items_for_child(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  query_reader q{c->query};
  (void)q.word("kind", parse_kind, "partner, folder, customer, unit");
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  const auto items = c->engine().offerings(found->id);
  if (!items) return c->fail(items.failure());
  c->send(200, items_text(core::for_child(*items), c->now()));
}

std::optional<std::string_view> one_of(std::string_view text,
                                       std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (word == text) return word;
  }
  return std::nullopt;
}

std::optional<std::int64_t> amount_field(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  if (given == nullptr || given->is_null()) return std::nullopt;
  return in.integer(name, 0, id_max);
}

core::offering_item read_item(object_reader& in) {
  core::offering_item item;
  item.application_id = in.required("application_id", in.text("application_id", 64, 1));
  item.name = in.required("name", in.text("name", map_key_bytes_max, 1));
  item.edition = nullable_text(in, "edition", map_key_bytes_max).value_or(std::string{});
  item.infra_id = nullable_text(in, "infra_id", 64).value_or(std::string{});
  item.usage_name = nullable_text(in, "usage_name", map_key_bytes_max).value_or(std::string{});
  const auto unit = [](std::string_view text) {
    return one_of(text, {"bytes", "quantity", "seconds", "n/a"});
  };
  item.measurement_unit =
      in.word("measurement_unit", unit, "bytes, quantity, seconds, n/a").value_or("quantity");
  const auto type = [](std::string_view text) {
    return one_of(text, {"count", "feature", "infra"});
  };
  item.type = in.word("type", type, "count, feature, infra").value_or("count");
  item.locked = in.boolean("locked").value_or(false);
  item.on = in.integer("status", 0, 1).value_or(1) == 1;
  if (const json* quota = in.value("quota"); quota != nullptr && !quota->is_null()) {
    object_reader nested{*quota, "/quota", true};
    item.quota.value = amount_field(nested, "value");
    item.quota.overage = amount_field(nested, "overage");
    item.quota.version =
        static_cast<std::uint64_t>(nested.integer("version", 0, id_max).value_or(0));
    in.absorb(std::move(nested));
  }
  return item;
}

void set_items(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body, {}, true};
  auto items =
      in.required("offering_items", in.objects("offering_items", offering_items_max, read_item));
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  if (const auto ok = require_above(*c, found->id); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  const core::tenant_id id = found->id;
  // The list is read when the change is on disk; a repeat of the call reads it again.
  auto render = [](const core::tenant&, bool) { return actors::answer{200, {}}; };
  c->complete_body = [c = c.get(), id](std::string& text) {
    const auto now_there = c->engine().offerings(id);
    if (now_there) text = items_text(*now_there, c->now());
  };
  c->engine().set_offerings(id, std::move(items), std::move(*options), render, finish(c));
}

void repeat_items(call& c, std::string& body) {
  const auto items = c.engine().offerings(core::tenant_id{c.id()});
  if (items) body = items_text(*items, c.now());
}

}  // namespace

route_list account_tenant_routes() {
  constexpr face f = face::accounts;
  return {
      {"POST", "/api/2/tenants", f, true, create_tenant, nullptr, false, true},
      {"GET", "/api/2/tenants", f, false, list_tenants, nullptr, true},
      {"GET", "/api/2/tenants/{tenant}", f, false, get_tenant},
      {"PUT", "/api/2/tenants/{tenant}", f, true, update_tenant},
      {"DELETE", "/api/2/tenants/{tenant}", f, true, delete_tenant, nullptr, true},
      {"GET", "/api/2/tenants/{tenant}/children", f, false, list_children, nullptr, true},
      {"GET", "/api/2/tenants/{tenant}/pricing", f, false, get_pricing},
      {"PUT", "/api/2/tenants/{tenant}/pricing", f, true, set_pricing},
      {"GET", "/api/2/tenants/{tenant}/offering_items", f, false, get_items, nullptr, true},
      {"PUT", "/api/2/tenants/{tenant}/offering_items", f, true, set_items, repeat_items},
      {"GET", "/api/2/tenants/{tenant}/offering_items/available_for_child", f, false,
       get_items_for_child, nullptr, true},
  };
}

}  // namespace syndicated::api
