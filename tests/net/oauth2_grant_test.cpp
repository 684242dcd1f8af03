// Access tokens: one fetch for many, used until they expire, renewed once upon a 401, never told.
#include "net/oauth2_grant.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <deque>

using namespace syndicated;
using namespace syndicated::net;
using namespace std::chrono_literals;

namespace {

core::endpoint_auth credentials() {
  core::endpoint_auth auth;
  auth.kind = core::auth_kind::oauth2;
  auth.name = "my client";
  auth.secret = core::secret_bytes{"canary:%"};
  auth.token_url = "https://id.example/token";
  auth.scope = "read write";
  auth.audience = "https://api.example/";
  return auth;
}

// Requests go to a list that the test answers.
struct place {
  std::chrono::steady_clock::time_point now{};
  std::deque<attempt_request> wire;
  std::vector<core::attempt_result> ended;
  std::atomic<std::uint64_t> fetches{0};
  std::shared_ptr<oauth2_grant> grant = std::make_shared<oauth2_grant>(
      credentials(), [this] { return now; }, &fetches);
  oauth2_grant::submitter submit = [this](attempt_request&& r) { wire.push_back(std::move(r)); };

  void send(int count = 1) {
    for (int i = 0; i < count; ++i) {
      attempt_request r;
      r.url = "https://vendor.example/hook";
      r.headers = {"webhook-id: evt_1"};
      r.body = std::make_shared<const std::string>("{}");
      r.done = [this](core::attempt_result&& result) { ended.push_back(std::move(result)); };
      grant->send(std::move(r), submit);
    }
  }
  attempt_request take() {
    BOOST_REQUIRE(!wire.empty());
    attempt_request r = std::move(wire.front());
    wire.pop_front();
    return r;
  }
  void answer(int status, std::string body = {}) {
    core::attempt_result result;
    result.status = status;
    result.excerpt = std::move(body);
    take().done(std::move(result));
  }
  void give_token(const std::string& token, int expires_in = 600) {
    BOOST_TEST_REQUIRE(!wire.empty());
    BOOST_TEST(wire.front().url == "https://id.example/token");
    answer(200, R"({"access_token":")" + token + R"(","token_type":"BEARER","expires_in":)" +
                    std::to_string(expires_in) + "}");
  }
  std::string bearer() const { return wire.front().headers.back(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(oauth2)

BOOST_FIXTURE_TEST_CASE(the_request_for_a_token, place) {
  send();
  BOOST_REQUIRE(wire.size() == 1U);
  BOOST_TEST(fetches.load() == 1U);
  const attempt_request& r = wire.front();
  BOOST_TEST(
      *r.body ==
      "grant_type=client_credentials&scope=read%20write&audience=https%3A%2F%2Fapi.example%2F");
  const auto has = [&r](const std::string& line) {
    return std::count(r.headers.begin(), r.headers.end(), line) == 1;
  };
  BOOST_TEST(has("Content-Type: application/x-www-form-urlencoded"));
  // base64 of "my%20client:canary%3A%25"
  BOOST_TEST(has("Authorization: Basic bXklMjBjbGllbnQ6Y2FuYXJ5JTNBJTI1"));
}

BOOST_FIXTURE_TEST_CASE(one_fetch_for_all_that_wait, place) {
  send(5);
  BOOST_REQUIRE(wire.size() == 1U);
  give_token("t1");
  BOOST_REQUIRE(wire.size() == 5U);
  send();
  BOOST_REQUIRE(wire.size() == 6U);
  while (!wire.empty()) {
    BOOST_TEST(wire.front().url == "https://vendor.example/hook");
    BOOST_TEST(wire.front().headers.front() == "webhook-id: evt_1");
    BOOST_TEST(bearer() == "Authorization: Bearer t1");
    answer(204);
  }
  BOOST_TEST(ended.size() == 6U);
}

BOOST_FIXTURE_TEST_CASE(a_token_is_renewed_before_it_expires, place) {
  send();
  give_token("t1", 100);
  answer(204);
  now += 89s;
  send();
  BOOST_TEST(bearer() == "Authorization: Bearer t1");
  answer(204);
  now += 1s;  // a tenth of its life is left
  send();
  give_token("t2", 100'000'000);
  BOOST_TEST(bearer() == "Authorization: Bearer t2");
  answer(204);
  now += 24h;  // however long the server promises
  send();
  give_token("t3");
  answer(204);
  BOOST_TEST(ended.size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_401_is_tried_once_more_with_a_fresh_token, place) {
  send();
  give_token("t1");
  answer(401);
  BOOST_TEST(ended.empty());
  give_token("t2");
  BOOST_TEST(bearer() == "Authorization: Bearer t2");
  answer(401);
  BOOST_REQUIRE(ended.size() == 1U);
  BOOST_TEST(ended[0].status == 401);
  BOOST_TEST(wire.empty());
}

BOOST_FIXTURE_TEST_CASE(a_late_401_does_not_end_the_fresh_token, place) {
  send(2);
  give_token("t1");
  attempt_request first = take();
  attempt_request second = take();
  core::attempt_result refused;
  refused.status = 401;
  first.done(core::attempt_result{refused});
  give_token("t2");
  second.done(core::attempt_result{refused});
  BOOST_REQUIRE(wire.size() == 2U);  // no further fetch
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(bearer() == "Authorization: Bearer t2");
    answer(204);
  }
  BOOST_TEST(ended.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(without_a_token_the_attempt_fails, place) {
  const auto failed_with = [this](auto&& respond) {
    now += 2s;
    ended.clear();
    send(3);
    BOOST_REQUIRE(wire.size() == 1U);
    respond();
    BOOST_REQUIRE(ended.size() == 3U);
    for (const auto& result : ended) {
      BOOST_TEST((result.error == core::attempt_error::auth));
      BOOST_TEST(result.detail.find("canary") == std::string::npos);
      BOOST_TEST(!result.detail.empty());
    }
  };
  failed_with([this] { answer(400, R"({"error":"invalid_client","hint":"canary"})"); });
  // Not again at once.
  send();
  BOOST_TEST(wire.empty());
  BOOST_TEST((ended.back().error == core::attempt_error::auth));
  failed_with([this] { answer(200, "canary"); });
  failed_with([this] { answer(200, R"({"access_token":"canary\r\nX: y"})"); });
  failed_with([this] { answer(200, R"({"token_type":"Bearer"})"); });
  failed_with([this] { answer(200, R"({"access_token":"canary","token_type":"mac"})"); });
  failed_with([this] {
    core::attempt_result blocked;
    blocked.error = core::attempt_error::blocked_destination;
    take().done(std::move(blocked));
  });
  now += 2s;
  send();
  give_token("t1");
  answer(204);
  BOOST_TEST(ended.back().status == 204);
}

BOOST_FIXTURE_TEST_CASE(a_loop_that_stops_is_not_a_failure, place) {
  send();
  core::attempt_result stopped;
  stopped.error = core::attempt_error::local;
  take().done(std::move(stopped));
  BOOST_TEST((ended.at(0).error == core::attempt_error::local));
}

BOOST_AUTO_TEST_CASE(answers_of_token_servers) {
  BOOST_TEST(parse_token_answer(R"({"access_token":"a"})")->lifetime.count() == 300);
  BOOST_TEST(parse_token_answer(R"({"access_token":"a","expires_in":"60"})")->lifetime.count() ==
             60);
  BOOST_TEST(parse_token_answer(R"({"access_token":"a","expires_in":1.5e9})")->lifetime.count() ==
             86'400);
  BOOST_TEST(parse_token_answer(R"({"access_token":"a","expires_in":-5})")->lifetime.count() == 0);
  for (const char* bad : {"", "[]", "null", "{}", R"({"access_token":5})", R"({"access_token":""})",
                          R"({"access_token":"a b"})"}) {
    BOOST_TEST(!parse_token_answer(bad).ok(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
