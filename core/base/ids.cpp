#include "core/base/ids.hpp"

#include <openssl/sha.h>

#include <array>

namespace syndicated::core {
namespace {

// Positive and of 63 bits, as all ids are.
std::uint64_t hashed_id(std::string_view name) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8U | digest[i];
  value >>= 1U;
  return value == 0 ? 1 : value;
}

}  // namespace

stream_id published_stream(std::string_view name) {
  const std::uint64_t exact = hashed_id(name) >> 10U;  // as JSON numbers are read everywhere
  return {entity_kind::published, exact == 0 ? 1 : exact};
}

event_type_id type_id_of(std::string_view name) { return {hashed_id(name)}; }

std::string_view to_string(entity_kind kind) noexcept {
  switch (kind) {
    case entity_kind::tenant: return "tenant";
    case entity_kind::vendor: return "vendor";
    case entity_kind::product: return "product";
    case entity_kind::plan: return "plan";
    case entity_kind::subscription: return "subscription";
    case entity_kind::endpoint: return "endpoint";
    case entity_kind::token: return "token";
    case entity_kind::published: return "published";
    case entity_kind::unordered: return "unordered";
    case entity_kind::event_type: return "event_type";
    case entity_kind::user: return "user";
    case entity_kind::resource: return "resource";
    case entity_kind::operation: return "operation";
    case entity_kind::commitment: return "commitment";
    case entity_kind::instance: return "instance";
    case entity_kind::invoice: return "invoice";
    case entity_kind::usages: return "usages";
  }
  return "unknown";
}

std::string to_string(const stream_id& stream) {
  std::string text{to_string(stream.kind)};
  text += '/';
  text += std::to_string(stream.entity);
  return text;
}

}  // namespace syndicated::core
