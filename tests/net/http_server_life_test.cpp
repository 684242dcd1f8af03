#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>

#include "net/http_server.hpp"
#include "net/unix_client.hpp"
#include "tests/net/scripted_server.hpp"
#include "tests/net/server_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = server_fixture;

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
  BOOST_REQUIRE(::bind(options.listen_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                0);
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
