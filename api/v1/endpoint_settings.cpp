#include "api/v1/endpoint_settings.hpp"

#include <algorithm>
#include <cmath>

#include "api/token.hpp"
#include "api/v1/filter.hpp"
#include "core/base/limits.hpp"
#include "core/delivery/certificates.hpp"
#include "core/delivery/ed25519.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "core/delivery/url.hpp"

namespace syndicated::api::v1 {
namespace {

using namespace core::limits;

// Certificates are judged by the clock that the TLS handshake looks at, also in simulated time.
core::timestamp machine_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

constexpr std::string_view mask = "********";

bool is_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with(".*")) text.remove_suffix(2);
  if (text.empty() || text.front() == '.' || text.back() == '.' ||
      text.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

std::optional<std::vector<std::string>> read_events(object_reader& in) {
  auto patterns = in.texts("events", endpoint_filters_max, map_key_bytes_max);
  if (!patterns) return std::nullopt;
  if (patterns->empty() && in.clean())
    in.refuse("events", "must not be empty; leave it out for all events");
  for (std::size_t i = 0; i < patterns->size(); ++i) {
    if (!is_pattern((*patterns)[i])) {
      in.refuse("events/" + std::to_string(i), "must be *, a dotted name, or a name ending in .*");
    }
  }
  return patterns;
}

std::optional<std::vector<std::int64_t>> read_numbers(object_reader& in, std::string_view name,
                                                      std::size_t count_max, std::int64_t min,
                                                      std::int64_t max) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  const json::array_type* items = given->array();
  const std::string rule = "must be an array of at most " + std::to_string(count_max) +
                           " integers from " + std::to_string(min) + " to " + std::to_string(max);
  if (items == nullptr || items->size() > count_max) {
    in.refuse(name, rule);
    return std::nullopt;
  }
  std::vector<std::int64_t> out;
  for (const json& item : *items) {
    const std::int64_t* number = item.integer();
    if (number == nullptr || *number < min || *number > max) {
      in.refuse(name, rule);
      return std::nullopt;
    }
    out.push_back(*number);
  }
  return out;
}

std::optional<core::exhausted_policy> parse_exhausted(std::string_view text) {
  for (const auto p : {core::exhausted_policy::hold, core::exhausted_policy::skip}) {
    if (core::to_string(p) == text) return p;
  }
  return std::nullopt;
}

bool is_null(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  return given != nullptr && given->is_null();
}

// A number, whole or not, from min to max.
std::optional<double> read_number(object_reader& in, std::string_view name, double min, double max,
                                  std::string_view rule) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  const double value = given->integer() != nullptr ? static_cast<double>(*given->integer())
                       : given->real() != nullptr  ? *given->real()
                                                   : std::nan("");
  if (value >= min && value <= max) return value;
  in.refuse(name, std::string{rule});
  return std::nullopt;
}

// A list of pauses, or the formula that makes one.
std::optional<std::vector<std::chrono::milliseconds>> read_schedule(object_reader& in) {
  const json* given = in.value("retry_schedule");
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return std::vector<std::chrono::milliseconds>{};
  if (given->object() != nullptr) {
    object_reader formula{*given, "/retry_schedule"};
    core::retry_formula wanted;
    const auto take = [](auto& field, const auto& read) {
      if (read) field = static_cast<std::remove_reference_t<decltype(field)>>(*read);
    };
    take(wanted.base_s, formula.integer("base_s", 1, retry_pause_s_max));
    take(wanted.factor, read_number(formula, "factor", 1, 10, "must be a number from 1 to 10"));
    take(wanted.cap_s, formula.integer("cap_s", 1, retry_pause_s_max));
    take(wanted.attempts, formula.integer("attempts", 1, static_cast<std::int64_t>(retries_max)));
    in.absorb(std::move(formula));
    return core::expand(wanted);
  }
  const auto pauses = read_numbers(in, "retry_schedule", retries_max, 0, retry_pause_s_max);
  if (!pauses) return std::nullopt;
  if (!pauses->empty() && pauses->front() != 0) {
    in.refuse("retry_schedule", "must begin with 0: the first attempt is made at once");
  }
  std::vector<std::chrono::milliseconds> out;
  for (const std::int64_t s : *pauses) out.push_back(std::chrono::seconds{s});
  return out;
}

std::optional<std::vector<core::endpoint_header>> read_headers(object_reader& in) {
  if (is_null(in, "headers")) return std::vector<core::endpoint_header>{};
  const auto given = in.string_map("headers");
  if (!given) return std::nullopt;
  std::vector<core::endpoint_header> out;
  for (const auto& [name, value] : *given) {
    const std::string place = pointer_to("headers", name);
    if (const auto wrong = core::header_name_mistake(name)) {
      in.refuse(place, *wrong);
    } else if (const auto bad = core::header_value_mistake(value)) {
      in.refuse(place, *bad);
    }
    out.push_back({name, core::secret_bytes{value}});
  }
  return out;
}

// A credential: visible characters, so that it fits into a header.
core::secret_bytes read_credential(object_reader& in, std::string_view name) {
  const auto text = in.required(name, in.text(name, endpoint_credential_bytes_max, 1));
  if (!text.empty()) {
    if (const auto wrong = core::header_value_mistake(text)) in.refuse(name, *wrong);
  }
  return core::secret_bytes{text};
}

void read_oauth2(const call& c, object_reader& auth, core::endpoint_auth& out) {
  const auto url = auth.required("token_url", auth.text("token_url", url_bytes_max));
  if (!url.empty()) {
    const auto checked = core::check_endpoint_url(url, *c.engine().egress());
    if (checked) {
      out.token_url = checked->text;
    } else {
      auth.refuse("token_url", checked.failure().detail);
    }
  }
  out.name = auth.required("client_id", auth.text("client_id", name_bytes_max, 1));
  out.secret = core::secret_bytes{
      auth.required("client_secret", auth.text("client_secret", endpoint_credential_bytes_max, 1))};
  out.scope = auth.text("scope", text_bytes_max).value_or(std::string{});
  out.audience = auth.text("audience", url_bytes_max).value_or(std::string{});
}

std::optional<core::endpoint_auth> read_auth(const call& c, object_reader& in) {
  const json* given = in.value("auth");
  if (given == nullptr) return std::nullopt;
  core::endpoint_auth out;
  if (given->is_null()) return out;
  object_reader auth{*given, "/auth"};
  out.kind = auth.required(
      "type", auth.word("type", core::parse_auth_kind, "basic, bearer, api_key, oauth2"));
  switch (out.kind) {
    case core::auth_kind::none: break;
    case core::auth_kind::basic:
      out.name = auth.required("username", auth.text("username", name_bytes_max));
      if (out.name.find(':') != std::string::npos)
        auth.refuse("username", "must not contain a colon (RFC 7617)");
      out.secret = core::secret_bytes{
          auth.required("password", auth.text("password", endpoint_credential_bytes_max))};
      break;
    case core::auth_kind::bearer:
      out.secret = read_credential(auth, "token");
      if (out.secret.reveal().find(' ') != std::string::npos)
        auth.refuse("token", "must not contain blanks (RFC 6750)");
      break;
    case core::auth_kind::api_key:
      out.name = auth.required("header", auth.text("header", map_key_bytes_max));
      if (const auto wrong = core::header_name_mistake(out.name); wrong && auth.has("header"))
        auth.refuse("header", *wrong);
      out.secret = read_credential(auth, "value");
      break;
    case core::auth_kind::oauth2: read_oauth2(c, auth, out); break;
  }
  in.absorb(std::move(auth));
  return out;
}

std::optional<core::rate_limit> read_rate(object_reader& in) {
  const json* given = in.value("rate_limit");
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return core::rate_limit{};
  object_reader rate{*given, "/rate_limit"};
  const auto per_s = rate.required(
      "per_s",
      read_number(rate, "per_s", 0.001, endpoint_rate_per_s_max,
                  "must be a number from 0.001 to " + std::to_string(endpoint_rate_per_s_max)));
  // The dispatcher looks ten times a second, so a smaller burst would be a smaller rate.
  const auto burst_min = std::max<std::int64_t>(1, std::llround(std::ceil(per_s / 10.0)));
  const auto burst = rate.integer("burst", burst_min, endpoint_rate_burst_max);
  in.absorb(std::move(rate));
  const auto whole = std::max<std::int64_t>(1, std::llround(std::ceil(per_s)));
  return core::rate_limit{per_s, static_cast<std::uint32_t>(burst.value_or(whole))};
}

// With `none` each event has its own lane from the beginning, so that cannot change later.
std::optional<core::ordering_mode> read_ordering(object_reader& in, const core::endpoint& present) {
  using core::ordering_mode;
  const auto wanted = in.word("ordering", core::parse_ordering_mode, "stream, endpoint, none");
  const bool exists = present.id.value != 0;
  if (wanted && exists && *wanted != present.ordering &&
      (*wanted == ordering_mode::none || present.ordering == ordering_mode::none)) {
    in.refuse("ordering", "none is chosen when the endpoint is created, or never");
  }
  return wanted;
}

std::optional<bool> read_coalescing(object_reader& in, const core::endpoint& present,
                                    std::optional<core::ordering_mode> ordering) {
  const auto wanted = in.boolean("coalesce_modified");
  if (wanted && *wanted && present.form != core::wire_form::cloudesire) {
    in.refuse("coalesce_modified",
              "is for the Cloudesire form; the standard form tells each change");
  }
  if (wanted.value_or(present.coalesce_modified) &&
      ordering.value_or(present.ordering) == core::ordering_mode::none) {
    in.refuse("coalesce_modified",
              "needs an ordering: with none no notification waits behind another");
  }
  return wanted;
}

std::optional<core::client_identity> read_identity(object_reader& in) {
  const bool has_key = in.has("client_key") && !is_null(in, "client_key");
  if (is_null(in, "client_cert")) {
    if (has_key) in.refuse("client_key", "is given together with client_cert");
    return core::client_identity{};
  }
  const auto certificate = in.long_text("client_cert", endpoint_pem_bytes_max);
  const auto key = in.long_text("client_key", endpoint_pem_bytes_max);
  if (in.has("client_cert") != in.has("client_key")) {
    in.refuse(in.has("client_key") ? "client_cert" : "client_key",
              "is needed: certificate and key are given together");
  }
  if (!certificate || !key) return std::nullopt;
  const auto checked = core::check_client_identity(*certificate, *key, machine_time());
  if (checked.mistake) {
    in.refuse(checked.mistake->of_key ? "client_key" : "client_cert", checked.mistake->detail);
    return std::nullopt;
  }
  return core::client_identity{*certificate, core::secret_bytes{*key}, checked.expires_at};
}

std::optional<std::string> read_authorities(object_reader& in) {
  if (is_null(in, "ca")) return std::string{};
  auto ca = in.long_text("ca", endpoint_pem_bytes_max);
  if (!ca) return std::nullopt;
  if (const auto wrong = core::authorities_mistake(*ca)) in.refuse("ca", *wrong);
  return ca;
}

// true makes a key unless there is one; false takes it away.
std::optional<core::secret_bytes> read_asymmetric(object_reader& in,
                                                  const core::endpoint& present) {
  const auto wanted = in.boolean("asymmetric");
  if (!wanted || *wanted == !present.signing_key.empty()) return std::nullopt;
  if (!*wanted) return core::secret_bytes{};
  if (present.form != core::wire_form::standard) {
    in.refuse("asymmetric", "is for the standard form; the Cloudesire form has one signature");
    return std::nullopt;
  }
  return new_signing_key();
}

void read_access(const call& c, object_reader& in, actors::update_endpoint& out,
                 const core::endpoint& present) {
  out.headers = read_headers(in);
  out.auth = read_auth(c, in);
  out.identity = read_identity(in);
  out.ca = read_authorities(in);
  if (!in.clean() || (!out.headers && !out.auth)) return;
  const auto wrong =
      core::headers_mistake(out.headers.value_or(present.headers), out.auth.value_or(present.auth));
  if (wrong) {
    in.refuse(wrong->name.empty() ? "headers" : pointer_to("headers", wrong->name), wrong->detail);
  }
}

void write_auth(core::json_writer& out, const core::endpoint_auth& auth) {
  out.key("auth");
  if (auth.kind == core::auth_kind::none) {
    out.null();
    return;
  }
  out.begin_object().key("type").text(core::to_string(auth.kind));
  if (auth.kind == core::auth_kind::basic) out.key("username").text(auth.name);
  if (auth.kind == core::auth_kind::api_key) out.key("header").text(auth.name);
  if (auth.kind == core::auth_kind::oauth2) {
    out.key("token_url").text(auth.token_url);
    out.key("client_id").text(auth.name);
    out.key("scope").text(auth.scope);
    out.key("audience").text(auth.audience);
  }
  out.end_object();
}

void write_access(core::json_writer& out, const core::endpoint& e) {
  out.key("headers").begin_object();
  for (const core::endpoint_header& h : e.headers) out.given_key(h.name).text(mask);
  out.end_object();
  write_auth(out, e.auth);
  const auto pem = [&out](core::json_name name, const std::string& text) {
    out.key(name);
    if (text.empty()) {
      out.null();
    } else {
      out.text(text);
    }
  };
  pem("client_cert", e.identity.certificate);
  out.key("client_cert_expires_at").time(e.identity.expires_at);
  pem("ca", e.ca);
}

void write_signing(core::json_writer& out, const core::endpoint& e) {
  out.key("asymmetric").boolean(!e.signing_key.empty());
  const std::string_view key = core::public_part(e.signing_key.reveal());
  out.key("public_key");
  if (key.empty()) {
    out.null().key("kid").null();
  } else {
    out.text(core::encode_public_key(key)).key("kid").text(core::key_thumbprint(key));
  }
  out.key("previous_secret_until").time(e.previous_until);
  out.key("previous_public_key_until").time(e.previous_signing_until);
}

}  // namespace

core::secret_bytes new_signing_key() {
  auto key = core::make_signing_key(random_bytes(core::ed25519_seed_bytes));
  return key ? core::secret_bytes{std::move(*key)} : core::secret_bytes{};
}

actors::update_endpoint read_settings(const call& c, object_reader& in,
                                      const core::endpoint& present) {
  actors::update_endpoint out;
  if (const auto url = in.text("url", url_bytes_max, 1)) {
    const auto checked = core::check_endpoint_url(*url, *c.engine().egress());
    if (checked) {
      out.url = checked->text;
      out.origin = checked->origin;
    } else {
      in.refuse("url", checked.failure().detail);
    }
  }
  out.events = read_events(in);
  out.filter = read_filter(in, "filter");
  out.description = in.text("description", name_bytes_max);
  if (is_null(in, "success_codes")) {
    out.success_codes.emplace();
  } else if (const auto codes = read_numbers(in, "success_codes", 16, 200, 299)) {
    out.success_codes.emplace();
    for (const std::int64_t code : *codes) out.success_codes->push_back(static_cast<int>(code));
  }
  if (const auto ms = in.integer("timeout_ms", attempt_timeout_ms_min, attempt_timeout_ms_max)) {
    out.timeout_ms = static_cast<int>(*ms);
  }
  if (const auto n = in.integer("concurrency", 1, endpoint_concurrency_max))
    out.concurrency_max = static_cast<int>(*n);
  out.retry_schedule = read_schedule(in);
  out.on_exhausted = in.word("on_exhausted", parse_exhausted, "hold, skip");
  if (is_null(in, "max_age_s")) {
    out.max_age = std::chrono::milliseconds{0};
  } else if (const auto age = in.integer("max_age_s", 1, endpoint_age_s_max)) {
    out.max_age = std::chrono::seconds{*age};
  }
  out.rate = read_rate(in);
  out.receiver_control = in.boolean("receiver_control");
  out.http2 = in.boolean("http2");
  out.signing_key = read_asymmetric(in, present);
  out.ordering = read_ordering(in, present);
  out.coalesce_modified = read_coalescing(in, present, out.ordering);
  read_access(c, in, out, present);
  return out;
}

void apply(actors::update_endpoint&& from, core::endpoint& to) {
  const auto take = [](auto& given, auto& field) {
    if (given) field = std::move(*given);
  };
  take(from.url, to.url);
  take(from.origin, to.origin);
  take(from.events, to.events);
  take(from.filter, to.filter);
  take(from.description, to.description);
  take(from.success_codes, to.success_codes);
  take(from.timeout_ms, to.timeout_ms);
  take(from.concurrency_max, to.concurrency_max);
  take(from.retry_schedule, to.retry_schedule);
  take(from.on_exhausted, to.on_exhausted);
  take(from.headers, to.headers);
  take(from.auth, to.auth);
  take(from.identity, to.identity);
  take(from.ca, to.ca);
  take(from.max_age, to.max_age);
  take(from.rate, to.rate);
  take(from.receiver_control, to.receiver_control);
  take(from.http2, to.http2);
  take(from.signing_key, to.signing_key);
  take(from.ordering, to.ordering);
  take(from.coalesce_modified, to.coalesce_modified);
}

void write_settings(core::json_writer& out, const core::endpoint& e) {
  out.key("url").text(e.url);
  out.key("events").begin_array();
  for (const std::string& pattern : e.events) out.text(pattern);
  out.end_array();
  out.key("filter").raw(core::to_json(e.filter));
  out.key("description").text(e.description);
  out.key("success_codes").begin_array();
  for (const int code : e.success_codes) out.number(code);
  out.end_array();
  out.key("timeout_ms").number(e.timeout_ms);
  out.key("concurrency").number(e.concurrency_max);
  out.key("retry_schedule").begin_array();
  for (const auto pause : e.retry_schedule)
    out.number(static_cast<std::int64_t>(pause / std::chrono::seconds{1}));
  out.end_array();
  out.key("on_exhausted").text(core::to_string(e.on_exhausted));
  out.key("ordering").text(core::to_string(e.ordering));
  out.key("coalesce_modified").boolean(e.coalesce_modified);
  out.key("max_age_s");
  if (e.max_age.count() == 0) {
    out.null();
  } else {
    out.number(static_cast<std::int64_t>(e.max_age / std::chrono::seconds{1}));
  }
  out.key("rate_limit");
  if (e.rate.per_s > 0) {
    out.begin_object().key("per_s").real(e.rate.per_s);
    out.key("burst").number(static_cast<std::uint64_t>(e.rate.burst)).end_object();
  } else {
    out.null();
  }
  out.key("receiver_control").boolean(e.receiver_control);
  out.key("http2").boolean(e.http2);
  write_access(out, e);
  write_signing(out, e);
}

}  // namespace syndicated::api::v1
