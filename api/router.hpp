// The HTTP faces of the daemon: /v1, /api, health and metrics on the port; /v1 and /admin on the
// admin socket (api.md, 1).
//
// Threads: the handlers may run on any number of server threads at once. Lifetime: the engine
// outlives the router; requests still in progress keep what they need, so the router may be
// destroyed while replies are outstanding.
// Limits: core/base/limits.hpp; at most limits::requests_in_progress_max writes at a time, the
// next one is answered 503 "overloaded".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/engine.hpp"
#include "api/stats.hpp"
#include "net/http_message.hpp"

namespace syndicated::api {

struct api_settings {
  std::string public_url;  // base of absolute links, without a trailing slash; may be empty
  std::string version = "0.0.0";
  std::function<std::string()> metrics_text{};  // Prometheus text; empty = /metrics answers 404
  std::function<std::string()> address{};       // where the API is served, for operators
  // Sets the daemon's log level by name; false = unknown name. Empty = the call answers 404.
  std::function<bool(std::string_view)> set_log_level{};
  bool refuse_unknown_types = false;  // published events need a declared type
  int requests_per_token_per_s = 0;   // at the start; 0 = no bound
  std::size_t writes_max = core::limits::requests_in_progress_max;
};

struct context;

// The one path whose requests may be larger than others: limits::publish_body_bytes_max.
inline constexpr std::string_view publish_path = "/v1/events";

class router {
 public:
  router(actors::engine& engine, api_settings settings);
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  net::http_handler public_handler() const;
  // For net::http_server_options::gate of the same server: who may not send a body, or not now, is
  // told before it is read. The handler looks again: a token may be revoked meanwhile.
  net::http_gate public_gate() const;
  net::http_handler admin_handler() const;

  // Answers /healthz, /readyz and /metrics only: for a port of their own.
  net::http_handler health_handler() const;

  void set_token_rate(int requests_per_s);  // any thread; 0 = no bound

  const api::stats& stats() const noexcept;

 private:
  std::shared_ptr<context> context_;
};

// Body of the server's own refusals, for net::http_server_options::refusal.
net::http_response refusal(int status, std::string_view code, std::string_view sentence);

// "POST /v1/vendors" for every route of every face: what the API document must describe.
std::vector<std::string> route_names();

std::string_view openapi_document() noexcept;

}  // namespace syndicated::api
