// Access tokens for one endpoint by client credentials (RFC 6749, 4.4), and requests that carry
// them (RFC 6750).
//
// The token is fetched like every request: through the curl loop and the egress policy. At most one
// fetch is under way; requests wait for it meanwhile, so their number is bounded by the caller's
// requests at a time. A token is used until shortly before it expires. A 401 makes the request go
// once more with a fresh token. Without a token a request ends as attempt_error::auth; for a second
// after that no other is fetched. `detail` never holds a secret or what the token server said.
//
// Threads: any. Lifetime: shared; requests under way keep it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/delivery/endpoint.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::net {

struct access_token {
  std::string value;
  std::chrono::seconds lifetime{0};
};

// What a token server answered (RFC 6749, 5.1). Errors: errc::invalid when it holds no token that
// can stand in a header.
core::result<access_token> parse_token_answer(std::string_view json);

class oauth2_grant : public std::enable_shared_from_this<oauth2_grant> {
 public:
  using submitter = std::function<void(attempt_request&&)>;
  using clock = std::function<std::chrono::steady_clock::time_point()>;

  // `auth.kind` is oauth2. `fetches`: counts the requests for tokens; may be null.
  explicit oauth2_grant(core::endpoint_auth auth, clock now = std::chrono::steady_clock::now,
                        std::atomic<std::uint64_t>* fetches = nullptr);
  // The token of this grant may serve an endpoint with these settings, too.
  bool serves(const core::endpoint_auth& auth) const;

  void send(attempt_request&& request, const submitter& submit);

 private:
  struct waiting {
    attempt_request request;
    bool again = false;  // has had its 401
  };

  void enqueue(waiting&& next, const submitter& submit);
  void submit_with(const std::string& token, std::uint64_t generation, waiting&& next,
                   const submitter& submit);
  void fetch(const submitter& submit);
  void fetched(const core::attempt_result& result, const submitter& submit);
  attempt_request token_request() const;

  const core::endpoint_auth auth_;
  const clock now_;
  std::atomic<std::uint64_t>* const fetches_;

  std::mutex mutex_;
  std::string token_;
  std::uint64_t generation_ = 0;  // of the token; a 401 ends only the one it was given to
  std::chrono::steady_clock::time_point good_until_{};
  std::chrono::steady_clock::time_point refused_until_{};
  bool fetching_ = false;
  std::vector<waiting> waiting_;
};

}  // namespace syndicated::net
