// Who is calling: roles, tokens, callers. Plain records (api.md, 2; reliability.md, 5.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class role : std::uint8_t {
  operator_ = 1,    // everything
  marketplace = 2,  // everything but tokens and settings
  vendor = 3,       // its own products' subscriptions, endpoints, deliveries
  tenant = 4,       // its subtree
};

std::string_view to_string(role r) noexcept;
std::optional<role> parse_role(std::string_view text) noexcept;

// What is kept of an API token: never the token itself.
struct token {
  token_id id;
  core::role role = role::marketplace;
  std::uint64_t scope = 0;  // the vendor's or tenant's id; 0 for the other roles
  std::string name;
  std::array<std::uint8_t, 32> secret_sha256{};
  std::optional<timestamp> expires_at;
  bool revoked = false;
  std::uint64_t version = 0;
  timestamp created_at{};
};

struct caller {
  core::role role = role::operator_;
  std::uint64_t scope = 0;
  std::string name;  // "token/7", "uid/0", "system"; goes into the event's cause
};

}  // namespace syndicated::core
