#include "core/delivery/attempt.hpp"

namespace syndicated::core {

std::string_view to_string(attempt_error error) noexcept {
  switch (error) {
    case attempt_error::none: return "none";
    case attempt_error::dns: return "dns";
    case attempt_error::connect: return "connect";
    case attempt_error::tls: return "tls";
    case attempt_error::timeout: return "timeout";
    case attempt_error::blocked_destination: return "blocked_destination";
    case attempt_error::response_too_large: return "response_too_large";
    case attempt_error::protocol: return "protocol";
    case attempt_error::send: return "send";
    case attempt_error::local: return "local";
    case attempt_error::auth: return "auth";
  }
  return "local";
}

}  // namespace syndicated::core
