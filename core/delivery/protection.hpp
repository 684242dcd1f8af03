// What protects endpoints from us and us from failing endpoints, as set by the operator. Plain.
#pragma once

#include <chrono>

#include "core/delivery/breaker.hpp"

namespace syndicated::core {

struct protection {
  breaker_rules breaker;
  double retry_share = 0.2;  // of an endpoint's attempts; 1 = retries are never held back
  // Nothing but failures for this long: the endpoint is paused. 0 = never.
  std::chrono::milliseconds pause_after = std::chrono::hours{5 * 24};
};

}  // namespace syndicated::core
