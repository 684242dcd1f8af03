#include "core/base/secret.hpp"

#include <openssl/crypto.h>

namespace syndicated::core {

secret_bytes::~secret_bytes() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

}  // namespace syndicated::core
