// Signatures of notifications, one at a time (the daemon's own: signer.hpp). Sources: domain.md 1.4
// (Cloudesire), Standard Webhooks 1.0.0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace syndicated::core {

// "sha1=" + 40 lower-case hex digits: HMAC-SHA1 over the raw body, keyed with the secret's bytes.
std::string cloudesire_signature(std::string_view secret, std::string_view body);

// "v1," + base64: HMAC-SHA256 over id "." timestamp "." body; the key is the decoded secret.
std::string standard_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                               std::string_view body);

// What is signed in the standard form: id "." timestamp "." body.
std::string standard_message(std::string_view id, std::string_view unix_seconds,
                             std::string_view body);

// "whsec_" + base64 (the prefix may be missing) -> the key's bytes, however many.
std::optional<std::string> standard_key(std::string_view text);
// The same for a secret that is to be used here: 24 to 64 bytes.
result<std::string> decode_standard_secret(std::string_view text);
std::string encode_standard_secret(std::string_view key);

// Equal in time that does not depend on where they differ.
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // standard alphabet, padded
std::string hex_encode(std::string_view bytes);
std::string sha256(std::string_view bytes);  // 32 raw bytes

}  // namespace syndicated::core
