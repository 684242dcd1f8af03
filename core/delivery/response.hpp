// What an answer means (delivery.md, 2; domain.md 1.5). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/delivery/attempt.hpp"
#include "core/delivery/endpoint.hpp"

namespace syndicated::core {

enum class response_class : std::uint8_t {
  delivered,
  failure,        // retry; the endpoint is alive (4xx, 3xx)
  overload,       // retry; feeds congestion control (5xx, 408, 425, 429, timeouts, connection)
  gone,           // 410
  rejected_size,  // 413, 431: three tries
  blocked,        // the egress policy: three checks over a day
  local,          // our side: not the endpoint's fault, costs no attempt
};
std::string_view to_string(response_class c) noexcept;

// What the receiver asked for in the header webhook-delivery of its answer.
enum class receiver_wish : std::uint8_t { none, abort_message, disable };

struct verdict {
  response_class kind = response_class::failure;
  std::string error;  // coarse word for owners: "", "http_503", "timeout", "redirect" ...
  std::optional<std::chrono::milliseconds> retry_after{};  // floor for the endpoint's next attempt
  receiver_wish wish = receiver_wish::none;
  // False: nothing was sent there, so it tells neither that the origin is well nor that it is not.
  bool of_origin = true;
};

verdict classify(const attempt_result& r, const endpoint& to, timestamp now);

// RFC 9110 10.2.3: seconds or an HTTP date. Accepted 0 to 24 h, everything else is ignored.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, timestamp now);

}  // namespace syndicated::core
