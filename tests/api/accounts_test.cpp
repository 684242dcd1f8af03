// The partners' face /api/2, and users on /v1: statuses, error bodies, who sees what.
#include <boost/test/unit_test.hpp>

#include "core/base/uuid.hpp"
#include "tests/api/face.hpp"

namespace syndicated::tests {
namespace {

struct office : face {
  office() : partner(make_token(core::role::tenant, reseller)) {}

  static std::string uuid(std::uint64_t tenant) { return core::to_uuid(core::tenant_id{tenant}); }
  std::string path(std::uint64_t tenant, const std::string& more = {}) const {
    return "/api/2/tenants/" + uuid(tenant) + more;
  }
  reply as_partner(std::string_view method, const std::string& target, std::string body = {},
                   headers more = {}) {
    return call(method, target, std::move(body), std::move(more), partner);
  }
  std::string new_user(const std::string& login) {
    const auto r = as_partner("POST", "/api/2/users",
                              R"({"tenant_id":")" + uuid(customer) + R"(","login":")" + login +
                                  R"(","contact":{"email":"r@example.com"}})");
    BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
    return r.at("/id");
  }

  std::string partner;
};

BOOST_AUTO_TEST_SUITE(accounts_face)

BOOST_AUTO_TEST_CASE(a_tenant_is_shown_as_partners_know_it) {
  office f;
  const auto r = f.as_partner("GET", f.path(f.customer));
  BOOST_TEST_REQUIRE(r.status() == 200);
  BOOST_TEST(r.at("/id") == office::uuid(f.customer));
  BOOST_TEST(r.at("/parent_id") == office::uuid(f.reseller));
  BOOST_TEST(r.at("/kind") == "customer");
  BOOST_TEST(r.at("/default_idp_id") == "11111111-1111-1111-1111-111111111111");
  BOOST_TEST(r.json().at("internal_tag").is_null());
  BOOST_TEST(r.json().at("update_lock").at("owner_id").is_null());
  BOOST_TEST(r.at("/created_at").ends_with("+00:00"));
  BOOST_TEST(f.as_partner("GET", "/api/2/users/me").at("/tenant_id") == office::uuid(f.reseller));
}

BOOST_AUTO_TEST_CASE(others_are_not_there) {
  office f;
  BOOST_TEST(f.as_partner("GET", f.path(f.stranger)).status() == 404);
  BOOST_TEST(f.as_partner("GET", "/api/2/tenants/" + std::to_string(f.customer)).status() == 404);
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  BOOST_TEST(f.call("GET", "/api/2/users/me", {}, {}, vendor).status() == 403);
  const auto nobody = f.call("GET", "/api/2/users/me", {}, {}, "");
  BOOST_TEST(nobody.status() == 401);
  BOOST_TEST(nobody.json().at("error").at("code").as_int64() == 401);
}

BOOST_AUTO_TEST_CASE(versions_and_the_number_of_not_disabled) {
  office f;
  const std::string at = f.path(f.customer);
  const auto early = f.as_partner("DELETE", at + "?version=1");
  BOOST_TEST(early.status() == 400);
  BOOST_TEST(early.json().at("error").at("code").as_int64() == 1006);
  BOOST_TEST(f.as_partner("DELETE", at).status() == 400);  // without a version
  BOOST_TEST(f.as_partner("PUT", at, R"({"enabled":false,"version":9})").status() == 409);
  const auto missing = f.as_partner("PUT", at, R"({"enabled":false})");
  BOOST_TEST(missing.status() == 400);
  BOOST_TEST(missing.at("/error/details/0/pointer") == "/version");
  const auto done = f.as_partner("PUT", at, R"({"enabled":false,"version":1,"unknown":[1]})");
  BOOST_TEST_REQUIRE(done.status() == 200, done.http.body);
  BOOST_TEST(f.as_partner("DELETE", at + "?version=1").status() == 409);
  BOOST_TEST(f.as_partner("DELETE", at + "?version=2").status() == 204);
}

BOOST_AUTO_TEST_CASE(the_whole_object_may_be_sent_back) {
  office f;
  const std::string at = f.path(f.customer);
  const auto before = f.as_partner("GET", at);
  const auto r = f.as_partner("PUT", at, std::string{before.http.body});
  BOOST_TEST(r.status() == 200);
  // One's own place and state are for those above, but to send them back is no change.
  const std::string own = f.path(f.reseller);
  const auto mine = f.as_partner("GET", own);
  BOOST_TEST(f.as_partner("PUT", own, std::string{mine.http.body}).status() == 200);
  BOOST_TEST(f.as_partner("PUT", own, R"({"enabled":false,"version":1})").status() == 403);
}

BOOST_AUTO_TEST_CASE(an_identity_provider_is_known_by_a_uuid) {
  office f;
  const std::string at = f.path(f.customer);
  const auto no = f.as_partner("PUT", at, R"({"default_idp_id":"acme","version":1})");
  BOOST_TEST(no.status() == 400);
  BOOST_TEST(no.at("/error/details/0/pointer") == "/default_idp_id");
  const std::string native = "/v1/tenants/" + std::to_string(f.customer);
  const auto also = f.call("PATCH", native, R"({"default_idp_id":"acme"})");
  BOOST_TEST(also.status() == 422);
  BOOST_TEST(also.at("/errors/0/pointer") == "/default_idp_id");
  const std::string id = "6e6d758d-8e74-3ae3-ac84-50eb0dff12eb";
  BOOST_TEST(f.call("PATCH", native, R"({"default_idp_id":")" + id + "\"}").status() == 200);
  BOOST_TEST(f.as_partner("GET", at).at("/default_idp_id") == id);
  BOOST_TEST(f.call("PATCH", native, R"({"default_idp_id":""})").status() == 200);
  BOOST_TEST(f.as_partner("GET", at).at("/default_idp_id") != id);
}

BOOST_AUTO_TEST_CASE(quotas_have_versions_of_their_own) {
  office f;
  const auto items = [](int version) {
    return R"({"offering_items":[{"application_id":"app","name":"storage","status":1,)"
           R"("quota":{"value":5,"overage":null,"version":)" +
           std::to_string(version) + "}}]}";
  };
  BOOST_TEST(f.as_partner("PUT", f.path(f.customer, "/offering_items"), items(0)).status() == 409);
  for (const std::uint64_t t : {std::uint64_t{1}, f.reseller}) {
    BOOST_TEST(f.call("PUT", f.path(t, "/offering_items"), items(0)).status() == 200);
  }
  const headers once{{"Idempotency-Key", "k"}};
  const auto r = f.as_partner("PUT", f.path(f.customer, "/offering_items"), items(0), once);
  BOOST_TEST(r.at("/items/0/name") == "storage");
  const auto again = f.as_partner("PUT", f.path(f.customer, "/offering_items"), items(0), once);
  BOOST_TEST(again.at("/items/0/name") == "storage");
  BOOST_TEST(f.as_partner("PUT", f.path(f.customer, "/offering_items"), items(0)).status() == 426);
  BOOST_TEST(f.as_partner("PUT", f.path(f.reseller, "/offering_items"), items(1)).status() == 403);
  const auto offered =
      f.as_partner("GET", f.path(f.reseller, "/offering_items/available_for_child?kind=customer"));
  BOOST_TEST(offered.json().at("items").at(0).at("quota").at("value").is_null());
}

BOOST_AUTO_TEST_CASE(users_and_their_roles) {
  office f;
  BOOST_TEST(f.as_partner("GET", "/api/2/users/check_login?username=Ann").status() == 204);
  const std::string id = f.new_user("Ann");
  BOOST_TEST(f.as_partner("GET", "/api/2/users/check_login?username=aNN").status() == 409);
  const std::string at = "/api/2/users/" + id;
  const auto role = [&](const std::string& tenant, const std::string& trustee) {
    return R"({"items":[{"tenant_id":")" + tenant + R"(","trustee_id":")" + trustee +
           R"(","role_id":"backup_user","id":")" + std::string{core::nil_uuid} +
           R"(","version":0}]})";
  };
  const std::string policies = at + "/access_policies";
  const std::string own = office::uuid(f.customer);
  BOOST_TEST(f.as_partner("PUT", policies, role(office::uuid(f.reseller), id)).status() == 400);
  BOOST_TEST(f.as_partner("PUT", policies, role(own, own)).status() == 400);
  const auto given = f.as_partner("PUT", policies, role(own, id));
  BOOST_TEST_REQUIRE(given.status() == 200, given.http.body);
  BOOST_TEST(given.at("/items/0/issuer_id") == office::uuid(f.reseller));
  const std::string kept(given.http.body);
  BOOST_TEST(f.as_partner("PUT", policies, kept).at("/items/0/id") == given.at("/items/0/id"));

  BOOST_TEST(f.as_partner("POST", at + "/password", R"({"password":"ü\n€"})").status() == 204);
  const auto too_long = R"({"password":")" + std::string(1'025, 'x') + R"("})";
  BOOST_TEST(f.as_partner("POST", at + "/password", too_long).status() == 400);
  const auto shown = f.as_partner("GET", at);
  BOOST_TEST(shown.json().at("activated").as_bool());
  BOOST_TEST(shown.http.body.find("scrypt") == std::string::npos);
  const std::string login = R"({"login":"ANN","password":"ü\n€"})";
  BOOST_TEST(f.call("POST", "/v1/users/authenticate", login).status() == 200);
  BOOST_TEST(f.as_partner("POST", "/v1/users/authenticate", login).status() == 403);
}

BOOST_AUTO_TEST_CASE(users_on_v1) {
  office f;
  const auto refused = f.call("POST", "/v1/users", R"({"tenant_id":999,"login":"a b"})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errors/0/pointer") == "/tenant_id");
  const std::string id = std::to_string(core::parse_uuid(f.new_user("bob"))->id);
  BOOST_TEST(f.as_partner("GET", "/v1/users/" + id).at("/status") == "CREATED");
  BOOST_TEST(f.as_partner("DELETE", "/v1/users/" + id).at("/code") == "not_disabled");
  BOOST_TEST(f.as_partner("POST", "/v1/users/" + id + "/disable").status() == 200);
  BOOST_TEST(f.as_partner("DELETE", "/v1/users/" + id + "?version=1").status() == 412);
  BOOST_TEST(f.as_partner("POST", "/v1/users/" + id + "/activation-link").status() == 403);
  const std::string stranger = f.make_token(core::role::tenant, f.stranger);
  BOOST_TEST(f.call("GET", "/v1/users/" + id, {}, {}, stranger).status() == 404);
}

BOOST_AUTO_TEST_CASE(a_token_by_client_credentials) {
  office f;
  const std::string number = f.partner.substr(4, f.partner.find('_', 4) - 4);
  const headers form{{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto ask = [&](const std::string& secret, const std::string& grant) {
    return f.call("POST", "/api/2/idp/token",
                  "grant_type=" + grant + "&client_id=" + number + "&client_secret=" + secret, form,
                  "");
  };
  const auto granted = ask(f.partner, "client_credentials");
  BOOST_TEST_REQUIRE(granted.status() == 200, granted.http.body);
  BOOST_TEST(granted.at("/access_token") == f.partner);
  const std::string secret = f.partner.substr(5 + number.size(), 48);
  BOOST_TEST(ask(secret, "client_credentials").at("/access_token") == f.partner);
  BOOST_TEST(ask("wrong", "client_credentials").at("/error") == "invalid_client");
  BOOST_TEST(ask(f.partner, "password").at("/error") == "unsupported_grant_type");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
