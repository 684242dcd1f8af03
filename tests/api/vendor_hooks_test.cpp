// The vendor is asked before an order, and may say no; which values a parameter may have.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

core::attempt_result said(int status, std::string body = {}) {
  core::attempt_result r;
  r.status = status;
  r.excerpt = std::move(body);
  return r;
}

struct market : face {
  market() {
    change(R"({"order_validation_urls":["https://a.example.com/v","https://b.example.com/v"],)"
           R"("parameter_value_url":"https://c.example.com/p","config_parameters":[)"
           R"({"code":"region","external_values":true},{"code":"domain"}]})");
    engine.vendor = [this](const actors::vendor_question& q) {
      if (q.url == "https://c.example.com/p") return said(200, values);
      return q.url == refuses ? answer : said(204);
    };
  }
  void change(const std::string& fields) {
    const auto r = call("PATCH", "/v1/products/" + std::to_string(product), fields);
    BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  }
  tests::reply order(const std::string& more = "") {
    return call("POST", "/v1/subscriptions",
                R"({"paid":true,"tenant_id":)" + std::to_string(customer) + R"(,"plan_id":)" +
                    std::to_string(plan) + more + "}");
  }
  // The questions since the last look, as JSON.
  std::vector<boost::json::value> questions() {
    std::vector<boost::json::value> out;
    for (const auto& q : std::exchange(engine.asked_vendor, {}))
      out.push_back(boost::json::parse(q.body));
    return out;
  }

  std::string refuses;
  std::string values = R"({"values":[{"value":"eu","description":"Europe"},{"value":"us"}]})";
  core::attempt_result answer = said(200, R"({"errors":[{"message":"No."},{"message":"Never."}]})");
};

}  // namespace

BOOST_AUTO_TEST_SUITE(vendor_hooks)

BOOST_AUTO_TEST_CASE(every_url_is_asked_before_an_order) {
  market m;
  const auto r = m.order(R"(,"type":"TRIAL","config":{"domain":"x.example"})");
  BOOST_TEST_REQUIRE(r.status() == 201);
  BOOST_TEST(m.engine.asked_vendor.at(0).url == "https://a.example.com/v");
  BOOST_TEST(m.engine.asked_vendor.at(1).url == "https://b.example.com/v");
  const auto asked = m.questions();
  BOOST_TEST_REQUIRE(asked.size() == 2U);
  const auto& q = asked[0].as_object();
  BOOST_TEST(q.at("productId").to_number<std::uint64_t>() == m.product);
  BOOST_TEST(q.at("productIdentifier").as_string() == "M1");
  BOOST_TEST(q.at("productVersionId").to_number<std::uint64_t>() == m.plan);
  BOOST_TEST(q.at("buyerId").to_number<std::uint64_t>() == m.customer);
  BOOST_TEST(q.at("orderType").as_string() == "TRIAL");
  BOOST_TEST(q.at("language").as_string() == "en");
  BOOST_TEST(q.at("configurationParameters").at("domain").as_string() == "x.example");
  BOOST_TEST(q.at("billingItems").is_object());
  BOOST_TEST(!q.contains("subscriptionId"));
  BOOST_TEST((asked[0] == asked[1]));
}

BOOST_AUTO_TEST_CASE(one_refusal_is_enough_and_nothing_is_done) {
  market m;
  m.refuses = "https://b.example.com/v";
  const std::size_t before = m.engine.all_subscriptions.size();
  const auto r = m.order();
  BOOST_TEST(r.status() == 422);
  BOOST_TEST(r.at("/code") == "order_refused");
  BOOST_TEST(r.at("/detail") == "No.; Never.");
  BOOST_TEST(m.engine.all_subscriptions.size() == before);
  core::attempt_result timeout;
  timeout.error = core::attempt_error::timeout;
  for (const auto& useless :
       {said(200), said(200, "{}"), said(200, R"({"errors":[]})"), said(200, R"({"errors":"x"})"),
        said(200, R"({"errors":[{"text":"x"}]})"), said(200, "no JSON"), said(201), said(302),
        said(404), said(500, R"({"errors":[{"message":"secret"}]})"), timeout}) {
    m.answer = useless;
    const auto generic = m.order();
    BOOST_TEST(generic.status() == 422);
    BOOST_TEST(generic.at("/code") == "order_refused");
    BOOST_TEST(generic.at("/detail") == "the vendor's check of the order gave no usable answer");
  }
  m.answer.error = core::attempt_error::local;
  BOOST_TEST(m.order().status() == 503);
  BOOST_TEST(m.engine.all_subscriptions.size() == before);
  // The key of a refused order is free again.
  m.answer = said(500);
  const std::string body = R"({"paid":true,"tenant_id":)" + std::to_string(m.customer) +
                           R"(,"plan_id":)" + std::to_string(m.plan) + "}";
  const auto keyed = [&] {
    return m.call("POST", "/v1/subscriptions", body, {{"Idempotency-Key", "k"}}).status();
  };
  BOOST_TEST(keyed() == 422);
  m.refuses.clear();
  BOOST_TEST(keyed() == 201);
  const std::size_t asked = m.questions().size();
  BOOST_TEST(asked > 0U);
  BOOST_TEST(keyed() == 201);  // a repeat asks nobody
  BOOST_TEST(m.questions().empty());
}

BOOST_AUTO_TEST_CASE(changes_and_ends_are_orders_too) {
  market m;
  const std::string token = m.make_token(core::role::vendor, m.vendor);
  const std::string id = m.order().at("/id");
  const std::string path = "/v1/subscriptions/" + id;
  const std::string vendor_path = "/api/subscription/" + id;
  m.questions();
  const auto type = [&] {
    const auto asked = m.questions();
    if (asked.empty()) return std::string{};
    BOOST_TEST(asked[0].at("subscriptionId").to_number<std::uint64_t>() == std::stoull(id));
    return std::string{asked[0].at("orderType").as_string()};
  };
  const auto patch = [&](const std::string& body) {
    return m.call("PATCH", vendor_path, body, {{"CMW-Auth-Token", token}}, "");
  };
  BOOST_TEST(patch(R"({"deploymentStatus":"DEPLOYED"})").status() == 204);
  m.call("POST", path + "/suspend");
  m.call("POST", path + "/resume");
  m.call("PATCH", path, R"({"name":"N"})");
  m.call("POST", path + "/renew");
  BOOST_TEST(type() == "");
  const std::string large = std::to_string(
      m.make("/v1/plans", R"({"name":"L","product_id":)" + std::to_string(m.product) + "}"));
  m.refuses = "https://a.example.com/v";
  BOOST_TEST(m.call("POST", path + "/change", R"({"plan_id":)" + large + "}").status() == 422);
  BOOST_TEST(type() == "SYNDICATED_UPGRADE");
  const auto refused =
      patch(R"({"action":"SYNDICATED_UPGRADE","productVersion":{"url":"productVersion/)" + large +
            "\"}}");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errorHolders/0/key") == "order_refused");
  BOOST_TEST(refused.at("/errorHolders/0/error") == "No.; Never.");
  BOOST_TEST(m.questions().at(0).at("productVersionId").to_number<int>() == std::stoi(large));
  BOOST_TEST(m.call("POST", path + "/cancel").status() == 422);
  BOOST_TEST(type() == "UNSUBSCRIBE");
  BOOST_TEST(m.call("POST", path + "/terminate").status() == 422);
  BOOST_TEST(type() == "TERMINATION");
  BOOST_TEST(m.call("GET", path).at("/status") == "DEPLOYED");
  BOOST_TEST(m.call("GET", path).at("/plan_id") == std::to_string(m.plan));
  m.refuses.clear();
  BOOST_TEST(m.call("POST", path + "/cancel").status() == 200);
  BOOST_TEST(type() == "UNSUBSCRIBE");
  BOOST_TEST(m.call("POST", path + "/cancel").status() == 200);  // a repeat
  BOOST_TEST(type() == "");
  BOOST_TEST(m.call("POST", path + "/terminate").status() == 200);
  BOOST_TEST(type() == "TERMINATION");
  BOOST_TEST(m.call("POST", path + "/terminate").status() == 200);
  BOOST_TEST(type() == "");
}

BOOST_AUTO_TEST_CASE(an_estimate_asks_as_an_order_does) {
  market m;
  const std::string priced = std::to_string(
      m.make("/v1/plans",
             R"({"name":"P","product_id":)" + std::to_string(m.product) +
                 R"(,"resources":[{"name":"seats","rate":{"scheme":"per_unit","currency":"EUR",)"
                 R"("ranges":[{"from":1,"unit_price":"2"}]}}]})"));
  const std::string path = "/v1/plans/" + priced + "/quote";
  const std::string buyer = std::to_string(m.customer);
  const auto r = m.call("POST", path, R"({"quantities":{"seats":3},"tenant_id":)" + buyer + "}");
  BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  BOOST_TEST(r.at("/totals/EUR") == "6.00");
  const auto asked = m.questions();
  BOOST_TEST_REQUIRE(asked.size() == 2U);
  BOOST_TEST(asked[0].at("orderType").as_string() == "ESTIMATE");
  BOOST_TEST(asked[0].at("billingItems").at("seats").to_number<int>() == 3);
  BOOST_TEST(asked[0].at("buyerId").to_number<std::uint64_t>() == m.customer);
  BOOST_TEST(asked[0].at("productVersionId").to_number<int>() == std::stoi(priced));
  m.refuses = "https://b.example.com/v";
  const auto refused = m.call("POST", path, R"({"quantities":{"seats":3}})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/code") == "order_refused");
  BOOST_TEST(!m.questions().at(0).as_object().contains("buyerId"));
  m.answer.error = core::attempt_error::local;
  BOOST_TEST(m.call("POST", path, R"({"quantities":{"seats":3}})").status() == 503);
  m.questions();
  // What is wrong in itself, and usage, which nobody orders, ask nobody.
  BOOST_TEST(m.call("POST", path, R"({"quantities":{"beds":3}})").status() == 422);
  BOOST_TEST(m.call("POST", path, R"({"tenant_id":987654})").status() == 422);
  BOOST_TEST(m.call("POST", path,
                    R"({"usage":{"seats":{"samples":[]}},"period_start":"2026-01-01T00:00:00Z",)"
                    R"("period_end":"2026-02-01T00:00:00Z"})")
                 .status() == 200);
  BOOST_TEST(m.questions().empty());
}

BOOST_AUTO_TEST_CASE(values_come_from_the_vendor) {
  market m;
  const std::string path = "/v1/products/" + std::to_string(m.product) + "/parameters/";
  const auto query = "?tenant_id=" + std::to_string(m.customer) + "&plan_id=";
  const auto r = m.call("GET", path + "region/values" + query + std::to_string(m.plan));
  BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  BOOST_TEST(r.at("/values/0/value") == "eu");
  BOOST_TEST(r.at("/values/0/description") == "Europe");
  BOOST_TEST(r.at("/values/1/description") == "");
  const auto q = m.questions().at(0);
  BOOST_TEST(q.at("configurationParameter").as_string() == "region");
  BOOST_TEST(q.at("buyerId").to_number<std::uint64_t>() == m.customer);
  BOOST_TEST(q.at("productVersionId").to_number<std::uint64_t>() == m.plan);
  m.values = R"({"values":null})";
  BOOST_TEST(m.call("GET", path + "region/values").at("/values") == "null");
  m.values = R"({"values":[]})";
  BOOST_TEST(m.call("GET", path + "region/values").at("/values") == "[]");
  m.questions();
  BOOST_TEST(m.call("GET", path + "domain/values").at("/values") == "null");
  BOOST_TEST(m.questions().empty());
  for (const char* bad : {"", "{}", "[]", R"({"values":7})", R"({"values":[{"value":7}]})"}) {
    m.values = bad;
    BOOST_TEST(m.call("GET", path + "region/values").status() == 422, bad);
  }
  BOOST_TEST(m.call("GET", path + "colour/values").status() == 404);
  BOOST_TEST(m.call("GET", path + "region/values?x=1").status() == 422);
  BOOST_TEST(m.call("GET", path + "region/values?tenant_id=987654").status() == 404);
  BOOST_TEST(m.call("GET", path + "region/values?plan_id=987654").status() == 422);
  const std::string other = m.make_token(core::role::vendor, m.other_vendor);
  BOOST_TEST(m.call("GET", path + "region/values", {}, {}, other).status() == 404);
}

BOOST_AUTO_TEST_CASE(an_order_takes_offered_values_only) {
  market m;
  const auto status = [&](const std::string& region) {
    return m.order(R"(,"config":{"region":")" + region + "\"}").status();
  };
  BOOST_TEST(status("eu") == 201);
  BOOST_TEST(m.questions().size() == 3U);
  const auto refused = m.order(R"(,"config":{"region":"moon"})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errors/0/pointer") == "/config/region");
  m.values = R"({"values":[]})";
  BOOST_TEST(status("eu") == 422);
  m.values = R"({"values":null})";
  BOOST_TEST(status("moon") == 201);
  m.values = "?";
  BOOST_TEST(m.order(R"(,"config":{"region":"eu"})").at("/code") == "order_refused");
  BOOST_TEST(m.order().status() == 201);  // none is given, none is asked for
}

BOOST_AUTO_TEST_SUITE_END()
