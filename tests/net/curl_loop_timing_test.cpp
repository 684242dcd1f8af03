// The phases of an attempt: each with the time it took, up to the one that was reached.
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <mutex>

#include "net/curl_loop.hpp"
#include "tests/net/loop_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = loop_fixture;

namespace {

constexpr std::uint32_t pause_us = 60'000;
const std::string loopback_bytes{"\x7f\x00\x00\x01", 4};

// What the other side needs before it goes on.
void take_time() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, std::chrono::microseconds{pause_us}, [] { return false; });
}

scripted_dns::answer slow_answer(const std::string& name, int type) {
  if (type == 1) take_time();
  const bool known = name == "hooks.vendor.example";
  return {{loopback_bytes}, 60, known ? 0 : 3, name.starts_with("silent")};
}

struct timed {
  timed()
      : dns(slow_answer),
        server(
            [](peer& p) {
              while (!p.read_request().empty()) {
                take_time();
                p.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
                take_time();
                p.send("cd");
              }
            },
            test::certificate_options{"hooks.vendor.example"}),
        f(loopback_rules(), options()) {}

  curl_loop_options options() const {
    curl_loop_options out;
    out.dns_servers = {dns.address()};
    out.ca_file = server.certificate_file();
    return out;
  }
  std::string at(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(server.port()) + "/";
  }

  scripted_dns dns;
  scripted_server server;
  fixture f;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_loop_timing)

BOOST_AUTO_TEST_CASE(every_phase_of_a_new_connection) {
  timed t;
  const auto before = std::chrono::steady_clock::now();
  const auto result = t.f.one(t.at("hooks.vendor.example"));
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::steady_clock::now() - before)
                        .count();
  BOOST_REQUIRE_EQUAL(result.status, 200);
  const auto& time = result.timing;
  BOOST_TEST(time.dns_us >= pause_us);
  BOOST_TEST(time.connect_us > time.dns_us);
  BOOST_TEST(time.tls_us > time.connect_us);
  BOOST_TEST(time.first_byte_us >= time.tls_us + pause_us);
  BOOST_TEST(time.total_us >= time.first_byte_us + pause_us);
  BOOST_TEST(time.total_us <= static_cast<std::uint32_t>(took));
}

BOOST_AUTO_TEST_CASE(a_kept_connection_has_no_phases_before_the_request) {
  timed t;
  BOOST_REQUIRE_EQUAL(t.f.one(t.at("hooks.vendor.example")).status, 200);
  const auto time = t.f.one(t.at("hooks.vendor.example")).timing;
  BOOST_TEST(t.server.connections() == 1);
  BOOST_TEST(time.dns_us == 0U);
  BOOST_TEST(time.connect_us < pause_us);
  BOOST_TEST(time.tls_us < pause_us);
  BOOST_TEST(time.first_byte_us >= pause_us);
  BOOST_TEST(time.total_us >= time.first_byte_us + pause_us);
}

BOOST_AUTO_TEST_CASE(a_failure_ends_with_its_phase) {
  timed t;
  const auto unknown = t.f.one(t.at("unknown.vendor.example"));
  BOOST_TEST(name_of(unknown.error) == "dns");
  BOOST_TEST(unknown.timing.dns_us >= pause_us);
  BOOST_TEST(unknown.timing.total_us == unknown.timing.dns_us);
  BOOST_TEST(unknown.timing.connect_us == 0U);

  const auto silent = t.f.one(t.at("silent.vendor.example"), 400);
  BOOST_TEST(name_of(silent.error) == "dns");
  BOOST_TEST(silent.timing.dns_us == 0U);
  BOOST_TEST(silent.timing.total_us >= 400'000U);

  std::uint16_t closed = 0;
  {
    scripted_server gone{always(no_content)};
    closed = gone.port();
  }
  const auto refused = t.f.one("http://hooks.vendor.example:" + std::to_string(closed) + "/");
  BOOST_TEST(name_of(refused.error) == "connect");
  BOOST_TEST(refused.timing.dns_us >= pause_us);
  BOOST_TEST(refused.timing.connect_us == 0U);
  BOOST_TEST(refused.timing.total_us >= refused.timing.dns_us);

  scripted_server hanging{[](peer& p) { p.hold(); }};
  const auto late = t.f.one(hanging.url(), 400);
  BOOST_TEST(name_of(late.error) == "timeout");
  BOOST_TEST(late.timing.connect_us > 0U);
  BOOST_TEST(late.timing.first_byte_us == 0U);
  BOOST_TEST(late.timing.total_us >= 400'000U);
}

BOOST_AUTO_TEST_SUITE_END()
