// UUIDs for faces that want them, made from our ids and back, so that nothing is stored for them.
//
// RFC 9562, version 8 (custom): octet 0 is the kind, octets 1 to 5 a number within the entity (0
// for the entity itself), then the version 8 and the tag 5d1, then the variant and 62 bits of the
// id:
//   kk ssssss-ssss-85d1-v...: tenant 42 is 01000000-0000-85d1-8000-00000000002a
// The same id has the same UUID in every installation and for ever. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"

namespace syndicated::core {

// Told to others: never renumber. The first ones are those of entity_kind.
enum class uuid_kind : std::uint8_t {
  tenant = 1,
  product = 3,
  subscription = 5,
  token = 7,
  user = 11,
  resource = 12,  // of its subscription: the sub-resource is the number within
  role = 129,
};

struct uuid_parts {
  uuid_kind kind{};
  std::uint64_t id = 0;
  std::uint64_t part = 0;  // of a role: its number among the user's
};

inline constexpr std::string_view nil_uuid = "00000000-0000-0000-0000-000000000000";

std::string to_uuid(uuid_kind kind, std::uint64_t id, std::uint64_t part = 0);
inline std::string to_uuid(tenant_id id) { return to_uuid(uuid_kind::tenant, id.value); }
inline std::string to_uuid(user_id id) { return to_uuid(uuid_kind::user, id.value); }

// None: no UUID, or none of ours. Upper case is taken, too.
std::optional<uuid_parts> parse_uuid(std::string_view text) noexcept;
// Its id when it is of this kind.
std::optional<std::uint64_t> parse_uuid(std::string_view text, uuid_kind kind) noexcept;

// Any UUID: eight, four, four, four, twelve hex digits.
bool is_uuid(std::string_view text) noexcept;

}  // namespace syndicated::core
