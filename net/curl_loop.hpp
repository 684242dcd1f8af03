// Sends requests to vendors: one thread, one epoll, one curl multi handle.
//
// Rules (library-notes.md 2; reliability.md 5.1): names are resolved by our own c-ares resolver,
// never by libcurl; every resolved address must pass the egress policy, which is asked again in
// OPENSOCKETFUNCTION and, for a reused connection, in PREREQFUNCTION; no redirects, proxies,
// cookies, netrc; response head, body and time are bounded; HTTP/1.1 keep-alive; TLS >= 1.2, always
// verified; one TLS session share per loop; easy handles are reused.
//
// Threads: submit/set_policy/ping from any thread; `done` runs on the loop's thread and must only
// post. Lifetime: stop() (or the destructor) ends the thread; what is in flight is reported as
// attempt_error::local with detail "stopped" (the caller keeps such work, it has not failed).
// Bounds: the caller admits at most limits::sockets_max requests at a time. Of these only so many
// begin a name look-up or a TLS connection at once (net/start_bound.hpp); what waits for that has
// not begun its time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/limits.hpp"
#include "core/delivery/attempt.hpp"
#include "core/delivery/egress_policy.hpp"
#include "core/delivery/endpoint.hpp"
#include "net/http_message.hpp"

namespace syndicated::net {

// Who the sender is to the server, and whom it trusts. PEM texts; empty: nothing of that kind.
// Connections and sessions are never shared between different ones.
struct tls_material {
  std::string certificate;  // the client's, with its chain
  core::secret_bytes key;
  std::string ca;  // trusted instead of the loop's store
};

struct attempt_request {
  std::string url;  // accepted by core::check_endpoint_url before it was stored
  std::shared_ptr<const std::vector<std::string>> fixed_headers;  // "Name: value", may be null
  std::vector<std::string> headers;  // of this attempt: signature, timestamp ...
  std::shared_ptr<const std::string> body;
  bool get = false;  // GET, without a body
  int timeout_ms = 15'000;
  std::function<void(core::attempt_result&&)> done;
  std::shared_ptr<const tls_material> tls;  // may be null
  // Offered in the TLS handshake; one request at a time all the same, on connections of its own.
  bool http2 = false;
  std::size_t excerpt_bytes_max = core::limits::response_excerpt_bytes_max;
  bool receiver_control = false;  // wants attempt_result::control
};

struct curl_loop_options {
  std::string name = "curl-0";
  std::string user_agent = "syndicated";
  std::string ca_file;                   // empty = the system's trust store
  std::vector<std::string> dns_servers;  // "127.0.0.1:5353"; empty = the system's
  int connections_max = 2'048;           // kept open; above the peak of requests at a time
  std::size_t dns_lookups_max = core::limits::dns_lookups_max;
  std::size_t tls_handshakes_max = core::limits::tls_handshakes_max;
  int start_patience_ms = core::limits::start_patience_ms;
};

struct curl_loop_stats {
  std::uint64_t attempts = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t dns_queries = 0;
  std::uint64_t dns_cache_hits = 0;
  std::uint64_t blocked = 0;
  std::uint64_t waiting = 0;  // to begin a look-up or a TLS connection
};

class curl_loop {
 public:
  static core::result<std::unique_ptr<curl_loop>> create(
      curl_loop_options options, std::shared_ptr<const core::egress_policy> policy);
  ~curl_loop();
  curl_loop(const curl_loop&) = delete;
  curl_loop& operator=(const curl_loop&) = delete;

  void start();
  void submit(attempt_request request);
  // Every idle connection is closed, so that no reused one escapes the new policy.
  void set_policy(std::shared_ptr<const core::egress_policy> policy);
  void ping(std::function<void()> done);
  curl_loop_stats stats() const;
  void stop();

 private:
  class impl;
  explicit curl_loop(std::unique_ptr<impl> body);
  std::unique_ptr<impl> impl_;
};

}  // namespace syndicated::net
