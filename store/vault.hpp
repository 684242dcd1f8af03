// Encrypts secrets at rest: AES-256-GCM under the installation's master key (reliability.md, 5.2).
//
// A sealed value is: format(1)=1, key id(4), nonce(12), ciphertext, tag(16). `context` (what the
// secret belongs to) is authenticated, so a value cannot be moved to another record. The key id is
// the beginning of the key's SHA-256: it names the key and says nothing about it.
//
// A vault has one primary key, which seals, and any number of others, which only open. The primary
// may be changed while others seal: who puts a sealed value into a plan holds the set of keys of
// that moment (hold), so that it is known when nothing that was sealed before is still on its way
// to the disk (replaced_are_gone). A key that was there once stays until the vault goes, for values
// sealed with it may be anywhere in memory.
// Threads: any. Lifetime: the keys are wiped when the vault and the last holder are gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::store {

using key_id = std::uint32_t;
std::string key_name(key_id id);  // 8 hex digits

class vault {
 public:
  static constexpr std::size_t key_bytes_count = 32;

  // Errors: errc::invalid "bad_master_key" when a key has not 32 bytes, or two have the same id.
  static core::result<vault> with_key(std::string_view primary,
                                      const std::vector<std::string>& others = {});
  vault(vault&&) noexcept;
  vault& operator=(vault&&) noexcept;
  ~vault();

  std::string seal(std::string_view plain, std::string_view context) const;
  // Errors: errc::corrupt for a damaged value, an unknown key or another context.
  core::result<std::string> open(std::string_view sealed, std::string_view context) const;

  // `primary` seals from now on; all keys known so far go on opening. Errors: as with_key; then
  // nothing is changed.
  core::result<void> change(std::string_view primary, const std::vector<std::string>& others);

  key_id primary() const;
  std::vector<key_id> keys() const;  // the primary first
  bool knows(key_id id) const;
  // The key that a value is sealed with; none when it is no sealed value.
  static std::optional<key_id> key_of(std::string_view sealed) noexcept;
  // How every value that is sealed with this key begins.
  static std::string mark_of(key_id id);

  // Keeps replaced_are_gone() from being true after the next change.
  std::shared_ptr<const void> hold() const;
  bool replaced_are_gone() const;

 private:
  class body;
  explicit vault(std::unique_ptr<body> made);
  std::unique_ptr<body> body_;
};

}  // namespace syndicated::store
