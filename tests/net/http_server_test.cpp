#include "net/http_server.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <optional>

#include "tests/net/server_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = server_fixture;

BOOST_AUTO_TEST_SUITE(http_server_answers)

BOOST_AUTO_TEST_CASE(keep_alive_methods_and_form_of_answers) {
  fixture f;
  auto c = f.client();
  c.send(post("/echo?a=b", "hello"));
  const auto first = c.read_answer();
  BOOST_TEST(first.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  BOOST_TEST(first.find("\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n") !=
             std::string::npos);
  BOOST_TEST(first.find("\r\nX-Peer: 127.0.0.1:") != std::string::npos);
  BOOST_TEST(first.find("Set-Cookie") == std::string::npos);  // no header injection
  BOOST_TEST(body_of(first) == "POST a=b hello");
  for (const char* method : {"GET", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    c.send(std::string{method} + " /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(body_of(c.read_answer()) == std::string{method} + "  ");
  }
  c.send(get("/empty"));
  const auto empty = c.read_answer();
  BOOST_TEST(status_of(empty) == 204);
  BOOST_TEST(empty.find("Content-") == std::string::npos);
  c.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  c.send(get("/close"));
  const auto rest = c.read_all();
  BOOST_TEST(rest.find("Content-Length: 6\r\n") != std::string::npos);
  BOOST_TEST(rest.find("HEAD  ") == std::string::npos);  // announced, not sent
  BOOST_TEST(rest.ends_with("Connection: close\r\n\r\nbye"));
  BOOST_TEST(f.server->stats().requests == 9U);
  BOOST_TEST(f.server->stats().connections_accepted == 1U);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_keep_their_order) {
  fixture f;
  auto c = f.client();
  constexpr int count = 1'000;
  std::thread sender{[&c] {
    std::string all;
    for (int i = 0; i < count; ++i) all += post("/echo?" + std::to_string(i), "x");
    c.send(all);
  }};
  for (int i = 0; i < count; ++i) {
    BOOST_REQUIRE_EQUAL(body_of(c.read_answer()), "POST " + std::to_string(i) + " x");
  }
  sender.join();
}

BOOST_AUTO_TEST_CASE(answers_from_other_threads_wait_for_their_turn) {
  fixture f;
  auto c = f.client();
  c.send(get("/later") + get("/echo?second"));
  auto first = f.take_later();
  BOOST_TEST(f.server->stats().requests == 1U);  // the second one is not started
  std::thread{[r = std::move(first)]() mutable { r.send(text(200, "first")); }}.join();
  BOOST_TEST(body_of(c.read_answer()) == "first");
  BOOST_TEST(body_of(c.read_answer()) == "GET second ");
}

BOOST_AUTO_TEST_CASE(a_lost_answer_is_a_500) {
  fixture f;
  auto c = f.client();
  c.send(get("/lost"));
  BOOST_TEST(status_of(c.read_answer()) == 500);
  c.send(get("/later"));
  { const auto dropped = f.take_later(); }
  BOOST_TEST(status_of(c.read_answer()) == 500);
}

BOOST_AUTO_TEST_CASE(responders_outlive_connection_and_server) {
  std::optional<responder> orphan;
  std::optional<responder> late;
  {
    fixture f;
    {
      auto c = f.client();
      c.send(get("/later"));
      orphan = f.take_later();
    }
    orphan->send(text(200, "to nobody"));
    auto c = f.client();
    c.send(get("/later"));
    late = f.take_later();
    f.server->stop();
  }
  late->send(text(200, "too late"));
  BOOST_TEST(!late->pending());
}

BOOST_AUTO_TEST_CASE(large_bodies_both_ways) {
  http_server_options options;
  options.body_bytes_max = 4 * 1024 * 1024;
  fixture f{options};
  auto c = f.client();
  const std::string big(4 * 1024 * 1024, 'p');
  c.send(post("/echo", big));
  BOOST_TEST((body_of(c.read_answer()) == "POST  " + big));
  c.send(get("/big"));
  BOOST_TEST(body_of(c.read_answer()).size() == 8U * 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(expect_continue) {
  fixture f;
  auto c = f.client();
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(c.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("ok");
  BOOST_TEST(body_of(c.read_answer()) == "POST  ok");
  c.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(status_of(c.read_all()) == 413);  // before any byte of the body is asked for
}

BOOST_AUTO_TEST_CASE(http_1_0) {
  fixture f;
  auto c = f.client();
  c.send("GET /echo HTTP/1.0\r\n\r\n");
  const auto all = c.read_all();
  BOOST_TEST(status_of(all) == 200);
  BOOST_TEST(all.find("Connection: close") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(half_close_after_the_request) {
  fixture f;
  auto c = f.client();
  c.send(get("/later"));
  c.half_close();
  f.take_later().send(text(200, "still"));
  BOOST_TEST(body_of(c.read_all()) == "still");
}

BOOST_AUTO_TEST_CASE(ping_and_own_refusals) {
  http_server_options options;
  options.refusal = [](int status, std::string_view code, std::string_view) {
    return text(status, "refused: " + std::string{code});
  };
  fixture f{options};
  std::mutex mutex;
  std::condition_variable rung;
  bool done = false;
  f.server->ping([&] {
    const std::lock_guard lock{mutex};
    done = true;
    rung.notify_all();
  });
  std::unique_lock lock{mutex};
  BOOST_TEST(rung.wait_for(lock, 10s, [&] { return done; }));
  auto c = f.client();
  c.send("GET / HTTP/1.1\r\n\r\n");
  BOOST_TEST(body_of(c.read_all()) == "refused: malformed_request");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_server_attacks)

BOOST_AUTO_TEST_CASE(refusals_close_and_read_no_further) {
  const struct {
    std::string bytes;
    int status;
  } cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"FOO / HTTP/1.1\r\n", 501},
      {"TRACE / HTTP/1.1\r\n", 405},
      {"GET /" + std::string(100'000, 'a'), 414},
      {"GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n" + std::string(300'000, 'b'),
       413},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417},
  };
  fixture f;
  for (const auto& c : cases) {
    auto client = f.client();
    client.send(c.bytes + get("/echo?smuggled"));
    const auto all = client.read_all();
    BOOST_TEST(status_of(all) == c.status, c.bytes.substr(0, 80));
    BOOST_TEST(all.find("\r\nConnection: close\r\n") != std::string::npos);
    BOOST_TEST(all.find("\"code\":\"") != std::string::npos);
    BOOST_TEST(all.find("smuggled") == std::string::npos, c.bytes.substr(0, 80));
    BOOST_TEST(!all.ends_with("<open>"));
  }
  BOOST_TEST(f.server->stats().requests == 0U);
  BOOST_TEST(f.server->stats().requests_refused == std::size(cases));
}

BOOST_AUTO_TEST_CASE(slow_and_silent_clients) {
  http_server_options options;
  options.head_timeout_ms = 300;
  options.body_timeout_ms = 300;
  options.idle_timeout_ms = 300;
  fixture f{options};
  auto silent = f.client();
  auto slow_head = f.client();
  slow_head.send("GET / HTTP/1.1\r\nHost: a\r\n");
  auto slow_body = f.client();
  slow_body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  auto idle = f.client();
  idle.send(get("/echo"));
  BOOST_TEST(status_of(idle.read_answer()) == 200);
  BOOST_TEST(silent.read_all() == "");
  BOOST_TEST(status_of(slow_head.read_all()) == 408);
  BOOST_TEST(status_of(slow_body.read_all()) == 408);
  BOOST_TEST(idle.read_all() == "");
  f.wait_until([&] { return f.server->stats().connections_open == 0; });
}

BOOST_AUTO_TEST_CASE(dribbled_bytes_do_not_move_the_limit) {
  http_server_options options;
  options.head_timeout_ms = 400;
  fixture f{options};
  auto c = f.client();
  c.send("GET / HTTP/1.1\r\nX: ");
  const auto before = std::chrono::steady_clock::now();
  while (!c.readable_within(20) && c.send("y")) {
  }
  BOOST_TEST(status_of(c.read_answer()) == 408);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read) {
  http_server_options options;
  options.body_timeout_ms = 300;
  fixture f{options};
  auto c = f.client();
  for (int i = 0; i < 8; ++i) c.send(get("/big"));
  f.wait_until([&] { return f.server->stats().requests >= 1; });
  f.wait_until([&] { return f.server->stats().connections_open == 0; });
  BOOST_TEST(f.server->stats().requests < 8U);
}

BOOST_AUTO_TEST_CASE(more_connections_than_allowed) {
  http_server_options options;
  options.connections_max = 2;
  fixture f{options};
  auto a = f.client();
  auto b = f.client();
  a.send(get("/echo"));
  b.send(get("/echo"));
  BOOST_TEST(status_of(a.read_answer()) == 200);
  BOOST_TEST(status_of(b.read_answer()) == 200);
  auto third = f.client();
  third.send(get("/echo"));
  BOOST_TEST(status_of(third.read_all()) == 503);
  BOOST_TEST(f.server->stats().connections_refused == 1U);
  a.send(get("/echo"));
  BOOST_TEST(status_of(a.read_answer()) == 200);
}

BOOST_AUTO_TEST_CASE(no_descriptors_left) {
  fixture f;
  auto before = f.client();
  before.send(get("/echo"));
  BOOST_TEST(status_of(before.read_answer()) == 200);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int probe = ::dup(0);
  ::close(probe);
  // The client's own socket takes the last free number: the server's accept has none.
  const rlimit small{static_cast<rlim_t>(probe) + 1, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &small);
  auto waiting = f.client();
  waiting.send(get("/echo"));
  timespec start{};
  timespec end{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
  for (int i = 0; i < 20; ++i) {
    before.send(get("/echo"));
    BOOST_TEST(status_of(before.read_answer()) == 200);  // the living are served on
    BOOST_TEST(!waiting.readable_within(20));
  }
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  const double cpu_s = static_cast<double>(end.tv_sec - start.tv_sec) +
                       static_cast<double>(end.tv_nsec - start.tv_nsec) / 1e9;
  BOOST_TEST(cpu_s < 0.2);  // of 0.4 s: no busy loop
  BOOST_TEST(f.server->stats().connections_accepted == 1U);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  BOOST_TEST(status_of(waiting.read_answer()) == 200);
}

BOOST_AUTO_TEST_CASE(early_close_at_every_byte) {
  fixture f;
  const auto request = post("/echo", "hello");
  std::size_t clients = 0;
  for (std::size_t n = 0; n < request.size(); n += 3, ++clients) {
    auto c = f.client();
    c.send(request.substr(0, n));
  }
  f.wait_until([&] { return f.server->stats().connections_accepted == clients; });
  f.wait_until([&] { return f.server->stats().connections_open == 0; });
  auto c = f.client();
  c.send(request);
  BOOST_TEST(status_of(c.read_answer()) == 200);
}

BOOST_AUTO_TEST_SUITE_END()
