#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "net/curl_loop.hpp"
#include "tests/net/loop_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = loop_fixture;

BOOST_AUTO_TEST_SUITE(curl_loop_addresses)

namespace {

const std::string loopback_bytes{"\x7f\x00\x00\x01", 4};

struct dns_fixture {
  explicit dns_fixture(scripted_dns::script script, core::egress_rules rules = loopback_rules())
      : dns(std::move(script)), f(std::move(rules), with(dns)) {}
  static curl_loop_options with(const scripted_dns& dns) {
    curl_loop_options options;
    options.dns_servers = {dns.address()};
    return options;
  }
  scripted_dns dns;
  fixture f;
};

std::string named(const scripted_server& server, const std::string& host = "hooks.vendor.example") {
  return "http://" + host + ":" + std::to_string(server.port()) + "/";
}

}  // namespace

BOOST_AUTO_TEST_CASE(blocked_addresses_see_no_connection) {
  scripted_server server{always(no_content)};
  auto rules = loopback_rules();
  rules.allow = {*core::egress_exception::parse("127.0.0.2:" + std::to_string(server.port()))};
  fixture f{rules};
  BOOST_TEST(name_of(f.one(server.url()).error) == "blocked_destination");
  BOOST_TEST(f.loop->stats().blocked == 1U);
  BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(spellings_of_loopback_see_no_connection) {
  scripted_server server{always(no_content)};
  fixture f;
  const auto port = ":" + std::to_string(server.port()) + "/";
  for (const char* host : {"2130706433", "0x7f.1", "017700000001", "127.1", "[::ffff:127.0.0.1]",
                           "localhost", "x@127.0.0.1", "127.0.0.1.", "0x7f000001", "0177.0.0.1"}) {
    BOOST_TEST(name_of(f.one("http://" + std::string{host} + port).error) == "blocked_destination",
               host);
  }
  BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(names_are_resolved_once_and_cached) {
  scripted_server server{always(no_content)};
  std::mutex mutex;
  std::set<std::string> asked;
  dns_fixture d{[&](const std::string& name, int) {
    const std::lock_guard lock{mutex};
    asked.insert(name);
    return scripted_dns::answer{{loopback_bytes}, 60, 0, false};
  }};
  results r;
  for (int i = 0; i < 20; ++i) d.f.loop->submit(fixture::request(named(server), r));
  for (const auto& result : r.wait(20)) BOOST_TEST(result.status == 204, result.detail);
  BOOST_TEST(d.f.one(named(server)).status == 204);
  BOOST_TEST(d.f.loop->stats().dns_queries == 1U);
  BOOST_TEST(d.f.loop->stats().dns_cache_hits >= 1U);
  BOOST_TEST(d.dns.questions() == 2);  // A and AAAA
  BOOST_TEST((asked == std::set<std::string>{"hooks.vendor.example"}));
}

BOOST_AUTO_TEST_CASE(one_blocked_answer_blocks_all) {
  scripted_server server{always(no_content)};
  for (const bool first : {true, false}) {
    dns_fixture d{[&](const std::string&, int) {
      const std::string bad{"\xa9\xfe\xa9\xfe", 4};
      return scripted_dns::answer{
          first ? std::vector{bad, loopback_bytes} : std::vector{loopback_bytes, bad}, 60, 0,
          false};
    }};
    BOOST_TEST(name_of(d.f.one(named(server)).error) == "blocked_destination");
  }
  dns_fixture mapped{[&](const std::string&, int) {
    const std::string v4_mapped{"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01", 16};
    return scripted_dns::answer{{v4_mapped}, 60, 0, false};
  }};
  BOOST_TEST(name_of(mapped.f.one(named(server)).error) == "blocked_destination");
  BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(a_rebinding_name_stays_pinned_to_what_was_judged) {
  scripted_server server{always(no_content)};
  std::atomic<int> count{0};
  dns_fixture d{[&](const std::string&, int type) {
    if (type != 1) return scripted_dns::answer{};
    // First the allowed address, then a blocked one, each "valid" for no time at all.
    const bool first = count++ == 0;
    return scripted_dns::answer{
        {first ? loopback_bytes : std::string{"\x0a\x00\x00\x01", 4}}, 0, 0, false};
  }};
  for (int i = 0; i < 5; ++i) BOOST_TEST(d.f.one(named(server)).status == 204);
  BOOST_TEST(d.dns.questions() == 2);
}

BOOST_AUTO_TEST_CASE(failing_dns) {
  scripted_server server{always(no_content)};
  for (const int code : {2, 3}) {
    dns_fixture d{[code](const std::string&, int) {
      return scripted_dns::answer{{}, 60, code, false};
    }};
    BOOST_TEST(name_of(d.f.one(named(server)).error) == "dns");
  }
  dns_fixture none{[](const std::string&, int) { return scripted_dns::answer{}; }};
  BOOST_TEST(name_of(none.f.one(named(server)).error) == "dns");
}

BOOST_AUTO_TEST_CASE(silent_dns_delays_only_its_own_requests) {
  scripted_server server{always(no_content)};
  dns_fixture d{[](const std::string& name, int) {
    return scripted_dns::answer{{loopback_bytes}, 60, 0, name == "silent.vendor.example"};
  }};
  results slow;
  d.f.loop->submit(fixture::request(named(server, "silent.vendor.example"), slow, 1'000));
  BOOST_TEST(d.f.one(named(server)).status == 204);
  const auto before = std::chrono::steady_clock::now();
  BOOST_TEST(name_of(slow.wait(1).at(0).error) == "dns");
  BOOST_TEST((std::chrono::steady_clock::now() - before < std::chrono::milliseconds{2'500}));
}

BOOST_AUTO_TEST_CASE(of_many_answers_all_are_judged) {
  scripted_server server{always(no_content)};
  std::vector<std::string> answers(27, loopback_bytes);
  const auto script = [&](const std::string&, int) {
    return scripted_dns::answer{answers, 60, 0, false};
  };
  {
    dns_fixture d{script};
    BOOST_TEST(d.f.one(named(server)).status == 204);
  }
  answers.push_back(std::string{"\x0a\x00\x00\x01", 4});
  dns_fixture d{script};
  BOOST_TEST(name_of(d.f.one(named(server)).error) == "blocked_destination");
}

// Each refusal is noticed when it comes: waiting between them would use up the time for connecting.
BOOST_AUTO_TEST_CASE(addresses_that_refuse_are_passed_over) {
  scripted_server server{always(no_content)};
  dns_fixture d{[](const std::string&, int type) {
    if (type != 1) return scripted_dns::answer{};
    scripted_dns::answer many;
    for (char last = 2; last < 12; ++last) many.addresses.push_back({127, 0, 9, last});
    many.addresses.push_back(loopback_bytes);
    return many;
  }};
  BOOST_TEST(d.f.one(named(server), 2'000).status == 204);
}

// Wherever the server listens, the address of the other family is passed over.
BOOST_AUTO_TEST_CASE(either_family_may_be_the_one_that_answers) {
  scripted_server server{always(no_content)};
  const std::string v6_loopback{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16};
  auto rules = loopback_rules();
  rules.allow.push_back(*core::egress_exception::parse("[::1/128]:*"));
  dns_fixture d{
      [&](const std::string&, int type) {
        return scripted_dns::answer{{type == 1 ? loopback_bytes : v6_loopback}, 60, 0, false};
      },
      rules};
  BOOST_TEST(d.f.one(named(server)).status == 204);
}

BOOST_AUTO_TEST_CASE(a_new_policy_ends_old_connections) {
  scripted_server server{always(no_content)};
  fixture f;
  BOOST_TEST(f.one(server.url()).status == 204);
  BOOST_TEST(f.one(server.url()).status == 204);
  BOOST_TEST(server.connections() == 1);
  f.loop->set_policy(policy_of(loopback_rules()));
  BOOST_TEST(f.one(server.url()).status == 204);
  BOOST_TEST(server.connections() == 2);  // the idle one was not used again
  auto rules = loopback_rules();
  rules.deny = {*core::cidr::parse("127.0.0.0/8")};
  f.loop->set_policy(policy_of(rules));
  BOOST_TEST(name_of(f.one(server.url()).error) == "blocked_destination");
  BOOST_TEST(server.connections() == 2);
}

// libcurl closes a socket that never connected without telling; its number is then somebody else's.
BOOST_AUTO_TEST_CASE(a_new_policy_leaves_other_sockets_alone) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  BOOST_REQUIRE(::bind(listener, generic, length) == 0);
  BOOST_REQUIRE(::listen(listener, 0) == 0);
  BOOST_REQUIRE(::getsockname(listener, generic, &length) == 0);
  const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BOOST_REQUIRE(::connect(filler, generic, length) == 0);  // nobody else gets in
  fixture f;
  const auto url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  for (int i = 0; i < 2; ++i) BOOST_TEST(name_of(f.one(url, 300).error) == "timeout");
  std::vector<std::array<int, 2>> pairs(32);
  for (auto& pair : pairs)
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  f.loop->set_policy(policy_of(loopback_rules()));
  results turned;
  f.loop->ping([slot = turned.slot()] { slot({}); });
  turned.wait(1);
  for (const auto& pair : pairs) {
    BOOST_TEST(::send(pair[0], "x", 1, MSG_NOSIGNAL) == 1);
    BOOST_TEST(::send(pair[1], "x", 1, MSG_NOSIGNAL) == 1);
    ::close(pair[0]);
    ::close(pair[1]);
  }
  ::close(filler);
  ::close(listener);
}

BOOST_AUTO_TEST_CASE(plain_http_switched_off_later) {
  scripted_server server{always(no_content)};
  fixture f;
  BOOST_TEST(f.one(server.url()).status == 204);
  auto rules = loopback_rules();
  rules.allow_http = false;
  f.loop->set_policy(policy_of(rules));
  BOOST_TEST(name_of(f.one(server.url()).error) == "blocked_destination");
}

BOOST_AUTO_TEST_SUITE_END()
