#include "core/delivery/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "core/delivery/hmac.hpp"

namespace syndicated::core {
namespace {

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
  return "sha1=" + hex_encode(hmac_key{hmac_key::digest::sha1, secret}.sign({body}));
}

std::string standard_message(std::string_view id, std::string_view unix_seconds,
                             std::string_view body) {
  std::string message;
  message.reserve(id.size() + unix_seconds.size() + body.size() + 2);
  message += id;
  message += '.';
  message += unix_seconds;
  message += '.';
  message += body;
  return message;
}

std::string standard_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                               std::string_view body) {
  const std::string message = standard_message(id, std::to_string(unix_seconds), body);
  return "v1," + base64_encode(hmac_key{hmac_key::digest::sha256, key}.sign({message}));
}

std::optional<std::string> standard_key(std::string_view text) {
  constexpr std::string_view prefix = "whsec_";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return base64_decode(text);
}

result<std::string> decode_standard_secret(std::string_view text) {
  auto key = standard_key(text);
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
  // OpenSSL's own one-call function looks the algorithm up each time, longer than it then works.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{
      EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  const bool done = EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  if (!done) __builtin_trap();
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};  // NOLINT
}

}  // namespace syndicated::core
