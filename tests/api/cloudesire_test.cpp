// The face for vendors: what published vendor code sends must work as it is.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

struct shop : face {
  shop() : vendor_token(make_token(core::role::vendor, vendor)), number(subscribe()) {}

  std::string path(std::string_view more = "") const {
    return "/api/subscription/" + std::to_string(number) + std::string{more};
  }
  tests::reply as_vendor(std::string_view method, std::string_view target, std::string body = {}) {
    return call(method, target, std::move(body), {{"CMW-Auth-Token", vendor_token}}, "");
  }
  int report(std::string_view status) {
    return as_vendor("PATCH", path(), R"({"deploymentStatus":")" + std::string{status} + "\"}")
        .status();
  }
  std::string status() { return as_vendor("GET", path()).at("/deploymentStatus"); }

  std::string vendor_token;
  std::uint64_t number;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cloudesire)

BOOST_AUTO_TEST_CASE(a_subscription_has_the_documented_fields) {
  shop s;
  const auto r = s.as_vendor("GET", s.path("?apiVersion=20250109"));
  BOOST_TEST_REQUIRE(r.status() == 200);
  const auto whole = r.json();
  BOOST_TEST(whole.at("id").is_int64());
  BOOST_TEST(whole.at("id").to_number<std::uint64_t>() == s.number);
  BOOST_TEST(r.at("/self") == "subscription/" + std::to_string(s.number));
  BOOST_TEST(r.at("/deploymentStatus") == "PENDING");
  BOOST_TEST(r.at("/type") == "NORMAL");
  BOOST_TEST(whole.at("paid").as_bool());
  BOOST_TEST(whole.at("billingPeriod").is_int64());
  BOOST_TEST(r.at("/buyer/url") == "user/" + std::to_string(s.customer));
  BOOST_TEST(r.at("/company/url") == "company/" + std::to_string(s.customer));
  BOOST_TEST(r.at("/product/url") == "product/" + std::to_string(s.product));
  BOOST_TEST(r.at("/productVersion/url") == "productVersion/" + std::to_string(s.plan));
  BOOST_TEST(r.at("/orders/0/url").starts_with("order/"));
  BOOST_TEST(r.at("/createdAt").size() == std::string_view{"2015-01-12T11:19:30Z"}.size());
  for (const char* key : {"invoices", "syndicatedEndpoints", "endpoints"}) {
    BOOST_TEST(whole.at(key).as_array().empty(), key);
  }
  for (const char* key :
       {"updatedAt", "startDate", "endDate", "name", "endUserInstructions", "autoRenew"}) {
    BOOST_TEST(whole.as_object().contains(key), key);
  }
}

BOOST_AUTO_TEST_CASE(a_vendor_reports_and_repeats_itself) {
  shop s;
  BOOST_TEST(s.report("PENDING") == 204);  // already there
  BOOST_TEST(s.report("DEPLOYED") == 204);
  BOOST_TEST(s.status() == "DEPLOYED");
  const std::uint64_t version = s.engine.all_subscriptions[s.number].version;
  BOOST_TEST(s.report("DEPLOYED") == 204);
  BOOST_TEST(s.engine.all_subscriptions[s.number].version == version);
  BOOST_TEST(s.report("deployed") == 204);
  BOOST_TEST(s.report("STOPPED") == 204);
  BOOST_TEST(s.status() == "STOPPED");
  BOOST_TEST(s.report("DEPLOYED") == 204);
  const auto refused = s.as_vendor("PATCH", s.path(), R"({"deploymentStatus":"UNDEPLOYED"})");
  BOOST_TEST(refused.status() == 409);
  BOOST_TEST(refused.at("/errorHolders/0/key") == "transition_not_allowed");
  BOOST_TEST(refused.at("/errorHolders/0/extraFields/deploymentStatus") == "DEPLOYED");
  BOOST_TEST(s.report("PENDING") == 409);
  s.call("POST", "/v1/subscriptions/" + std::to_string(s.number) + "/terminate");
  BOOST_TEST(s.status() == "UNDEPLOY_SENT");
  BOOST_TEST(s.report("DEPLOYED") == 409);
  BOOST_TEST(s.report("UNDEPLOYED") == 204);
  BOOST_TEST(s.status() == "UNDEPLOYED");
  const std::uint64_t end = s.engine.all_subscriptions[s.number].version;
  BOOST_TEST(s.report("UNDEPLOYED") == 204);  // vendors answer DELETED with it: no loop
  BOOST_TEST(s.engine.all_subscriptions[s.number].version == end);
}

BOOST_AUTO_TEST_CASE(undeployed_is_a_success_in_every_ended_status) {
  shop s;
  const std::uint64_t unpaid = s.subscribe("");
  s.call("POST", "/v1/subscriptions/" + std::to_string(unpaid) + "/cancel");
  const auto r = s.as_vendor("PATCH", "/api/subscription/" + std::to_string(unpaid),
                             R"({"deploymentStatus":"UNDEPLOYED"})");
  BOOST_TEST(r.status() == 204);
}

BOOST_AUTO_TEST_CASE(wrong_patches) {
  shop s;
  for (const char* bad :
       {"{}", "[]", R"({"deploymentStatus":7})", R"({"deploymentStatus":"FLYING"})",
        R"({"action":"DANCE"})", R"({"deploymentStatus":"DEPLOYED","action":"RENEW"})",
        R"({"deploymentStatus":null})", R"({"action":"AUTORENEW"})",
        R"({"action":"SET_NAME","name":5})", "{"}) {
    const auto r = s.as_vendor("PATCH", s.path(), bad);
    BOOST_TEST(r.status() == 400, bad << ": " << r.http.body);
    BOOST_TEST(r.at("/errorHolders/0/key") != "");
  }
  BOOST_TEST(s.status() == "PENDING");
}

BOOST_AUTO_TEST_CASE(actions_in_any_case) {
  shop s;
  const auto act = [&](const std::string& body) {
    return s.as_vendor("PATCH", s.path(), body).status();
  };
  BOOST_TEST(act(R"({"action":"set_name","name":"Blog"})") == 204);
  BOOST_TEST(s.as_vendor("GET", s.path()).at("/name") == "Blog");
  BOOST_TEST(act(R"({"action":"AutoRenew","autoRenew":false})") == 204);
  BOOST_TEST(s.as_vendor("GET", s.path()).at("/autoRenew") == "false");
  BOOST_TEST(act(R"({"action":"KILL"})") == 403);
  BOOST_TEST(act(R"({"action":"renew"})") == 409);  // nothing to renew before it is deployed
  BOOST_TEST(s.report("FAILED") == 204);
  BOOST_TEST(act(R"({"action":"deploy"})") == 204);
  BOOST_TEST(s.status() == "PENDING");
  BOOST_TEST(s.report("DEPLOYED") == 204);
  const std::string end = s.as_vendor("GET", s.path()).at("/endDate");
  BOOST_TEST(act(R"({"action":"RENEW"})") == 204);
  BOOST_TEST(s.as_vendor("GET", s.path()).at("/endDate") > end);
  const auto staff = s.call("PATCH", s.path(), R"({"action":"kill"})");
  BOOST_TEST(staff.status() == 204);
  BOOST_TEST(s.status() == "UNDEPLOY_SENT");
}

// The published templates: Go sends a PATCH without a Content-Type, PHP logs in with user and
// password first and joins base and path with two slashes, Java's client sends all its fields.
BOOST_AUTO_TEST_CASE(published_vendor_code_works) {
  shop s;
  const std::string basic = core::base64_encode("acme:" + s.vendor_token);
  const auto login =
      s.call("GET", "/api//login?expire=false", {}, {{"Authorization", "Basic " + basic}}, "");
  BOOST_TEST(login.status() == 200);
  BOOST_TEST(login.json().as_string() == s.vendor_token);
  const tests::headers php{{"CMW-Auth-Token", s.vendor_token}, {"CMW-Auth-User", "acme"}};
  BOOST_TEST(s.call("GET", s.path(), {}, php, "").status() == 200);
  net::http_request go;
  go.method = "PATCH";
  go.path = s.path();
  go.body = R"({"deploymentStatus": "DEPLOYED"})";
  go.headers = {{"Cmw-Auth-Token", s.vendor_token}};
  net::http_response answer;
  s.handler(std::move(go), net::responder{[&](net::http_response&& a) { answer = std::move(a); }});
  BOOST_TEST(answer.status == 204);
  BOOST_TEST(answer.body.empty());
  BOOST_TEST(answer.content_type.empty());
  const auto java =
      s.as_vendor("PATCH", s.path(),
                  R"({"endUserInstructions":null,"deploymentStatus":"DEPLOYED","action":null,)"
                  R"("paid":null,"autoRenew":null,"billingItems":null})");
  BOOST_TEST(java.status() == 204);
  const auto user = s.as_vendor("GET", "/api/" + s.as_vendor("GET", s.path()).at("/buyer/url"));
  BOOST_TEST(user.at("/email") == "c@c.example");
  BOOST_TEST(user.at("/firstName") == "Cleo");
}

BOOST_AUTO_TEST_CASE(access_points_instructions_and_credentials) {
  shop s;
  const auto post = [&](const char* part, const std::string& body) {
    return s.as_vendor("POST", s.path(part), body).status();
  };
  BOOST_TEST(
      post("/endpoints",
           R"([{"endpoint":"https://app.example.com/","description":"App","category":"APP"}])") ==
      204);
  BOOST_TEST(post("/instructions", R"({"en":"Log in.","it":"Entra."})") == 204);
  BOOST_TEST(post("/credentials", R"([{"key":"Password","value":"s3cret-value",)"
                                  R"("description":{"en":"Yours"},"weight":1}])") == 204);
  const auto r = s.as_vendor("GET", s.path());
  BOOST_TEST(r.at("/endpoints/0/endpoint") == "https://app.example.com/");
  BOOST_TEST(r.at("/syndicatedEndpoints/0") == "https://app.example.com/");
  BOOST_TEST(r.at("/endUserInstructions") == "Log in.");
  BOOST_TEST(r.http.body.find("s3cret") == std::string::npos);
  BOOST_TEST(
      s.call("GET", "/v1/subscriptions/" + std::to_string(s.number)).http.body.find("s3cret") ==
      std::string::npos);
  BOOST_TEST(s.engine.all_subscriptions[s.number].credentials.at(0).sealed_value == "sealed(12)");
  for (const char* bad :
       {R"([])", R"({})", R"([{"endpoint":"http://app.example.com/","category":"APP"}])",
        R"([{"endpoint":"https://app.example.com/","category":"DOCUMENTATION"}])",
        R"([{"endpoint":"https://app.example.com/","category":"OTHER"}])",
        R"([{"category":"APP"}])", R"([{"endpoint":"https://a b/","category":"APP"}])"}) {
    BOOST_TEST(post("/endpoints", bad) == 422, bad);
  }
  BOOST_TEST(post("/instructions", R"({"en":7})") == 422);
  BOOST_TEST(post("/instructions", R"({"e/n":"x"})") == 422);
  BOOST_TEST(post("/instructions", "{\"en\":\"" + std::string(4'097, 'x') + "\"}") == 422);
  BOOST_TEST(post("/instructions", "{\"en\":\"" + std::string(4'096, 'x') + "\"}") == 204);
  BOOST_TEST(post("/credentials", R"([{"key":"k"}])") == 422);
  BOOST_TEST(s.as_vendor("GET", s.path()).at("/endpoints/0/category") == "APP");
}

BOOST_AUTO_TEST_CASE(metadata_is_the_vendors_own) {
  shop s;
  BOOST_TEST(s.as_vendor("PUT", s.path("/metadata"), R"({"ref":"T-1","a b":"x"})").status() == 204);
  BOOST_TEST(s.as_vendor("GET", s.path("/metadata")).at("/ref") == "T-1");
  BOOST_TEST(s.as_vendor("DELETE", s.path("/metadata/a%20b")).status() == 204);
  BOOST_TEST(s.as_vendor("DELETE", s.path("/metadata/absent")).status() == 204);
  BOOST_TEST(s.as_vendor("GET", s.path("/metadata")).http.body == R"({"ref":"T-1"})");
  BOOST_TEST(s.as_vendor("PUT", s.path("/metadata"), R"({"ref":1})").status() == 422);
  BOOST_TEST(s.as_vendor("PUT", s.path("/metadata"), "[]").status() == 422);
}

BOOST_AUTO_TEST_CASE(others_objects_do_not_exist) {
  shop s;
  const std::string other = s.make_token(core::role::vendor, s.other_vendor);
  const auto status = [&](std::string_view method, const std::string& path, std::string body = {}) {
    return s.call(method, path, std::move(body), {{"CMW-Auth-Token", other}}, "").status();
  };
  BOOST_TEST(status("GET", s.path()) == 404);
  BOOST_TEST(status("PATCH", s.path(), R"({"deploymentStatus":"DEPLOYED"})") == 404);
  BOOST_TEST(status("PUT", s.path("/metadata"), "{}") == 404);
  BOOST_TEST(status("POST", s.path("/credentials"), "[]") == 404);
  BOOST_TEST(status("GET", "/api/user/" + std::to_string(s.customer)) == 404);
  BOOST_TEST(status("GET", "/api/company/" + std::to_string(s.customer)) == 404);
  BOOST_TEST(status("GET", "/api/product/" + std::to_string(s.product)) == 404);
  BOOST_TEST(status("GET", "/api/productVersion/" + std::to_string(s.plan)) == 404);
  BOOST_TEST(s.as_vendor("GET", "/api/company/" + std::to_string(s.customer)).status() == 200);
  BOOST_TEST(s.as_vendor("GET", "/api/company/" + std::to_string(s.stranger)).status() == 404);
  BOOST_TEST(s.as_vendor("GET", "/api/user/me").at("/roles/0") == "vendor");
  const std::string tenant = s.make_token(core::role::tenant, s.customer);
  BOOST_TEST(s.call("PATCH", s.path(), R"({"deploymentStatus":"DEPLOYED"})", {}, tenant).status() ==
             403);
}

BOOST_AUTO_TEST_CASE(lists_have_pages_and_totals) {
  shop s;
  for (int i = 0; i < 4; ++i) s.subscribe(R"(,"type":"TRIAL")");
  const auto first = s.as_vendor("GET", "/api/subscription?pageNumber=1&pageSize=2");
  BOOST_TEST(first.json().as_array().size() == 2U);
  BOOST_TEST(first.header("CMW-TotalItems") == "5");
  BOOST_TEST(first.header("CMW-TotalPages") == "3");
  BOOST_TEST(first.header("CMW-PageNumber") == "1");
  BOOST_TEST(first.header("CMW-PageSize") == "2");
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?page=3&size=2").json().as_array().size() == 1U);
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?page=4&size=2").http.body == "[]");
  const auto head = s.as_vendor("HEAD", "/api/subscription?type=TRIAL");
  BOOST_TEST(head.header("CMW-TotalItems") == "4");
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?status=DEPLOYED").http.body == "[]");
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?product=product/" + std::to_string(s.product))
                 .header("CMW-TotalItems") == "5");
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?status=FLYING").status() == 422);
  BOOST_TEST(s.as_vendor("GET", "/api/subscription?unknown=1").status() == 200);
  const auto none = s.as_vendor("GET", "/api/subscription/77777");
  BOOST_TEST(none.status() == 404);
  BOOST_TEST(none.at("/errorHolders/0/key") == "not_found");
}

BOOST_AUTO_TEST_SUITE_END()
