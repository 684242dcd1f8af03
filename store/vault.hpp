// Encrypts secrets at rest: AES-256-GCM under the installation's master key (reliability.md, 5.2).
//
// A sealed value is: format(1)=1, key id(4), nonce(12), ciphertext, tag(16). `context` (what the
// secret belongs to) is authenticated, so a value cannot be moved to another record. Any thread.
// Lifetime: the key is wiped when the vault goes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace syndicated::store {

class vault {
 public:
  static constexpr std::size_t key_bytes_count = 32;

  // Errors: errc::invalid when the key has not 32 bytes.
  static core::result<vault> with_key(std::string_view master_key);
  vault(vault&&) noexcept = default;
  vault& operator=(vault&&) noexcept = default;
  vault(const vault&) = delete;
  vault& operator=(const vault&) = delete;
  ~vault();

  std::string seal(std::string_view plain, std::string_view context) const;
  // Errors: errc::corrupt for a damaged value, another key or another context.
  core::result<std::string> open(std::string_view sealed, std::string_view context) const;

 private:
  vault() = default;

  std::array<unsigned char, key_bytes_count> key_{};
  std::uint32_t key_id_ = 0;
};

}  // namespace syndicated::store
