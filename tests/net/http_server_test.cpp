#include "net/http_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "net/unix_client.hpp"
#include "tests/net/raw_client.hpp"
#include "tests/net/scripted_server.hpp"

using namespace syndicated;
using namespace syndicated::net;
using test::raw_client;
using test::status_of;

namespace {

using namespace std::chrono_literals;

http_response text(int status, std::string body) {
  http_response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// "/echo" answers with the request; "/later" is answered by the test; "/lost" by nobody.
struct fixture {
  explicit fixture(http_server_options options = {}) {
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
    for (int i = 0; i < 1'000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    BOOST_TEST(condition());
  }

  raw_client client() { return raw_client{server->port()}; }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<responder> later;
  std::unique_ptr<http_server> server;
};

std::string get(const std::string& target, const std::string& more = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
}

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::string temporary_path(const char* name) {
  return "/tmp/syndicated-test-" + std::to_string(::getpid()) + "-" + name;
}

}  // namespace

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
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
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
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
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
  std::atomic<bool> done{false};
  std::thread dribble{[&] {
    c.send("GET / HTTP/1.1\r\nX: ");
    while (!done && c.send("y")) std::this_thread::sleep_for(20ms);
  }};
  const auto before = std::chrono::steady_clock::now();
  BOOST_TEST(status_of(c.read_answer()) == 408);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
  done = true;
  dribble.join();
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
    std::this_thread::sleep_for(20ms);
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

BOOST_AUTO_TEST_SUITE(http_server_life)

BOOST_AUTO_TEST_CASE(drain_lets_the_busy_finish) {
  fixture f;
  auto idle = f.client();
  idle.send(get("/echo"));
  idle.read_answer();
  auto busy = f.client();
  busy.send(get("/later"));
  auto answer = f.take_later();
  BOOST_TEST(!f.server->drain(200ms));
  BOOST_TEST(idle.read_all() == "");
  BOOST_TEST(!f.client().connected());
  answer.send(text(200, "done"));
  const auto all = busy.read_all();
  BOOST_TEST(all.find("Connection: close") != std::string::npos);
  BOOST_TEST(body_of(all) == "done");
  // The client must close too before the connection counts as gone: it lingers until then.
  busy.half_close();
  BOOST_TEST(f.server->drain(10s));
}

BOOST_AUTO_TEST_CASE(addresses_that_cannot_be_bound) {
  fixture f;
  const auto bind = [](http_server_options options) {
    return http_server::bind(std::move(options), [](http_request&&, responder&&) {});
  };
  http_server_options taken;
  taken.address = "127.0.0.1:" + std::to_string(f.server->port());
  for (const std::string& address :
       {taken.address, std::string{"localhost:80"}, std::string{"127.0.0.1"}, std::string{"::1:80"},
        std::string{"127.0.0.1:65536"}, std::string{"192.0.2.1:0"}, std::string{""}}) {
    http_server_options options;
    options.address = address;
    const auto made = bind(options);
    BOOST_REQUIRE_MESSAGE(!made.ok(), address);
    BOOST_TEST((made.failure().kind == core::errc::invalid));
    BOOST_TEST(!made.failure().detail.empty());
  }
  http_server_options tls;
  tls.address = "127.0.0.1:0";
  tls.tls_certificate_file = "/nonexistent.pem";
  tls.tls_key_file = "/nonexistent.pem";
  BOOST_TEST(!bind(tls).ok());
  http_server_options fd;
  fd.listen_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  BOOST_TEST(!bind(fd).ok());
  ::close(fd.listen_fd);
}

BOOST_AUTO_TEST_CASE(an_inherited_socket) {
  http_server_options options;
  options.listen_fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BOOST_REQUIRE(::bind(options.listen_fd, reinterpret_cast<sockaddr*>(&address),
                       sizeof address) == 0);
  BOOST_REQUIRE(::listen(options.listen_fd, 16) == 0);
  fixture f{options};
  BOOST_TEST(f.server->port() != 0);
  auto c = f.client();
  c.send(get("/echo"));
  BOOST_TEST(status_of(c.read_answer()) == 200);
}

BOOST_AUTO_TEST_CASE(unix_socket_file) {
  const auto path = temporary_path("server.sock");
  http_server_options options;
  options.unix_path = path;
  options.unix_mode = 0600;
  {
    fixture f{options};
    struct stat found {};
    BOOST_REQUIRE(::stat(path.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777U) == 0600U);
    BOOST_TEST(f.server->port() == 0);
    // A living socket is not stolen.
    auto second = http_server::bind(options, [](http_request&&, responder&&) {});
    BOOST_TEST(!second.ok());
    raw_client c{path};
    c.send(get("/echo"));
    const auto answer = c.read_answer();
    BOOST_TEST(status_of(answer) == 200);
    BOOST_TEST(answer.find("X-Peer: unix\r\n") != std::string::npos);
  }
  BOOST_TEST(::access(path.c_str(), F_OK) != 0);  // removed at the end
  // A stale one, left by a crash, is replaced; another kind of file is not.
  sockaddr_un stale{};
  stale.sun_family = AF_UNIX;
  path.copy(stale.sun_path, sizeof stale.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  BOOST_REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&stale), sizeof stale) == 0);
  ::close(dead);
  BOOST_REQUIRE(::access(path.c_str(), F_OK) == 0);
  {
    fixture f{options};
    raw_client c{path};
    c.send(get("/echo"));
    BOOST_TEST(status_of(c.read_answer()) == 200);
  }
  { std::fclose(std::fopen(path.c_str(), "w")); }
  BOOST_TEST(!http_server::bind(options, [](http_request&&, responder&&) {}).ok());
  ::unlink(path.c_str());
}

BOOST_AUTO_TEST_CASE(tls_server) {
  const auto files = test::make_certificate({});
  http_server_options options;
  options.tls_certificate_file = files.certificate;
  options.tls_key_file = files.key;
  fixture f{options};
  ::unlink(files.key.c_str());
  // A plain request gets no answer.
  auto plain = f.client();
  plain.send(get("/echo"));
  BOOST_TEST(status_of(plain.read_all()) == 0);

  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  BOOST_REQUIRE(SSL_CTX_load_verify_locations(context, files.certificate.c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  BIO* bio = BIO_new_ssl_connect(context);
  const std::string target = "127.0.0.1:" + std::to_string(f.server->port());
  BIO_set_conn_hostname(bio, target.c_str());
  BOOST_REQUIRE(BIO_do_handshake(bio) == 1);
  std::string all;
  for (const auto& request : {get("/echo?1"), get("/close")}) {
    BIO_write(bio, request.data(), static_cast<int>(request.size()));
  }
  char chunk[4096];
  for (int n = 0; (n = BIO_read(bio, chunk, sizeof chunk)) > 0;) {
    all.append(chunk, static_cast<std::size_t>(n));
  }
  BOOST_TEST(all.find("GET 1 ") != std::string::npos);
  BOOST_TEST(all.ends_with("bye"));
  BIO_free_all(bio);
  SSL_CTX_free(context);
  ::unlink(files.certificate.c_str());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(unix_client)

BOOST_AUTO_TEST_CASE(requests) {
  http_server_options options;
  options.unix_path = temporary_path("client.sock");
  fixture f{options};
  const auto got = unix_request(options.unix_path, "POST", "/echo?x=y", "body", {{"X-A", "b"}}, 5s);
  BOOST_REQUIRE(got.ok());
  BOOST_TEST(got->status == 200);
  BOOST_TEST(got->content_type == "text/plain");
  BOOST_TEST(got->body == "POST x=y body");
  const auto big = unix_request(options.unix_path, "GET", "/big", "", {}, 10s);
  BOOST_REQUIRE(big.ok());
  BOOST_TEST(big->body.size() == 8U * 1024 * 1024);
  BOOST_TEST(unix_request(options.unix_path, "GET", "/empty", "", {}, 5s)->status == 204);
  BOOST_TEST(unix_request(options.unix_path, "GET", "/none", "", {}, 5s)->status == 404);
  const auto refused = unix_request(options.unix_path, "GET", "bad target", "", {}, 5s);
  BOOST_TEST(refused->status == 400);
  const auto oversize =
      unix_request(options.unix_path, "POST", "/echo", std::string(300'000, 'x'), {}, 5s);
  BOOST_REQUIRE(oversize.ok());
  BOOST_TEST(oversize->status == 413);
  const auto injected = unix_request(options.unix_path, "GET", "/", "", {{"A", "b\r\nC: d"}}, 5s);
  BOOST_TEST(injected.failure().code == "bad_header");
}

BOOST_AUTO_TEST_CASE(failures_are_told_apart) {
  const auto path = temporary_path("nobody.sock");
  const auto none = unix_request(path, "GET", "/", "", {}, 1s);
  BOOST_TEST(none.failure().code == "daemon_not_running");
  BOOST_TEST((none.failure().kind == core::errc::unavailable));
  http_server_options options;
  options.unix_path = path;
  fixture f{options};
  const auto late = unix_request(path, "GET", "/later", "", {}, 200ms);
  BOOST_TEST(late.failure().code == "timeout");
  if (::geteuid() == 0) {
    // Root may open everything: look from the side of somebody else.
    ::chmod(path.c_str(), 0600);
    BOOST_REQUIRE(::seteuid(65'534) == 0);
    const auto denied = unix_request(path, "GET", "/", "", {}, 1s);
    BOOST_REQUIRE(::seteuid(0) == 0);
    BOOST_TEST(denied.failure().code == "permission_denied");
    BOOST_TEST((denied.failure().kind == core::errc::forbidden));
  }
}

BOOST_AUTO_TEST_SUITE_END()
