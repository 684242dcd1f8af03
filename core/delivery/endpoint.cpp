#include "core/delivery/endpoint.hpp"

#include <algorithm>

namespace syndicated::core {

std::string_view to_string(endpoint_scope scope) noexcept {
  switch (scope) {
    case endpoint_scope::platform: return "platform";
    case endpoint_scope::vendor: return "vendor";
    case endpoint_scope::product: return "product";
    case endpoint_scope::tenant: return "tenant";
  }
  return "";
}

std::string_view to_string(wire_form form) noexcept {
  switch (form) {
    case wire_form::cloudesire: return "cloudesire";
    case wire_form::standard: return "standard";
  }
  return "";
}

std::string_view to_string(id_format format) noexcept {
  switch (format) {
    case id_format::number: return "number";
    case id_format::string: return "string";
  }
  return "";
}

std::string_view to_string(exhausted_policy policy) noexcept {
  switch (policy) {
    case exhausted_policy::hold: return "hold";
    case exhausted_policy::skip: return "skip";
  }
  return "";
}

std::string_view to_string(endpoint_state state) noexcept {
  switch (state) {
    case endpoint_state::active: return "active";
    case endpoint_state::paused: return "paused";
    case endpoint_state::disabled: return "disabled";
    case endpoint_state::deleted: return "deleted";
  }
  return "";
}

std::string_view to_string(ordering_mode mode) noexcept {
  switch (mode) {
    case ordering_mode::stream: return "stream";
    case ordering_mode::endpoint: return "endpoint";
    case ordering_mode::none: return "none";
  }
  return "";
}

std::string_view to_string(termination_signal signal) noexcept {
  switch (signal) {
    case termination_signal::modified: return "modified";
    case termination_signal::deleted: return "deleted";
  }
  return "";
}

std::string_view to_string(auth_kind kind) noexcept {
  switch (kind) {
    case auth_kind::none: return "none";
    case auth_kind::basic: return "basic";
    case auth_kind::bearer: return "bearer";
    case auth_kind::api_key: return "api_key";
    case auth_kind::oauth2: return "oauth2";
  }
  return "";
}

std::optional<ordering_mode> parse_ordering_mode(std::string_view text) noexcept {
  for (int i = 1; i <= 3; ++i) {
    if (to_string(static_cast<ordering_mode>(i)) == text) return static_cast<ordering_mode>(i);
  }
  return std::nullopt;
}

std::optional<termination_signal> parse_termination_signal(std::string_view text) noexcept {
  for (const auto signal : {termination_signal::modified, termination_signal::deleted}) {
    if (to_string(signal) == text) return signal;
  }
  return std::nullopt;
}

std::optional<auth_kind> parse_auth_kind(std::string_view text) noexcept {
  for (int i = 1; i <= 4; ++i) {
    if (to_string(static_cast<auth_kind>(i)) == text) return static_cast<auth_kind>(i);
  }
  return std::nullopt;
}

std::optional<endpoint_scope> parse_endpoint_scope(std::string_view text) noexcept {
  for (int i = 1; i <= 4; ++i) {
    if (to_string(static_cast<endpoint_scope>(i)) == text) return static_cast<endpoint_scope>(i);
  }
  return std::nullopt;
}

std::optional<wire_form> parse_wire_form(std::string_view text) noexcept {
  for (int i = 1; i <= 2; ++i) {
    if (to_string(static_cast<wire_form>(i)) == text) return static_cast<wire_form>(i);
  }
  return std::nullopt;
}

bool matches_one(std::string_view pattern, std::string_view event_name) noexcept {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return pattern == event_name;
  return event_name.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool matches(const std::vector<std::string>& patterns, std::string_view event_name) noexcept {
  return std::ranges::any_of(
      patterns, [event_name](const std::string& each) { return matches_one(each, event_name); });
}

}  // namespace syndicated::core
