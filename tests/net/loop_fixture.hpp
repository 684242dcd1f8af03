// A running curl loop that may contact the loopback network, and a place for its results.
#pragma once

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/curl_loop.hpp"
#include "tests/net/scripted_server.hpp"

namespace syndicated::net::test {

using core::attempt_error;
using core::attempt_result;

inline const std::string no_content = "HTTP/1.1 204 No Content\r\n\r\n";

inline core::egress_rules loopback_rules() {
  core::egress_rules rules;
  rules.allow_http = true;
  rules.allow_ip_literals = true;
  rules.allow = {*core::egress_exception::parse("127.0.0.0/8:*")};
  return rules;
}

inline std::shared_ptr<const core::egress_policy> policy_of(core::egress_rules rules) {
  return std::make_shared<const core::egress_policy>(std::move(rules));
}

// Collects results; wait() fails the test instead of hanging.
class results {
 public:
  std::function<void(attempt_result&&)> slot() {
    return [this](attempt_result&& result) {
      const std::lock_guard lock{mutex_};
      all_.push_back(std::move(result));
      changed_.notify_all();
    };
  }
  std::vector<attempt_result> wait(std::size_t count) {
    std::unique_lock lock{mutex_};
    const bool there =
        changed_.wait_for(lock, std::chrono::seconds{30}, [&] { return all_.size() >= count; });
    BOOST_REQUIRE_MESSAGE(there, "only " << all_.size() << " of " << count << " results");
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<attempt_result> all_;
};

struct loop_fixture {
  explicit loop_fixture(core::egress_rules rules = loopback_rules(),
                        curl_loop_options options = {}) {
    auto made = curl_loop::create(std::move(options), policy_of(std::move(rules)));
    BOOST_REQUIRE(made.ok());
    loop = std::move(made).value();
    loop->start();
  }

  static attempt_request request(const std::string& url, results& into, int timeout_ms = 5'000) {
    attempt_request r;
    r.url = url;
    r.body = std::make_shared<const std::string>(R"({"entity":"Subscription","id":1})");
    r.timeout_ms = timeout_ms;
    r.done = into.slot();
    return r;
  }

  attempt_result one(const std::string& url, int timeout_ms = 5'000) {
    results r;
    loop->submit(request(url, r, timeout_ms));
    return r.wait(1).at(0);
  }

  std::unique_ptr<curl_loop> loop;
};

// Answers every request of every connection with the same bytes.
inline scripted_server::script always(const std::string& answer) {
  return [answer](peer& p) {
    while (!p.read_request().empty()) {
      if (!p.send(answer)) return;
    }
  };
}

inline std::string name_of(attempt_error error) { return std::string{core::to_string(error)}; }

}  // namespace syndicated::net::test
