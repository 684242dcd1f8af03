// The keys of one endpoint, prepared once, and the signatures of its notifications.
//
// Standard form: the present secret, then the one before it, then (v1a) the present Ed25519 key and
// the one before it; old ones as long as their overlap lasts. Receivers take any match.
// Threads: one at a time. Lifetime: made anew when the endpoint changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/delivery/ed25519.hpp"
#include "core/delivery/endpoint.hpp"
#include "core/delivery/hmac.hpp"

namespace syndicated::core {

class signer {
 public:
  explicit signer(const endpoint& e);

  // False: the endpoint has to be signed for and there is no usable key; nothing may be sent.
  bool usable() const noexcept { return usable_; }
  // "sha1=..."; empty when the endpoint wants no signature.
  std::string cloudesire(std::string_view body);
  // The value of webhook-signature. Only when usable().
  std::string standard(std::string_view id, timestamp at, std::string_view body);

 private:
  bool usable_ = true;
  std::optional<hmac_key> key_, previous_key_;
  std::optional<ed25519_signer> pair_, previous_pair_;
  std::optional<timestamp> previous_until_, previous_pair_until_;
};

}  // namespace syndicated::core
