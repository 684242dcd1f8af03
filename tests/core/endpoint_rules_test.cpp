// What settings of endpoints are refused, and what follows from the ones that are taken.
#include "core/delivery/endpoint_rules.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/limits.hpp"
#include "core/delivery/certificates.hpp"
#include "core/delivery/lane.hpp"
#include "core/delivery/response.hpp"
#include "core/delivery/token_bucket.hpp"
#include "tests/support/test_certificates.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");

BOOST_AUTO_TEST_SUITE(owner_headers)

BOOST_AUTO_TEST_CASE(names) {
  for (const char* good : {"X-Key", "Authorization", "x", "X_1.~", "Apikey"}) {
    BOOST_TEST(!header_name_mistake(good).has_value(), good);
  }
  for (const char* bad : {"",
                          "X Key",
                          "X:",
                          "X\n",
                          "\xC3\xA9",
                          "Host",
                          "HOST",
                          "connection",
                          "Keep-Alive",
                          "Proxy-Authorization",
                          "TE",
                          "Trailer",
                          "Transfer-Encoding",
                          "Upgrade",
                          "Expect",
                          "Content-Type",
                          "content-length",
                          "Webhook-Id",
                          "webhook-signature",
                          "CMW-Event-Signature",
                          "User-Agent",
                          "Accept",
                          "Cookie"}) {
    BOOST_TEST(header_name_mistake(bad).has_value(), bad);
  }
  BOOST_TEST(header_name_mistake(std::string(limits::map_key_bytes_max + 1, 'x')).has_value());
}

BOOST_AUTO_TEST_CASE(values) {
  for (const char* good : {"a", "a b", "Bearer x", "*a*"}) {
    BOOST_TEST(!header_value_mistake(good).has_value(), good);
  }
  for (const char* bad : {"", " a", "a ", "a\r\nX: y", "a\tb", "\x7f", "\xC3\xA9", "********"}) {
    BOOST_TEST(header_value_mistake(bad).has_value(), bad);
  }
  // A mistake never repeats the value.
  BOOST_TEST(header_value_mistake("canary\n")->find("canary") == std::string::npos);
}

endpoint_header header(std::string name, std::string value = "v") {
  return {std::move(name), secret_bytes{std::move(value)}};
}

BOOST_AUTO_TEST_CASE(together) {
  endpoint_auth none;
  BOOST_TEST(!headers_mistake({header("A"), header("B")}, none).has_value());
  BOOST_TEST(headers_mistake({header("A"), header("a")}, none)->name == "a");
  BOOST_TEST(!headers_mistake({header("Authorization")}, none).has_value());
  for (const auto kind : {auth_kind::basic, auth_kind::bearer, auth_kind::oauth2}) {
    endpoint_auth auth;
    auth.kind = kind;
    BOOST_TEST(headers_mistake({header("authorization")}, auth)->name == "authorization");
  }
  endpoint_auth key;
  key.kind = auth_kind::api_key;
  key.name = "X-Key";
  BOOST_TEST(headers_mistake({header("x-key")}, key).has_value());
  BOOST_TEST(!headers_mistake({header("Authorization")}, key).has_value());
  std::vector<endpoint_header> many;
  for (std::size_t i = 0; i <= limits::endpoint_headers_max; ++i) {
    many.push_back(header("X-" + std::to_string(i)));
  }
  BOOST_TEST(headers_mistake(many, none).has_value());
  many.pop_back();
  BOOST_TEST(!headers_mistake(many, none).has_value());
  many.back().value = secret_bytes{std::string(limits::endpoint_headers_bytes_max, 'v')};
  BOOST_TEST(headers_mistake(many, none).has_value());
}

BOOST_AUTO_TEST_CASE(what_goes_on_the_wire) {
  endpoint e;
  e.headers = {header("X-A", "1")};
  const auto with = [&e](auth_kind kind, std::string name, std::string secret) {
    e.auth.kind = kind;
    e.auth.name = std::move(name);
    e.auth.secret = secret_bytes{std::move(secret)};
    return owner_header_lines(e);
  };
  using lines = std::vector<std::string>;
  BOOST_TEST((with(auth_kind::none, "", "") == lines{"X-A: 1"}));
  // RFC 7617, 2
  BOOST_TEST((with(auth_kind::basic, "Aladdin", "open sesame") ==
              lines{"X-A: 1", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}));
  BOOST_TEST((with(auth_kind::bearer, "", "t") == lines{"X-A: 1", "Authorization: Bearer t"}));
  BOOST_TEST((with(auth_kind::api_key, "X-Key", "k") == lines{"X-A: 1", "X-Key: k"}));
  BOOST_TEST((with(auth_kind::oauth2, "client", "s") == lines{"X-A: 1"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retry_formulas)

BOOST_AUTO_TEST_CASE(they_grow_to_the_cap) {
  BOOST_TEST((expand({10, 2, 60, 6}) ==
              std::vector<std::chrono::milliseconds>{0s, 10s, 20s, 40s, 60s, 60s}));
  BOOST_TEST((expand({1, 1.5, 100, 4}) == std::vector<std::chrono::milliseconds>{0s, 1s, 2s, 2s}));
  BOOST_TEST((expand({5, 3, 3, 2}) == std::vector<std::chrono::milliseconds>{0s, 3s}));
  BOOST_TEST(expand({5, 10, 604'800, 1}).size() == 1U);
  BOOST_TEST((expand({604'800, 10, 604'800, 32}).back() == 168h));  // nothing overflows
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(token_buckets)

BOOST_AUTO_TEST_CASE(a_burst_then_the_rate) {
  token_bucket b;
  timestamp now = noon;
  BOOST_TEST(b.has(now));  // no limit
  b.configure({2, 4}, now);
  BOOST_TEST(b.full(now));
  int sent = 0;
  for (; b.has(now); ++sent) b.take(now);
  BOOST_TEST(sent == 4);
  BOOST_TEST(!b.full(now));
  BOOST_TEST((b.next(now) == now + 500ms));
  now += 499ms;
  BOOST_TEST(!b.has(now));
  now += 1ms;
  BOOST_TEST(b.has(now));
  BOOST_TEST(!b.next(now).has_value());
  // Over ten seconds, looked at every 100 ms.
  sent = 0;
  for (int i = 0; i < 100; ++i, now += 100ms) {
    while (b.has(now)) {
      b.take(now);
      ++sent;
    }
  }
  BOOST_TEST(sent >= 20);
  BOOST_TEST(sent <= 21);
  now += 1h;
  for (sent = 0; b.has(now); ++sent) b.take(now);
  BOOST_TEST(sent == 4);  // an idle hour does not pile up
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_neither_fills_nor_stops_it) {
  token_bucket b;
  b.configure({1, 2}, noon);
  b.take(noon);
  b.take(noon);
  const timestamp earlier = noon - 1h;
  BOOST_TEST(!b.has(earlier));
  BOOST_TEST((b.next(earlier) == earlier + 1s));
  BOOST_TEST(b.has(earlier + 1s));
}

BOOST_AUTO_TEST_CASE(a_new_limit_keeps_what_was_used) {
  token_bucket b;
  b.configure({1, 10}, noon);
  for (int i = 0; i < 10; ++i) b.take(noon);
  b.configure({1, 100}, noon);
  BOOST_TEST(!b.has(noon));
  b.configure({}, noon);
  BOOST_TEST(b.has(noon));
  b.configure({1, 1}, noon);
  BOOST_TEST(b.has(noon));
  BOOST_TEST(!token_bucket{}.limited());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ages_and_wishes)

lane a_lane() {
  lane l;
  l.head_at = noon;
  return l;
}

BOOST_AUTO_TEST_CASE(age_counts_from_the_event_or_its_replay) {
  lane l = a_lane();
  BOOST_TEST(!too_old(l, 0ms, noon + 1000h));
  BOOST_TEST(!too_old(l, 1h, noon + 1h));
  BOOST_TEST(too_old(l, 1h, noon + 1h + 1ms));
  l.replayed_at = noon + 5h;
  BOOST_TEST(!too_old(l, 1h, noon + 6h));
  BOOST_TEST(too_old(l, 1h, noon + 6h + 1ms));
}

BOOST_AUTO_TEST_CASE(a_retry_after_the_end_is_given_up_now) {
  const lane l = a_lane();
  const lane_outcome later{lane_step::retry, noon + 2h, {}, false};
  BOOST_TEST((within_age(later, l, 3h).step == lane_step::retry));
  BOOST_TEST((within_age(later, l, 0ms).step == lane_step::retry));
  BOOST_TEST((within_age(later, l, 1h).step == lane_step::park));
  BOOST_TEST(within_age(later, l, 1h).reason == "expired");
  BOOST_TEST((within_age({lane_step::advance, {}, {}, false}, l, 1ms).step == lane_step::advance));
}

lane_outcome answered(int status, std::string control, bool on = true) {
  endpoint to;
  to.form = wire_form::standard;
  to.receiver_control = on;
  attempt_result r;
  r.status = status;
  r.control = std::move(control);
  return judge(classify(r, to, noon), 1, 0, {0s, 5s, 5s}, 0.0, 0.5, noon);
}

BOOST_AUTO_TEST_CASE(the_receiver_decides_when_it_may) {
  const auto aborted = answered(500, "abort-message");
  BOOST_TEST((aborted.step == lane_step::park));
  BOOST_TEST(aborted.reason == "aborted_by_receiver");
  BOOST_TEST(!aborted.disable_endpoint);
  const auto disabled = answered(400, "disable");
  BOOST_TEST(disabled.reason == "disabled_by_receiver");
  BOOST_TEST(disabled.disable_endpoint);
  // A delivered event stays delivered.
  BOOST_TEST((answered(200, "abort-message").step == lane_step::advance));
  BOOST_TEST(!answered(200, "abort-message").disable_endpoint);
  BOOST_TEST((answered(200, "disable").step == lane_step::advance));
  BOOST_TEST(answered(200, "disable").disable_endpoint);
  BOOST_TEST((answered(500, "Abort-Message").step == lane_step::retry));
  BOOST_TEST((answered(500, "abort-message", false).step == lane_step::retry));
  BOOST_TEST((answered(500, "disable", false).step == lane_step::retry));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(certificates)

BOOST_AUTO_TEST_CASE(a_pair_that_fits) {
  const auto checked = check_client_identity(tests::certificate_one, tests::key_one, noon);
  BOOST_REQUIRE(!checked.mistake.has_value());
  BOOST_TEST(format_rfc3339_ms(checked.expires_at).starts_with("2126-"));
  const std::string chain = std::string{tests::certificate_one} + tests::certificate_two;
  BOOST_TEST(!check_client_identity(chain, tests::key_one, noon).mistake.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const auto mistake = [](const std::string& certificate, const std::string& key,
                          timestamp now = noon) {
    const auto checked = check_client_identity(certificate, key, now);
    return !checked.mistake ? "" : (checked.mistake->of_key ? "key" : "certificate");
  };
  BOOST_TEST(mistake(tests::certificate_one, tests::key_two) == "key");
  BOOST_TEST(mistake(tests::certificate_one, tests::encrypted_key_one) == "key");
  BOOST_TEST(mistake(tests::certificate_one, "") == "key");
  BOOST_TEST(mistake(tests::certificate_one, tests::certificate_one) == "key");
  BOOST_TEST(mistake("", tests::key_one) == "certificate");
  BOOST_TEST(mistake(tests::key_one, tests::key_one) == "certificate");
  std::string cut{tests::certificate_one};
  cut.resize(cut.size() / 2);
  BOOST_TEST(mistake(cut, tests::key_one) == "certificate");
  BOOST_TEST(mistake(tests::certificate_one + cut, tests::key_one) == "certificate");
  const timestamp late = *parse_rfc3339("2127-01-01T00:00:00Z");
  BOOST_TEST(mistake(tests::certificate_one, tests::key_one, late) == "certificate");
}

BOOST_AUTO_TEST_CASE(authorities) {
  BOOST_TEST(!authorities_mistake(tests::certificate_one).has_value());
  BOOST_TEST(authorities_mistake("").has_value());
  BOOST_TEST(authorities_mistake(tests::key_one).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
