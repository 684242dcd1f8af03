// An HTTP server with a few fixed routes, and shorthand for raw requests to it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "net/http_server.hpp"
#include "tests/net/raw_client.hpp"

namespace syndicated::net::test {

using namespace std::chrono_literals;

inline http_response text(int status, std::string body) {
  http_response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// "/echo" answers with the request; "/later" is answered by the test; "/lost" by nobody.
struct server_fixture {
  explicit server_fixture(http_server_options options = {}) {
    if (options.address.empty() && options.unix_path.empty() && options.listen_fd < 0) {
      options.address = "127.0.0.1:0";
    }
    auto made = http_server::bind(std::move(options), [this](http_request&& r, responder&& answer) {
      handle(std::move(r), std::move(answer));
    });
    BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.failure().detail));
    server = std::move(made).value();
    server->start();
  }

  void handle(http_request&& r, responder&& answer) {
    if (r.path == "/later") {
      const std::lock_guard lock{mutex};
      later.push_back(std::move(answer));
      changed.notify_all();
    } else if (r.path == "/echo") {
      auto response = text(200, r.method + " " + r.query + " " + r.body);
      response.headers = {{"X-Peer", r.peer}, {"X-Bad", "a\r\nSet-Cookie: b"}};
      answer.send(std::move(response));
    } else if (r.path == "/admitted") {
      answer.send(text(200, r.admitted ? "yes" : "no"));
    } else if (r.path == "/empty") {
      answer.send(text(204, ""));
    } else if (r.path == "/big") {
      answer.send(text(200, std::string(8 * 1024 * 1024, 'b')));
    } else if (r.path == "/close") {
      auto response = text(200, "bye");
      response.close = true;
      answer.send(std::move(response));
    } else if (r.path != "/lost") {
      answer.send(text(404, "no"));
    }
  }

  responder take_later() {
    std::unique_lock lock{mutex};
    BOOST_REQUIRE(changed.wait_for(lock, 10s, [this] { return !later.empty(); }));
    auto first = std::move(later.front());
    later.pop_front();
    return first;
  }

  template <class Condition>
  void wait_until(Condition condition) {
    std::unique_lock lock{mutex};  // nobody rings: looks again every few milliseconds
    for (int i = 0; i < 1'000 && !condition(); ++i) changed.wait_for(lock, 10ms);
    BOOST_TEST(condition());
  }

  raw_client client() { return raw_client{server->port()}; }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<responder> later;
  std::unique_ptr<http_server> server;
};

inline std::string get(const std::string& target, const std::string& more = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

inline std::string temporary_path(const char* name) {
  return "/tmp/syndicated-test-" + std::to_string(::getpid()) + "-" + name;
}

}  // namespace syndicated::net::test
