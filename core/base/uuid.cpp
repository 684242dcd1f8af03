#include "core/base/uuid.hpp"

#include <array>

namespace syndicated::core {
namespace {

constexpr std::uint64_t part_bits = 40;
constexpr std::uint64_t part_mask = (std::uint64_t{1} << part_bits) - 1;
constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62U) - 1;
constexpr std::uint64_t version_and_tag = 0x85D1;
constexpr std::uint64_t variant = std::uint64_t{2} << 62U;

bool is_dash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_uuid(uuid_kind kind, std::uint64_t id, std::uint64_t part) {
  const std::uint64_t high =
      static_cast<std::uint64_t>(kind) << 56U | (part & part_mask) << 16U | version_and_tag;
  const std::uint64_t low = variant | (id & id_mask);
  std::string out;
  out.reserve(36);
  for (unsigned nibble = 0; nibble < 32; ++nibble) {
    if (is_dash(out.size())) out += '-';
    const std::uint64_t half = nibble < 16 ? high : low;
    out += "0123456789abcdef"[half >> (60U - 4U * (nibble % 16U)) & 0xFU];
  }
  return out;
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i) ? text[i] != '-' : digit(text[i]) < 0) return false;
  }
  return true;
}

std::optional<uuid_parts> parse_uuid(std::string_view text) noexcept {
  if (!is_uuid(text)) return std::nullopt;
  std::array<std::uint64_t, 2> half{};
  unsigned nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i)) continue;
    auto& to = half[nibble++ < 16 ? 0 : 1];
    to = to << 4U | static_cast<std::uint64_t>(digit(text[i]));
  }
  if ((half[0] & 0xFFFFU) != version_and_tag || half[1] >> 62U != 2) return std::nullopt;
  const uuid_parts out{static_cast<uuid_kind>(half[0] >> 56U), half[1] & id_mask,
                       half[0] >> 16U & part_mask};
  switch (out.kind) {
    case uuid_kind::tenant:
    case uuid_kind::product:
    case uuid_kind::subscription:
    case uuid_kind::token:
    case uuid_kind::user:
    case uuid_kind::resource:
    case uuid_kind::role: break;
    default: return std::nullopt;
  }
  if (out.id == 0) return std::nullopt;
  return out;
}

std::optional<std::uint64_t> parse_uuid(std::string_view text, uuid_kind kind) noexcept {
  const auto parts = parse_uuid(text);
  if (!parts || parts->kind != kind) return std::nullopt;
  return parts->id;
}

}  // namespace syndicated::core
