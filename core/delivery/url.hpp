// Endpoint URLs: what may be stored, and its parts. Pure.
//
// Source: reliability.md 5.1 rule 1. The same parsed parts are used for the breaker's key and for
// the resolver, so that checking and connecting cannot disagree about the host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/delivery/egress_policy.hpp"

namespace syndicated::core {

struct endpoint_url {
  std::string text;    // normalised: what is stored, shown and sent
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case, A-label, no brackets
  std::uint16_t port = 0;
  std::string origin;  // "https://host:port": the dispatcher's key
  bool ip_literal = false;
};

// Errors: errc::invalid with pointer "/url" and the rule that is broken.
result<endpoint_url> check_endpoint_url(std::string_view text, const egress_policy& policy);

// Any text as visible ASCII, for a header's value: every other byte and '%' as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace syndicated::core
