// Internal to store/*.cpp: what the secrets of an endpoint are sealed for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/delivery/endpoint.hpp"
#include "store/vault.hpp"

namespace syndicated::store {

inline constexpr std::string_view secret_place;  // nothing behind the endpoint's id
inline constexpr std::string_view header_place = "/header";
inline constexpr std::string_view auth_place = "/auth";
inline constexpr std::string_view client_key_place = "/client-key";
inline constexpr std::string_view signing_place = "/signing";

inline std::string endpoint_context(std::uint64_t id, std::string_view place) {
  return ("endpoint/" + std::to_string(id)).append(place);
}

// Seals and opens what belongs to one endpoint. An empty secret is stored as nothing.
class strongbox {
 public:
  strongbox(const vault& secrets, core::endpoint_id id) : secrets_(secrets), id_(id.value) {}

  std::string seal(const core::secret_bytes& secret, std::string_view place = secret_place) const {
    if (secret.empty()) return {};
    return secrets_.seal(secret.reveal(), endpoint_context(id_, place));
  }
  // After the first failure nothing more is opened.
  core::secret_bytes open(const std::string& sealed, std::string_view place = secret_place) {
    if (sealed.empty() || why_) return {};
    auto plain = secrets_.open(sealed, endpoint_context(id_, place));
    if (plain) return core::secret_bytes{std::move(*plain)};
    why_ = std::move(plain).failure();
    return {};
  }
  std::optional<core::error>& failure() { return why_; }

 private:
  const vault& secrets_;
  std::uint64_t id_;
  std::optional<core::error> why_;
};

}  // namespace syndicated::store
