// What the settings of an endpoint may be, and what follows from them. Pure.
//
// Errors are sentences for the owner (std::nullopt: fine); they never repeat a value, which may be
// a secret. Limits: core/base/limits.hpp. Sources: RFC 9110 5 (names and values), RFC 7617 (basic),
// RFC 6750 (bearer).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/delivery/endpoint.hpp"

namespace syndicated::core {

// A header the owner wants on every request. Refused: what is no token, what belongs to the
// connection or to the daemon (Host, Content-*, User-Agent, the signatures ...).
std::optional<std::string> header_name_mistake(std::string_view name);
// Visible ASCII and single blanks inside.
std::optional<std::string> header_value_mistake(std::string_view value);
// All headers together with the credentials: their number and size, none twice, and no
// Authorization beside `auth`. `name` of the mistake is the header it is about.
struct header_mistake {
  std::string name;
  std::string detail;
};
std::optional<header_mistake> headers_mistake(const std::vector<endpoint_header>& headers,
                                              const endpoint_auth& auth);

// "Name: value" lines of the owner's headers and of the credentials, in that order. Without
// oauth2, whose header is not constant.
std::vector<std::string> owner_header_lines(const endpoint& e);

// base, base x factor, base x factor^2 ... at most `cap`, behind the first attempt at once.
struct retry_formula {
  std::int64_t base_s = 5;
  double factor = 2;
  std::int64_t cap_s = 86'400;
  int attempts = 10;  // the first one included
};
std::vector<std::chrono::milliseconds> expand(const retry_formula& formula);

}  // namespace syndicated::core
