#include "store/vault.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>

namespace syndicated::store {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t head_bytes = 1 + 4 + nonce_bytes;
constexpr char format_1 = 1;

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT OpenSSL's byte type
}
unsigned char* out(std::string& text, std::size_t offset) {
  return reinterpret_cast<unsigned char*>(text.data() + offset);  // NOLINT
}

core::error damaged() {
  return {core::errc::corrupt,
          "sealed_value_unreadable",
          "a sealed secret is damaged or was sealed with another master key",
          {},
          {}};
}

}  // namespace

core::result<vault> vault::with_key(std::string_view master_key) {
  if (master_key.size() != key_bytes_count) {
    return core::error{
        core::errc::invalid, "bad_master_key", "the master key must have 32 bytes", {}, {}};
  }
  vault v;
  std::copy(master_key.begin(), master_key.end(), v.key_.begin());
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(v.key_.data(), v.key_.size(), digest.data());
  for (std::size_t i = 0; i < 4; ++i) v.key_id_ = v.key_id_ << 8U | digest[i];
  return v;
}

vault::~vault() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string vault::seal(std::string_view plain, std::string_view context) const {
  std::string sealed(head_bytes + plain.size() + tag_bytes, '\0');
  sealed[0] = format_1;
  for (std::size_t i = 0; i < 4; ++i) sealed[1 + i] = static_cast<char>(key_id_ >> (24U - 8U * i));
  cipher_context c{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  int n = 0;
  const bool ok =
      c != nullptr && RAND_bytes(out(sealed, 5), nonce_bytes) == 1 &&
      EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key_.data(), out(sealed, 5)) == 1 &&
      EVP_EncryptUpdate(c.get(), nullptr, &n, in(context), static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(c.get(), out(sealed, head_bytes), &n, in(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(c.get(), out(sealed, head_bytes + plain.size()), &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                          out(sealed, head_bytes + plain.size())) == 1;
  if (!ok) __builtin_trap();  // never store a secret in clear because the library failed
  return sealed;
}

core::result<std::string> vault::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() < head_bytes + tag_bytes || sealed[0] != format_1) return damaged();
  const std::size_t length = sealed.size() - head_bytes - tag_bytes;
  std::string plain(length, '\0');
  std::string tag{sealed.substr(head_bytes + length)};
  cipher_context c{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  int n = 0;
  unsigned char nothing = 0;
  const bool ok =
      c != nullptr &&
      EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key_.data(), in(sealed.substr(5))) ==
          1 &&
      EVP_DecryptUpdate(c.get(), nullptr, &n, in(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(c.get(), length > 0 ? out(plain, 0) : &nothing, &n,
                        in(sealed.substr(head_bytes)), static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, out(tag, 0)) == 1 &&
      EVP_DecryptFinal_ex(c.get(), &nothing, &n) == 1;
  if (!ok) return damaged();
  return plain;
}

}  // namespace syndicated::store
