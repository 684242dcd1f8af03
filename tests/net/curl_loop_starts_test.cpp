// How many look-ups and TLS connections begin at once, and that waiting for that is not charged.
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <mutex>

#include "net/curl_loop.hpp"
#include "net/start_bound.hpp"
#include "tests/net/loop_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = loop_fixture;

namespace {

const std::string loopback_bytes{"\x7f\x00\x00\x01", 4};

// The loop has looked at all that was submitted.
void turn(curl_loop& loop) {
  results turned;
  loop.ping([slot = turned.slot()] { slot({}); });
  turned.wait(1);
}

// Waits without a bell: looks again every few milliseconds.
template <class Condition>
void wait_until(Condition condition) {
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock lock{mutex};
  for (int i = 0; i < 1'000 && !condition(); ++i) {
    changed.wait_for(lock, std::chrono::milliseconds{10});
  }
  BOOST_REQUIRE(condition());
}

std::uint32_t elapsed_us(std::chrono::steady_clock::time_point since) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - since)
                                        .count());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(start_bounds)

BOOST_AUTO_TEST_CASE(only_the_young_count) {
  start_bound bound{2, 100};
  BOOST_TEST(bound.next_room_us() == 0);
  BOOST_TEST(bound.has_room(0));
  const auto first = bound.begin(0);
  const auto second = bound.begin(50'000);
  BOOST_TEST(!bound.has_room(60'000));
  BOOST_TEST(bound.next_room_us() == 100'000);
  bound.end(second);
  BOOST_TEST(bound.has_room(60'000));
  bound.begin(60'000);
  BOOST_TEST(!bound.has_room(99'999));
  BOOST_TEST(bound.has_room(100'000));
  bound.end(first);
  bound.end(first);
  bound.end(0);
  bound.begin(100'000);
  BOOST_TEST(!bound.has_room(100'000));
}

BOOST_AUTO_TEST_CASE(look_ups) {
  scripted_server server{always(no_content)};
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  scripted_dns dns{[&](const std::string&, int) {
    std::unique_lock lock{mutex};
    opened.wait(lock, [&] { return open; });
    return scripted_dns::answer{{loopback_bytes}, 60, 0, false};
  }};
  curl_loop_options options;
  options.dns_servers = {dns.address()};
  options.dns_lookups_max = 2;
  options.start_patience_ms = 60'000;
  fixture f{loopback_rules(), options};
  results r;
  const auto url = [&](int i) {
    return "http://n" + std::to_string(i / 2) + ".vendor.example:" + std::to_string(server.port()) +
           "/";
  };
  for (int i = 0; i < 12; ++i) f.loop->submit(fixture::request(url(i), r));
  turn(*f.loop);
  turn(*f.loop);
  BOOST_TEST(f.loop->stats().dns_queries == 2U);  // each has two that wait for it
  BOOST_TEST(f.loop->stats().waiting == 8U);
  {
    const std::lock_guard lock{mutex};
    open = true;
  }
  opened.notify_all();
  for (const auto& result : r.wait(12)) BOOST_TEST(result.status == 204, result.detail);
  BOOST_TEST(f.loop->stats().dns_queries == 6U);
  BOOST_TEST(f.loop->stats().waiting == 0U);
}

BOOST_AUTO_TEST_CASE(silent_names_do_not_keep_others_from_beginning) {
  scripted_server server{always(no_content)};
  scripted_dns dns{[](const std::string& name, int) {
    return scripted_dns::answer{{loopback_bytes}, 60, 0, name.starts_with("silent")};
  }};
  curl_loop_options options;
  options.dns_servers = {dns.address()};
  options.dns_lookups_max = 2;
  options.start_patience_ms = 300;
  fixture f{loopback_rules(), options};
  const std::string rest = ".vendor.example:" + std::to_string(server.port()) + "/";
  results slow;
  const auto began = std::chrono::steady_clock::now();
  for (const char* name : {"silent1", "silent2"}) {
    f.loop->submit(fixture::request("http://" + std::string{name} + rest, slow, 3'000));
  }
  const auto result = f.one("http://healthy" + rest);
  BOOST_TEST(result.status == 204, result.detail);
  BOOST_TEST(elapsed_us(began) >= 250'000U);
  BOOST_TEST(result.timing.total_us < 250'000U);  // its own time only
  BOOST_TEST(elapsed_us(began) < 2'000'000U);
  f.loop->stop();
  for (const auto& left : slow.wait(2)) BOOST_TEST(left.detail == "stopped");
}

BOOST_AUTO_TEST_CASE(handshakes) {
  scripted_server stalling{[](peer& p) { p.hold(); }};
  scripted_server healthy{always(no_content), test::certificate_options{}};
  curl_loop_options options;
  options.ca_file = healthy.certificate_file();
  options.tls_handshakes_max = 2;
  options.start_patience_ms = 60'000;
  fixture f{loopback_rules(), options};
  const auto stalled = "https://127.0.0.1:" + std::to_string(stalling.port()) + "/";
  results slow;
  results quick;
  for (int i = 0; i < 4; ++i) f.loop->submit(fixture::request(stalled, slow, 400));
  f.loop->submit(fixture::request(healthy.url(), quick, 400));
  turn(*f.loop);
  turn(*f.loop);
  BOOST_TEST(f.loop->stats().waiting == 3U);
  // One after the other has its own time: the last of them began when four had ended.
  for (const auto& result : slow.wait(4)) {
    BOOST_TEST(name_of(result.error) == "timeout");
    BOOST_TEST(result.timing.total_us < 800'000U);
  }
  wait_until([&] { return stalling.connections() == 4; });
  const auto result = quick.wait(1).at(0);
  BOOST_TEST(result.status == 204, result.detail);
  BOOST_TEST(result.timing.total_us < 400'000U);
  // A connection that is there needs no place for longer than it takes to see that.
  for (int i = 0; i < 5; ++i) BOOST_TEST(f.one(healthy.url()).status == 204);
  BOOST_TEST(healthy.connections() == 1);
}

BOOST_AUTO_TEST_CASE(stalled_handshakes_do_not_keep_others_from_beginning) {
  scripted_server stalling{[](peer& p) { p.hold(); }};
  scripted_server healthy{always(no_content), test::certificate_options{}};
  curl_loop_options options;
  options.ca_file = healthy.certificate_file();
  options.tls_handshakes_max = 2;
  options.start_patience_ms = 100;
  fixture f{loopback_rules(), options};
  const auto stalled = "https://127.0.0.1:" + std::to_string(stalling.port()) + "/";
  results slow;
  for (int i = 0; i < 6; ++i) f.loop->submit(fixture::request(stalled, slow, 30'000));
  const auto result = f.one(healthy.url());
  BOOST_TEST(result.status == 204, result.detail);
  wait_until([&] { return stalling.connections() == 6; });  // while none of them has ended
  f.loop->stop();
  for (const auto& left : slow.wait(6)) BOOST_TEST(left.detail == "stopped");
}

BOOST_AUTO_TEST_CASE(what_waits_is_reported_at_the_end) {
  scripted_server stalling{[](peer& p) { p.hold(); }};
  curl_loop_options options;
  options.tls_handshakes_max = 1;
  options.start_patience_ms = 60'000;
  fixture f{loopback_rules(), options};
  results r;
  const auto url = "https://127.0.0.1:" + std::to_string(stalling.port()) + "/";
  for (int i = 0; i < 5; ++i) f.loop->submit(fixture::request(url, r, 30'000));
  wait_until([&] { return stalling.connections() == 1; });
  f.loop->stop();
  for (const auto& result : r.wait(5)) BOOST_TEST(result.detail == "stopped");
}

BOOST_AUTO_TEST_SUITE_END()
