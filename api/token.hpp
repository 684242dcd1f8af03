// API tokens: `syn_<id>_<secret>_<checksum>` (reliability.md, 5.3).
//
// The secret is 24 random bytes in hexadecimal (192 bits); only its SHA-256 is stored. The checksum
// (CRC-32, 8 hex digits) refuses mistyped or cut tokens before any look-up, and lets scanners for
// leaked secrets recognise ours. Plain functions: any thread may call them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"

namespace syndicated::api {

struct token_parts {
  core::token_id id;
  std::string_view secret;  // a view into the text that was parsed
};

std::optional<token_parts> parse_token(std::string_view text) noexcept;
std::string format_token(core::token_id id, std::string_view secret);

std::string random_bytes(std::size_t count);  // from the system's generator
std::string make_token_secret();
std::array<std::uint8_t, 32> token_hash(std::string_view secret);

}  // namespace syndicated::api
