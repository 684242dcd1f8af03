// Internal to store/*.cpp: what the secrets of endpoints, products and instances are sealed for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/delivery/endpoint.hpp"
#include "store/vault.hpp"

namespace syndicated::store {

inline constexpr std::string_view secret_place;  // nothing behind the owner's id
inline constexpr std::string_view header_place = "/header";
inline constexpr std::string_view auth_place = "/auth";
inline constexpr std::string_view client_key_place = "/client-key";
inline constexpr std::string_view signing_place = "/signing";
inline constexpr std::string_view metric_place = "/metric";
inline constexpr std::string_view setting_place = "/setting";

// "endpoint/7/header"
inline std::string sealed_context(const core::stream_id& owner, std::string_view place) {
  return core::to_string(owner).append(place);
}

// Seals and opens what belongs to one of them. An empty secret is stored as nothing.
class strongbox {
 public:
  strongbox(const vault& secrets, const core::stream_id& owner)
      : secrets_(secrets), owner_(owner) {}

  std::string seal(const core::secret_bytes& secret, std::string_view place = secret_place) const {
    if (secret.empty()) return {};
    return secrets_.seal(secret.reveal(), sealed_context(owner_, place));
  }
  // After the first failure nothing more is opened.
  core::secret_bytes open(const std::string& sealed, std::string_view place = secret_place) {
    if (sealed.empty() || why_) return {};
    auto plain = secrets_.open(sealed, sealed_context(owner_, place));
    if (plain) return core::secret_bytes{std::move(*plain)};
    why_ = std::move(plain).failure();
    return {};
  }
  std::optional<core::error>& failure() { return why_; }

 private:
  const vault& secrets_;
  core::stream_id owner_;
  std::optional<core::error> why_;
};

}  // namespace syndicated::store
