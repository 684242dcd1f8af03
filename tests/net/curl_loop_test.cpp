#include "net/curl_loop.hpp"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "tests/net/scripted_server.hpp"

using namespace syndicated;
using namespace syndicated::net;
using core::attempt_error;
using core::attempt_result;
using test::peer;
using test::scripted_dns;
using test::scripted_server;

namespace {

const std::string no_content = "HTTP/1.1 204 No Content\r\n\r\n";

core::egress_rules loopback_rules() {
  core::egress_rules rules;
  rules.allow_http = true;
  rules.allow_ip_literals = true;
  rules.allow = {*core::egress_exception::parse("127.0.0.0/8:*")};
  return rules;
}

std::shared_ptr<const core::egress_policy> policy_of(core::egress_rules rules) {
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
    const bool there = changed_.wait_for(lock, std::chrono::seconds{30},
                                         [&] { return all_.size() >= count; });
    BOOST_REQUIRE_MESSAGE(there, "only " << all_.size() << " of " << count << " results");
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<attempt_result> all_;
};

struct fixture {
  explicit fixture(core::egress_rules rules = loopback_rules(), curl_loop_options options = {}) {
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
scripted_server::script always(const std::string& answer) {
  return [answer](peer& p) {
    while (!p.read_request().empty()) {
      if (!p.send(answer)) return;
    }
  };
}

std::string name_of(attempt_error error) { return std::string{core::to_string(error)}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_loop_requests)

BOOST_AUTO_TEST_CASE(what_goes_on_the_wire) {
  std::mutex mutex;
  std::vector<std::string> seen;
  scripted_server server{[&](peer& p) {
    while (true) {
      const auto request = p.read_request();
      if (request.empty()) return;
      {
        const std::lock_guard lock{mutex};
        seen.push_back(request);
      }
      p.send(no_content);
    }
  }};
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);  // must be ignored
  fixture f;
  const auto fixed = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{
      "Content-Type: application/json", "Accept: application/json", "User-Agent: cmw/1"});
  results r;
  for (int i = 0; i < 3; ++i) {
    auto request = fixture::request(server.url("/a/../b?x=%2F"), r);
    if (i < 2) request.fixed_headers = fixed;
    if (i != 1) request.headers = {"CMW-Event-Signature: sha1=00", "X-N: " + std::to_string(i)};
    if (i == 2) request.body = nullptr;
    f.loop->submit(std::move(request));
    r.wait(static_cast<std::size_t>(i) + 1);
  }
  ::unsetenv("http_proxy");
  const auto got = r.wait(3);
  for (const auto& result : got) BOOST_TEST(result.status == 204);
  BOOST_REQUIRE(seen.size() == 3);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n";
  BOOST_TEST(seen[0] == "POST /a/../b?x=%2F HTTP/1.1\r\n" + host +
                            "CMW-Event-Signature: sha1=00\r\nX-N: 0\r\n"
                            "Content-Type: application/json\r\nAccept: application/json\r\n"
                            "User-Agent: cmw/1\r\nContent-Length: 32\r\n\r\n"
                            R"({"entity":"Subscription","id":1})");
  BOOST_TEST(seen[1] == "POST /a/../b?x=%2F HTTP/1.1\r\n" + host +
                            "Content-Type: application/json\r\nAccept: application/json\r\n"
                            "User-Agent: cmw/1\r\nContent-Length: 32\r\n\r\n"
                            R"({"entity":"Subscription","id":1})");
  BOOST_TEST(seen[2] == "POST /a/../b?x=%2F HTTP/1.1\r\n" + host +
                            "User-Agent: syndicated\r\nAccept: */*\r\n"
                            "CMW-Event-Signature: sha1=00\r\nX-N: 2\r\nContent-Length: 0\r\n\r\n");
  BOOST_TEST(server.connections() == 1);
  BOOST_TEST(f.loop->stats().connections_opened == 1U);
  BOOST_TEST(f.loop->stats().attempts == 3U);
  BOOST_TEST(f.loop->stats().in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(many_requests_share_few_connections) {
  scripted_server server{always(no_content)};
  fixture f;
  results r;
  constexpr std::size_t rounds = 20;
  constexpr std::size_t at_a_time = 16;
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (std::size_t i = 0; i < at_a_time; ++i) f.loop->submit(fixture::request(server.url(), r));
    r.wait(round * at_a_time);
  }
  const auto all = r.wait(rounds * at_a_time);
  BOOST_TEST(all.size() == rounds * at_a_time);
  for (const auto& result : all) BOOST_TEST(result.status == 204);
  BOOST_TEST(server.connections() <= static_cast<int>(at_a_time));
}

BOOST_AUTO_TEST_CASE(statuses_bodies_and_retry_after) {
  const struct {
    const char* answer;
    int status;
    const char* retry_after;
    const char* excerpt;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "", "ok"},
      {"HTTP/1.1 503 Busy\r\nretry-AFTER:  120 \r\nContent-Length: 0\r\n\r\n", 503, "120", ""},
      {"HTTP/1.1 429 X\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nRetry-After: 1\r\n"
       "Content-Length: 0\r\n\r\n",
       429, "Fri, 31 Dec 9999 23:59:59 GMT", ""},
      {"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", 302,
       "", ""},
      {"HTTP/1.1 307 X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", 307, "", ""},
      {"HTTP/1.1 103 Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
       "HTTP/1.1 204 No Content\r\n\r\n",
       204, "", ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", 200, "",
       "abc"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz", 200, "", "xyz"},
      {"HTTP/1.1 410 Gone\r\nSet-Cookie: a=b\r\nAlt-Svc: h2=\":1\"\r\nContent-Length: 0\r\n\r\n", 410,
       "", ""},
      {"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", 500, "", ""},
      {"HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n", 599, "", ""},
  };
  for (const auto& c : cases) {
    scripted_server server{always(c.answer)};
    fixture f;
    const auto result = f.one(server.url());
    BOOST_TEST(name_of(result.error) == "none", c.answer);
    BOOST_TEST(result.status == c.status, c.answer);
    BOOST_TEST(result.retry_after == c.retry_after, c.answer);
    BOOST_TEST(result.excerpt == c.excerpt, c.answer);
    BOOST_TEST(result.timing.total_us > 0U);
    BOOST_TEST(server.connections() == 1, c.answer);
  }
}

BOOST_AUTO_TEST_CASE(a_final_head_decides_whatever_the_body_does) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
  const scripted_server::script endless = [&](peer& p) {
    p.read_request();
    p.send(head);
    const std::string block(16 * 1024, 'x');
    while (p.send(block)) {
    }
  };
  const scripted_server::script short_body = [&](peer& p) {
    p.read_request();
    p.send(head + "abc");
  };
  const scripted_server::script hanging_body = [&](peer& p) {
    p.read_request();
    p.send(head + "abc");
    p.hold();
  };
  const scripted_server::script bad_chunk = [&](peer& p) {
    p.read_request();
    p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    p.hold();
  };
  const scripted_server::script reset_body = [&](peer& p) {
    p.read_request();
    p.send(head + "abc");
    p.reset();
  };
  for (const auto& script : {endless, short_body, hanging_body, bad_chunk, reset_body}) {
    scripted_server server{script};
    fixture f;
    const auto result = f.one(server.url(), 1'000);
    BOOST_TEST(name_of(result.error) == "none");
    BOOST_TEST(result.status == 200);
    BOOST_TEST(result.excerpt.size() <= 4'096U);
  }
  scripted_server server{endless};
  fixture f;
  BOOST_TEST(f.one(server.url()).excerpt == std::string(4'096, 'x'));
}

BOOST_AUTO_TEST_CASE(failures_below_http) {
  const auto after_request = [](const std::string& answer) -> scripted_server::script {
    return [answer](peer& p) {
      p.read_request();
      p.send(answer);
    };
  };
  std::string many_fields = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 2'000; ++i) many_fields += "X-" + std::to_string(i) + ": y\r\n";
  std::string storm;
  for (int i = 0; i < 2'000; ++i) storm += "HTTP/1.1 100 Continue\r\n\r\n";
  const struct {
    scripted_server::script script;
    const char* error;
  } cases[] = {
      {[](peer& p) { p.hold(); }, "timeout"},
      {[](peer& p) { p.read_request(); p.send("HTTP/1.1 2"); p.hold(); }, "timeout"},
      {[](peer& p) { p.read_request(); p.send("HTTP/1.1 200 OK\r\nX: y\r\n"); p.hold(); }, "timeout"},
      {[](peer& p) { p.read_request(); p.send("HTTP/1.1 100 Continue\r\n\r\n"); p.hold(); },
       "timeout"},
      {after_request("HTTP/1.1 100 Continue\r\n\r\n"), "protocol"},
      {[](peer& p) { p.read_request(); p.reset(); }, "protocol"},
      {[](peer& p) { p.read_request(); p.half_close(); p.hold(); }, "protocol"},
      {after_request("HTTP/1.1 200 OK\r\nX: y"), "protocol"},
      {after_request("hello\r\n\r\n"), "protocol"},
      {after_request("HTTP/1.1 2OO OK\r\n\r\n"), "protocol"},
      {after_request("HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n"), "protocol"},
      {after_request("HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n"), "protocol"},
      {after_request("SSH-2.0-OpenSSH_9\r\n"), "protocol"},
      {after_request("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), "protocol"},
      {after_request(many_fields), "response_too_large"},
      {after_request("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'y') + "\r\n\r\n"),
       "response_too_large"},
      {after_request("HTTP/1.1 200 OK\r\nX: " + std::string(400'000, 'y')), "response_too_large"},
      {after_request(storm), "response_too_large"},
  };
  for (const auto& c : cases) {
    scripted_server server{c.script};
    fixture f;
    const auto result = f.one(server.url(), 1'000);
    BOOST_TEST(name_of(result.error) == c.error, "case " << (&c - cases) << ": " << result.detail);
    BOOST_TEST(result.status == 0);
    BOOST_TEST(!result.detail.empty());
  }
}

BOOST_AUTO_TEST_CASE(refused_connection) {
  std::string url;
  {
    scripted_server gone{always(no_content)};
    url = gone.url();
  }
  fixture f;
  BOOST_TEST(name_of(f.one(url).error) == "connect");
}

BOOST_AUTO_TEST_CASE(a_dead_reused_connection_is_replaced) {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.send(no_content);  // and closes, although keep-alive was offered
  }};
  fixture f;
  for (int i = 0; i < 5; ++i) BOOST_TEST(f.one(server.url()).status == 204);
  BOOST_TEST(server.connections() == 5);
}

BOOST_AUTO_TEST_CASE(one_hanging_endpoint_does_not_delay_another) {
  scripted_server hanging{[](peer& p) { p.hold(); }};
  scripted_server healthy{always(no_content)};
  fixture f;
  results slow;
  for (int i = 0; i < 50; ++i) f.loop->submit(fixture::request(hanging.url(), slow, 3'000));
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) BOOST_TEST(f.one(healthy.url()).status == 204);
  BOOST_TEST((std::chrono::steady_clock::now() - before < std::chrono::seconds{2}));
  for (const auto& result : slow.wait(50)) BOOST_TEST(name_of(result.error) == "timeout");
}

BOOST_AUTO_TEST_CASE(stop_reports_what_is_in_flight) {
  scripted_server hanging{[](peer& p) { p.hold(); }};
  fixture f;
  results r;
  for (int i = 0; i < 10; ++i) f.loop->submit(fixture::request(hanging.url(), r, 30'000));
  f.loop->stop();
  f.loop->submit(fixture::request(hanging.url(), r, 30'000));
  const auto all = r.wait(11);
  BOOST_TEST(all.size() == 11U);
  for (const auto& result : all) {
    BOOST_TEST(name_of(result.error) == "local");
    BOOST_TEST(result.detail == "stopped");
  }
  BOOST_TEST(f.loop->stats().in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(a_loop_that_never_ran_reports_too) {
  auto made = curl_loop::create({}, policy_of(loopback_rules()));
  BOOST_REQUIRE(made.ok());
  results r;
  (*made)->submit(fixture::request("http://127.0.0.1:1/", r));
  made.value().reset();
  BOOST_TEST(r.wait(1).at(0).detail == "stopped");
}

BOOST_AUTO_TEST_CASE(ping_proves_that_the_loop_turns) {
  fixture f;
  results r;
  f.loop->ping([slot = r.slot()] { slot({}); });
  r.wait(1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(curl_loop_tls)

BOOST_AUTO_TEST_CASE(verified_and_kept_alive) {
  scripted_server server{always(no_content), test::certificate_options{}};
  curl_loop_options options;
  options.ca_file = server.certificate_file();
  fixture f{loopback_rules(), options};
  for (int i = 0; i < 3; ++i) {
    const auto result = f.one(server.url());
    BOOST_TEST(result.status == 204, result.detail);
    if (i == 0) BOOST_TEST(result.timing.tls_us > 0U);
  }
  BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(what_must_fail) {
  const auto failure = [](const test::certificate_options& certificate, bool trusted) {
    scripted_server server{always(no_content), certificate};
    curl_loop_options options;
    if (trusted) options.ca_file = server.certificate_file();
    fixture f{loopback_rules(), options};
    return name_of(f.one(server.url()).error);
  };
  BOOST_TEST(failure({}, true) == "none");
  BOOST_TEST(failure({}, false) == "tls");                   // untrusted
  BOOST_TEST(failure({"127.0.0.1", true}, true) == "tls");   // expired
  BOOST_TEST(failure({"127.0.0.2", false}, true) == "tls");  // another name
}

BOOST_AUTO_TEST_CASE(a_plain_server_is_not_spoken_to) {
  std::atomic<bool> got_request{false};
  scripted_server server{[&](peer& p) {
    if (!p.read_request().empty()) got_request = true;
    p.send(no_content);
  }};
  fixture f;
  const auto url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  const auto error = name_of(f.one(url, 1'000).error);
  BOOST_TEST((error == "tls" || error == "timeout"), error);
  BOOST_TEST(!got_request);
}

BOOST_AUTO_TEST_CASE(handshake_that_stalls) {
  // Accepts and never answers the client's hello.
  scripted_server server{[](peer& p) { p.hold(); }};
  fixture f;
  const auto url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  BOOST_TEST(name_of(f.one(url, 1'000).error) == "timeout");
}

BOOST_AUTO_TEST_SUITE_END()

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
      return scripted_dns::answer{first ? std::vector{bad, loopback_bytes}
                                        : std::vector{loopback_bytes, bad},
                                  60, 0, false};
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
    return scripted_dns::answer{{first ? loopback_bytes : std::string{"\x0a\x00\x00\x01", 4}}, 0, 0,
                                false};
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
