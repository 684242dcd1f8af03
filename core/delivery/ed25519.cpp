#include "core/delivery/ed25519.hpp"

#include <openssl/evp.h>

#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

constexpr std::string_view secret_prefix = "whsk_";
constexpr std::string_view public_prefix = "whpk_";
constexpr std::size_t signature_bytes = 64;

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT OpenSSL's byte type
}
unsigned char* out(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());  // NOLINT
}

error refused(std::string detail) { return invalid_field("/key", std::move(detail)); }

}  // namespace

void ed25519_signer::freed::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void ed25519_signer::freed::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

result<std::string> make_signing_key(std::string_view seed) {
  if (seed.size() != ed25519_seed_bytes) return refused("must hold 32 bytes");
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, in(seed), seed.size());
  std::string pair{seed};
  std::string public_key(ed25519_public_bytes, '\0');
  std::size_t length = public_key.size();
  const bool ok = key != nullptr && EVP_PKEY_get_raw_public_key(key, out(public_key), &length) == 1;
  EVP_PKEY_free(key);
  if (!ok) return refused("is not an Ed25519 key");
  return pair + public_key;
}

std::string_view public_part(std::string_view signing_key) noexcept {
  return signing_key.substr(std::min(signing_key.size(), ed25519_seed_bytes));
}

result<std::string> decode_signing_key(std::string_view text) {
  if (!text.starts_with(secret_prefix)) return refused("must be 'whsk_' and padded base64");
  const auto bytes = base64_decode(text.substr(secret_prefix.size()));
  const std::size_t size = bytes ? bytes->size() : 0;
  if (size != ed25519_seed_bytes && size != ed25519_seed_bytes + ed25519_public_bytes) {
    return refused("must be 'whsk_' and base64 of 32 or 64 bytes");
  }
  auto made = make_signing_key(std::string_view{*bytes}.substr(0, ed25519_seed_bytes));
  if (made && size > ed25519_seed_bytes && *made != *bytes) {
    return refused("its two parts do not belong together");
  }
  return made;
}

std::string encode_public_key(std::string_view public_key) {
  return std::string{public_prefix} + base64_encode(public_key);
}

result<std::string> decode_public_key(std::string_view text) {
  if (!text.starts_with(public_prefix)) return refused("must be 'whpk_' and padded base64");
  auto bytes = base64_decode(text.substr(public_prefix.size()));
  if (!bytes || bytes->size() != ed25519_public_bytes) {
    return refused("must be 'whpk_' and base64 of 32 bytes");
  }
  return std::move(*bytes);
}

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

std::string key_thumbprint(std::string_view public_key) {
  return base64url(sha256(R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(public_key) + "\"}"));
}

bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) noexcept {
  if (public_key.size() != ed25519_public_bytes || signature.size() != signature_bytes) {
    return false;
  }
  EVP_PKEY* key =
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, in(public_key), public_key.size());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good =
      key != nullptr && context != nullptr &&
      EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
      EVP_DigestVerify(context, in(signature), signature.size(), in(message), message.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return good;
}

result<ed25519_signer> ed25519_signer::create(std::string_view signing_key) {
  if (signing_key.size() != ed25519_seed_bytes + ed25519_public_bytes) {
    return refused("must hold 64 bytes");
  }
  ed25519_signer made;
  made.key_.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, in(signing_key), ed25519_seed_bytes));
  made.context_.reset(EVP_MD_CTX_new());
  if (!made.key_ || !made.context_) return refused("is not an Ed25519 key");
  return made;
}

std::string ed25519_signer::sign(std::string_view message) {
  std::string signature(signature_bytes, '\0');
  std::size_t length = signature.size();
  const bool ok =
      EVP_MD_CTX_reset(context_.get()) == 1 &&
      EVP_DigestSignInit(context_.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context_.get(), out(signature), &length, in(message), message.size()) == 1;
  if (!ok || length != signature.size()) __builtin_trap();  // never send unsigned
  return signature;
}

}  // namespace syndicated::core
