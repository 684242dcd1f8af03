#include "core/delivery/hmac.hpp"

#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

namespace syndicated::core {
namespace {

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT OpenSSL's byte type
}

void must(bool ok) {
  if (!ok) __builtin_trap();
}

}  // namespace

void hmac_key::freed::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

hmac_key::hmac_key(digest algorithm, std::string_view key) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  std::string name{algorithm == digest::sha1 ? "SHA1" : "SHA256"};
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string("digest", name.data(), 0), OSSL_PARAM_construct_end()};
  // An empty key is legal for HMAC but OpenSSL wants a pointer.
  must(context_ != nullptr &&
       EVP_MAC_init(context_.get(), key.empty() ? as_bytes("") : as_bytes(key), key.size(),
                    parameters.data()) == 1);
}

std::string hmac_key::sign(std::initializer_list<std::string_view> pieces) {
  std::string code(EVP_MAX_MD_SIZE, '\0');
  std::size_t length = 0;
  // Without a key: begins again with the one that is there.
  must(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);
  for (const std::string_view piece : pieces) {
    must(EVP_MAC_update(context_.get(), as_bytes(piece), piece.size()) == 1);
  }
  must(EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(code.data()),  // NOLINT
                     &length, code.size()) == 1);
  code.resize(length);
  return code;
}

}  // namespace syndicated::core
