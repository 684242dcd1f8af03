#include "api/token.hpp"

#include <openssl/rand.h>
#include <algorithm>
#include <cstdlib>

#include "api/input.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::api {
namespace {

constexpr std::string_view prefix = "syn_";
constexpr std::size_t secret_bytes = 24;
constexpr std::size_t token_bytes_max = 128;

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
    table[i] = value;
  }
  return table;
}();

std::string checksum(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : text)
    crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  crc ^= 0xFFFFFFFFU;
  std::string hex(8, '0');
  for (std::size_t i = 0; i < 8; ++i) hex[i] = "0123456789abcdef"[crc >> (28U - 4U * i) & 0xFU];
  return hex;
}

bool is_hex(std::string_view text) noexcept {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::optional<token_parts> parse_token(std::string_view text) noexcept {
  if (text.size() > token_bytes_max || !text.starts_with(prefix)) return std::nullopt;
  const std::size_t last = text.rfind('_');
  if (text.substr(last + 1).size() != 8 ||
      checksum(text.substr(0, last)) != text.substr(last + 1)) {
    return std::nullopt;
  }
  const std::string_view middle =
      text.substr(prefix.size(), std::max(last, prefix.size()) - prefix.size());
  const std::size_t gap = middle.find('_');
  if (gap == std::string_view::npos) return std::nullopt;
  const auto id = parse_id(middle.substr(0, gap));
  const std::string_view secret = middle.substr(gap + 1);
  if (!id || secret.size() != 2 * secret_bytes || !is_hex(secret)) return std::nullopt;
  return token_parts{core::token_id{*id}, secret};
}

std::string format_token(core::token_id id, std::string_view secret) {
  std::string text{prefix};
  text += std::to_string(id.value);
  text += '_';
  text += secret;
  const std::string sum = checksum(text);
  return text + '_' + sum;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // Without randomness no secret may be made; there is nothing sensible left to do.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    std::abort();
  return bytes;
}

std::string make_token_secret() { return core::hex_encode(random_bytes(secret_bytes)); }

std::array<std::uint8_t, 32> token_hash(std::string_view secret) {
  const std::string digest = core::sha256(secret);
  std::array<std::uint8_t, 32> hash{};
  std::copy_n(digest.begin(), std::min(digest.size(), hash.size()), hash.begin());
  return hash;
}

}  // namespace syndicated::api
