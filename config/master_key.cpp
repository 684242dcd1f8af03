#include "config/master_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace syndicated::config {
namespace {

constexpr std::size_t content_bytes_max = 128;

core::error refusal(std::string detail) {
  return {core::errc::invalid, "master_key", std::move(detail), {}, {}};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<master_key> from_hex(std::string_view text) {
  master_key key{};
  if (text.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return key;
}

// Strict: 43 digits and one '=', and the four bits that stand for nothing are zero.
std::optional<master_key> from_base64(std::string_view text) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  master_key key{};
  if (text.size() != 44 || text.back() != '=') return std::nullopt;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const char c : text.substr(0, 43)) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    key[at++] = static_cast<std::uint8_t>((bits >> held) & 0xffU);
  }
  if (at != key.size() || (bits & ((1U << held) - 1U)) != 0) return std::nullopt;
  return key;
}

class open_file {
 public:
  explicit open_file(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)) {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

std::string check_owner_and_mode(const struct stat& info, bool named_file) {
  if (!S_ISREG(info.st_mode)) return "is not a regular file";
  if (!named_file) return {};  // systemd guards its credentials directory itself
  if (info.st_uid != ::geteuid() && info.st_uid != 0) return "belongs to another user";
  const auto mode = info.st_mode & 07777U;
  if (mode != 0600 && mode != 0400) return "must have mode 0600 or 0400";
  return {};
}

core::result<master_key> read_file(const std::string& path, bool named_file) {
  const open_file file(path);
  if (file.fd() < 0) {
    const char* why = errno == ELOOP ? "is a symbolic link" : std::strerror(errno);
    return refusal("master key " + path + ": " + why);
  }
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) {
    return refusal("master key " + path + ": " + std::strerror(errno));
  }
  if (auto broken = check_owner_and_mode(info, named_file); !broken.empty()) {
    return refusal("master key " + path + ": " + broken);
  }
  std::array<char, content_bytes_max + 1> bytes{};
  const ssize_t got = ::read(file.fd(), bytes.data(), bytes.size());
  if (got < 0) return refusal("master key " + path + ": " + std::strerror(errno));
  auto key = parse_master_key({bytes.data(), static_cast<std::size_t>(got)});
  ::explicit_bzero(bytes.data(), bytes.size());
  if (!key) return std::move(key).failure().prefixed("master key " + path);
  return key;
}

}  // namespace

core::result<master_key> parse_master_key(std::string_view content) {
  master_key key{};
  if (content.size() == key.size()) {
    std::copy(content.begin(), content.end(), key.begin());
    // 32 characters that a keyboard makes are a password or a hex key of half the length.
    const bool typed = std::all_of(content.begin(), content.end(), [](char c) {
      return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t';
    });
    if (typed) return refusal("32 printable characters are not 32 random bytes");
    return key;
  }
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (const auto hex = from_hex(content)) return *hex;
  if (const auto base64 = from_base64(content)) return *base64;
  return refusal("must hold 32 bytes: raw, as 64 hex digits, or as 44 characters of base64");
}

core::result<master_key_set> read_master_keys(const secrets_section& from,
                                              const std::string& credentials_directory) {
  if (from.master_key_file.empty() && credentials_directory.empty()) {
    return refusal(
        "no master key: set secrets.master_key_file, or start under systemd with "
        "LoadCredential=master-key (make one with: openssl rand -base64 32)");
  }
  auto primary = from.master_key_file.empty()
                     ? read_file(credentials_directory + "/master-key", false)
                     : read_file(from.master_key_file, true);
  if (!primary) return std::move(primary).failure();
  master_key_set out{*primary, {}};
  for (const std::string& file : from.previous_master_key_files) {
    auto key = read_file(file, true);
    if (!key) return std::move(key).failure();
    out.previous.push_back(*key);
  }
  const std::string credential = credentials_directory + "/master-key-previous";
  if (credentials_directory.empty() || ::access(credential.c_str(), F_OK) != 0) return out;
  auto key = read_file(credential, false);
  if (!key) return std::move(key).failure();
  out.previous.push_back(*key);
  return out;
}

}  // namespace syndicated::config
