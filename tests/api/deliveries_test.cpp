// What waits and what was tried at an endpoint, replay jobs, and the filters of the lists.
#include <boost/test/unit_test.hpp>

#include <string>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

BOOST_AUTO_TEST_SUITE(deliveries)

BOOST_AUTO_TEST_CASE(lanes_tests_and_replays_of_an_endpoint) {
  face f;
  const auto made =
      f.call("POST", "/v1/endpoints", R"({"url":"https://a.example.com/","scope":"platform"})");
  const std::string path = "/v1/endpoints/" + made.at("/id");
  core::lane lane;
  lane.key.stream = core::stream_of(core::subscription_id{5});
  lane.key.endpoint.value = std::stoull(made.at("/id"));
  lane.state = core::lane_state::parked;
  lane.backlog = 3;
  f.engine.all_lanes.push_back(lane);
  BOOST_TEST(f.call("GET", path + "/lanes?state=parked").at("/items/0/stream") == "subscription/5");
  BOOST_TEST(f.call("GET", path + "/lanes?state=pending").at("/items") == "[]");
  BOOST_TEST(f.call("GET", path + "/lanes?state=x").status() == 422);
  BOOST_TEST(f.call("POST", path + "/lanes/discard", R"({"stream":"subscription/5"})").status() ==
             200);
  BOOST_TEST(f.engine.discarded->stream.entity == 5U);
  BOOST_TEST(f.call("POST", path + "/lanes/discard", R"({"stream":"5"})").status() == 422);
  f.engine.test_answer.status = 503;
  const auto test = f.call("POST", path + "/test");
  BOOST_TEST(test.at("/status") == "503");
  BOOST_TEST(test.at("/error") == "http_503");
  const auto job =
      f.call("POST", path + "/replay", R"({"since":"2026-01-01T00:00:00Z","state":"parked"})");
  BOOST_TEST(job.status() == 202);
  BOOST_TEST(job.header("Location") == "/v1/jobs/7");
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/phase") == "running");
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/waiting") == "");
  f.engine.job->waiting = "no_space";
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/waiting") == "no_space");
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/refused") == "0");
  f.engine.job->refused = 3;
  f.engine.job->refusal = "not_found";
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/refused") == "3");
  BOOST_TEST(f.call("GET", "/v1/jobs/7").at("/refusal") == "not_found");
  BOOST_TEST(f.call("GET", "/v1/jobs/8").status() == 404);
  BOOST_TEST(f.call("POST", path + "/replay", R"({})").status() == 422);
  BOOST_TEST(f.call("POST", path + "/replay",
                    R"({"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"})")
                 .status() == 422);
  const std::string order = R"({"since":"2026-01-01T00:00:00Z","dry_run":true,"rate_per_s":10})";
  const tests::headers once{{"Idempotency-Key", "replay-1"}};
  BOOST_TEST(f.call("POST", path + "/replay", order, once).at("/dry_run") == "true");
  f.engine.job->phase = core::replay_phase::done;
  BOOST_TEST(f.call("POST", path + "/replay", order, once).at("/phase") == "running");
  BOOST_TEST(f.call("GET", "/v1/jobs").at("/items/0/phase") == "done");
  BOOST_TEST(f.call("GET", "/v1/jobs?endpoint_id=424242").status() == 404);
  BOOST_TEST(f.call("POST", "/v1/jobs/7/cancel").at("/phase") == "cancelled");
  BOOST_TEST(f.call("POST", "/v1/jobs/8/cancel").status() == 404);
  BOOST_TEST(f.call("POST", path + "/replay", R"({"since":"2026-01-01T00:00:00Z","rate_per_s":0})")
                 .status() == 422);
}

BOOST_AUTO_TEST_CASE(attempts_of_an_endpoint_and_a_given_up_event) {
  face f;
  const auto made =
      f.call("POST", "/v1/endpoints", R"({"url":"https://a.example.com/","scope":"platform"})");
  const std::string path = "/v1/endpoints/" + made.at("/id");
  actors::attempt_record attempt;
  attempt.endpoint.value = std::stoull(made.at("/id"));
  attempt.event.value = 9;
  attempt.ended = "parked";
  f.engine.all_attempts.push_back(attempt);
  BOOST_TEST(f.call("GET", path + "/attempts?outcome=parked&since=2026-01-01T00:00:00Z")
                 .at("/items/0/ended") == "parked");
  BOOST_TEST((f.engine.asked_attempts.choice == actors::attempt_choice::parked));
  BOOST_TEST(f.call("GET", path + "/attempts?outcome=lost").status() == 422);
  BOOST_TEST(f.call("GET", "/v1/endpoints/424242/attempts").status() == 404);
}

BOOST_AUTO_TEST_CASE(lists_are_filtered_by_field) {
  face f;
  f.call("POST", "/v1/vendors", R"({"name":"acme"})");
  for (const char* form : {"cloudesire", "standard"}) {
    f.call("POST", "/v1/endpoints",
           std::string{R"({"url":"https://a.example.com/","scope":"platform","form":")"} + form +
               "\"}");
  }
  const auto standard = f.call("GET", "/v1/endpoints?form=standard");
  BOOST_TEST(standard.at("/items/0/form") == "standard");
  BOOST_TEST(standard.at("/items/1") == "");
  BOOST_TEST(f.call("GET", "/v1/endpoints?form=xml").status() == 422);
  BOOST_TEST(f.call("GET", "/v1/vendors?name=acme").at("/items/0/name") == "acme");
  BOOST_TEST(f.call("GET", "/v1/vendors?name=other").at("/items") == "[]");
  BOOST_TEST(f.call("GET", "/v1/products?name=other").at("/items") == "[]");
  BOOST_TEST(f.call("GET", "/v1/plans?name=other").at("/items") == "[]");
  BOOST_TEST(f.call("GET", "/v1/subscriptions?type=TRIAL&name=x").status() == 200);
  BOOST_TEST(f.call("GET", "/v1/subscriptions?type=FREE").status() == 422);
  BOOST_TEST(f.call("GET", "/v1/tenants?name=x").status() == 200);
  BOOST_TEST(f.call("GET", "/v1/events?entity=subscription").status() == 200);
}

BOOST_AUTO_TEST_SUITE_END()
