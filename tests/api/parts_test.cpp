// Sub-resources and usage on both faces.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

struct shop : face {
  shop() : vendor_token(make_token(core::role::vendor, vendor)) {
    core::product p = *engine.items->find(core::product_id{product});
    p.resource_types = {{"context", core::resource_class::service, "",
                         core::resource_context::customer, "", core::link_strength::weak},
                        {"vps", core::resource_class::service, "", core::resource_context::customer,
                         "context", core::link_strength::strong}};
    engine.items->all_products[product] = std::make_shared<const core::product>(p);
    core::plan sold = *engine.items->find(core::plan_id{plan});
    core::plan_resource context;
    context.name = "context";
    context.limit = 1;
    context.overage = 0;
    core::plan_resource vps;
    vps.name = "vps";
    sold.resources = {context, vps};
    engine.items->all_plans[plan] = std::make_shared<const core::plan>(sold);
    number = subscribe();
    as_vendor("PATCH", "", R"({"deploymentStatus":"DEPLOYED"})");
  }
  std::string v1(std::string_view more = "") const {
    return "/v1/subscriptions/" + std::to_string(number) + "/resources" + std::string{more};
  }
  tests::reply as_vendor(std::string_view method, std::string_view more, std::string body = {}) {
    return call(method, "/api/subscription/" + std::to_string(number) + std::string{more},
                std::move(body), {{"CMW-Auth-Token", vendor_token}}, "");
  }
  std::uint64_t create(std::string type) { return make(v1(), R"({"type":")" + type + "\"}"); }

  std::string vendor_token;
  std::uint64_t number = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(parts)

BOOST_AUTO_TEST_CASE(a_resource_is_made_read_changed_and_removed) {
  shop s;
  const auto context = s.create("context");
  const std::string one = "/" + std::to_string(context);
  BOOST_TEST(s.call("GET", s.v1(one)).at("/status") == "provisioning");
  BOOST_TEST(s.as_vendor("PATCH", "/resource" + one, R"({"status":"ready"})").status() == 200);
  const auto got = s.call("GET", s.v1(one));
  BOOST_TEST(got.at("/status") == "ready");
  BOOST_TEST(got.header("ETag") == '"' + got.at("/version") + '"');
  const auto second = s.call("POST", s.v1(), R"({"type":"context"})");
  BOOST_TEST(second.status() == 409);
  BOOST_TEST(second.at("/code") == "quota_blocked");
  const auto vps = s.create("vps");
  const std::string other = "/" + std::to_string(vps);
  BOOST_TEST(s.call("GET", s.v1(other)).at("/parent_id") == std::to_string(context));
  BOOST_TEST(s.call("PATCH", s.v1(other), R"({"status":"ready"})").status() == 200);
  const auto wanted = s.call("PATCH", s.v1(other), R"({"properties":{"cpu":"4"}})");
  BOOST_TEST(wanted.at("/status") == "configuring");
  BOOST_TEST(wanted.at("/wanted_properties/cpu") == "4");
  BOOST_TEST(
      s.as_vendor("PATCH", "/resource" + other, R"({"status":"ready"})").at("/properties/cpu") ==
      "4");
  BOOST_TEST(s.call("POST", s.v1(other + "/disable")).at("/disabled_by/0") == "command");
  BOOST_TEST(s.call("POST", s.v1(other + "/enable")).at("/status") == "ready");
  BOOST_TEST(s.call("DELETE", s.v1(one)).at("/code") == "has_children");
  BOOST_TEST(s.call("DELETE", s.v1(one + "?cascade=true")).at("/status") == "unprovisioning");
  // The vendor takes them away, the inner one last.
  const auto early = s.as_vendor("DELETE", "/resource" + one + "?cascade=true");
  BOOST_TEST(early.status() == 202);
  BOOST_TEST(early.header("Retry-After") == "60");
  BOOST_TEST(s.as_vendor("DELETE", "/resource" + other).status() == 204);
  BOOST_TEST(s.as_vendor("DELETE", "/resource" + one).status() == 204);
  BOOST_TEST(s.as_vendor("DELETE", "/resource" + one).status() == 204);
  BOOST_TEST(s.call("GET", s.v1("?status=deleted")).json().at("items").as_array().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_vendor_makes_its_own_and_links_them) {
  shop s;
  const auto made =
      s.as_vendor("POST", "/resource", R"({"type":"context","properties":{"a":"b"}})");
  BOOST_TEST(made.status() == 201);
  const std::string id = made.at("/id");
  BOOST_TEST(made.header("Location").ends_with("/resource/" + id));
  BOOST_TEST(s.as_vendor("GET", "/resource").json().as_array().size() == 1U);
  BOOST_TEST(s.as_vendor("GET", "/resource/" + id).at("/properties/a") == "b");
  const std::string link = R"({"name":"owner","target":"account"})";
  BOOST_TEST(s.call("POST", s.v1("/" + id + "/link"), link).at("/links/0/name") == "owner");
  BOOST_TEST(
      s.call("POST", s.v1("/" + id + "/unlink"), link).json().at("links").as_array().empty());
  const auto failed =
      s.as_vendor("PATCH", "/resource/" + id, R"({"status":"failed","problem":"no space"})");
  BOOST_TEST(failed.at("/problem") == "no space");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  shop s;
  const auto pointer = [&](std::string_view method, std::string path, std::string body) {
    return s.call(method, path, std::move(body)).at("/errors/0/pointer");
  };
  BOOST_TEST(pointer("POST", s.v1(), "{}") == "/type");
  BOOST_TEST(pointer("POST", s.v1(), R"({"type":"lead"})") == "/type");
  BOOST_TEST(pointer("POST", s.v1(), R"({"type":"vps"})") == "/parent_id");
  BOOST_TEST(pointer("POST", s.v1(), R"({"type":"context","links":[{"name":"x"}]})") ==
             "/links/0/id");
  const std::string one = s.v1("/" + std::to_string(s.create("context")));
  BOOST_TEST(pointer("PATCH", one, R"({"status":"fine"})") == "/status");
  BOOST_TEST(pointer("PATCH", one, "{}") == "/status");
  BOOST_TEST(pointer("PATCH", one, R"({"status":"ready","problem":"x"})") == "/problem");
  BOOST_TEST(s.call("DELETE", one + "?cascade=yes").status() == 422);
  BOOST_TEST(s.call("GET", s.v1("/999")).status() == 404);
}

BOOST_AUTO_TEST_CASE(each_sees_and_changes_only_what_is_his) {
  shop s;
  const std::string one = s.v1("/" + std::to_string(s.create("context")));
  const auto customer = s.make_token(core::role::tenant, s.customer);
  const auto stranger = s.make_token(core::role::tenant, s.stranger);
  const auto other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("GET", one, {}, {}, customer).status() == 200);
  BOOST_TEST(s.call("GET", one, {}, {}, stranger).status() == 404);
  BOOST_TEST(s.call("GET", one, {}, {}, other).status() == 404);
  BOOST_TEST(s.call("DELETE", one, {}, {}, stranger).status() == 404);
  BOOST_TEST(s.call("PATCH", one, R"({"status":"ready"})", {}, customer).status() == 403);
  BOOST_TEST(s.call("POST", one + "/disable", {}, {}, s.vendor_token).status() == 403);
  BOOST_TEST(s.call("DELETE", one, {}, {}, customer).status() == 200);
}

BOOST_AUTO_TEST_CASE(usage_is_answered_item_by_item) {
  shop s;
  const auto r = s.as_vendor("POST", "/usage", R"({"items":[
      {"metric":"disk","value":3.5},{"metric":"disk","value":3.5},
      {"metric":"disk","value":1,"windowStart":"2020-01-01T00:00:00Z",
       "windowEnd":"2020-01-01T01:00:00Z"}]})");
  BOOST_TEST_REQUIRE(r.status() == 200);
  BOOST_TEST(r.at("/items/0/effect") == "recorded");
  BOOST_TEST(r.at("/items/0/record/source") == "vendor");
  BOOST_TEST(r.json().at("items").at(0).at("record").at("value").as_double() == 3.5);
  BOOST_TEST(r.at("/items/1/effect") == "repeated");
  BOOST_TEST(r.at("/items/2/status") == "409");
  BOOST_TEST(r.at("/items/2/error/code") == "window_closed");
  const std::string usage = "/v1/subscriptions/" + std::to_string(s.number) + "/usage";
  BOOST_TEST(s.call("GET", usage).at("/items/0/metric") == "disk");
  BOOST_TEST(s.call("GET", usage + "?metric=mails").json().at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_shown) {
  shop s;
  s.engine.polls["disk"] = {
      core::from_unix_ms(0), 2, "http_500", core::from_unix_ms(1), {1'500'000}};
  const std::string path = "/v1/subscriptions/" + std::to_string(s.number) + "/metrics";
  const auto r = s.call("GET", path);
  BOOST_TEST(r.at("/items/0/metric") == "disk");
  BOOST_TEST(r.at("/items/0/problem") == "http_500");
  BOOST_TEST(r.at("/items/0/failures") == "2");
  BOOST_TEST(r.json().at("items").at(0).at("value").as_double() == 1.5);
  const auto stranger = s.make_token(core::role::tenant, s.stranger);
  BOOST_TEST(s.call("GET", path, {}, {}, stranger).status() == 404);
}

BOOST_AUTO_TEST_CASE(usage_of_many_subscriptions_comes_in_one_call) {
  shop s;
  const auto item = [](std::uint64_t id) {
    return R"({"subscription_id":)" + std::to_string(id) + R"(,"metric":"disk","value":1})";
  };
  const std::string body = R"({"items":[)" + item(s.number) + "," + item(999) + "]}";
  const auto r = s.call("POST", "/v1/usage", body);
  BOOST_TEST(r.at("/items/0/status") == "200");
  BOOST_TEST(r.at("/items/1/status") == "404");
  // Another vendor's subscription looks like none.
  const auto other = s.make_token(core::role::vendor, s.other_vendor);
  BOOST_TEST(s.call("POST", "/v1/usage", body, {}, other).at("/items/0/status") == "404");
  const auto customer = s.make_token(core::role::tenant, s.customer);
  BOOST_TEST(s.call("POST", "/v1/usage", body, {}, customer).status() == 403);
  const auto wrong = [&](std::string text) {
    return s.call("POST", "/v1/usage", std::move(text)).at("/errors/0/pointer");
  };
  BOOST_TEST(wrong("{}") == "/items");
  BOOST_TEST(wrong(R"({"items":[]})") == "/items");
  BOOST_TEST(wrong(R"({"items":[{"subscription_id":1,"metric":"a"}]})") == "/items/0/value");
  BOOST_TEST(wrong(R"({"items":[{"subscription_id":1,"metric":"a","value":-1}]})") ==
             "/items/0/value");
  BOOST_TEST(wrong(R"({"items":[{"subscription_id":1,"value":1}]})") == "/items/0/metric");
}

BOOST_AUTO_TEST_SUITE_END()
