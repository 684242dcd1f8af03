// The native face: versions, idempotency, transitions, endpoints and their secrets, deliveries.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

std::string text(std::uint64_t id) { return std::to_string(id); }

core::event event_of(std::uint64_t id, std::uint64_t vendor, std::uint64_t tenant) {
  core::event e;
  e.id.value = id;
  e.stream = core::stream_of(core::subscription_id{5});
  e.seq = 1;
  e.name = "subscription.created";
  e.vendor.value = vendor;
  e.tenant.value = tenant;
  e.data = R"({"id":5})";
  return e;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(v1)

BOOST_AUTO_TEST_CASE(versions_guard_writes) {
  face f;
  const std::string path = "/v1/vendors/" + text(f.vendor);
  BOOST_TEST(f.call("GET", path).header("ETag") == "\"1\"");
  const auto patched = f.call("PATCH", path, R"({"name":"New"})", {{"If-Match", "\"1\""}});
  BOOST_TEST(patched.status() == 200);
  BOOST_TEST(patched.header("ETag") == "\"2\"");
  BOOST_TEST(patched.at("/name") == "New");
  const auto stale = f.call("PATCH", path, R"({"name":"Old"})", {{"If-Match", "1"}});
  BOOST_TEST(stale.status() == 412);
  BOOST_TEST(stale.at("/code") == "version_mismatch");
  BOOST_TEST(f.call("PATCH", path, R"({"name":"X"})", {{"If-Match", "*"}}).status() == 200);
  BOOST_TEST(f.call("PATCH", path, R"({"name":"X"})", {{"If-Match", "3"}}).status() == 200);
  for (const char* bad : {"x", "", "\"3", "W/\"3\"", "\"3\", \"4\"", "-1"}) {
    BOOST_TEST(f.call("PATCH", path, R"({"name":"X"})", {{"If-Match", bad}}).status() == 400, bad);
  }
}

BOOST_AUTO_TEST_CASE(a_repeated_key_repeats_the_answer) {
  face f;
  const tests::headers key{{"Idempotency-Key", "order-1"}};
  const std::string body = R"({"name":"Once"})";
  const auto first = f.call("POST", "/v1/vendors", body, key);
  const int writes = f.engine.writes;
  const auto again = f.call("POST", "/v1/vendors", body, key);
  BOOST_TEST(again.status() == 201);
  BOOST_TEST(again.http.body == first.http.body);
  BOOST_TEST(f.engine.writes == writes);
  const auto other = f.call("POST", "/v1/vendors", R"({"name":"Twice"})", key);
  BOOST_TEST(other.status() == 422);
  BOOST_TEST(other.at("/code") == "idempotency_key_reused");
  // Another caller's keys are another room.
  BOOST_TEST(f.call("POST", "/v1/vendors", body, key, f.market).status() == 201);
  BOOST_TEST(f.engine.writes == writes + 1);
  BOOST_TEST(f.engine.held.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_request_keeps_no_key) {
  face f;
  const tests::headers key{{"Idempotency-Key", "k"}};
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":7})", key).status() == 422);
  BOOST_TEST(f.engine.held.empty());
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"x"})", key).status() == 201);
  for (const std::string& bad :
       {std::string{}, std::string{"a b"}, std::string(256, 'x'), std::string{"\x01"}}) {
    const auto r = f.call("POST", "/v1/vendors", R"({"name":"y"})", {{"Idempotency-Key", bad}});
    BOOST_TEST(r.status() == 422);
    BOOST_TEST(r.at("/code") == "invalid_idempotency_key");
  }
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"y"})",
                    {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}})
                 .status() == 422);
}

BOOST_AUTO_TEST_CASE(a_key_in_use_is_a_conflict) {
  face f;
  f.engine.hold_replies = true;
  f.engine.held.insert("token/1000\nk");
  const auto r = f.call("POST", "/v1/vendors", R"({"name":"x"})", {{"Idempotency-Key", "k"}});
  BOOST_TEST(r.status() == 409);
  BOOST_TEST(r.at("/code") == "idempotency_key_in_use");
}

BOOST_AUTO_TEST_CASE(writes_beyond_the_bound_are_refused_and_reads_are_not) {
  api::api_settings settings;
  settings.writes_max = 2;
  face f{settings};
  f.engine.hold_replies = true;
  std::vector<tests::reply> waiting(2);
  const auto post = [&](net::http_response* into) {
    net::http_request r;
    r.method = "POST";
    r.path = "/v1/vendors";
    r.body = R"({"name":"x"})";
    r.headers = {{"Authorization", "Bearer " + f.staff}, {"Content-Type", "application/json"}};
    f.handler(std::move(r),
              net::responder{[into](net::http_response&& a) { *into = std::move(a); }});
  };
  std::vector<net::http_response> answers(3, net::http_response{.status = 0});
  for (auto& a : answers) post(&a);
  BOOST_TEST(answers[0].status == 0);
  BOOST_TEST(answers[2].status == 503);
  BOOST_TEST(answers[2].body.find("overloaded") != std::string::npos);
  BOOST_TEST(f.router.stats().overloads() == 1U);
  BOOST_TEST(f.call("GET", "/v1/vendors").status() == 200);
  for (auto& send : f.engine.kept_replies) send();
  f.engine.kept_replies.clear();
  f.engine.hold_replies = false;
  BOOST_TEST(answers[0].status == 201);
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"x"})").status() == 201);
}

BOOST_AUTO_TEST_CASE(a_draining_daemon_takes_no_writes) {
  face f{};
  f.engine.state.accepting = false;
  f.engine.state.why_not = "draining";
  BOOST_TEST(f.call("GET", "/readyz", {}, {}, "").status() == 503);
  BOOST_TEST(f.call("GET", "/readyz", {}, {}, "").at("/reason") == "draining");
  BOOST_TEST(f.call("GET", "/healthz", {}, {}, "").status() == 200);
  for (const char* why : {"draining", "no_space"}) {
    f.engine.state.why_not = why;
    const auto refused = f.call("POST", "/v1/vendors", R"({"name":"x"})");
    BOOST_TEST(refused.status() == 503);
    BOOST_TEST(refused.at("/code") == why);
    BOOST_TEST(!refused.header("Retry-After").empty());
  }
  BOOST_TEST(f.call("GET", "/v1/vendors").status() == 200);
  f.engine.state.accepting = true;
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"x"})").status() == 201);
}

BOOST_AUTO_TEST_CASE(a_vendor_has_a_weight) {
  face f;
  const auto made = f.call("POST", "/v1/vendors", R"({"name":"x"})");
  BOOST_TEST(made.at("/weight") == "1");
  const std::string path = "/v1/vendors/" + made.at("/id");
  BOOST_TEST(f.call("PATCH", path, R"({"weight":100})").at("/weight") == "100");
  BOOST_TEST(f.call("GET", path).at("/weight") == "100");
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"y","weight":3})").at("/weight") == "3");
  for (const char* wrong : {"0", "101", "\"1\"", "1.5"}) {
    const auto r = f.call("PATCH", path, R"({"weight":)" + std::string{wrong} + "}");
    BOOST_TEST(r.status() == 422, wrong);
    BOOST_TEST(r.at("/errors/0/pointer") == "/weight");
  }
}

BOOST_AUTO_TEST_CASE(readiness_tells_of_a_hung_disk_and_of_memory_but_not_of_a_backlog) {
  face f{};
  for (const char* grave : {"store_stalled", "memory"}) {
    f.engine.state.refusing_load = grave;
    BOOST_TEST(f.call("GET", "/readyz", {}, {}, "").status() == 503);
    BOOST_TEST(f.call("GET", "/readyz", {}, {}, "").at("/reason") == grave);
  }
  f.engine.state.refusing_load = "backlog_full";
  BOOST_TEST(f.call("GET", "/readyz", {}, {}, "").status() == 200);
  // Who may write is the engine's word for each command.
  BOOST_TEST(f.call("POST", "/v1/vendors", R"({"name":"x"})").status() == 201);
}

BOOST_AUTO_TEST_CASE(a_subscription_goes_its_way) {
  face f;
  const std::uint64_t id = f.subscribe("");
  const std::string path = "/v1/subscriptions/" + text(id);
  BOOST_TEST(f.call("GET", path).at("/status") == "WAITING_PAYMENT");
  BOOST_TEST(f.call("GET", path).at("/access") == "false");
  const auto paid = f.call("POST", path + "/pay", "{}");
  BOOST_TEST(paid.status() == 200);
  BOOST_TEST(paid.at("/status") == "PENDING");
  // Repeats change nothing; what is not possible says where it stands.
  BOOST_TEST(f.call("POST", path + "/pay").at("/version") == paid.at("/version"));
  const auto refused = f.call("POST", path + "/renew");
  BOOST_TEST(refused.status() == 409);
  BOOST_TEST(refused.at("/code") == "transition_not_allowed");
  BOOST_TEST(refused.at("/present_status") == "PENDING");
  BOOST_TEST(f.call("PATCH", "/api/subscription/" + text(id), R"({"deploymentStatus":"DEPLOYED"})")
                 .status() == 204);
  BOOST_TEST(f.call("GET", path).at("/access") == "true");
  BOOST_TEST(f.call("POST", path + "/suspend", R"({"reason":"ADMIN_HOLD"})").at("/status") ==
             "STOPPED");
  BOOST_TEST(f.call("POST", path + "/suspend", R"({"reason":"WEATHER"})").status() == 422);
  BOOST_TEST(f.call("POST", path + "/resume", R"({"reason":"ADMIN_HOLD"})").at("/status") ==
             "DEPLOYED");
  BOOST_TEST(f.call("POST", path + "/change", "{}").status() == 422);
  BOOST_TEST(f.call("POST", path + "/change", R"({"plan_id":1,"when":"later"})").status() == 422);
  BOOST_TEST(f.call("PATCH", path, R"({"auto_renew":false})").at("/auto_renew") == "false");
  BOOST_TEST(f.call("POST", path + "/terminate").at("/status") == "UNDEPLOY_SENT");
  BOOST_TEST(f.call("POST", "/v1/subscriptions/99999/pay").status() == 404);
}

BOOST_AUTO_TEST_CASE(tenants_are_disabled_before_they_are_deleted) {
  face f;
  const std::string path = "/v1/tenants/" + text(f.stranger);
  const auto early = f.call("DELETE", path);
  BOOST_TEST(early.status() == 409);
  BOOST_TEST(early.at("/code") == "not_disabled");
  const auto disabled = f.call("POST", path + "/disable");
  BOOST_TEST(disabled.at("/status") == "DISABLED");
  BOOST_TEST(f.call("GET", path).at("/effective") == "false");
  BOOST_TEST(f.call("DELETE", path + "?version=1").status() == 412);
  const auto gone = f.call("DELETE", path + "?version=" + disabled.at("/version"));
  BOOST_TEST(gone.status() == 204);
  BOOST_TEST(gone.http.body.empty());
}

BOOST_AUTO_TEST_CASE(secrets_are_shown_once) {
  face f;
  const std::string vendor =
      R"("scope":"vendor","url":"https://hooks.example.com/in","scope_id":)" + text(f.vendor);
  const auto made = f.call("POST", "/v1/endpoints", "{" + vendor + R"(,"form":"standard"})");
  BOOST_TEST_REQUIRE(made.status() == 201);
  const std::string secret = made.at("/secret");
  BOOST_TEST(secret.starts_with("whsec_"));
  BOOST_TEST(core::decode_standard_secret(secret)->size() == 32U);
  const std::string path = "/v1/endpoints/" + made.at("/id");
  for (const auto& r : {f.call("GET", path), f.call("GET", "/v1/endpoints"),
                        f.call("PATCH", path, R"({"description":"d"})")}) {
    BOOST_TEST(r.status() == 200);
    BOOST_TEST(r.http.body.find(secret) == std::string::npos);
    BOOST_TEST(r.http.body.find("\"secret\"") == std::string::npos);
  }
  const auto hex = f.call("POST", "/v1/endpoints", "{" + vendor + "}");
  BOOST_TEST(hex.at("/secret").size() == 40U);
  BOOST_TEST(
      f.call("POST", "/v1/endpoints", "{" + vendor + R"(,"secret":"given"})").at("/secret") ==
      "given");
  const auto none = f.call("POST", "/v1/endpoints", "{" + vendor + R"(,"secret":null})");
  BOOST_TEST(none.at("/secret") == "null");
  BOOST_TEST(none.at("/signed") == "false");
  for (const char* bad : {R"(,"secret":""})", R"(,"form":"standard","secret":null})",
                          R"(,"form":"standard","secret":"short"})"}) {
    BOOST_TEST(
        f.call("POST", "/v1/endpoints", "{" + vendor + bad).at("/errors/0/pointer") == "/secret",
        bad);
  }
  const auto rotated = f.call("POST", path + "/rotate-secret", R"({"overlap_s":60})");
  BOOST_TEST(rotated.at("/secret").starts_with("whsec_"));
  BOOST_TEST(rotated.at("/secret") != secret);
}

BOOST_AUTO_TEST_CASE(stored_answers_hold_no_secret) {
  face f;
  const std::string body =
      R"({"scope":"platform","url":"https://hooks.example.com/in","form":"standard"})";
  const tests::headers key{{"Idempotency-Key", "e1"}};
  const auto first = f.call("POST", "/v1/endpoints", body, key);
  const std::string secret = first.at("/secret");
  BOOST_TEST(secret.size() > 40U);
  for (const auto& [name, kept] : f.engine.answered)
    BOOST_TEST(kept.second.body.find(secret) == std::string::npos);
  BOOST_TEST(f.call("POST", "/v1/endpoints", body, key).http.body == first.http.body);
}

BOOST_AUTO_TEST_CASE(the_breaker_of_an_endpoint_is_shown) {
  face f;
  const auto made = f.call("POST", "/v1/endpoints",
                           R"({"scope":"platform","url":"https://hooks.example.com/in"})");
  const std::string path = "/v1/endpoints/" + made.at("/id");
  BOOST_TEST(f.call("GET", path).at("/breaker/state") == "closed");
  f.engine.breakers["https://hooks.example.com:443"] = {
      core::breaker_state::open, core::from_unix_ms(1'900'000'000'000), "timeout"};
  for (const auto& [where, prefix] :
       {std::pair{path, std::string{}},
        std::pair{std::string{"/v1/endpoints"}, std::string{"/items/0"}}}) {
    const auto r = f.call("GET", where);
    BOOST_TEST(r.at(prefix + "/breaker/state") == "open");
    BOOST_TEST(r.at(prefix + "/breaker/reason") == "timeout");
    BOOST_TEST(r.at(prefix + "/breaker/until") == "2030-03-17T17:46:40.000Z");
  }
}

BOOST_AUTO_TEST_CASE(endpoints_are_checked) {
  face f;
  const auto with = [&](const std::string& more) {
    return f.call("POST", "/v1/endpoints",
                  R"({"scope":"platform","url":"https://hooks.example.com/in")" + more + "}");
  };
  const auto good = with(
      R"(,"id_format":"string","with_metadata":true,"success_codes":[200,202],"timeout_ms":5000,)"
      R"("concurrency":1,"retry_schedule":[0,5,60],)"
      R"("on_exhausted":"skip","events":["subscription.*"])");
  BOOST_TEST(good.status() == 201);
  BOOST_TEST(good.at("/retry_schedule") == "[0,5,60]");
  for (const char* bad :
       {R"(,"timeout_ms":999)", R"(,"timeout_ms":30001)", R"(,"concurrency":0)",
        R"(,"concurrency":257)", R"(,"success_codes":[404])", R"(,"success_codes":200)",
        R"(,"retry_schedule":[-1])", R"(,"events":[])", R"(,"events":["*.created"])",
        R"(,"events":["A"])", R"(,"events":["a..b"])", R"(,"events":[""])",
        R"(,"on_exhausted":"cry")", R"(,"form":"native")", R"(,"scope_id":5)"}) {
    BOOST_TEST(with(bad).status() == 422, bad);
  }
  BOOST_TEST(f.call("POST", "/v1/endpoints", R"({"scope":"platform"})").at("/errors/0/pointer") ==
             "/url");
  BOOST_TEST(f.call("POST", "/v1/endpoints", R"({"scope":"vendor","url":"https://a.example.com/"})")
                 .status() == 422);
  BOOST_TEST(f.call("POST", "/v1/endpoints",
                    R"({"scope":"vendor","scope_id":77777,"url":"https://a.example.com/"})")
                 .status() == 404);
  for (const char* url : {"http://a.example.com/", "https://127.0.0.1/",
                          "https://a.example.com:22/", "https://u:p@a.example.com/"}) {
    BOOST_TEST(
        f.call("POST", "/v1/endpoints", R"({"scope":"platform","url":")" + std::string{url} + "\"}")
                .at("/errors/0/pointer") == "/url",
        url);
  }
  const std::string path = "/v1/endpoints/" + good.at("/id");
  for (const char* fixed : {R"({"form":"standard"})", R"({"id_format":"number"})",
                            R"({"scope":"vendor"})", R"({"secret":"x"})"}) {
    BOOST_TEST(f.call("PATCH", path, fixed).status() == 422, fixed);
  }
  BOOST_TEST(f.call("PATCH", path, R"({"timeout_ms":2000})").at("/timeout_ms") == "2000");
  BOOST_TEST(f.call("POST", path + "/pause", R"({"reason":"maintenance"})").at("/state") ==
             "paused");
  BOOST_TEST(f.call("POST", path + "/resume").at("/state") == "active");
  BOOST_TEST(f.call("DELETE", path).status() == 204);
  BOOST_TEST(f.call("GET", path).status() == 404);
}

BOOST_AUTO_TEST_CASE(endpoints_belong_to_their_owners) {
  face f;
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string other = f.make_token(core::role::vendor, f.other_vendor);
  const std::string reseller = f.make_token(core::role::tenant, f.reseller);
  const auto post = [&](const std::string& scope, std::uint64_t id, const std::string& token) {
    return f.call("POST", "/v1/endpoints",
                  R"({"url":"https://a.example.com/","scope":")" + scope + "\"" +
                      (id == 0 ? "" : ",\"scope_id\":" + text(id)) + "}",
                  {}, token);
  };
  BOOST_TEST(post("platform", 0, vendor).status() == 403);
  BOOST_TEST(post("vendor", f.other_vendor, vendor).status() == 404);
  BOOST_TEST(post("product", f.other_product, vendor).status() == 404);
  BOOST_TEST(post("tenant", f.customer, vendor).status() == 404);
  BOOST_TEST(post("tenant", f.stranger, reseller).status() == 404);
  BOOST_TEST(post("tenant", f.customer, reseller).status() == 201);
  const auto mine = post("product", f.product, vendor);
  BOOST_TEST(mine.status() == 201);
  const std::string path = "/v1/endpoints/" + mine.at("/id");
  BOOST_TEST(f.call("GET", path, {}, {}, vendor).status() == 200);
  for (const char* action : {"/pause", "/resume", "/test", "/rotate-secret"}) {
    BOOST_TEST(f.call("POST", path + action, "{}", {}, other).status() == 404, action);
    BOOST_TEST(f.call("POST", path + action, "{}", {}, vendor).status() == 200, action);
  }
  BOOST_TEST(f.call("GET", "/v1/endpoints", {}, {}, vendor).json().at("items").as_array().size() ==
             1U);
  BOOST_TEST(
      f.call("GET", "/v1/endpoints", {}, {}, reseller).json().at("items").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(events_and_their_deliveries_are_shown_to_their_owners) {
  face f;
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string other = f.make_token(core::role::vendor, f.other_vendor);
  const auto endpoint = [&](const std::string& scope) {
    return std::stoull(
        f.call("POST", "/v1/endpoints", R"({"url":"https://a.example.com/",)" + scope + "}")
            .at("/id"));
  };
  const std::uint64_t own = endpoint(R"("scope":"vendor","scope_id":)" + text(f.vendor));
  const std::uint64_t platform = endpoint(R"("scope":"platform")");
  const std::uint64_t foreign = endpoint(R"("scope":"vendor","scope_id":)" + text(f.other_vendor));
  f.engine.all_events[9] = event_of(9, f.vendor, f.customer);
  for (const std::uint64_t to : {own, platform}) {
    actors::delivery d;
    d.endpoint.value = to;
    f.engine.all_deliveries[9].push_back(d);
    actors::attempt_record a;
    a.event.value = 9;
    a.endpoint.value = to;
    a.number = 1;
    f.engine.all_attempts.push_back(a);
  }
  const auto size = [](const tests::reply& r, const char* key) {
    return r.json().at(key).as_array().size();
  };
  BOOST_TEST(size(f.call("GET", "/v1/events/9"), "deliveries") == 2U);
  BOOST_TEST(size(f.call("GET", "/v1/events/9", {}, {}, vendor), "deliveries") == 1U);
  BOOST_TEST(f.call("GET", "/v1/events/9", {}, {}, other).status() == 404);
  BOOST_TEST(size(f.call("GET", "/v1/events/9/attempts", {}, {}, vendor), "items") == 1U);
  BOOST_TEST(f.call("GET", "/v1/events/9/attempts", {}, {}, other).status() == 404);
  BOOST_TEST(size(f.call("GET", "/v1/events?entity=subscription&entity_id=5", {}, {}, vendor),
                  "items") == 1U);
  BOOST_TEST(size(f.call("GET", "/v1/events", {}, {}, other), "items") == 0U);
  // Replays go to those whom the event concerns.
  const auto replay = [&](std::string body, const std::string& token) {
    return f.call("POST", "/v1/events/9/replay", std::move(body), {}, token).status();
  };
  BOOST_TEST(replay("{}", f.staff) == 202);
  BOOST_TEST(replay("{}", vendor) == 422);
  BOOST_TEST(replay("{\"endpoint_id\":" + text(own) + "}", vendor) == 202);
  BOOST_TEST(replay("{\"endpoint_id\":" + text(platform) + "}", vendor) == 404);
  BOOST_TEST(replay("{\"endpoint_id\":" + text(foreign) + "}", f.staff) == 422);
}

BOOST_AUTO_TEST_CASE(a_lost_reply_is_a_counted_500) {
  face f;
  f.engine.hold_replies = true;
  net::http_response answer;
  {
    net::http_request r;
    r.method = "POST";
    r.path = "/v1/vendors";
    r.body = R"({"name":"x"})";
    r.headers = {{"Authorization", "Bearer " + f.staff}, {"Content-Type", "application/json"}};
    f.handler(std::move(r), net::responder{[&](net::http_response&& a) { answer = std::move(a); }});
  }
  f.engine.kept_replies.clear();
  BOOST_TEST(answer.status == 500);
  std::uint64_t failures = 0;
  for (const auto& n : f.router.stats().read()) failures += n.status_class == 5 ? n.requests : 0;
  BOOST_TEST(failures == 1U);
}

BOOST_AUTO_TEST_CASE(the_queue_shows_the_largest_backlog_first) {
  face f;
  for (int i = 0; i < 3; ++i)
    f.call("POST", "/v1/endpoints", R"({"url":"https://a.example.com/","scope":"platform"})");
  f.engine.blocked_lanes = 3;
  f.engine.lanes_read = 0;
  const auto whole = f.admin("GET", "/admin/queue?limit=2").json();
  BOOST_TEST(f.engine.lanes_read == 2);  // of those that are shown only
  const auto& items = whole.at("items").as_array();
  BOOST_TEST(items.size() == 2U);
  const auto pending = [&](std::size_t i) {
    return items[i].at("counters").at("pending").to_number<int>();
  };
  BOOST_TEST(pending(0) > pending(1));
  BOOST_TEST(items[0].at("blocked_lanes").to_number<int>() == 3);
  BOOST_TEST(f.admin("GET", "/admin/queue/424242").status() == 404);
}

BOOST_AUTO_TEST_SUITE_END()
