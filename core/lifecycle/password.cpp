#include "core/lifecycle/password.hpp"

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

constexpr std::string_view scheme = "scrypt";
constexpr std::size_t hash_bytes = 32;
constexpr std::uint64_t memory_bytes_max = 64U << 20U;

struct cost {
  unsigned log_n = 14;
  unsigned r = 8;
  unsigned p = 5;
};

std::optional<std::string> scrypt(std::string_view password, std::string_view salt, cost c) {
  std::string out(hash_bytes, '\0');
  const int ok = EVP_PBE_scrypt(password.data(), password.size(),
                                reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                                std::uint64_t{1} << c.log_n, c.r, c.p, memory_bytes_max,
                                reinterpret_cast<unsigned char*>(out.data()), out.size());
  if (ok != 1) return std::nullopt;
  return out;
}

struct stored_password {
  cost c;
  std::string salt, hash;
};

std::optional<stored_password> parse(std::string_view text) {
  std::array<std::string_view, 6> part;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const std::size_t end = text.find('$');
    if ((end == std::string_view::npos) != (i + 1 == part.size())) return std::nullopt;
    part[i] = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  stored_password out;
  const auto number = [](std::string_view from, unsigned& to, unsigned max) {
    const auto done = std::from_chars(from.data(), from.data() + from.size(), to);
    return done.ec == std::errc{} && done.ptr == from.data() + from.size() && to > 0 && to <= max;
  };
  const bool read = part[0] == scheme && number(part[1], out.c.log_n, 20) &&
                    number(part[2], out.c.r, 32) && number(part[3], out.c.p, 16);
  auto salt = base64_decode(part[4]);
  auto hash = base64_decode(part[5]);
  if (!read || !salt || !hash || hash->size() != hash_bytes) return std::nullopt;
  out.salt = std::move(*salt);
  out.hash = std::move(*hash);
  return out;
}

}  // namespace

std::string hash_password(std::string_view password, std::string_view salt) {
  const cost c;
  const auto hash = scrypt(password, salt, c);
  if (!hash) std::abort();  // no memory: nothing sensible can be stored
  std::string out{scheme};
  for (const unsigned n : {c.log_n, c.r, c.p}) out += '$' + std::to_string(n);
  out += '$' + base64_encode(salt) + '$' + base64_encode(*hash);
  return out;
}

bool fits_password(std::string_view stored, std::string_view password) {
  const auto known = parse(stored);
  const auto hash = scrypt(password, known ? known->salt : std::string(password_salt_bytes, 's'),
                           known ? known->c : cost{});
  return known && hash && equal_constant_time(*hash, known->hash);
}

}  // namespace syndicated::core
