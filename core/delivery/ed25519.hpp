// Ed25519 keys and signatures (RFC 8032), as Standard Webhooks 1.0.0 writes them down (`v1a`).
//
// A signing key is 64 bytes: the 32 secret ones and the public key, so that the public one is at
// hand without computing it. Texts: "whsk_" and "whpk_" with base64. Key set: RFC 7517, RFC 8037.
// Threads: free functions from any; an ed25519_signer from one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

struct evp_pkey_st;
struct evp_md_ctx_st;

namespace syndicated::core {

inline constexpr std::size_t ed25519_seed_bytes = 32;
inline constexpr std::size_t ed25519_public_bytes = 32;

// Secret and public part of a fresh key. `seed` comes from the system's generator.
// Errors: errc::invalid when it has not 32 bytes.
result<std::string> make_signing_key(std::string_view seed);
std::string_view public_part(std::string_view signing_key) noexcept;

// "whsk_" + base64 of 32 (secret) or 64 (secret, public) bytes -> 64 bytes.
result<std::string> decode_signing_key(std::string_view text);
std::string encode_public_key(std::string_view public_key);  // "whpk_..."
result<std::string> decode_public_key(std::string_view text);

// The key's name in the key set: its thumbprint (RFC 7638, base64url of SHA-256).
std::string key_thumbprint(std::string_view public_key);
std::string base64url(std::string_view bytes);  // without padding

// `signature`: 64 raw bytes.
bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) noexcept;

class ed25519_signer {
 public:
  // Errors: errc::invalid when it is not a signing key.
  static result<ed25519_signer> create(std::string_view signing_key);
  std::string sign(std::string_view message);  // 64 raw bytes

 private:
  struct freed {
    void operator()(evp_pkey_st* key) const;
    void operator()(evp_md_ctx_st* context) const;
  };
  ed25519_signer() = default;

  std::unique_ptr<evp_pkey_st, freed> key_;
  std::unique_ptr<evp_md_ctx_st, freed> context_;
};

}  // namespace syndicated::core
