#include "core/delivery/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <array>
#include <string>

namespace syndicated::core {
namespace {

using digest_bytes = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT OpenSSL's byte type
}

// One MAC context for each thread and digest: looking the algorithm up for every message costs more
// than the message itself.
class hmac_context {
 public:
  explicit hmac_context(const char* digest) {
    EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context_ = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    std::string name{digest};
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string("digest", name.data(), 0), OSSL_PARAM_construct_end()};
    if (context_ == nullptr || EVP_MAC_CTX_set_params(context_, parameters.data()) != 1) {
      __builtin_trap();  // only possible when the library is broken; never send unsigned
    }
  }
  ~hmac_context() { EVP_MAC_CTX_free(context_); }
  hmac_context(const hmac_context&) = delete;
  hmac_context& operator=(const hmac_context&) = delete;

  std::string sign(std::string_view key, std::string_view message) {
    digest_bytes digest{};
    std::size_t length = 0;
    // An empty key is legal for HMAC but OpenSSL wants a pointer.
    const bool ok = EVP_MAC_init(context_, key.empty() ? as_bytes("") : as_bytes(key), key.size(),
                                 nullptr) == 1 &&
                    EVP_MAC_update(context_, as_bytes(message), message.size()) == 1 &&
                    EVP_MAC_final(context_, digest.data(), &length, digest.size()) == 1;
    if (!ok) __builtin_trap();
    return {reinterpret_cast<const char*>(digest.data()), length};  // NOLINT
  }

 private:
  EVP_MAC_CTX* context_ = nullptr;
};

std::string hmac_sha1(std::string_view key, std::string_view message) {
  thread_local hmac_context context{"SHA1"};
  return context.sign(key, message);
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  thread_local hmac_context context{"SHA256"};
  return context.sign(key, message);
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::string cloudesire_signature(std::string_view secret, std::string_view body) {
  return "sha1=" + hex_encode(hmac_sha1(secret, body));
}

std::string standard_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                               std::string_view body) {
  std::string message;
  message.reserve(id.size() + body.size() + 24);
  message += id;
  message += '.';
  message += std::to_string(unix_seconds);
  message += '.';
  message += body;
  return "v1," + base64_encode(hmac_sha256(key, message));
}

result<std::string> decode_standard_secret(std::string_view text) {
  constexpr std::string_view prefix = "whsec_";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  auto key = base64_decode(text);
  if (!key) return invalid_field("/secret", "must be 'whsec_' and padded base64");
  if (key->size() < 24 || key->size() > 64) {
    return invalid_field("/secret", "must hold 24 to 64 bytes (Standard Webhooks 1.0.0)");
  }
  return std::move(*key);
}

std::string encode_standard_secret(std::string_view key) { return "whsec_" + base64_encode(key); }

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group <<= 8U;
      if (k < n) group |= static_cast<unsigned char>(bytes[i + k]);
    }
    out += alphabet[group >> 18U & 63U];
    out += alphabet[group >> 12U & 63U];
    out += n > 1 ? alphabet[group >> 6U & 63U] : '=';
    out += n > 2 ? alphabet[group & 63U] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    int padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const bool pad_here = c == '=' && i + 4 == text.size() && k >= 2;
      if (pad_here) {
        ++padding;
        group <<= 6U;
        continue;
      }
      const int value = base64_value(c);
      if (value < 0 || padding > 0) return std::nullopt;
      group = group << 6U | static_cast<std::uint32_t>(value);
    }
    out += static_cast<char>(group >> 16U & 255U);
    if (padding < 2) out += static_cast<char>(group >> 8U & 255U);
    if (padding < 1) out += static_cast<char>(group & 255U);
  }
  return out;
}

std::string hex_encode(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4U];
    out += digits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(as_bytes(bytes), bytes.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};  // NOLINT
}

}  // namespace syndicated::core
