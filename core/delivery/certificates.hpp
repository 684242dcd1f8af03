// Certificates that owners of endpoints hand in: read once, when they are stored. Pure but for the
// clock, which is a parameter.
//
// Errors: sentences for the owner, without bytes of a key. Encrypted keys are refused, since the
// daemon has nobody to ask for a password.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

// What is wrong with the pair, and where: in the key, or else in the certificate.
struct identity_mistake {
  bool of_key = false;
  std::string detail;
};

struct identity_check {
  std::optional<identity_mistake> mistake;
  timestamp expires_at{};  // of the leaf
};

// One or more certificates (PEM), the leaf first, and the leaf's private key (PEM).
identity_check check_client_identity(std::string_view certificates, std::string_view key,
                                     timestamp now);

// One or more certificates of authorities (PEM).
std::optional<std::string> authorities_mistake(std::string_view certificates);

}  // namespace syndicated::core
