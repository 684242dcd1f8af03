// A small blocking HTTP/1.1 client over a Unix socket, for the operator's command.
//
// One request, one connection. Threads: any; blocks the caller for at most `timeout`.
// Limits: answers up to 64 MiB. Errors: errc::unavailable with code "daemon_not_running" (no such
// socket, or nobody accepts on it) or "timeout"; errc::forbidden with code "permission_denied";
// errc::malformed with code "bad_answer" when what came back is not HTTP.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "net/http_message.hpp"

namespace syndicated::net {

// `headers` are sent besides Host, Content-Length and Connection. An HTTP error status is a result,
// not an error of this function.
core::result<http_response> unix_request(const std::string& socket_path, std::string_view method,
                                         std::string_view target, std::string_view body,
                                         const std::vector<http_header>& headers,
                                         std::chrono::milliseconds timeout);

}  // namespace syndicated::net
