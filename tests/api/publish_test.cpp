// Publishing over the native face: what an event may look like, lines, declared types, filters.
#include <boost/test/unit_test.hpp>

#include "api/raw_json.hpp"
#include "api/schema.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

const tests::headers lines{{"Content-Type", "application/x-ndjson"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(publishing)

BOOST_AUTO_TEST_CASE(an_event_is_accepted_as_it_was_written) {
  face f;
  const auto r = f.call("POST", "/v1/events",
                        R"({"data": {"b" :1.50,"a":"}\"{"}, "name":"shop.paid","stream":"o 1",)"
                        R"("dedup_id":"d","metadata":{"k":"v"},)"
                        R"("endpoint_scope":{"scope":"vendor","scope_id":7}})");
  BOOST_TEST(r.status() == 202);
  BOOST_TEST(r.at("/id") != "");
  BOOST_TEST_REQUIRE(f.engine.published.size() == 1U);
  const auto& e = f.engine.published.front();
  BOOST_TEST(e.data == R"({"b" :1.50,"a":"}\"{"})");
  BOOST_TEST(e.name == "shop.paid");
  BOOST_TEST(e.stream == "o 1");
  BOOST_TEST(e.dedup_id == "d");
  BOOST_TEST(e.metadata.at("k") == "v");
  BOOST_TEST((e.scope == core::endpoint_scope::vendor));
  BOOST_TEST(e.scope_id == 7U);
}

BOOST_AUTO_TEST_CASE(bytes_in_progress_are_bounded) {
  face f;
  const std::string event =
      R"({"name":"a.b","data":{"x":")" + std::string(250 * 1024, 'x') + "\"}}";
  std::string body;
  for (int i = 0; i < 4; ++i) body += event + '\n';
  const auto publish = [&](net::http_response* into) {
    net::http_request r;
    r.method = "POST";
    r.path = "/v1/events";
    r.body = body;
    r.headers = {{"Authorization", "Bearer " + f.staff}, {"Content-Type", "application/x-ndjson"}};
    f.handler(std::move(r),
              net::responder{[into](net::http_response&& a) { *into = std::move(a); }});
  };
  f.engine.hold_replies = true;
  const std::size_t fit = core::limits::event_bytes_in_progress_max / body.size();
  std::vector<net::http_response> answers(fit + 1, net::http_response{.status = 0});
  for (auto& a : answers) publish(&a);
  BOOST_TEST(answers[fit - 1].status == 0);
  BOOST_TEST(answers[fit].status == 503);
  BOOST_TEST(answers[fit].body.find("overloaded") != std::string::npos);
  for (auto& send : f.engine.kept_replies) send();
  f.engine.kept_replies.clear();
  f.engine.hold_replies = false;
  BOOST_TEST(answers[0].status == 202);
  publish(&answers[fit]);
  BOOST_TEST(answers[fit].status == 202);
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  face f;
  const auto refused = [&](const std::string& body, std::string_view pointer) {
    const auto r = f.call("POST", "/v1/events", body);
    BOOST_TEST(r.status() == 422, body);
    BOOST_TEST(r.at("/errors/0/pointer") == pointer, body << r.http.body);
  };
  refused(R"({"data":{}})", "/name");
  refused(R"({"name":"subscription.created","data":{}})", "/name");
  refused(R"({"name":"one","data":{}})", "/name");
  refused(R"({"name":"a.b"})", "/data");
  refused(R"({"name":"a.b","data":[]})", "/data");
  refused(R"({"name":"a.b","data":{},"stream":""})", "/stream");
  refused(R"({"name":"a.b","data":{},"stream":")" + std::string(201, 's') + "\"}", "/stream");
  refused(R"({"name":"a.b","data":{},"dedup_id":7})", "/dedup_id");
  refused(R"({"name":"a.b","data":{},"endpoint_scope":"platform"})", "/endpoint_scope");
  refused(R"({"name":"a.b","data":{},"endpoint_scope":{"scope":"vendor"}})",
          "/endpoint_scope/scope_id");
  refused(R"({"name":"a.b","data":{},"endpoint_scope":{"scope":"platform","scope_id":1}})",
          "/endpoint_scope/scope_id");
  refused(R"({"name":"a.b","data":{},"other":1})", "/other");
  refused(R"({"name":"refused.event","data":{}})", "/endpoint_scope/scope_id");
  const std::string large(256 * 1024 - 8, 'x');
  BOOST_TEST(
      f.call("POST", "/v1/events", R"({"name":"a.b","data":{"x":")" + large + "\"}}").status() ==
      202);
  refused(R"({"name":"a.b","data":{"x":")" + large + "x\"}}", "/data");
  BOOST_TEST(f.call("POST", "/v1/events", R"({"name":"a.b","data":{"x":1,"x":2}})").status() ==
             400);
  BOOST_TEST(f.call("POST", "/v1/events", "x", {{"Content-Type", "text/plain"}}).status() == 415);
  BOOST_TEST(f.call("POST", "/v1/events", "[]").status() == 422);
}

BOOST_AUTO_TEST_CASE(only_staff_publishes) {
  face f;
  const std::string body = R"({"name":"a.b","data":{}})";
  BOOST_TEST(f.call("POST", "/v1/events", body, {}, f.market).status() == 202);
  const auto vendor = f.make_token(core::role::vendor, f.vendor);
  const auto tenant = f.make_token(core::role::tenant, f.customer);
  BOOST_TEST(f.call("POST", "/v1/events", body, {}, vendor).status() == 403);
  BOOST_TEST(f.call("POST", "/v1/events", body, {}, tenant).status() == 403);
  BOOST_TEST(f.engine.published.size() == 1U);
}

BOOST_AUTO_TEST_CASE(each_line_has_its_own_result) {
  face f;
  const std::string body =
      "{\"name\":\"a.b\",\"data\":{\"n\":1}}\r\n"
      "\n"
      "  \t\n"
      "{\"name\":\"a.b\"}\n"
      "{\"name\":\n"
      "{\"name\":\"refused.event\",\"data\":{}}\n"
      "{\"name\":\"a.b\",\"data\":{\"n\":2}}";
  const auto r = f.call("POST", "/v1/events", body, lines);
  BOOST_TEST(r.status() == 202);
  BOOST_TEST(r.json().at("items").as_array().size() == 5U);
  BOOST_TEST(r.at("/items/0/id") != "");
  BOOST_TEST(r.at("/items/1/error/code") == "invalid_input");
  BOOST_TEST(r.at("/items/1/error/pointer") == "/data");
  BOOST_TEST(r.at("/items/2/error/code") == "malformed_json");
  BOOST_TEST(r.at("/items/3/error/pointer") == "/endpoint_scope/scope_id");
  BOOST_TEST(r.at("/items/4/id") != "");
  BOOST_TEST_REQUIRE(f.engine.published.size() == 2U);
  BOOST_TEST(f.engine.published[1].data == R"({"n":2})");
  BOOST_TEST(f.engine.published[1].line == 4U);
}

BOOST_AUTO_TEST_CASE(a_call_has_a_bounded_number_of_lines) {
  face f;
  std::string body;
  for (int i = 0; i < 1'000; ++i) body += "{\"name\":\"a.b\",\"data\":{}}\n";
  BOOST_TEST(f.call("POST", "/v1/events", body, lines).status() == 202);
  const auto over = f.call("POST", "/v1/events", body + body.substr(0, 26), lines);
  BOOST_TEST(over.status() == 413);
  BOOST_TEST(over.at("/code") == "too_many_lines");
  BOOST_TEST(f.call("POST", "/v1/events", "\n\n", lines).status() == 400);
  BOOST_TEST(f.engine.published.size() == 1'000U);
}

BOOST_AUTO_TEST_CASE(a_key_covers_the_whole_call) {
  face f;
  tests::headers key = lines;
  key.push_back({"Idempotency-Key", "k"});
  const std::string body = "{\"name\":\"a.b\",\"data\":{}}\n{\"name\":\"a.b\",\"data\":{}}\n";
  const auto first = f.call("POST", "/v1/events", body, key);
  BOOST_TEST(f.call("POST", "/v1/events", body, key).http.body == first.http.body);
  BOOST_TEST(f.call("POST", "/v1/events", body + "\n", key).status() == 422);
  BOOST_TEST(f.engine.published.size() == 2U);
}

BOOST_AUTO_TEST_CASE(declared_types_are_checked) {
  face f;
  const std::string schema =
      R"({"type":"object","required":["total"],"properties":{"total":{"type":"number",)"
      R"("minimum":0},"pattern":{"type":"string","format":"date"},)"
      R"("lines":{"type":"array","items":{"type":"object","required":["sku"]}}}})";
  const auto made = f.call("POST", "/v1/event-types",
                           R"({"name":"shop.paid","description":"Paid","schema":)" + schema +
                               R"(,"example":{"total":1}})");
  BOOST_TEST(made.status() == 201);
  BOOST_TEST(f.call("GET", "/v1/event-types/shop.paid").at("/schema/required/0") == "total");
  BOOST_TEST(f.call("GET", "/v1/event-types?source=declared").at("/items/0/name") == "shop.paid");
  const auto publish = [&](const std::string& data) {
    return f.call("POST", "/v1/events", R"({"name":"shop.paid","data":)" + data + "}");
  };
  BOOST_TEST(publish(R"({"total":5,"pattern":"x","lines":[{"sku":1}]})").status() == 202);
  BOOST_TEST(publish(R"({})").at("/errors/0/pointer") == "/data");
  BOOST_TEST(publish(R"({"total":-1})").at("/errors/0/pointer") == "/data/total");
  const auto deep = publish(R"({"total":1,"lines":[{"sku":1},{}]})");
  BOOST_TEST(deep.status() == 422);
  BOOST_TEST(deep.http.body.find("/data/lines/1") != std::string::npos, deep.http.body);
  // A changed schema counts from then on; without one everything passes.
  BOOST_TEST(f.call("PATCH", "/v1/event-types/shop.paid", R"({"schema":null})").status() == 200);
  BOOST_TEST(publish(R"({})").status() == 202);
  BOOST_TEST(f.call("POST", "/v1/event-types", R"({"name":"shop.paid"})").status() == 409);
  BOOST_TEST(f.call("DELETE", "/v1/event-types/shop.paid").status() == 204);
  BOOST_TEST(f.call("GET", "/v1/event-types/shop.paid").status() == 404);
  BOOST_TEST(f.call("POST", "/v1/event-types", R"({"name":"tenant.x"})").status() == 422);
  const auto vendor = f.make_token(core::role::vendor, f.vendor);
  BOOST_TEST(f.call("GET", "/v1/event-types", {}, {}, vendor).status() == 200);
  BOOST_TEST(f.call("POST", "/v1/event-types", R"({"name":"a.b"})", {}, vendor).status() == 403);
}

BOOST_AUTO_TEST_CASE(what_could_take_for_ever_is_refused_in_a_schema) {
  face f;
  for (const char* bad :
       {R"({"$ref":"http://elsewhere.example/s.json"})", R"({"$ref":"#"})",
        R"({"properties":{"a":{"pattern":"(a+)+$"}}})", R"({"patternProperties":{"a":{}}})",
        R"({"items":{"uniqueItems":true}})", R"({"anyOf":[{},{"not":{"$id":"x"}}]})",
        R"({"definitions":{"d":{"pattern":"x"}}})", R"({"type":"nothing"})", R"({"multipleOf":0})",
        R"({"properties":{"a":{"multipleOf":-1}}})", R"({"items":{"anyOf":[{"multipleOf":0.01}]}})",
        R"({"multipleOf":2.0})", R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})",
        R"({"$schema":7})", R"({"minimum":"x"})"}) {
    const auto r =
        f.call("POST", "/v1/event-types", R"({"name":"a.b","schema":)" + std::string{bad} + "}");
    BOOST_TEST(r.status() == 422, bad);
    BOOST_TEST(r.at("/errors/0/pointer").starts_with("/schema"), bad << r.http.body);
  }
  BOOST_TEST(f.call("POST", "/v1/event-types", R"({"name":"a.b","schema":[]})").status() == 422);
  const auto example = f.call(
      "POST", "/v1/event-types",
      R"({"name":"a.b","schema":{"properties":{"n":{"type":"integer"}}},"example":{"n":"x"}})");
  BOOST_TEST(example.at("/errors/0/pointer") == "/example/n");
}

BOOST_AUTO_TEST_CASE(schema_and_example_fit_also_when_one_of_them_changes) {
  face f;
  const std::string at = "/v1/event-types/a.b";
  f.call("POST", "/v1/event-types", R"({"name":"a.b","example":{"n":1}})");
  const auto refused = f.call("PATCH", at, R"({"schema":{"required":["q"]}})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errors/0/pointer").starts_with("/example"), refused.http.body);
  BOOST_TEST(f.call("PATCH", at, R"({"schema":{"required":["n"]}})").status() == 200);
  BOOST_TEST(f.call("PATCH", at, R"({"example":{"q":1}})").status() == 422);
  BOOST_TEST(f.call("PATCH", at, R"({"example":null,"schema":{"required":["q"]}})").status() ==
             200);
}

BOOST_AUTO_TEST_CASE(whole_divisors_are_judged_and_many_mistakes_are_not_collected) {
  const auto rules = *api::schema::compile(
      R"({"$schema":"http://json-schema.org/draft-07/schema#",)"
      R"("properties":{"n":{"multipleOf":5},"a":{"items":{"required":["x","y","z"]}}}})");
  BOOST_TEST(rules->mistakes_in(R"({"n":10})").empty());
  BOOST_TEST(!rules->mistakes_in(R"({"n":-9223372036854775808})").empty());
  BOOST_TEST(rules->mistakes_in(R"({"a":[{},{},{},{}]})").size() == 8U);
  std::string large = R"({"a":[{})";
  for (int i = 0; i < 50'000; ++i) large += ",{}";
  const auto mistakes = rules->mistakes_in(large + "]}");
  BOOST_REQUIRE(mistakes.size() == 1U);
  BOOST_TEST(mistakes[0].detail.find("too large") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stored_schema_that_is_not_taken_any_more_lets_nothing_pass) {
  face f;
  core::event_type old;
  old.name = "a.b";
  old.schema = R"({"multipleOf":0})";
  f.engine.items->all_event_types["a.b"] = std::make_shared<const core::event_type>(old);
  const auto r = f.call("POST", "/v1/events", R"({"name":"a.b","data":{"n":1}})");
  BOOST_TEST(r.status() == 422);
  BOOST_TEST(r.at("/errors/0/pointer") == "/name");
}

BOOST_AUTO_TEST_CASE(undeclared_names_can_be_refused) {
  api::api_settings settings;
  settings.refuse_unknown_types = true;
  face f{settings};
  const std::string body = R"({"name":"a.b","data":{}})";
  BOOST_TEST(f.call("POST", "/v1/events", body).at("/errors/0/pointer") == "/name");
  f.call("POST", "/v1/event-types", R"({"name":"a.b"})");
  BOOST_TEST(f.call("POST", "/v1/events", body).status() == 202);
}

BOOST_AUTO_TEST_CASE(an_endpoint_takes_a_filter) {
  face f;
  const std::string filter =
      R"({"and":[{"field":"plan.tier","eq":"gold"},{"or":[{"field":"amount","gte":100},)"
      R"({"not":{"field":"x","exists":true}}]}]})";
  const auto endpoint = [&](const std::string& value) {
    return f.call("POST", "/v1/endpoints",
                  R"({"scope":"platform","url":"https://a.example/","filter":)" + value + "}");
  };
  const auto made = endpoint(filter);
  BOOST_TEST_REQUIRE(made.status() == 201);
  BOOST_TEST(boost::json::serialize(made.json().at("filter")) == filter);
  const std::string path = "/v1/endpoints/" + made.at("/id");
  BOOST_TEST(f.call("PATCH", path, R"({"filter":null})").at("/filter") == "null");
  const std::pair<const char*, const char*> refused[] = {
      {R"([])", "/filter"},
      {R"({})", "/filter"},
      {R"({"and":[]})", "/filter/and"},
      {R"({"and":[{"field":"a","eq":1},{"field":"a","like":1}]})", "/filter/and/1/like"},
      {R"({"not":[{"field":"a","eq":1}]})", "/filter/not"},
      {R"({"field":"a"})", "/filter"},
      {R"({"field":"a","eq":1,"gt":0})", "/filter"},
      {R"({"eq":1})", "/filter"},
      {R"({"field":"a","and":[]})", "/filter"},
      {R"({"field":7,"eq":1})", "/filter/field"},
      {R"({"field":"a","in":1})", "/filter/in"},
      {R"({"field":"a","in":[]})", "/filter"},
      {R"({"field":"a","eq":[1]})", "/filter/eq"},
      {R"({"field":"a","lt":null})", "/filter"},
      {R"({"field":"a..b","eq":1})", "/filter"},
  };
  for (const auto& [value, pointer] : refused) {
    const auto r = endpoint(value);
    BOOST_TEST(r.status() == 422, value);
    BOOST_TEST(r.at("/errors/0/pointer") == pointer, value << r.http.body);
  }
}

BOOST_AUTO_TEST_CASE(the_place_of_a_member) {
  using api::raw_member;
  BOOST_TEST(raw_member(R"({"a":1,"b":{"c":"}"}})", 1) == R"({"c":"}"})");
  BOOST_TEST(raw_member(" { \"a\" : [ 1 , \"]\\\"\" ] , \"b\" : null } ", 0) == R"([ 1 , "]\"" ])");
  BOOST_TEST(raw_member(" { \"a\" : [ 1 ] , \"b\" : null } ", 1) == "null");
  BOOST_TEST(raw_member(R"({"\"a":"x\\","b":-1.5e3})", 0) == R"("x\\")");
  BOOST_TEST(raw_member(R"({"\"a":"x\\","b":-1.5e3})", 1) == "-1.5e3");
  BOOST_TEST(raw_member(R"({"a":{}})", 0) == "{}");
  BOOST_TEST(raw_member("{}", 3).empty());
}

BOOST_AUTO_TEST_SUITE_END()
