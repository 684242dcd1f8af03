// Event types: declared names of published events, with a JSON Schema for their data; and the names
// of the daemon's own events, with examples of what is sent.
#include "api/event_types.hpp"

#include <algorithm>

#include "api/raw_json.hpp"
#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "core/delivery/envelope.hpp"
#include "core/lifecycle/event_catalog.hpp"

namespace syndicated::api {

std::shared_ptr<const schema> schema_cache::of(
    const std::shared_ptr<const core::event_type>& type) {
  if (type->schema.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  entry& kept = entries_[type->name];
  if (kept.type == type) return kept.rules;
  auto compiled = schema::compile(type->schema);
  kept = {type, compiled ? std::move(*compiled) : nullptr};
  return kept.rules;
}

void check_declared(const call& c, std::string_view name, std::string_view data,
                    object_reader& in) {
  const auto type = c.engine().catalog()->find_event_type(name);
  if (!type) {
    if (c.shared->settings.refuse_unknown_types) {
      in.refuse("name", "is not a declared event type, and this installation takes no others");
    }
    return;
  }
  if (type->schema.empty()) return;
  const auto rules = c.shared->schemas.of(type);
  if (!rules) {
    return in.refuse("name", "has a schema that this version does not take: PATCH its event type");
  }
  for (core::field_error& m : rules->mistakes_in(data)) {
    in.refuse("data" + m.pointer, std::move(m.detail));
  }
}

namespace {

using namespace core::limits;

constexpr auto type_text = [](const core::event_type& t) { return core::to_json(t); };

// The member's own text when it is an object; "" for null.
std::optional<std::string> read_object(const call& c, object_reader& in, const json& body,
                                       std::string_view name, std::size_t bytes_max) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return std::string{};
  if (given->object() == nullptr) {
    in.refuse(name, "must be an object or null");
    return std::nullopt;
  }
  const auto& members = *body.object();
  const auto at = std::ranges::find(members, name, &json::member::name);
  const std::string_view raw =
      raw_member(c.request.body, static_cast<std::size_t>(at - members.begin()));
  if (raw.size() > bytes_max) {
    in.refuse(name, "has more than " + std::to_string(bytes_max) + " bytes");
    return std::nullopt;
  }
  return std::string{raw};
}

struct type_fields {
  std::optional<std::string> description, schema, example;
};

// Schema and example must fit each other, also when only one of them is given.
type_fields read_fields(const call& c, object_reader& in, const json& body,
                        const core::event_type& present) {
  type_fields out;
  out.description = in.text("description", name_bytes_max);
  if (body.object() == nullptr) return out;
  out.schema = read_object(c, in, body, "schema", event_schema_bytes_max);
  out.example = read_object(c, in, body, "example", event_schema_bytes_max);
  if (!out.schema && !out.example) return out;
  const std::string rules = out.schema.value_or(present.schema);
  const std::string example = out.example.value_or(present.example);
  if (rules.empty()) return out;
  const auto compiled = schema::compile(rules);
  if (!compiled) {
    for (const core::field_error& f : compiled.failure().fields) {
      in.refuse("schema" + f.pointer, f.detail);
    }
  } else if (!example.empty()) {
    for (core::field_error& m : (*compiled)->mistakes_in(example)) {
      in.refuse("example" + m.pointer, std::move(m.detail));
    }
  }
  return out;
}

void create_type(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::event_type t;
  t.name = in.required("name", in.text("name", map_key_bytes_max));
  if (in.clean()) {
    if (auto why = core::why_not_publishable(t.name); !why.empty()) {
      in.refuse("name", std::move(why));
    }
  }
  type_fields given = read_fields(*c, in, *body, t);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  t.description = std::move(given.description).value_or(std::string{});
  t.schema = std::move(given.schema).value_or(std::string{});
  t.example = std::move(given.example).value_or(std::string{});
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().change_catalog(actors::create_event_type{std::move(t)}, std::move(*options),
                             rendered_item<core::event_type>(c, 201, type_text), finish(c));
}

core::error no_such_type(std::string_view name) {
  return core::not_found("there is no event type " + std::string{name});
}

void update_type(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  const auto present = c->engine().catalog()->find_event_type(c->key);
  if (!present) return c->fail(no_such_type(c->key));
  object_reader in{*body};
  if (in.value("name") != nullptr) in.refuse("name", "cannot be changed; declare another one");
  type_fields given = read_fields(*c, in, *body, *present);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().change_catalog(
      actors::update_event_type{c->key, std::move(given.description), std::move(given.schema),
                                std::move(given.example)},
      std::move(*options), rendered_item<core::event_type>(c, 200, type_text), finish(c));
}

void delete_type(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  if (!c->engine().catalog()->find_event_type(c->key)) return c->fail(no_such_type(c->key));
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().change_catalog(actors::delete_event_type{c->key}, std::move(*options),
                             rendered_item<core::event_type>(
                                 c, 204, [](const core::event_type&) { return std::string{}; }),
                             finish(c));
}

// The bodies that an endpoint of each form gets; null: it gets none.
void write_examples(core::json_writer& out, const core::event& example) {
  core::endpoint to;
  out.begin_object();
  to.form = core::wire_form::cloudesire;
  out.key("cloudesire");
  if (core::sent_in(to.form, example)) {
    out.raw(core::render(example, to));
  } else {
    out.null();
  }
  to.form = core::wire_form::standard;
  out.key("standard").raw(core::render(example, to));
  out.end_object();
}

std::string built_in_text(const core::built_in_event& kind) {
  core::json_writer out;
  out.begin_object();
  out.key("name").text(kind.name);
  out.key("source").text("built_in");
  out.key("description").text(kind.description);
  out.key("schema").null();
  out.key("entity").text(core::to_string(kind.stream));
  out.key("type").text(core::to_string(kind.type));
  out.key("told").begin_object();
  out.key("platform").text(core::to_string(kind.told.platform));
  out.key("vendor").text(core::to_string(kind.told.vendor));
  out.key("tenants").text(core::to_string(kind.told.tenants));
  const core::event example = core::example_of(kind);
  const bool sent = core::sent_in(core::wire_form::cloudesire, example);
  out.key("cloudesire").text(core::to_string(sent ? kind.told.cloudesire : core::hears::never));
  out.end_object();
  out.key("examples");
  write_examples(out, example);
  out.end_object();
  return std::move(out).str();
}

// Anyone who may have an endpoint may know what events there are.
void get_type(const call_ptr& c) {
  if (const auto* own = core::find_built_in(c->key)) return c->send(200, built_in_text(*own));
  const auto found = c->engine().catalog()->find_event_type(c->key);
  if (!found) return c->fail(no_such_type(c->key));
  c->send_entity(core::to_json(*found), found->version);
}

enum class type_source : std::uint8_t { both, declared, built_in };

std::optional<type_source> parse_source(std::string_view text) {
  if (text == "declared") return type_source::declared;
  if (text == "built_in") return type_source::built_in;
  return std::nullopt;
}

// A row of the list: one of the two.
struct listed_type {
  std::string_view name;
  std::shared_ptr<const core::event_type> declared;
  const core::built_in_event* built_in = nullptr;
};

void list_types(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto source = q.word("source", parse_source, "declared, built_in");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  std::vector<listed_type> types;
  if (source != type_source::built_in) {
    for (auto& t : c->engine().catalog()->event_types()) types.push_back({t->name, t, nullptr});
  }
  if (source != type_source::declared) {
    for (const auto& kind : core::built_in_events()) types.push_back({kind.name, nullptr, &kind});
  }
  std::ranges::sort(types, {}, &listed_type::name);
  const auto first =
      std::ranges::upper_bound(types, std::string_view{page.after}, {}, &listed_type::name);
  types.erase(types.begin(), first);
  std::optional<std::string> next;
  if (types.size() > page.limit) {
    types.resize(page.limit);
    next = std::string{types.back().name};
  }
  c->send(200, v1::page_text(types, next, [](const listed_type& t) {
            return t.declared ? core::to_json(*t.declared) : built_in_text(*t.built_in);
          }));
}

}  // namespace

route_list event_type_routes() {
  return {
      {"POST", "/v1/event-types", face::v1, true, create_type},
      {"GET", "/v1/event-types", face::v1, false, list_types, nullptr, true},
      {"GET", "/v1/event-types/{key}", face::v1, false, get_type},
      {"PATCH", "/v1/event-types/{key}", face::v1, true, update_type},
      {"DELETE", "/v1/event-types/{key}", face::v1, true, delete_type},
  };
}

}  // namespace syndicated::api
