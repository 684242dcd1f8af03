#include "core/delivery/endpoint_rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/limits.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_token_char(char c) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         marks.find(c) != std::string_view::npos;
}

// Of the connection (RFC 9110 7.6.1), of the message as the daemon builds it, and its own.
constexpr std::array<std::string_view, 14> taken_names{
    "connection", "keep-alive", "te",      "trailer",       "transfer-encoding",
    "upgrade",    "expect",     "host",    "user-agent",    "accept",
    "date",       "cookie",     "cookie2", "http2-settings"};
constexpr std::array<std::string_view, 5> taken_prefixes{"content-", "proxy-", "webhook-", "cmw-",
                                                         "sec-"};

std::string credentials_header(const endpoint_auth& auth) {
  switch (auth.kind) {
    case auth_kind::none: return {};
    case auth_kind::basic:
    case auth_kind::bearer:
    case auth_kind::oauth2: return "authorization";
    case auth_kind::api_key: return lower(auth.name);
  }
  return {};
}

}  // namespace

std::optional<std::string> header_name_mistake(std::string_view name) {
  if (name.empty() || name.size() > limits::map_key_bytes_max ||
      !std::all_of(name.begin(), name.end(), is_token_char)) {
    return "is not a header name (RFC 9110 5.1) of at most " +
           std::to_string(limits::map_key_bytes_max) + " characters";
  }
  const std::string word = lower(name);
  const bool taken =
      std::find(taken_names.begin(), taken_names.end(), word) != taken_names.end() ||
      std::any_of(taken_prefixes.begin(), taken_prefixes.end(),
                  [&word](std::string_view prefix) { return word.starts_with(prefix); });
  if (taken) return "belongs to the connection or is set by the daemon";
  return std::nullopt;
}

std::optional<std::string> header_value_mistake(std::string_view value) {
  const bool visible =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (value.empty() || !visible || value.front() == ' ' || value.back() == ' ') {
    return "must be visible ASCII characters, with blanks only inside";
  }
  // What a reading shows instead of the value must not be written back as the value.
  if (std::all_of(value.begin(), value.end(), [](char c) { return c == '*'; })) {
    return "is the mask of a stored value, not a value";
  }
  return std::nullopt;
}

std::optional<header_mistake> headers_mistake(const std::vector<endpoint_header>& headers,
                                              const endpoint_auth& auth) {
  if (headers.size() > limits::endpoint_headers_max) {
    return header_mistake{
        {}, "has more than " + std::to_string(limits::endpoint_headers_max) + " headers"};
  }
  const std::string credentials = credentials_header(auth);
  std::vector<std::string> seen;
  std::size_t bytes = 0;
  for (const endpoint_header& h : headers) {
    std::string word = lower(h.name);
    if (word == credentials) return header_mistake{h.name, "is set by auth"};
    if (std::find(seen.begin(), seen.end(), word) != seen.end()) {
      return header_mistake{h.name, "is there twice; case does not matter"};
    }
    bytes += h.name.size() + h.value.reveal().size() + 4;
    seen.push_back(std::move(word));
  }
  if (bytes <= limits::endpoint_headers_bytes_max) return std::nullopt;
  return header_mistake{{},
                        "has more than " + std::to_string(limits::endpoint_headers_bytes_max) +
                            " bytes of names and values"};
}

std::vector<std::string> owner_header_lines(const endpoint& e) {
  std::vector<std::string> lines;
  for (const endpoint_header& h : e.headers) lines.push_back(h.name + ": " + h.value.reveal());
  const std::string& secret = e.auth.secret.reveal();
  switch (e.auth.kind) {
    case auth_kind::none:
    case auth_kind::oauth2: break;
    case auth_kind::basic:
      lines.push_back("Authorization: Basic " + base64_encode(e.auth.name + ':' + secret));
      break;
    case auth_kind::bearer: lines.push_back("Authorization: Bearer " + secret); break;
    case auth_kind::api_key: lines.push_back(e.auth.name + ": " + secret); break;
  }
  return lines;
}

std::vector<std::chrono::milliseconds> expand(const retry_formula& formula) {
  std::vector<std::chrono::milliseconds> out;
  if (formula.attempts > 0) out.emplace_back(0);
  auto pause = static_cast<double>(formula.base_s);
  const auto cap = static_cast<double>(formula.cap_s);
  for (int i = 1; i < formula.attempts; ++i) {
    // Whole seconds, so that what is shown may be sent back.
    out.emplace_back(std::chrono::seconds{std::llround(std::min(pause, cap))});
    pause = std::min(pause * formula.factor, cap);
  }
  return out;
}

}  // namespace syndicated::core
