// What vendors see and do beside reports: prospects, changelogs, their events, stubs.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

// Two endpoints of the vendor, one of another's, and an event that all of them hear of.
struct stall : face {
  stall() : token(make_token(core::role::vendor, vendor)), number(subscribe()) {
    first = endpoint(R"("scope":"vendor","scope_id":)" + std::to_string(vendor));
    second = endpoint(R"("scope":"product","scope_id":)" + std::to_string(product));
    foreign = endpoint(R"("scope":"platform")");
    event = add_event(core::wire_type::modified, "subscription.activated");
  }

  std::uint64_t endpoint(const std::string& scope) {
    return make("/v1/endpoints", R"({"url":"https://e)" + std::to_string(++urls) +
                                     R"(.example.com/hook",)" + scope + "}");
  }
  std::uint64_t add_event(core::wire_type type, std::string name) {
    core::event e;
    e.id.value = 500 + engine.all_events.size();
    e.stream = core::stream_of(core::subscription_id{number});
    e.seq = engine.all_events.size() + 1;
    e.name = std::move(name);
    e.type = type;
    e.at = core::from_unix_ms(1'500'000'000'000);
    e.vendor.value = vendor;
    e.entity_version = 3;
    e.data = R"({"id":1,"status":"DEPLOYED"})";
    e.recipients = {{first}, {second}, {foreign}};
    engine.all_events[e.id.value] = e;
    auto& known = engine.all_deliveries[e.id.value];
    for (const core::endpoint_id to : e.recipients) {
      actors::delivery d;
      d.endpoint = to;
      d.state = actors::delivery_state::delivered;
      known.push_back(d);
    }
    return e.id.value;
  }
  actors::delivery& delivery(std::size_t index) { return engine.all_deliveries[event][index]; }
  tests::reply vend(std::string_view method, const std::string& target, std::string body = {},
                    tests::headers more = {}) {
    more.push_back({"CMW-Auth-Token", token});
    return call(method, target, std::move(body), std::move(more), "");
  }
  std::string one(std::string_view more = "") const {
    return "/api/event/" + std::to_string(event) + std::string{more};
  }

  std::string token;
  std::uint64_t number = 0, first = 0, second = 0, foreign = 0, event = 0;
  int urls = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(vendor_face)

BOOST_AUTO_TEST_CASE(a_subscription_tells_what_may_be_asked_of_it) {
  stall s;
  const std::string path = "/api/subscription/" + std::to_string(s.number);
  const auto operations = [&] { return s.vend("GET", path).at("/availableOperations"); };
  BOOST_TEST(operations().find("RENEW\"") != std::string::npos);  // AUTORENEW
  BOOST_TEST(operations().find("\"START\"") != std::string::npos);
  BOOST_TEST(operations().find("\"STOP\"") == std::string::npos);
  BOOST_TEST(operations().find("KILL") == std::string::npos);
  BOOST_TEST(s.call("GET", path).at("/availableOperations").find("KILL") != std::string::npos);
  BOOST_TEST(s.vend("PATCH", path, R"({"deploymentStatus":"DEPLOYED"})").status() == 204);
  BOOST_TEST(operations().find("\"STOP\"") != std::string::npos);
  BOOST_TEST(operations().find("\"START\"") == std::string::npos);
  BOOST_TEST(s.vend("GET", path).at("/possibleUpgrades") == "[]");
  const std::uint64_t large =
      s.make("/v1/plans", R"({"name":"Large","product_id":)" + std::to_string(s.product) + "}");
  s.make("/v1/plans",
         R"({"name":"Not yet","state":"draft","product_id":)" + std::to_string(s.product) + "}");
  s.make("/v1/plans", R"({"name":"X","product_id":)" + std::to_string(s.other_product) + "}");
  const auto shown = s.vend("GET", path);
  BOOST_TEST(shown.json().at("possibleUpgrades").as_array().size() == 1U);
  BOOST_TEST(shown.at("/possibleUpgrades/0/url") == "productVersion/" + std::to_string(large));
  BOOST_TEST(operations().find("SYNDICATED_UPGRADE") != std::string::npos);
  BOOST_TEST(s.vend("PATCH", path, R"({"action":"ALTER_DATES","endDate":"2030-01-01"})").status() ==
             422);
}

BOOST_AUTO_TEST_CASE(parameters_are_named_by_their_urls) {
  stall s;
  s.call("PATCH", "/v1/products/" + std::to_string(s.product),
         R"({"config_parameters":[{"code":"domain","name":"Domain","required":true}]})");
  core::product edited = *s.engine.items->find(core::product_id{s.product});
  constexpr std::uint64_t parameter = 77;
  edited.config_parameters.at(0).id.value = parameter;
  s.engine.items->all_products[s.product] = std::make_shared<const core::product>(edited);
  const std::uint64_t id = s.subscribe(R"(,"paid":true,"config":{"domain":"a.example","x":"y"})");
  const std::string url = "configurationParameter/" + std::to_string(parameter);
  const auto shown = s.vend("GET", "/api/subscription/" + std::to_string(id)).json();
  const auto& given = shown.at("configurationParameters").as_object();
  BOOST_TEST(given.at(url).as_string() == "a.example");
  BOOST_TEST(given.at("x").as_string() == "y");
  const auto told = s.vend("GET", "/api/" + url);
  BOOST_TEST(told.status() == 200);
  BOOST_TEST(told.at("/identifier") == "domain");
  BOOST_TEST(told.at("/required") == "true");
  BOOST_TEST(told.at("/product/url") == "product/" + std::to_string(s.product));
  BOOST_TEST(s.vend("GET", "/api/configurationParameter/987654").status() == 404);
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("GET", "/api/" + url, {}, {}, other).status() == 404);
}

BOOST_AUTO_TEST_CASE(a_changelog_is_the_stream) {
  stall s;
  s.add_event(core::wire_type::none, "subscription.metadata_changed");
  const std::string path = "/api/subscription/" + std::to_string(s.number) + "/changelog";
  const auto log = s.vend("GET", path);
  BOOST_TEST_REQUIRE(log.status() == 200);
  BOOST_TEST(log.header("CMW-TotalItems") == "2");
  BOOST_TEST(log.at("/0/id") == std::to_string(s.event));
  BOOST_TEST(log.at("/0/name") == "subscription.activated");
  BOOST_TEST(log.at("/0/type") == "MODIFIED");
  BOOST_TEST(log.at("/0/deploymentStatus") == "DEPLOYED");
  BOOST_TEST(log.at("/0/version") == "3");
  BOOST_TEST(log.at("/1/type") == "null");
  BOOST_TEST(s.vend("GET", path + "?pageNumber=2&pageSize=1").json().as_array().size() == 1U);
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("GET", path, {}, {}, other).status() == 404);
}

BOOST_AUTO_TEST_CASE(events_are_rows_of_the_callers_endpoints) {
  stall s;
  s.add_event(core::wire_type::none, "subscription.metadata_changed");  // not of this form
  s.delivery(1).state = actors::delivery_state::pending;
  s.delivery(1).due = core::from_unix_ms(1'600'000'000'000);
  s.delivery(1).last_error = "http_503";
  const auto all = s.vend("GET", "/api/event");
  BOOST_TEST_REQUIRE(all.status() == 200);
  BOOST_TEST(all.header("CMW-TotalItems") == "2");
  BOOST_TEST(all.at("/0/id") == std::to_string(s.event));
  BOOST_TEST(all.at("/0/entityName") == "Subscription");
  BOOST_TEST(all.at("/0/entityId") == std::to_string(s.number));
  BOOST_TEST(all.at("/0/entityUrl/url") == "subscription/" + std::to_string(s.number));
  BOOST_TEST(all.at("/0/notified") == "true");
  BOOST_TEST(all.at("/0/recipient") == "COMPANY");
  BOOST_TEST(all.at("/0/type") == "MODIFIED");
  BOOST_TEST(all.at("/0/date") == "2017-07-14T02:40:00Z");
  BOOST_TEST(all.at("/0/payload/eventId") == std::to_string(s.event));
  BOOST_TEST(all.at("/1/recipient") == "PRODUCT");
  BOOST_TEST(all.at("/1/product/url") == "product/" + std::to_string(s.product));
  BOOST_TEST(all.at("/1/notified") == "false");
  BOOST_TEST(all.at("/1/lastError") == "http_503");
  BOOST_TEST(all.at("/1/nextRetry") == "2020-09-13T12:26:40Z");
  BOOST_TEST(s.vend("GET", "/api/event?type=true").at("/0/recipient") == "COMPANY");
  BOOST_TEST(s.vend("GET", "/api/event?type=false").header("CMW-TotalItems") == "1");
  BOOST_TEST(s.vend("GET", "/api/event?type=false").at("/0/recipient") == "PRODUCT");
  const std::string mine = "entity&entity=Subscription&id=" + std::to_string(s.number);
  BOOST_TEST(s.vend("GET", "/api/event?type=" + mine).header("CMW-TotalItems") == "2");
  BOOST_TEST(s.vend("GET", "/api/event?type=entity&entity=Subscription&id=1").http.body == "[]");
  BOOST_TEST(s.call("GET", "/api/event").header("CMW-TotalItems") == "3");  // the marketplace
  for (const char* bad : {"?type=maybe", "?type=entity", "?entity=Disk", "?id=7", "?pageSize=501"})
    BOOST_TEST(s.vend("GET", std::string{"/api/event"} + bad).status() == 422, bad);
  BOOST_TEST(s.vend("GET", s.one()).at("/recipient") == "COMPANY");
  const auto names = s.vend("GET", "/api/event/annotated").json();
  BOOST_TEST((std::ranges::find(names.as_array(), boost::json::value("Subscription")) !=
              names.as_array().end()));
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("GET", "/api/event", {}, {}, other).http.body == "[]");
  BOOST_TEST(s.call("GET", s.one(), {}, {}, other).status() == 404);
}

BOOST_AUTO_TEST_CASE(what_is_parked_can_be_given_up) {
  stall s;
  BOOST_TEST(s.vend("DELETE", s.one()).status() == 204);  // delivered: nothing waits
  BOOST_TEST(s.engine.discarded_event.first.value == 0U);
  s.delivery(0).state = actors::delivery_state::pending;
  const auto early = s.vend("DELETE", s.one());
  BOOST_TEST(early.status() == 409);
  BOOST_TEST(early.at("/errorHolders/0/key") == "delivery_pending");
  s.delivery(1).state = actors::delivery_state::parked;
  s.delivery(2).state = actors::delivery_state::parked;  // somebody else's
  BOOST_TEST(s.vend("DELETE", s.one()).status() == 204);
  BOOST_TEST(s.engine.discarded_event.first.value == s.event);
  BOOST_TEST(s.engine.discarded_event.second.value == s.second);
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("DELETE", s.one(), {}, {}, other).status() == 404);
}

BOOST_AUTO_TEST_CASE(all_that_failed_can_be_given_up) {
  stall s;
  const auto park = [&](std::uint64_t endpoint) {
    actors::attempt_record a;
    a.event.value = s.event;
    a.endpoint.value = endpoint;
    s.engine.all_attempts.push_back(a);
  };
  park(s.foreign);
  BOOST_TEST(s.vend("DELETE", "/api/event?eventType=failed").status() == 204);
  BOOST_TEST(s.engine.discarded_event.first.value == 0U);
  park(s.first);
  BOOST_TEST(s.vend("DELETE", "/api/event?eventType=notified").status() == 204);
  BOOST_TEST(s.engine.discarded_event.first.value == 0U);
  BOOST_TEST(s.vend("DELETE", "/api/event?eventType=failed").status() == 204);
  BOOST_TEST(s.engine.discarded_event.second.value == s.first);
  BOOST_TEST((s.engine.asked_attempts.choice == actors::attempt_choice::still_parked));
  for (const char* bad : {"", "?eventType=", "?eventType=all"})
    BOOST_TEST(s.vend("DELETE", std::string{"/api/event"} + bad).status() == 422, bad);
  BOOST_TEST(s.call("DELETE", "/api/event?eventType=failed").status() == 403);
  for (std::uint64_t i = 0; i < 500; ++i) {
    park(s.second);
    s.engine.all_attempts.back().event.value = 10'000 + i;
  }
  const auto more = s.vend("DELETE", "/api/event?eventType=failed");
  BOOST_TEST(more.status() == 202);
  BOOST_TEST(more.header("Retry-After") == "1");
}

BOOST_AUTO_TEST_CASE(an_event_is_replayed_to_the_callers_endpoints) {
  stall s;
  const auto key = tests::headers{{"Idempotency-Key", "again"}};
  const auto r = s.vend("POST", s.one("/replay"), {}, key);
  BOOST_TEST(r.status() == 202);
  BOOST_TEST(s.engine.replays.size() == 2U);
  for (const auto& each : s.engine.replays) BOOST_TEST(each->value != s.foreign);
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("POST", s.one("/replay"), {}, {}, other).status() == 404);
  s.engine.all_events[s.event].recipients = {{s.foreign}};
  BOOST_TEST(s.vend("POST", s.one("/replay")).status() == 409);
}

BOOST_AUTO_TEST_CASE(a_test_goes_to_an_endpoint_of_the_callers) {
  stall s;
  s.engine.test_answer.status = 503;
  const auto which = s.vend("POST", "/api/event", "{}");
  BOOST_TEST(which.status() == 422);
  for (const std::string& name :
       {std::to_string(s.first), "\"endpoint/" + std::to_string(s.first) + '"',
        std::string{"\"https://e1.example.com/hook\""}}) {
    const auto r =
        s.vend("POST", "/api/event", R"({"entityName":"Subscription","endpoint":)" + name + "}");
    BOOST_TEST_REQUIRE(r.status() == 200, name);
    BOOST_TEST(r.at("/endpoint") == "https://e1.example.com/hook");
    BOOST_TEST(r.at("/notified") == "false");
    BOOST_TEST(r.at("/lastError") == "http_503");
  }
  BOOST_TEST(
      s.vend("POST", "/api/event", R"({"endpoint":)" + std::to_string(s.foreign) + "}").status() ==
      422);
  s.engine.test_answer.status = 204;
  BOOST_TEST(s.vend("POST", "/api/event", R"({"endpoint":)" + std::to_string(s.second) + "}")
                 .at("/notified") == "true");
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("POST", "/api/event", "{}", {}, other).status() == 422);
}

BOOST_AUTO_TEST_CASE(stubs_are_always_there) {
  stall s;
  const int writes = s.engine.writes;
  const auto subscription = s.vend("GET", "/api/test/subscription/77");
  BOOST_TEST(subscription.at("/id") == "77");
  BOOST_TEST(subscription.at("/deploymentStatus") == "PENDING");
  BOOST_TEST(subscription.at("/paid") == "true");
  BOOST_TEST(s.vend("PATCH", "/api/test/subscription/77?language=en", "{}").status() == 204);
  BOOST_TEST(s.vend("PATCH", "/api/test/subscription/77", "[]").status() == 400);
  BOOST_TEST(s.vend("GET", "/api/test/user/5").at("/email") == "test@example.com");
  BOOST_TEST(s.vend("GET", "/api/test/user/5/metadata").http.body == "{}");
  BOOST_TEST(s.vend("PUT", "/api/test/user/5/metadata", R"({"a":"b"})").status() == 204);
  BOOST_TEST(s.vend("GET", "/api/test/userCompany/5").at("/name") == "Test company");
  BOOST_TEST(s.vend("GET", "/api/test/invoicePaid/9").at("/paid") == "true");
  BOOST_TEST(s.call("GET", "/api/test/user/5", {}, {}, "").status() == 401);
  BOOST_TEST(s.engine.writes == writes);
}

BOOST_AUTO_TEST_SUITE_END()
