// HTTP/1.1 server: TCP (optionally TLS) or a Unix socket, one thread, many connections.
//
// Limits and refusals are those of core/base/limits.hpp and of the bad-input matrix
// (reliability.md, 3): what is not clean HTTP/1.1 is answered 4xx/5xx and the connection closed;
// nothing is parsed from the rest. One request of a connection is handled at a time, so pipelined
// answers keep their order. A body that does not come with its head is kept only if the gate lets
// the request in and the budget of all bodies has room; else the answer goes out at once and what
// comes of the body is dropped. Source: RFC 9112.
//
// Threads: start/stop_accepting/drain from the owner's thread; the handler runs on the server's.
// Lifetime: stop() (or the destructor) ends the thread; responders may outlive the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/error.hpp"
#include "core/base/limits.hpp"
#include "net/http_message.hpp"

namespace syndicated::net {

struct http_server_options {
  std::string name = "api";  // thread name and log prefix
  std::string address;       // "127.0.0.1:0", "[::1]:8080"; empty with unix_path or fd
  std::string unix_path;     // created with mode unix_mode; a stale socket file is replaced
  unsigned unix_mode = 0660;
  int listen_fd = -1;  // an inherited listening socket (socket activation), TCP or Unix
  std::string tls_certificate_file;  // PEM chain; empty = plain HTTP
  std::string tls_key_file;
  std::size_t connections_max = core::limits::api_connections_max;
  std::size_t body_bytes_max = core::limits::request_body_bytes_max;
  std::string larger_body_path;           // requests for exactly this path ...
  std::size_t larger_body_bytes_max = 0;  // ... may have a body of this size
  std::size_t bodies_bytes_max = core::limits::request_bodies_bytes_max;  // of all connections
  http_gate gate{};  // empty: every body is read
  int head_timeout_ms = core::limits::request_head_timeout_ms;
  int body_timeout_ms = core::limits::request_body_timeout_ms;
  int idle_timeout_ms = core::limits::idle_connection_timeout_ms;
  // Body of the server's own refusals (parse errors and limits): (status, code word, sentence).
  std::function<http_response(int, std::string_view, std::string_view)> refusal{};
};

struct http_server_stats {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_refused = 0;  // by parser or limits
  std::uint64_t body_bytes = 0;        // of bodies in memory (net/body_budget.hpp)
};

class http_server {
 public:
  // Binds and listens; the thread starts with start(). Errors: address in use, unreadable TLS
  // files, path not creatable: errc::invalid with the reason.
  static core::result<std::unique_ptr<http_server>> bind(http_server_options options,
                                                         http_handler handler);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  void start();
  std::uint16_t port() const noexcept;  // 0 for a Unix socket

  // Closes the listener; idle connections are closed, busy ones after their answer.
  void stop_accepting();
  // True when every connection has been answered and closed within the time.
  bool drain(std::chrono::milliseconds limit);
  void stop();

  // Calls `done` on the server's thread: proof for the watchdog that the loop turns.
  void ping(std::function<void()> done);
  http_server_stats stats() const;

 private:
  class impl;
  explicit http_server(std::unique_ptr<impl> body);
  std::unique_ptr<impl> impl_;
};

}  // namespace syndicated::net
