// The keys that encrypt endpoint secrets at rest: the one that seals, and former ones.
//
// Purpose: 32 bytes each, from the file named by secrets.master_key_file or, when that is empty,
// from the systemd credential "master-key" ($CREDENTIALS_DIRECTORY/master-key). Former keys come
// from secrets.previous_master_key_files and, if there is one, the credential
// "master-key-previous". Accepted spellings: 64 hex digits, 44 characters of base64 (either may end
// in one newline), or exactly 32 raw bytes. A named file must be a regular file (no symbolic link),
// owned by the daemon's user or root, with mode 0600 or 0400. Anything else is refused: the daemon
// never runs without its key. Errors: errc::invalid, code "master_key"; the text never holds bytes
// of the key. Source: reliability.md 5.2.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "core/base/error.hpp"

namespace syndicated::config {

using master_key = std::array<std::uint8_t, 32>;

inline constexpr std::size_t previous_master_keys_max = 4;  // files, without the credential

struct master_key_set {
  master_key primary{};
  std::vector<master_key> previous;
};

// `credentials_directory` is the value of $CREDENTIALS_DIRECTORY, or empty.
core::result<master_key_set> read_master_keys(const secrets_section& from,
                                              const std::string& credentials_directory);

core::result<master_key> parse_master_key(std::string_view content);

}  // namespace syndicated::config
