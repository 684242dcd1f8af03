#include "core/base/ids.hpp"

namespace syndicated::core {

std::string_view to_string(entity_kind kind) noexcept {
  switch (kind) {
    case entity_kind::tenant: return "tenant";
    case entity_kind::vendor: return "vendor";
    case entity_kind::product: return "product";
    case entity_kind::plan: return "plan";
    case entity_kind::subscription: return "subscription";
    case entity_kind::endpoint: return "endpoint";
    case entity_kind::token: return "token";
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
