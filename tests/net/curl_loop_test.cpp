#include "net/curl_loop.hpp"

#include <boost/test/unit_test.hpp>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "tests/net/loop_fixture.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = loop_fixture;

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

BOOST_AUTO_TEST_CASE(a_handle_asks_and_tells_in_turn) {
  std::mutex mutex;
  std::vector<std::string> seen;
  scripted_server server{[&](peer& p) {
    for (std::string request = p.read_request(); !request.empty(); request = p.read_request()) {
      {
        const std::lock_guard lock{mutex};
        seen.push_back(request);
      }
      p.send("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"value\":3.0}");
    }
  }};
  fixture f;
  results r;
  for (std::size_t i = 0; i < 3; ++i) {
    auto request = fixture::request(server.url("/m"), r);
    request.get = i == 1;
    if (request.get) request.body = nullptr;
    f.loop->submit(std::move(request));
    r.wait(i + 1);
  }
  for (const auto& result : r.wait(3)) BOOST_TEST(result.excerpt == "{\"value\":3.0}");
  BOOST_REQUIRE(seen.size() == 3);
  BOOST_TEST(seen[0].starts_with("POST /m HTTP/1.1\r\n"));
  BOOST_TEST(seen[1].starts_with("GET /m HTTP/1.1\r\n"));
  BOOST_TEST(seen[1].ends_with("\r\n\r\n"));
  BOOST_TEST(seen[1].find("Content-Length") == std::string::npos);
  BOOST_TEST(seen[2].starts_with("POST /m HTTP/1.1\r\n"));
  BOOST_TEST(seen[2].ends_with(R"({"entity":"Subscription","id":1})"));
  BOOST_TEST(server.connections() == 1);
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
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", 200,
       "", "abc"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz", 200, "", "xyz"},
      {"HTTP/1.1 410 Gone\r\nSet-Cookie: a=b\r\nAlt-Svc: h2=\":1\"\r\nContent-Length: 0\r\n\r\n",
       410, "", ""},
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
      {[](peer& p) {
         p.read_request();
         p.send("HTTP/1.1 2");
         p.hold();
       },
       "timeout"},
      {[](peer& p) {
         p.read_request();
         p.send("HTTP/1.1 200 OK\r\nX: y\r\n");
         p.hold();
       },
       "timeout"},
      {[](peer& p) {
         p.read_request();
         p.send("HTTP/1.1 100 Continue\r\n\r\n");
         p.hold();
       },
       "timeout"},
      {after_request("HTTP/1.1 100 Continue\r\n\r\n"), "protocol"},
      {[](peer& p) {
         p.read_request();
         p.reset();
       },
       "send"},
      {[](peer& p) {
         p.read_request();
         p.half_close();
         p.hold();
       },
       "send"},
      {[](peer& p) { p.half_close(); }, "send"},
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

// libcurl would go through all kept connections that break, each time with the whole request.
BOOST_AUTO_TEST_CASE(a_request_is_sent_at_most_twice) {
  constexpr int kept = 4;
  std::mutex mutex;
  std::condition_variable changed;
  int there = 0;
  std::atomic<int> lost{0};
  scripted_server server{[&](peer& p) {
    if (p.read_request().empty()) return;
    {
      std::unique_lock lock{mutex};
      ++there;
      changed.notify_all();
      changed.wait_for(lock, std::chrono::seconds{10}, [&] { return there >= kept; });
    }
    p.send(no_content);
    if (!p.read_request().empty()) ++lost;  // and closes without an answer
  }};
  fixture f;
  results r;
  for (int i = 0; i < kept; ++i) f.loop->submit(fixture::request(server.url(), r));
  for (const auto& result : r.wait(kept)) BOOST_TEST(result.status == 204);
  BOOST_TEST(server.connections() == kept);
  BOOST_TEST(name_of(f.one(server.url()).error) == "send");
  BOOST_TEST(lost == 2);
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
