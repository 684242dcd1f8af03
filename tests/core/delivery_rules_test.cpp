// Signatures, envelopes, answers, retries: public vectors and tables.
#include <boost/test/unit_test.hpp>

#include "core/delivery/concurrency.hpp"
#include "core/delivery/envelope.hpp"
#include "core/delivery/lane.hpp"
#include "core/delivery/response.hpp"
#include "core/delivery/retry_policy.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");

event an_event() {
  event e;
  e.id = {17};
  e.stream = {entity_kind::subscription, 2388};
  e.seq = 3;
  e.name = "subscription.activated";
  e.type = wire_type::modified;
  e.at = *parse_rfc3339("2015-01-12T11:19:30.987Z");
  e.metadata = {{"status", "DEPLOYED"}};
  e.data = R"({"id":2388,"version":3,"seq":3})";
  return e;
}

BOOST_AUTO_TEST_SUITE(signatures)

// domain.md 1.4
BOOST_AUTO_TEST_CASE(cloudesire_vectors) {
  BOOST_TEST(
      cloudesire_signature("MY_SECRET_TOKEN",
                           R"({"date":"2015-01-12T11:19:30Z","entity":"Subscription",)"
                           R"("entityUrl":"subscription/2388","id":"2388","type":"CREATED"})") ==
      "sha1=5b6798a18462ff7b733e42aa50bc8e0586425948");
  BOOST_TEST(cloudesire_signature("MY_SECRET_TOKEN",
                                  R"({"id":2388,"eventId":1,"entity":"Subscription",)"
                                  R"("date":"2015-01-12T11:19:30Z","type":"CREATED",)"
                                  R"("entityUrl":"subscription/2388"})") ==
             "sha1=b9fecbabb158ecc57bc120ff231e8fb5e56fa9cf");
  BOOST_TEST(cloudesire_signature("MY_SECRET_TOKEN", "") ==
             "sha1=c7ef69965ad26c0e1310ed03d98e0ea23233ce9a");
  BOOST_TEST(cloudesire_signature("ch\xC3\xA8ve-\xE2\x82\xAC",
                                  "{\"entity\":\"User\",\"metadata\":{\"name\":\"Zo\xC3\xAB\"}}") ==
             "sha1=5d1bd1b3d950091b516890cacaa193512428fd49");
  BOOST_TEST(cloudesire_signature("key", "The quick brown fox jumps over the lazy dog") ==
             "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
}

// delivery.md 5.1
BOOST_AUTO_TEST_CASE(standard_webhooks_vectors) {
  const auto first = decode_standard_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  BOOST_TEST(standard_signature(*first, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                R"({"test": 2432232314})") ==
             "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const auto second = decode_standard_secret("whsec_plJ3nmyCDGBKInavdOK15jsl");
  BOOST_REQUIRE(!second.ok());  // 18 bytes: shorter than what the standard asks for
  const auto key = base64_decode("plJ3nmyCDGBKInavdOK15jsl");
  BOOST_TEST(standard_signature(*key, "msg_loFOjxBNrRLzqYUf", 1731705121,
                                R"({"event_type":"ping","data":{"success":true}})") ==
             "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}

BOOST_AUTO_TEST_CASE(base64_both_ways) {
  for (const auto& [plain, coded] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    BOOST_TEST(base64_encode(plain) == coded);
    BOOST_TEST(*base64_decode(coded) == plain);
  }
  for (const char* bad : {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9\n", "Z-8=", "=Zm8"}) {
    BOOST_TEST(!base64_decode(bad).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(envelopes)

// domain.md 10.12: exact keys, alphabetical, compact, whole seconds, numbers as numbers.
BOOST_AUTO_TEST_CASE(the_cloudesire_form_byte_for_byte) {
  const event e = an_event();
  BOOST_TEST(
      render_cloudesire(e, id_format::number, true, false, e.type) ==
      R"({"date":"2015-01-12T11:19:30Z","entity":"Subscription","entityUrl":"subscription/2388",)"
      R"("eventId":17,"id":2388,"type":"MODIFIED"})");
  BOOST_TEST(
      render_cloudesire(e, id_format::string, false, true, e.type) ==
      R"({"date":"2015-01-12T11:19:30Z","entity":"Subscription","entityUrl":"subscription/2388",)"
      R"("id":"2388","metadata":{"status":"DEPLOYED"},"type":"MODIFIED"})");
}

BOOST_AUTO_TEST_CASE(the_standard_form_byte_for_byte) {
  BOOST_TEST(render_standard(an_event()) ==
             R"({"type":"subscription.activated","timestamp":"2015-01-12T11:19:30.987Z",)"
             R"("data":{"id":2388,"version":3,"seq":3}})");
  BOOST_TEST(webhook_id({17}) == "evt_17");
}

BOOST_AUTO_TEST_CASE(some_events_have_no_cloudesire_form) {
  event e = an_event();
  BOOST_TEST(sent_in(wire_form::cloudesire, e));
  e.type = wire_type::none;
  BOOST_TEST(!sent_in(wire_form::cloudesire, e));
  BOOST_TEST(sent_in(wire_form::standard, e));
}

BOOST_AUTO_TEST_CASE(filters) {
  BOOST_TEST(matches({"*"}, "subscription.created"));
  BOOST_TEST(matches({"subscription.*"}, "subscription.created"));
  BOOST_TEST(!matches({"subscription.*"}, "subscriptions.created"));
  BOOST_TEST(!matches({"subscription.*"}, "tenant.created"));
  BOOST_TEST(matches({"tenant.created", "subscription.renewed"}, "subscription.renewed"));
  BOOST_TEST(!matches({}, "subscription.renewed"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers)

endpoint to(wire_form form) {
  endpoint e;
  e.form = form;
  return e;
}

response_class of_status(int status, wire_form form = wire_form::standard) {
  attempt_result r;
  r.status = status;
  return classify(r, to(form), noon).kind;
}

BOOST_AUTO_TEST_CASE(every_status_has_its_class) {
  using rc = response_class;
  for (int s = 100; s <= 999; ++s) {
    rc expected = rc::failure;
    if (s >= 200 && s <= 299) expected = rc::delivered;
    if (s == 410) expected = rc::gone;
    if (s == 413 || s == 431) expected = rc::rejected_size;
    if (s == 408 || s == 425 || s == 429 || s >= 500) expected = rc::overload;
    BOOST_TEST(to_string(of_status(s)) == to_string(expected), s);
  }
}

BOOST_AUTO_TEST_CASE(cloudesire_takes_200_and_204_only) {
  BOOST_TEST((of_status(200, wire_form::cloudesire) == response_class::delivered));
  BOOST_TEST((of_status(204, wire_form::cloudesire) == response_class::delivered));
  BOOST_TEST((of_status(202, wire_form::cloudesire) == response_class::failure));
  endpoint own = to(wire_form::cloudesire);
  own.success_codes = {202};
  attempt_result r;
  r.status = 202;
  BOOST_TEST((classify(r, own, noon).kind == response_class::delivered));
}

BOOST_AUTO_TEST_CASE(errors_below_http) {
  const auto of_error = [](attempt_error e) {
    attempt_result r;
    r.error = e;
    return classify(r, to(wire_form::standard), noon);
  };
  for (auto e : {attempt_error::dns, attempt_error::connect, attempt_error::tls,
                 attempt_error::timeout, attempt_error::send}) {
    BOOST_TEST((of_error(e).kind == response_class::overload));
    BOOST_TEST(of_error(e).of_origin);
  }
  BOOST_TEST((of_error(attempt_error::blocked_destination).kind == response_class::blocked));
  BOOST_TEST((of_error(attempt_error::response_too_large).kind == response_class::failure));
  BOOST_TEST((of_error(attempt_error::local).kind == response_class::local));
  BOOST_TEST((of_error(attempt_error::auth).kind == response_class::failure));
  BOOST_TEST(of_error(attempt_error::response_too_large).of_origin);
  for (auto e : {attempt_error::blocked_destination, attempt_error::local, attempt_error::auth}) {
    BOOST_TEST(!of_error(e).of_origin);
  }
}

BOOST_AUTO_TEST_CASE(retry_after) {
  const auto seconds = [](std::string_view text) -> long {
    const auto parsed = parse_retry_after(text, noon);
    return parsed ? static_cast<long>(parsed->count() / 1000) : -1;
  };
  BOOST_TEST(seconds("0") == 0);
  BOOST_TEST(seconds(" 120 ") == 120);
  BOOST_TEST(seconds("86400") == 86400);
  BOOST_TEST(seconds("Sat, 21 Nov 2026 12:01:00 GMT") == 60);
  for (const char* ignored :
       {"", "-1", "86401", "1e3", "inf", "NaN", "1.5", "999999999999999999999999999999",
        "Sat, 21 Nov 2026 11:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
        "Saturday, 21-Nov-26 12:01:00 GMT", "Sat Nov 21 12:01:00 2026",
        "Sat, 31 Feb 2026 12:01:00 GMT", "12:00", "soon"}) {
    BOOST_TEST(seconds(ignored) == -1, ignored);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retries)

BOOST_AUTO_TEST_CASE(the_default_schedule_spans_three_days_in_ten_attempts) {
  const auto schedule = default_schedule();
  BOOST_TEST(schedule.size() == 10U);
  std::chrono::milliseconds sum{0};
  for (auto pause : schedule) sum += pause;
  BOOST_TEST((sum >= 72h));
}

BOOST_AUTO_TEST_CASE(jitter_stays_within_its_bounds) {
  const std::vector<std::chrono::milliseconds> schedule{0ms, 1000ms};
  BOOST_TEST(pause_after(1, schedule, 0.2, 0.0)->count() == 800);
  BOOST_TEST(pause_after(1, schedule, 0.2, 0.5)->count() == 1000);
  BOOST_TEST(pause_after(1, schedule, 0.2, 0.999)->count() < 1200);
  BOOST_TEST(pause_after(1, schedule, 1.0, 0.0)->count() == 500);  // never below half
  BOOST_TEST(!pause_after(2, schedule, 0.2, 0.5).has_value());
}

lane_outcome judged(response_class kind, std::uint32_t attempts,
                    std::optional<std::chrono::milliseconds> retry_after = {}) {
  return judge({kind, "x", retry_after}, attempts, attempts, default_schedule(), 0.0, 0.5, noon);
}

BOOST_AUTO_TEST_CASE(tries_of_one_kind_count_by_themselves) {
  const verdict large{response_class::rejected_size, "http_413"};
  const verdict blocked{response_class::blocked, "blocked_destination"};
  const auto step = [](const verdict& v, std::uint32_t made, std::uint32_t alike) {
    return judge(v, made, alike, default_schedule(), 0.0, 0.5, noon);
  };
  BOOST_TEST((step(large, 3, 1).step == lane_step::retry));
  BOOST_TEST(step(large, 3, 1).alike == 1U);
  BOOST_TEST((step(blocked, 7, 2).step == lane_step::retry));
  BOOST_TEST(step(blocked, 7, 3).reason == "blocked_destination");

  lane l;
  l.attempts = 5;
  l.last_error = "http_503";
  l.last_status = 503;
  BOOST_TEST(tries_alike(l, large) == 1U);
  l = {};
  l.alike = 2;
  l.last_status = 431;
  BOOST_TEST(tries_alike(l, large) == 3U);
  BOOST_TEST(tries_alike(l, blocked) == 1U);
  l.last_status = 0;
  l.last_error = "blocked_destination";
  BOOST_TEST(tries_alike(l, blocked) == 3U);
  BOOST_TEST(tries_alike(l, large) == 1U);
  BOOST_TEST(tries_alike(l, {response_class::overload, "http_503"}) == 0U);
}

BOOST_AUTO_TEST_CASE(what_follows_an_attempt) {
  BOOST_TEST((judged(response_class::delivered, 1).step == lane_step::advance));
  BOOST_TEST((judged(response_class::failure, 1).due == noon + 5s));
  BOOST_TEST((judged(response_class::overload, 2).due == noon + 5min));
  BOOST_TEST((judged(response_class::overload, 1, 60s).due == noon + 60s));  // a floor
  BOOST_TEST((judged(response_class::overload, 2, 60s).due == noon + 5min));
  BOOST_TEST(judged(response_class::failure, 10).reason == "exhausted");
  BOOST_TEST(judged(response_class::gone, 1).reason == "gone");
  BOOST_TEST(judged(response_class::gone, 1).disable_endpoint);
  BOOST_TEST((judged(response_class::rejected_size, 2).step == lane_step::retry));
  BOOST_TEST(judged(response_class::rejected_size, 3).reason == "rejected_size");
  BOOST_TEST((judged(response_class::blocked, 2).due == noon + 12h));
  BOOST_TEST(judged(response_class::blocked, 3).reason == "blocked_destination");
  BOOST_TEST((judged(response_class::local, 99).step == lane_step::retry));
}

BOOST_AUTO_TEST_CASE(no_outcome_lets_a_lane_wait_for_longer_than_the_longest_wait) {
  using pauses = std::vector<std::chrono::milliseconds>;
  const pauses slow{0s, 10min, 72h, 7 * 24h};
  for (const auto& schedule : {default_schedule(), slow, pauses{}}) {
    for (const double jitter : {0.0, 0.2, 0.5}) {
      const auto longest = longest_wait(schedule, jitter);
      for (std::uint32_t made = 1; made <= 12; ++made) {
        for (const double random : {0.0, 0.5, 0.999999}) {
          for (const auto kind : {response_class::failure, response_class::overload,
                                  response_class::blocked, response_class::local}) {
            verdict v{kind, "", 24h};
            const auto out = judge(v, made, made, schedule, jitter, random, noon);
            if (out.step == lane_step::retry) BOOST_TEST(waits(out.due, longest, noon));
          }
        }
      }
    }
  }
  BOOST_TEST((longest_wait(slow, 0.5) == 7 * 36h + 1min));
  BOOST_TEST((longest_wait({0s}, 0.5) == 24h + 1min));
  BOOST_TEST(!waits(noon, 1h, noon));
  BOOST_TEST(waits(noon + 1h, 1h, noon));
  BOOST_TEST(!waits(noon + 1h + 1ms, 1h, noon));
}

BOOST_AUTO_TEST_CASE(concurrency_grows_by_cohorts_and_shrinks_once_per_run_of_failures) {
  concurrency_window w{4};
  BOOST_TEST(w.limit() == 1);
  w.on_success();
  BOOST_TEST(w.limit() == 2);
  w.on_success();
  BOOST_TEST(w.limit() == 2);
  w.on_success();
  BOOST_TEST(w.limit() == 3);
  w.on_overload();
  w.on_overload();
  BOOST_TEST(w.limit() == 2);  // one step for the run's beginning
  w.on_overload();
  BOOST_TEST(w.limit() == 1);  // a whole cohort failed
  w.on_overload();
  BOOST_TEST(w.limit() == 1);
  w.on_success();
  BOOST_TEST(w.limit() == 2);
  w.on_overload();
  BOOST_TEST(w.limit() == 1);
  for (int i = 0; i < 100; ++i) w.on_success();
  BOOST_TEST(w.limit() == 4);
  w.set_max(2);
  BOOST_TEST(w.limit() == 2);
  w.restart();
  BOOST_TEST(w.limit() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
