// Bodies that do not come with their head: who may send them, and how much of them is kept.
#include <boost/test/unit_test.hpp>
#include <deque>
#include <fstream>

#include "net/http_server.hpp"
#include "tests/net/server_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;

namespace {

constexpr std::size_t body_max = core::limits::request_body_bytes_max;

std::string head(const std::string& fields, const std::string& target = "/echo") {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string with_length(std::size_t bytes, const std::string& target = "/echo",
                        const std::string& more = "") {
  return head("Content-Length: " + std::to_string(bytes) + "\r\n" + more, target);
}

// Refuses with 401 who does not show "Token".
http_server_options guarded() {
  http_server_options options;
  options.gate = [](const http_request& r) -> std::optional<http_response> {
    if (r.count("Token") == 1) return std::nullopt;
    return text(401, "who are you");
  };
  return options;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_bodies)

BOOST_AUTO_TEST_CASE(a_stranger_is_told_before_the_body_and_the_connection_goes_on) {
  server_fixture f{guarded()};
  auto c = f.client();
  c.send(with_length(9) + "half");
  const auto refused = c.read_answer();
  BOOST_TEST(status_of(refused) == 401);
  BOOST_TEST(refused.find("Connection: close") == std::string::npos);
  c.send("-body" + get("/echo?next"));
  BOOST_TEST(body_of(c.read_answer()) == "GET next ");
  // All that the parser lets in is read to its end.
  c.send(with_length(body_max));
  BOOST_TEST(status_of(c.read_answer()) == 401);
  c.send(std::string(body_max, 'x') + with_length(2, "/echo?own", "Token: t\r\n"));
  c.send("ok");
  BOOST_TEST(body_of(c.read_answer()) == "POST own ok");
  BOOST_TEST(f.server->stats().requests == 4U);
  BOOST_TEST(f.server->stats().requests_refused == 0U);
}

BOOST_AUTO_TEST_CASE(one_that_comes_with_its_head_goes_to_the_handler) {
  auto options = guarded();
  int asked = 0;
  options.gate = [&asked, inner = options.gate](const http_request& r) {
    ++asked;
    return inner(r);
  };
  server_fixture f{options};
  auto c = f.client();
  c.send(post("/admitted", "body") + get("/echo"));
  BOOST_TEST(body_of(c.read_answer()) == "no");
  BOOST_TEST(status_of(c.read_answer()) == 200);
  c.send(with_length(2, "/admitted", "Token: t\r\n"));
  f.wait_until([&] { return f.server->stats().body_bytes > 0; });
  c.send("ok");
  BOOST_TEST(body_of(c.read_answer()) == "yes");
  f.server->stop();
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(an_unknown_length_or_a_question_ends_the_connection) {
  server_fixture f{guarded()};
  for (const auto& fields : {std::string{"Transfer-Encoding: chunked\r\n"},
                             std::string{"Content-Length: 5\r\nExpect: 100-continue\r\n"}}) {
    auto c = f.client();
    c.send(head(fields));
    const auto all = c.read_all();
    BOOST_TEST(status_of(all) == 401, fields);
    BOOST_TEST(all.find("\r\nConnection: close\r\n") != std::string::npos);
    BOOST_TEST(all.find("100 Continue") == std::string::npos);
  }
  auto known = f.client();
  known.send(head("Content-Length: 2\r\nExpect: 100-continue\r\nToken: t\r\n"));
  BOOST_TEST(known.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  known.send("ok");
  BOOST_TEST(body_of(known.read_answer()) == "POST  ok");
}

BOOST_AUTO_TEST_CASE(an_answered_client_that_does_not_go_on_is_let_go) {
  auto options = guarded();
  options.body_timeout_ms = 300;
  server_fixture f{options};
  auto c = f.client();
  c.send(with_length(100));
  BOOST_TEST(status_of(c.read_answer()) == 401);
  BOOST_TEST(c.read_all() == "");  // no second answer
}

BOOST_AUTO_TEST_CASE(half_bodies_of_strangers_take_no_memory) {
  server_fixture f{guarded()};
  constexpr std::size_t clients = 300;
  const std::string half(body_max / 2, 'x');
  const auto before = resident_bytes();
  std::deque<raw_client> all;
  for (std::size_t i = 0; i < clients; ++i) {
    all.emplace_back(f.server->port());
    BOOST_REQUIRE(all.back().send(with_length(body_max) + half));
  }
  for (auto& c : all) BOOST_REQUIRE_EQUAL(status_of(c.read_answer()), 401);
  BOOST_TEST(f.server->stats().connections_open == clients);
  BOOST_TEST(f.server->stats().body_bytes == 0U);
  BOOST_TEST(resident_bytes() < before + clients * half.size() / 2);
}

BOOST_AUTO_TEST_CASE(a_server_without_bodies) {
  http_server_options options;
  options.body_bytes_max = 0;
  server_fixture f{options};
  auto c = f.client();
  c.send(with_length(0) + with_length(1));
  BOOST_TEST(status_of(c.read_answer()) == 200);
  BOOST_TEST(status_of(c.read_all()) == 413);
  auto chunks = f.client();
  chunks.send(head("Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n\r\n");
  BOOST_TEST(status_of(chunks.read_all()) == 413);
}

BOOST_AUTO_TEST_CASE(bodies_have_a_bound_over_all_connections) {
  http_server_options options;
  options.bodies_bytes_max = 4 * body_max;
  server_fixture f{options};
  std::deque<raw_client> slow;
  for (std::size_t i = 1; i <= 3; ++i) {
    slow.emplace_back(f.server->port());
    slow.back().send(with_length(body_max) + "x");
    f.wait_until([&] { return f.server->stats().body_bytes == i * body_max; });
  }
  auto c = f.client();
  c.send(with_length(body_max));
  const auto refused = c.read_answer();
  BOOST_TEST(status_of(refused) == 503);
  BOOST_TEST(refused.find("\"code\":\"overloaded\"") != std::string::npos);
  BOOST_TEST(f.server->stats().requests_refused == 1U);
  // Small ones have a place of their own, and a request without a body needs none.
  c.send(std::string(body_max, 'x') + with_length(2));
  f.wait_until([&] { return f.server->stats().body_bytes > 3 * body_max; });
  c.send("ok" + get("/echo"));
  BOOST_TEST(body_of(c.read_answer()) == "POST  ok");
  BOOST_TEST(status_of(c.read_answer()) == 200);
  slow.front().send(std::string(body_max - 1, 'x'));
  BOOST_TEST(status_of(slow.front().read_answer()) == 200);
  c.send(with_length(body_max));
  f.wait_until([&] { return f.server->stats().body_bytes == 3 * body_max; });
  c.send(std::string(body_max, 'y'));
  BOOST_TEST(status_of(c.read_answer()) == 200);
  slow.clear();
  f.wait_until([&] { return f.server->stats().body_bytes == 0; });
}

BOOST_AUTO_TEST_CASE(a_body_counts_until_its_request_is_answered) {
  server_fixture f;
  auto c = f.client();
  c.send(with_length(50'000, "/later"));
  c.send(std::string(50'000, 'x'));
  auto answer = f.take_later();
  BOOST_TEST(f.server->stats().body_bytes == 50'000U);
  answer.send(text(200, "done"));
  BOOST_TEST(body_of(c.read_answer()) == "done");
  BOOST_TEST(f.server->stats().body_bytes == 0U);
  std::optional<responder> orphan;
  {
    auto gone = f.client();
    gone.send(with_length(50'000, "/later"));
    gone.send(std::string(50'000, 'x'));
    orphan = f.take_later();
  }
  c.send(get("/close"));
  c.read_all();
  BOOST_TEST(f.server->stats().body_bytes == 50'000U);  // the handler has it still
  orphan.reset();
  BOOST_TEST(f.server->stats().body_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(chunks_count_as_they_come) {
  http_server_options options;
  options.bodies_bytes_max = body_max;
  server_fixture f{options};
  auto c = f.client();
  c.send(head("Transfer-Encoding: chunked\r\n"));
  std::string chunk = "4000\r\n" + std::string(0x4000, 'c') + "\r\n";
  for (std::size_t sent = 0x4000; sent < body_max / 3; sent += 0x4000) {
    c.send(chunk);
    f.wait_until([&] { return f.server->stats().body_bytes >= sent; });
  }
  for (int i = 0; i < 12; ++i) c.send(chunk);
  const auto all = c.read_all();
  BOOST_TEST(status_of(all) == 503);
  BOOST_TEST(all.find("\r\nConnection: close\r\n") != std::string::npos);
  BOOST_TEST(f.server->stats().body_bytes == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
