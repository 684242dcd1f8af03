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

// What means nothing here is kept for those who gave it, on either face.
BOOST_AUTO_TEST_CASE(a_contact_keeps_what_partners_know_of_it) {
  office f;
  const auto put = [&](const std::string& contact) {
    const std::string version = f.as_partner("GET", f.path(f.customer)).at("/version");
    return f.as_partner("PUT", f.path(f.customer),
                        R"({"version":)" + version + R"(,"contact":)" + contact + "}");
  };
  const auto r = put(R"({"email":"r@example.com","city":"Pisa","zipcode":"56121","fax":null,)"
                     R"("external_id":"","aan":"7","types":["billing"],"colour":"red"})");
  BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  const auto shown = f.as_partner("GET", f.path(f.customer));
  BOOST_TEST(shown.at("/contact/city") == "Pisa");
  BOOST_TEST(shown.at("/contact/types/0") == "billing");
  const auto whole = shown.json();
  const auto& contact = whole.at("contact").as_object();
  BOOST_TEST(contact.size() == 8U);  // the usual four, and what was given
  BOOST_TEST(!contact.contains("fax"));
  BOOST_TEST(!contact.contains("colour"));
  const auto path = "/v1/tenants/" + std::to_string(f.customer);
  BOOST_TEST(f.call("GET", path).at("/contact/zipcode") == "56121");
  BOOST_TEST(put(R"({"city":")" + std::string(513, 'x') + "\"}").status() == 400);
  BOOST_TEST(put(R"({"types":"billing"})").status() == 400);
  const auto native = f.call("PATCH", path, R"({"contact":{"country":"IT","title":"Dr"}})");
  BOOST_TEST_REQUIRE(native.status() == 200, native.http.body);
  BOOST_TEST(native.at("/contact/country") == "IT");
  BOOST_TEST(!native.json().at("contact").as_object().contains("city"));
  const auto refused = f.call("PATCH", path, R"({"contact":{"city":null}})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errors/0/pointer") == "/contact/city");
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

struct metered : office {
  metered() {
    for (const std::uint64_t t : {std::uint64_t{1}, reseller, customer}) {
      const auto r = call("PUT", path(t, "/offering_items"),
                          R"({"offering_items":[)" + offered("backup", "storage") + "," +
                              offered(app, "seats") + "]}");
      BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
    }
  }
  static std::string offered(const std::string& app, const std::string& name) {
    return R"({"application_id":")" + app + R"(","name":")" + name + R"(","usage_name":"u_)" +
           name + R"(","edition":"pro","quota":{"value":100,"overage":null,"version":0}})";
  }
  std::string used(const std::string& name, const std::string& value) const {
    return R"({"tenant_id":")" + uuid(customer) + R"(","offering_item":")" + name +
           R"(","usage_value":)" + value + "}";
  }
  reply push(const std::string& items, std::string token = "*") {
    return call("PUT", "/api/2/usages", R"({"items":[)" + items + "]}", {}, std::move(token));
  }

  const std::string app = core::to_uuid(core::uuid_kind::product, product);
};

BOOST_AUTO_TEST_CASE(usages_are_told_item_by_item) {
  metered f;
  const std::string sold = core::to_uuid(core::uuid_kind::subscription, f.subscribe());
  const std::string none = R"({"tenant_id":"ede9f834-70b3-476c-83d9-736f9f8c7dae",)"
                           R"("offering_item":"storage","usage_value":1})";
  const std::string metric =
      R"({"resource_id":")" + sold + R"(","usage_type":"disk","usage_value":31.67})";
  const std::string lost = R"({"resource_id":"x","usage_type":"disk","usage_value":1})";
  const auto r = f.push(f.used("storage", "70") + "," + f.used("mail", "1") + "," + none + "," +
                        metric + "," + lost);
  BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  BOOST_TEST(r.at("/items/0/tenant_id") == office::uuid(f.customer));
  BOOST_TEST(r.at("/items/0/application_id") == "backup");
  BOOST_TEST(r.at("/items/0/edition") == "pro");
  BOOST_TEST(r.json().at("items").at(0).at("usage_value").as_int64() == 70);
  BOOST_TEST(r.at("/items/1/error/reason") == "not_offered");
  BOOST_TEST(r.json().at("items").at(1).at("error").at("code").as_int64() == 409);
  BOOST_TEST(r.at("/items/2/error/reason") == "not_found");
  // The subscription is not in use yet.
  BOOST_TEST(r.at("/items/3/error/reason") == "transition_not_allowed");
  BOOST_TEST(r.at("/items/4/error/reason") == "not_found");
}

BOOST_AUTO_TEST_CASE(a_subscription_is_told_of_by_its_uuid) {
  metered f;
  const std::uint64_t id = f.subscribe();
  f.engine.all_subscriptions[id].status = core::subscription_status::deployed;
  const auto metric = [&](const std::string& uuid) {
    return R"({"resource_id":")" + uuid + R"(","usage_type":"disk","usage_value":31.67})";
  };
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string other = f.make_token(core::role::vendor, f.other_vendor);
  const std::string whole = core::to_uuid(core::uuid_kind::subscription, id);
  const auto r =
      f.push(metric(whole) + "," + metric(core::to_uuid(core::uuid_kind::resource, id, 7)), vendor);
  BOOST_TEST(r.at("/items/0/resource_id") == whole);
  BOOST_TEST(r.json().at("items").at(0).at("usage_value").as_double() == 31.67);
  BOOST_TEST(r.at("/items/1/usage_type") == "disk");
  const core::usage_book& book = f.engine.all_usage[{id}];
  BOOST_TEST((book.open.size() == 2U && book.open.rbegin()->second.resource.value == 0));
  BOOST_TEST((book.open.begin()->second.resource.value == 7));
  BOOST_TEST(f.push(metric(whole), other).at("/items/0/error/reason") == "not_found");
}

BOOST_AUTO_TEST_CASE(a_vendor_tells_of_its_own_applications) {
  metered f;
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string other = f.make_token(core::role::vendor, f.other_vendor);
  const std::string both = f.used("seats", "3") + "," + f.used("storage", "3");
  const auto r = f.push(both, vendor);
  BOOST_TEST(r.at("/items/0/application_id") == f.app);
  BOOST_TEST(r.at("/items/1/error/reason") == "not_offered");
  BOOST_TEST(f.push(both, other).at("/items/0/error/reason") == "not_offered");
  BOOST_TEST(f.push(both, f.partner).status() == 403);
  BOOST_TEST(f.call("GET", f.path(f.customer, "/usages"), {}, {}, vendor).status() == 404);
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_push_are_told_with_their_place) {
  metered f;
  const auto pointer = [&](const std::string& items) {
    const auto r = f.push(items);
    BOOST_TEST(r.status() == 400, r.http.body);
    return r.at("/error/details/0/pointer");
  };
  BOOST_TEST(pointer("") == "/items");
  BOOST_TEST(pointer("{}") == "/items/0/tenant_id");
  BOOST_TEST(pointer(f.used("storage", "-1")) == "/items/0/usage_value");
  BOOST_TEST(pointer(f.used("storage", "1.5")) == "/items/0/usage_value");
  BOOST_TEST(pointer(f.used("storage", "1") + R"(,{"resource_id":"x","usage_type":"d"})") ==
             "/items/1/usage_value");
  std::string many = f.used("storage", "1");
  for (int i = 0; i < 1'000; ++i) many += ",{}";
  BOOST_TEST(pointer(many) == "/items");
}

BOOST_AUTO_TEST_CASE(usages_are_shown_with_their_quotas) {
  metered f;
  f.push(f.used("storage", "80"));
  const auto r = f.as_partner("GET", f.path(f.customer, "/usages"));
  BOOST_TEST_REQUIRE(r.status() == 200, r.http.body);
  BOOST_TEST_REQUIRE(r.json().at("items").as_array().size() == 2U);
  BOOST_TEST(r.at("/items/0/name") == "storage");
  BOOST_TEST(r.at("/items/0/usage_name") == "u_storage");
  BOOST_TEST(r.json().at("items").at(0).at("value").as_int64() == 80);
  BOOST_TEST(r.json().at("items").at(0).at("offering_item").at("quota").at("value") == 100);
  BOOST_TEST(r.json().at("items").at(1).at("absolute_value").as_int64() == 0);
  BOOST_TEST(!r.at("/timestamp").empty());
  const auto count = [&](const std::string& query) {
    const auto some = f.as_partner("GET", f.path(f.customer, "/usages?" + query));
    return some.json().at("items").as_array().size();
  };
  BOOST_TEST(count("usage_names=u_seats,none") == 1U);
  BOOST_TEST(count("editions=pro&usage_names=u_seats,,u_storage") == 2U);
  BOOST_TEST(count("infra_ids=i") == 0U);
  BOOST_TEST(f.as_partner("GET", f.path(f.stranger, "/usages")).status() == 404);
  const auto native = f.call("GET", "/v1/tenants/" + std::to_string(f.customer) + "/usages");
  BOOST_TEST(native.at("/items/0/level") == "reached");
  BOOST_TEST(native.json().at("items").at(0).at("total").as_int64() == 80);
  BOOST_TEST(native.json().at("items").at(0).at("overage").is_null());
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
