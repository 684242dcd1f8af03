// Endpoints: who is told about events, and how. Secrets are in the answers of creation and rotation
// only; the record that an idempotency key keeps of such an answer is without them.
#include "api/routes.hpp"
#include "api/token.hpp"
#include "api/v1/common.hpp"
#include "api/v1/endpoint_settings.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr std::size_t secret_bytes_max = 512;

constexpr auto endpoint_text = [](const core::endpoint& e) { return v1::endpoint_json(e); };

void append_secret(std::string& body, std::string_view secret) {
  if (body.empty() || body.back() != '}') return;
  body.pop_back();
  body += ",\"secret\":";
  if (secret.empty()) {
    body += "null";
  } else {
    core::append_json_string(body, secret);
  }
  body += '}';
}

// The stored answer of a repeated creation or rotation gets its secret back while it is in force.
void repeat_secret(call& c, std::string& body) {
  const auto stored = parse_json(body);
  const json* id = stored ? stored->find("id") : nullptr;
  const json* version = stored ? stored->find("version") : nullptr;
  if (id == nullptr || id->integer() == nullptr || version == nullptr ||
      version->integer() == nullptr)
    return;
  const auto found =
      c.engine().catalog()->find(core::endpoint_id{static_cast<std::uint64_t>(*id->integer())});
  if (found && found->version == static_cast<std::uint64_t>(*version->integer())) {
    append_secret(body, found->secret.reveal());
  }
}

std::string make_secret(core::wire_form form) {
  return form == core::wire_form::standard ? core::encode_standard_secret(random_bytes(32))
                                           : core::hex_encode(random_bytes(20));
}

// Absent: generated. null: unsigned, in the Cloudesire form only.
core::secret_bytes read_secret(object_reader& in, core::wire_form form) {
  const json* given = in.value("secret");
  if (given == nullptr) return core::secret_bytes{make_secret(form)};
  if (given->is_null()) {
    if (form == core::wire_form::standard)
      in.refuse("secret", "the standard form is always signed");
    return {};
  }
  auto text = in.text("secret", secret_bytes_max, 1);
  if (!text) return {};
  if (form == core::wire_form::standard) {
    if (const auto key = core::decode_standard_secret(*text); !key) {
      in.refuse("secret", "must be whsec_ and the base64 of 24 to 64 bytes");
    }
  }
  return core::secret_bytes{std::move(*text)};
}

std::optional<core::id_format> parse_id_format(std::string_view text) {
  for (const auto f : {core::id_format::number, core::id_format::string}) {
    if (core::to_string(f) == text) return f;
  }
  return std::nullopt;
}

// The owner must exist and be the caller's.
core::result<void> check_owner(const call& c, const core::endpoint& e) {
  const core::error absent = no_such(core::to_string(e.scope), e.scope_id);
  if (e.scope == core::endpoint_scope::platform) {
    if (is_staff(c.by)) return {};
    return forbidden("platform endpoints need the role operator or marketplace");
  }
  const auto catalog = c.engine().catalog();
  const bool exists = e.scope == core::endpoint_scope::vendor
                          ? catalog->find(core::vendor_id{e.scope_id}) != nullptr
                      : e.scope == core::endpoint_scope::product
                          ? catalog->find(core::product_id{e.scope_id}) != nullptr
                          : c.engine().tenant(core::tenant_id{e.scope_id}).ok();
  if (!exists || !may_own(c, e.scope, e.scope_id)) return absent;
  return {};
}

void create_endpoint(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::endpoint e;
  e.scope = in.required(
      "scope", in.word("scope", core::parse_endpoint_scope, "platform, vendor, product, tenant"));
  e.scope_id = in.id("scope_id").value_or(0);
  if (in.clean() && (e.scope == core::endpoint_scope::platform) != (e.scope_id == 0)) {
    in.refuse("scope_id",
              e.scope_id == 0 ? "is required" : "is not allowed for the scope platform");
  }
  e.form = in.word("form", core::parse_wire_form, "cloudesire, standard")
               .value_or(core::wire_form::cloudesire);
  e.secret = read_secret(in, e.form);
  e.id_format = in.word("id_format", parse_id_format, "number, string").value_or(e.id_format);
  e.with_event_id = in.boolean("with_event_id").value_or(e.with_event_id);
  e.with_metadata = in.boolean("with_metadata").value_or(e.with_metadata);
  e.termination = in.word("termination_signal", core::parse_termination_signal, "modified, deleted")
                      .value_or(e.termination);
  if (e.form == core::wire_form::standard && in.has("termination_signal"))
    in.refuse("termination_signal", "is for the Cloudesire form");
  if (!in.has("url")) in.refuse("url", "is required");
  v1::apply(v1::read_settings(*c, in, e), e);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (const auto ok = check_owner(*c, e); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->complete_body = [secret = e.secret](std::string& text) {
    append_secret(text, secret.reveal());
  };
  c->engine().change_catalog(actors::create_endpoint{std::move(e)}, std::move(*options),
                             rendered_item<core::endpoint>(c, 201, endpoint_text), finish(c));
}

void get_endpoint(const call_ptr& c) {
  const auto found = visible_endpoint(*c, core::endpoint_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send_entity(v1::endpoint_json(**found, c->engine().breaker_at((*found)->origin)),
                 (*found)->version);
}

void list_endpoints(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto scope =
      q.word("scope", core::parse_endpoint_scope, "platform, vendor, product, tenant");
  const auto scope_id = q.id("scope_id");
  const auto form = q.word("form", core::parse_wire_form, "cloudesire, standard");
  const auto state = q.text("state");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->endpoints(after, n); },
      [&](const core::endpoint& e) {
        return (!scope || e.scope == *scope) && (!scope_id || e.scope_id == *scope_id) &&
               (!form || e.form == *form) && (!state || core::to_string(e.state) == *state) &&
               e.state != core::endpoint_state::deleted && may_see(*c, e);
      },
      [&](const auto& e) { return v1::endpoint_json(e, c->engine().breaker_at(e.origin)); });
}

// Visibility, options, command: the common end of all changes of one endpoint.
void change(const call_ptr& c, actors::catalog_command command, int status = 200) {
  if (const auto found = visible_endpoint(*c, core::endpoint_id{c->id()}); !found)
    return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().change_catalog(
      std::move(command), std::move(*options),
      rendered_item<core::endpoint>(c, status,
                                    [status](const core::endpoint& e) {
                                      return status == 204 ? std::string{} : v1::endpoint_json(e);
                                    }),
      finish(c));
}

void update_endpoint(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  for (const std::string_view fixed : {"scope", "scope_id", "form", "id_format", "with_event_id",
                                       "with_metadata", "termination_signal"}) {
    if (in.value(fixed) != nullptr)
      in.refuse(fixed, "is fixed when the endpoint is created; create another one");
  }
  if (in.value("secret") != nullptr) in.refuse("secret", "is changed by rotate-secret");
  const auto found = visible_endpoint(*c, core::endpoint_id{c->id()});
  if (!found) return c->fail(found.failure());
  actors::update_endpoint wanted = v1::read_settings(*c, in, **found);
  wanted.id.value = c->id();
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  change(c, std::move(wanted));
}

void delete_endpoint(const call_ptr& c) {
  c->audited = true;
  change(c,
         actors::set_endpoint_state{core::endpoint_id{c->id()}, core::endpoint_state::deleted,
                                    "deleted by " + c->by.name},
         204);
}

template <core::endpoint_state State>
void switch_endpoint(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const auto reason = in.text("reason", name_bytes_max);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const bool paused = State == core::endpoint_state::paused;
  change(c, actors::set_endpoint_state{
                core::endpoint_id{c->id()}, State,
                reason.value_or(paused ? "paused by " + c->by.name : std::string{})});
}

enum class key_kind : std::uint8_t { symmetric, asymmetric, both };

std::optional<key_kind> parse_key_kind(std::string_view text) {
  if (text == "symmetric") return key_kind::symmetric;
  if (text == "asymmetric") return key_kind::asymmetric;
  return text == "both" ? std::optional{key_kind::both} : std::nullopt;
}

void rotate(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  const core::endpoint_id id{c->id()};
  const auto found = visible_endpoint(*c, id);
  if (!found) return c->fail(found.failure());
  object_reader in{*body};
  const auto overlap = in.integer("overlap_s", 0, 7 * 86'400);
  const auto kind =
      in.word("kind", parse_key_kind, "symmetric, asymmetric, both").value_or(key_kind::symmetric);
  actors::rotate_secret wanted{id, {}, std::chrono::seconds{overlap.value_or(86'400)}};
  if (kind == key_kind::asymmetric) {
    if (in.value("secret") != nullptr) in.refuse("secret", "is not for this kind");
  } else {
    wanted.secret = read_secret(in, (*found)->form);
  }
  if (kind != key_kind::symmetric) {
    if ((*found)->signing_key.empty())
      in.refuse("kind", "the endpoint has no asymmetric key; PATCH it with asymmetric: true");
    wanted.signing_key = v1::new_signing_key();
  }
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (wanted.secret) {
    c->complete_body = [secret = *wanted.secret](std::string& text) {
      append_secret(text, secret.reveal());
    };
  }
  change(c, std::move(wanted));
}

}  // namespace

route_list endpoint_routes() {
  return {
      {"POST", "/v1/endpoints", face::v1, true, create_endpoint, repeat_secret},
      {"GET", "/v1/endpoints", face::v1, false, list_endpoints, nullptr, true},
      {"GET", "/v1/endpoints/{id}", face::v1, false, get_endpoint},
      {"PATCH", "/v1/endpoints/{id}", face::v1, true, update_endpoint},
      {"DELETE", "/v1/endpoints/{id}", face::v1, true, delete_endpoint},
      {"POST", "/v1/endpoints/{id}/pause", face::v1, true,
       switch_endpoint<core::endpoint_state::paused>},
      {"POST", "/v1/endpoints/{id}/resume", face::v1, true,
       switch_endpoint<core::endpoint_state::active>},
      {"POST", "/v1/endpoints/{id}/rotate-secret", face::v1, true, rotate, repeat_secret},
  };
}

}  // namespace syndicated::api
