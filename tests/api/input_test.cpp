// Bad bodies, paths, headers and fields: the right refusal, and never an effect.
#include <boost/test/unit_test.hpp>
#include <random>

#include "api/input.hpp"
#include "api/json.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(input)

BOOST_AUTO_TEST_CASE(json_that_is_read) {
  const auto parsed = api::parse_json(R"( {"a":[1,-2.5,true,null,"é\n\ud83d\ude00"],"b":{}} )");
  BOOST_REQUIRE(parsed.ok());
  const auto& items = *parsed->find("a")->array();
  BOOST_TEST(*items[0].integer() == 1);
  BOOST_TEST(*items[1].real() == -2.5);
  BOOST_TEST(*items[2].boolean());
  BOOST_TEST(items[3].is_null());
  BOOST_TEST(*items[4].text() == "é\n😀");
  BOOST_TEST(parsed->find("b")->object()->empty());
  BOOST_TEST(*api::parse_json("9223372036854775807")->integer() == INT64_MAX);
  BOOST_TEST(*api::parse_json("9007199254740993")->integer() == 9'007'199'254'740'993);
  BOOST_TEST(api::parse_json(nested(core::limits::json_depth_max)).ok());
}

BOOST_AUTO_TEST_CASE(json_that_is_refused) {
  const std::string bad[] = {
      "",
      " ",
      "{",
      "nul",
      "NaN",
      "Infinity",
      "-Infinity",
      "+1",
      "01",
      "1.",
      ".5",
      "1e400",
      "-1e400",
      "9223372036854775808",
      "18446744073709551616",
      "{\"a\":1,}",
      "[1,]",
      "[1 2]",
      "{'a':1}",
      "{a:1}",
      "{\"a\" 1}",
      "{\"a\":1} x",
      "{}{}",
      "// comment\n{}",
      "/* c */{}",
      "\"\\x\"",
      "\"\\ud800\"",
      "\"\\udc00\\ud800\"",
      "\"unterminated",
      "\"tab\tinside\"",
      "\"\\u0000\"",
      "{\"\\u0000\":1}",
      "{\"a\":1,\"a\":2}",
      "{\"o\":{\"a\":1,\"b\":2,\"\\u0061\":3}}",
      "\xEF\xBB\xBF{}",
      "\"\xC0\xAF\"",
      "\"\xED\xA0\x80\"",
      "\"\xFF\"",
      std::string{"{\"a\":\"\0\"}", 9},
      nested(core::limits::json_depth_max + 1),
      nested(1'000),
      std::string(100'000, '['),
  };
  for (const std::string& text : bad) {
    const auto parsed = api::parse_json(text);
    BOOST_TEST(!parsed.ok(), text.substr(0, 60));
    if (parsed.ok()) continue;
    BOOST_TEST(parsed.failure().code == "malformed_json");
    BOOST_TEST((parsed.failure().kind == core::errc::malformed));
  }
}

BOOST_AUTO_TEST_CASE(a_truncated_body_is_refused_at_every_byte) {
  const std::string whole = R"({"name":"a\u00e9","n":[1,2.5e3,{"x":null}],"t":true})";
  BOOST_TEST(api::parse_json(whole).ok());
  for (std::size_t i = 0; i < whole.size(); ++i)
    BOOST_TEST(!api::parse_json(whole.substr(0, i)).ok(), i);
}

BOOST_AUTO_TEST_CASE(the_place_of_a_mistake_is_named) {
  const auto syntax = api::parse_json("{\n  \"a\": 1,\n  \"b\" 2\n}");
  BOOST_TEST(syntax.failure().detail.find("line 3, column 7") != std::string::npos,
             syntax.failure().detail);
  const auto twice = api::parse_json(R"({"o":[{"a":1,"a":2}]})");
  BOOST_TEST(twice.failure().fields.at(0).pointer == "/o/0/a");
  std::string many = "{\"k0\":0";
  for (int i = 1; i < 1'000; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  BOOST_TEST(api::parse_json(many + "}").ok());
  BOOST_TEST(!api::parse_json(many + ",\"k7\":0}").ok());
}

BOOST_AUTO_TEST_CASE(large_bodies_are_read_in_linear_time) {
  BOOST_TEST(api::parse_json("\"" + std::string(8'000'000, 'x') + "\"").ok());
  std::string arrays = "[";
  for (int i = 0; i < 1'000'000; ++i) arrays += "[],";
  arrays += "0]";
  BOOST_TEST(api::parse_json(arrays)->array()->size() == 1'000'001U);
}

BOOST_AUTO_TEST_CASE(media_types) {
  face f;
  const std::string body = R"({"name":"x"})";
  const auto status = [&](tests::headers more) {
    return f.call("POST", "/v1/vendors", body, std::move(more)).status();
  };
  BOOST_TEST(status({{"Content-Type", "application/json; charset=utf-8"}}) == 201);
  BOOST_TEST(status({{"Content-Type", "Application/JSON"}}) == 201);
  const int before = f.engine.writes;
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""}) {
    const auto r = f.call("POST", "/v1/vendors", body, {{"Content-Type", type}});
    BOOST_TEST(r.status() == 415);
    BOOST_TEST(r.at("/code") == "unsupported_media_type");
  }
  BOOST_TEST(status({{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}) == 415);
  BOOST_TEST(status({{"Content-Type", "application/json"}, {"Content-Type", "application/json"}}) ==
             415);
  BOOST_TEST(f.engine.writes == before);
}

BOOST_AUTO_TEST_CASE(problem_details_have_their_members) {
  face f;
  const auto r =
      f.call("POST", "/v1/vendors", R"({"name":7,"surprise":1,"metadata":{"a":1,"b":"x"}})");
  BOOST_TEST(r.status() == 422);
  BOOST_TEST(r.http.content_type == "application/problem+json");
  BOOST_TEST(r.at("/type") == "urn:syndicated:problem:invalid_input");
  BOOST_TEST(r.at("/title") == "Unprocessable Entity");
  BOOST_TEST(r.at("/status") == "422");
  BOOST_TEST(r.at("/code") == "invalid_input");
  BOOST_TEST(r.at("/detail") != "");
  std::set<std::string> pointers;
  const auto whole = r.json();
  for (const auto& e : whole.at("errors").as_array())
    pointers.insert(e.at("pointer").as_string().c_str());
  BOOST_TEST((pointers == std::set<std::string>{"/name", "/surprise", "/metadata/a"}));
}

BOOST_AUTO_TEST_CASE(fields_out_of_their_limits) {
  face f;
  const int before = f.engine.writes;
  const std::string p = "\"product_id\":" + std::to_string(f.product);
  const std::string long_name(201, 'x');
  const std::pair<std::string, std::string> bad[] = {
      {"/v1/vendors", R"({})"},
      {"/v1/vendors", R"({"name":""})"},
      {"/v1/vendors", R"({"name":null})"},
      {"/v1/vendors", R"({"name":["x"]})"},
      {"/v1/vendors", R"([{"name":"x"}])"},
      {"/v1/vendors", R"("x")"},
      {"/v1/vendors", R"({"name":"a\nb"})"},
      {"/v1/vendors", "{\"name\":\"" + long_name + "\"}"},
      {"/v1/vendors", R"({"name":"x","metadata":{"":"x"}})"},
      {"/v1/vendors", R"({"name":"x","metadata":[]})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","billing_period_months":0})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","billing_period_months":1.5})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","trial_days":-1})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","resources":[{"name":"u","min":5,"max":1}]})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","resources":[{"name":"u"},{"name":"u"}]})"},
      {"/v1/plans", "{" + p + R"(,"name":"x","resources":[{"name":"u","color":"red"}]})"},
      {"/v1/tenants", R"({"kind":"provider","parent_id":1,"name":"x"})"},
      {"/v1/tenants", R"({"kind":"customer","parent_id":0,"name":"x"})"},
      {"/v1/tenants", R"({"kind":"customer","parent_id":"1","name":"x"})"},
      {"/v1/tenants",
       R"({"kind":"customer","parent_id":1,"name":"x","contact":{"email":"nobody"}})"},
      {"/v1/subscriptions", R"({"tenant_id":1})"},
      {"/v1/subscriptions", R"({"tenant_id":1,"plan_id":1,"type":"PREMIUM"})"},
      {"/v1/subscriptions", R"({"tenant_id":1,"plan_id":1,"start_date":"tomorrow"})"},
      {"/v1/subscriptions", R"({"tenant_id":1,"plan_id":1,"start_date":"99999-01-01T00:00:00Z"})"},
      {"/v1/subscriptions", R"({"tenant_id":1,"plan_id":1,"quantities":{"u":-1}})"},
  };
  for (const auto& [path, body] : bad) {
    const auto r = f.call("POST", path, body);
    BOOST_TEST(r.status() == 422, path << ' ' << body << ": " << r.status() << ' ' << r.http.body);
    BOOST_TEST(!r.json().at("errors").as_array().empty());
  }
  BOOST_TEST(f.engine.writes == before);
  // Unknown things that are named are not found, not wrong.
  BOOST_TEST(f.call("POST", "/v1/plans", R"({"product_id":77777,"name":"x"})").status() == 404);
  BOOST_TEST(f.call("POST", "/v1/tenants", R"({"kind":"customer","parent_id":77777,"name":"x"})")
                 .status() == 404);
}

BOOST_AUTO_TEST_CASE(unknown_paths_and_methods) {
  face f;
  for (const char* path :
       {"/", "/v1", "/v1/", "/v1/nothing", "/v1/vendors/", "/v1//vendors", "/v1/vendors/0",
        "/v1/vendors/-1", "/v1/vendors/01", "/v1/vendors/1x", "/v1/vendors/9223372036854775808",
        "/v1/vendors/%31", "/v1/../v1/vendors", "/v1/vendors/1/2/3/4/5/6/7/8/9", "/V1/vendors",
        "/v1/subscriptions/1/fly", "/etc/passwd"}) {
    BOOST_TEST(f.call("GET", path).status() == 404, path);
  }
  const auto r = f.call("PUT", "/v1/vendors");
  BOOST_TEST(r.status() == 405);
  BOOST_TEST(r.header("Allow") == "POST, GET, HEAD");
  BOOST_TEST(r.at("/code") == "method_not_allowed");
  BOOST_TEST(f.call("DELETE", "/v1/subscriptions/1").status() == 405);
  const auto head = f.call("HEAD", "/v1/vendors");
  BOOST_TEST(head.status() == 200);
}

BOOST_AUTO_TEST_CASE(queries) {
  face f;
  const auto status = [&](const std::string& q) {
    return f.call("GET", "/v1/subscriptions?" + q).status();
  };
  for (const char* good :
       {"", "limit=1", "limit=500", "status=DEPLOYED", "tenant_id=5&limit=2",
        "updated_since=2026-01-01T00:00:00Z", "updated_since=2026-01-01T00:00:00%2B01:00"}) {
    BOOST_TEST(status(good) == 200, good);
  }
  for (const char* bad : {"limit=0", "limit=501", "limit=x", "limit=1&limit=2", "status=deployed",
                          "tenant_id=0", "tenant_id=-1", "color=red", "updated_since=yesterday"}) {
    BOOST_TEST(status(bad) == 422, bad);
  }
  for (const char* malformed : {"limit=%", "limit=%1", "limit=%zz", "a=%00"})
    BOOST_TEST(status(malformed) == 400, malformed);
  BOOST_TEST(f.call("GET", "/v1/subscriptions?color=red").at("/errors/0/pointer") == "?color");
  const std::string one = "/v1/vendors/" + std::to_string(f.vendor);
  BOOST_TEST(f.call("GET", one + "?color=red").status() == 422);
  BOOST_TEST(f.call("PATCH", one + "?dry_run=true", R"({"name":"x"})").status() == 422);
  BOOST_TEST(f.call("GET", one).at("/name") == "Acme");
  BOOST_TEST(f.call("GET", "/v1/vendors?after=x").at("/errors/0/pointer") == "?after");
}

BOOST_AUTO_TEST_CASE(lists_are_paged) {
  face f;
  std::set<std::string> seen;
  for (int i = 0; i < 7; ++i) f.make("/v1/vendors", R"({"name":"V"})");
  std::string after;
  int pages = 0;
  do {
    const auto r =
        f.call("GET", "/v1/vendors?limit=2&name=V" + (after.empty() ? "" : "&after=" + after));
    BOOST_TEST_REQUIRE(r.status() == 200);
    const auto page = r.json();
    for (const auto& v : page.at("items").as_array()) {
      BOOST_TEST(seen.insert(boost::json::serialize(v.at("id"))).second, "twice");
    }
    after = page.at("next").is_null() ? "" : page.at("next").as_string().c_str();
    ++pages;
  } while (!after.empty() && pages < 10);
  BOOST_TEST(seen.size() == 7U);
  BOOST_TEST(pages == 4);
}

// Seeded damage to good requests: every one is answered, none as a defect of ours.
BOOST_AUTO_TEST_CASE(damaged_requests_are_answered) {
  face f;
  const std::uint64_t number = f.subscribe();
  const std::string subscription = std::to_string(number);
  const std::vector<std::vector<std::string>> good{
      {"POST", "/v1/tenants",
       R"({"kind":"unit","parent_id":1,"name":"\u00e9","contact":{"email":"a@b"}})"},
      {"POST", "/v1/endpoints",
       R"({"scope":"platform","url":"https://a.example.com/x?y=1","events":["a.*"]})"},
      {"POST", "/v1/subscriptions/" + subscription + "/suspend", R"({"reason":"ADMIN_HOLD"})"},
      {"PATCH", "/api/subscription/" + subscription, R"({"deploymentStatus":"DEPLOYED"})"},
      {"POST", "/api/subscription/" + subscription + "/credentials",
       R"([{"key":"k","value":"v"}])"},
      {"PUT", "/api/subscription/" + subscription + "/metadata", R"({"a":"b"})"},
      {"GET", "/v1/events?entity=subscription&entity_id=1&limit=5&since=2026-01-01T00:00:00Z", ""},
      {"GET", "/api/subscription?status=PENDING&pageNumber=1&pageSize=2", ""},
      {"DELETE", "/api/subscription/" + subscription + "/metadata/a%20b", ""},
  };
  std::mt19937 random{20'261'121};
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random);
  };
  const std::string alphabet = std::string{"\0\x01\x7f\x80\xff{}[]\",:%/?&=+ .-0aA", 24};
  for (int round = 0; round < 4'000; ++round) {
    auto parts = good[pick(good.size())];
    for (std::size_t damage = 1 + pick(3); damage > 0; --damage) {
      std::string& part = parts[1 + pick(2)];
      if (part.empty()) continue;
      const std::size_t at = pick(part.size());
      const char c = alphabet[pick(alphabet.size())];
      switch (pick(4)) {
        case 0: part[at] = c; break;
        case 1: part.insert(at, 1 + pick(3), c); break;
        case 2: part.erase(at, 1 + pick(4)); break;
        default: part.insert(at, part.substr(at, 1 + pick(8))); break;
      }
    }
    const auto r = f.call(parts[0], parts[1], parts[2]);
    BOOST_TEST((r.status() >= 200 && r.status() < 500),
               parts[0] << ' ' << parts[1] << ' ' << parts[2] << ": " << r.status());
    boost::json::error_code failure;
    if (!r.http.body.empty()) boost::json::parse(r.http.body, failure);
    BOOST_TEST(!failure, r.http.body);
  }
}

BOOST_AUTO_TEST_SUITE_END()
