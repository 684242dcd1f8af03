// One HTTP request for the head of a lane, and what came of it. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace syndicated::core {

// What went wrong below HTTP. Shown to owners as these coarse words and nothing finer, so that an
// error text cannot serve as a port scanner (reliability.md, 5.1 rule 8). Persisted: never
// renumber.
enum class attempt_error : std::uint8_t {
  none = 0,  // a final HTTP status arrived
  dns = 1,
  connect = 2,
  tls = 3,
  timeout = 4,
  blocked_destination = 5,  // the egress policy refused the address
  response_too_large = 6,   // head over limits::response_head_bytes_max
  protocol = 7,             // not an HTTP response, or cut off in its head
  send = 8,                 // the connection broke before a line of an answer
  local = 9,                // our own side: cannot render, sign or start the request
  auth = 10,                // no access token could be had for the endpoint (OAuth 2)
};

std::string_view to_string(attempt_error error) noexcept;

struct attempt_timing {  // microseconds since the attempt began; 0 = phase not reached
  std::uint32_t dns_us = 0;
  std::uint32_t connect_us = 0;
  std::uint32_t tls_us = 0;
  std::uint32_t first_byte_us = 0;
  std::uint32_t total_us = 0;
};

struct attempt_result {
  attempt_error error = attempt_error::none;
  int status = 0;           // final HTTP status, 0 when none arrived
  std::string retry_after;  // header value as received, empty when absent
  std::string control;      // of the header webhook-delivery, when it was asked for
  std::string excerpt;      // first bytes of the body, at most limits::response_excerpt_bytes_max
  std::string detail;       // for the log only: the library's words
  attempt_timing timing{};
};

}  // namespace syndicated::core
