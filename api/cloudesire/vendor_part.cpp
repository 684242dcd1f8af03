// What a vendor attaches to a subscription: access points, instructions, credentials, metadata.
// Each call replaces what was there. Credential values are sealed at once and never read back.
#include <algorithm>

#include "api/access.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;
using core::subscription_action;

// The subscription, when the caller may write its vendor's part.
std::optional<core::subscription> writable(const call_ptr& c) {
  auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure()), std::nullopt;
  if (c->by.role == core::role::tenant) {
    return c->fail(forbidden("this part of a subscription is the vendor's")), std::nullopt;
  }
  return std::move(*found);
}

void send_command(const call_ptr& c, core::subscription_command command,
                  actors::write_options options) {
  command.by = core::party::vendor;
  c->engine().command(
      core::subscription_id{c->id()}, std::move(command), std::move(options),
      rendered<core::subscription>(c, 204, [](const core::subscription&) { return std::string{}; }),
      finish(c));
}

// Body and subscription of a write; answers the refusals itself.
std::optional<json> begin(const call_ptr& c) {
  if (!writable(c)) return std::nullopt;
  auto body = c->body();
  if (!body) return c->fail(body.failure()), std::nullopt;
  return std::move(*body);
}

void run(const call_ptr& c, core::subscription_command command) {
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  send_command(c, std::move(command), std::move(*options));
}

core::error invalid(std::string pointer, std::string detail) {
  return core::invalid_field(std::move(pointer), std::move(detail));
}

bool https_url(std::string_view text) {
  return text.starts_with("https://") && text.size() > 8 && text.size() <= url_bytes_max &&
         std::ranges::all_of(text, [](char c) {
           return c > 0x20 && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '\\';
         });
}

core::result<std::vector<core::access_point>> read_access_points(const json& body) {
  static constexpr std::string_view categories[] = {"APP", "PASSWORD_RESET", "DOCUMENTATION",
                                                    "VIDEO"};
  const json::array_type* items = body.array();
  if (items == nullptr || items->size() > map_entries_max)
    return invalid("", "must be an array of at most 64 endpoints");
  std::vector<core::access_point> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    object_reader in{(*items)[i], '/' + std::to_string(i)};
    core::access_point p;
    p.endpoint = in.required("endpoint", in.text("endpoint", url_bytes_max, 1));
    p.description = in.text("description", name_bytes_max).value_or(std::string{});
    p.category = in.text("category", 32).value_or("APP");
    if (!p.endpoint.empty() && !https_url(p.endpoint))
      in.refuse("endpoint", "must be an HTTPS URL");
    if (std::ranges::find(categories, p.category) == std::end(categories)) {
      in.refuse("category", "is not one of APP, PASSWORD_RESET, DOCUMENTATION, VIDEO");
    }
    if (const auto ok = in.finish(); !ok) return ok.failure();
    out.push_back(std::move(p));
  }
  if (std::ranges::none_of(out, [](const core::access_point& p) { return p.category == "APP"; })) {
    return invalid("", "at least one endpoint of the category APP is needed");
  }
  return out;
}

void set_endpoints(const call_ptr& c) {
  const auto body = begin(c);
  if (!body) return;
  auto points = read_access_points(*body);
  if (!points) return c->fail(points.failure());
  core::subscription_command command;
  command.action = subscription_action::set_endpoints;
  command.endpoints = std::move(*points);
  run(c, std::move(command));
}

// Language -> text.
core::result<core::string_map> read_languages(const json& value, const std::string& base) {
  object_reader in{value, base};
  core::string_map out;
  const json::object_type* members = value.object();
  for (std::size_t i = 0; members != nullptr && i < members->size(); ++i) {
    const std::string& language = (*members)[i].name;
    const bool plausible =
        language.size() >= 2 && language.size() <= 16 && std::ranges::all_of(language, [](char ch) {
          return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_';
        });
    if (!plausible) in.refuse(language, "is not a language tag");
    if (const auto text = in.long_text(language, text_bytes_max)) out[language] = *text;
  }
  if (out.size() > map_entries_max) in.refuse("", "has too many languages");
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

void set_instructions(const call_ptr& c) {
  const auto body = begin(c);
  if (!body) return;
  auto texts = read_languages(*body, "");
  if (!texts) return c->fail(texts.failure());
  core::subscription_command command;
  command.action = subscription_action::set_instructions;
  command.instructions = std::move(*texts);
  run(c, std::move(command));
}

core::result<core::credential> read_credential(const call& c, const json& value,
                                               const std::string& base) {
  object_reader in{value, base};
  core::credential out;
  out.key = in.required("key", in.text("key", map_key_bytes_max, 1));
  const std::string plain = in.required("value", in.long_text("value", text_bytes_max));
  out.weight = in.integer("weight", -1'000'000, 1'000'000).value_or(0);
  if (const json* description = in.value("description");
      description != nullptr && !description->is_null()) {
    auto texts = read_languages(*description, base + "/description");
    if (!texts) return texts.failure();
    out.description = std::move(*texts);
  }
  if (const auto ok = in.finish(); !ok) return ok.failure();
  out.sealed_value = c.engine().seal(plain);
  return out;
}

void set_credentials(const call_ptr& c) {
  const auto body = begin(c);
  if (!body) return;
  const json::array_type* items = body->array();
  if (items == nullptr || items->size() > map_entries_max) {
    return c->fail(invalid("", "must be an array of at most 64 credentials"));
  }
  core::subscription_command command;
  command.action = subscription_action::set_credentials;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto credential = read_credential(*c, (*items)[i], '/' + std::to_string(i));
    if (!credential) return c->fail(credential.failure());
    command.credentials.push_back(std::move(*credential));
  }
  run(c, std::move(command));
}

// ---- metadata

void get_metadata(const call_ptr& c) {
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure());
  core::json_writer out;
  out.map(found->vendor_metadata);
  c->send_entity(std::move(out).str(), found->version);
}

void put_metadata(const call_ptr& c) {
  const auto body = begin(c);
  if (!body) return;
  // The reader knows maps as fields: the whole body is given to it as one.
  const json wrapped{json::object_type{{"metadata", *body}}};
  object_reader in{wrapped};
  auto map = in.string_map("metadata");
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  core::subscription_command command;
  command.action = subscription_action::set_vendor_metadata;
  command.metadata = std::move(*map);
  run(c, std::move(command));
}

void delete_metadata(const call_ptr& c) {
  const auto found = writable(c);
  if (!found) return;
  core::subscription_command command;
  command.action = subscription_action::set_vendor_metadata;
  command.metadata = found->vendor_metadata;
  if (command.metadata->erase(c->key) == 0) return c->send(204, {});
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  // Read, change, write: somebody else's write in between must not be lost.
  if (!options->if_match) options->if_match = found->version;
  send_command(c, std::move(command), std::move(*options));
}

}  // namespace

// In subscriptions.cpp.
route_list cloudesire_subscription_routes();

route_list cloudesire_routes() {
  route_list all = cloudesire_subscription_routes();
  const route_list mine = {
      {"POST", "/api/subscription/{id}/endpoints", face::cloudesire, true, set_endpoints},
      {"POST", "/api/subscription/{id}/instructions", face::cloudesire, true, set_instructions},
      {"POST", "/api/subscription/{id}/credentials", face::cloudesire, true, set_credentials},
      {"GET", "/api/subscription/{id}/metadata", face::cloudesire, false, get_metadata},
      {"PUT", "/api/subscription/{id}/metadata", face::cloudesire, true, put_metadata},
      {"DELETE", "/api/subscription/{id}/metadata/{key}", face::cloudesire, true, delete_metadata},
  };
  all.insert(all.end(), mine.begin(), mine.end());
  return all;
}

}  // namespace syndicated::api
