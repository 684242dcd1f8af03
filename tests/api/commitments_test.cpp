// Commitments on /v1: with a subscription's order, and of resellers.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

struct shop : face {
  std::string order(const std::string& more = "") const {
    return R"({"reseller_id":)" + std::to_string(reseller) + R"(,"product_id":)" +
           std::to_string(product) + R"(,"resource":"seats","tiers":[0,100,500])" + more + "}";
  }
  std::string of(std::uint64_t id, std::string_view action = "") const {
    return "/v1/commitments/" + std::to_string(id) + std::string{action};
  }
};

const std::string committed = R"(,"committed_tier":2,"term_months":12)";

}  // namespace

BOOST_AUTO_TEST_SUITE(commitments)

BOOST_AUTO_TEST_CASE(one_is_made_read_and_steered) {
  shop s;
  const auto made = s.call("POST", "/v1/commitments", s.order(committed));
  BOOST_REQUIRE_EQUAL(made.status(), 201);
  BOOST_TEST(made.at("/state") == "ACTIVE");
  BOOST_TEST(made.at("/tier") == "2");
  BOOST_TEST(made.at("/minimum") == "100");
  BOOST_TEST(made.at("/product_id") == std::to_string(s.product));
  BOOST_TEST(made.at("/vendor_id") == std::to_string(s.vendor));
  BOOST_TEST(made.header("ETag") == "\"1\"");
  const std::uint64_t id = std::stoull(made.at("/id"));
  BOOST_TEST(s.call("GET", s.of(id)).http.body == made.http.body);
  const auto snapshot = s.call("POST", s.of(id, "/snapshot"));
  BOOST_TEST(snapshot.at("/shortfall") == "100");
  const auto lower = s.call("PATCH", s.of(id), R"({"committed_tier":1})");
  BOOST_TEST(lower.status() == 409);
  BOOST_TEST(lower.at("/code") == "not_before_renewal");
  const auto down = s.call("POST", s.of(id, "/step-down"), R"({"tier":1})");
  BOOST_TEST(down.at("/next_tier") == "1");
  BOOST_TEST(s.call("POST", s.of(id, "/step-down"), R"({"tier":3})").status() == 422);
  BOOST_TEST(s.call("PATCH", s.of(id), R"({"auto_renew":false})").at("/auto_renew") == "false");
  BOOST_TEST(
      s.call("PATCH", s.of(id), R"({"auto_renew":true})", {{"If-Match", "\"1\""}}).status() == 412);
  const auto bound = s.call("POST", s.of(id, "/cancel"));
  BOOST_TEST(bound.status() == 409);
  BOOST_TEST(bound.at("/code") == "commitment_in_force");
  BOOST_TEST(bound.at("/present_status") == "ACTIVE");
}

BOOST_AUTO_TEST_CASE(one_without_a_commitment_can_be_cancelled) {
  shop s;
  const std::uint64_t id = s.make("/v1/commitments", s.order());
  const auto down = s.call("POST", s.of(id, "/step-down"), R"({"tier":1})");
  BOOST_TEST(down.at("/code") == "not_committed");
  BOOST_TEST(s.call("POST", s.of(id, "/cancel")).at("/state") == "CANCELLED");
  BOOST_TEST(s.call("POST", s.of(id, "/cancel")).status() == 200);
  BOOST_TEST(s.call("POST", s.of(id, "/snapshot")).status() == 409);
}

BOOST_AUTO_TEST_CASE(one_without_a_commitment_can_become_one_with) {
  shop s;
  const std::uint64_t id = s.make("/v1/commitments", s.order());
  const auto patch = [&](const std::string& body) { return s.call("PATCH", s.of(id), body); };
  const auto refused = patch(R"({"committed_tier":2})");
  BOOST_TEST(refused.status() == 422);
  BOOST_TEST(refused.at("/errors/0/pointer") == "/term_months");
  BOOST_TEST(patch(R"({"term_months":0,"committed_tier":2})").status() == 422);
  const auto made = patch(R"({"committed_tier":2,"term_months":12,"cancel_fee":true})");
  BOOST_TEST_REQUIRE(made.status() == 200, made.http.body);
  BOOST_TEST(made.at("/committed_tier") == "2");
  BOOST_TEST(made.at("/term_months") == "12");
  BOOST_TEST(made.at("/cancel_fee") == "true");
  BOOST_TEST(made.at("/ends_at") != "null");
  BOOST_TEST(patch(R"({"committed_tier":2,"term_months":12,"cancel_fee":true})").status() == 200);
  BOOST_TEST(patch(R"({"term_months":24})").at("/errors/0/pointer") == "/term_months");
}

BOOST_AUTO_TEST_CASE(bad_input_is_named) {
  shop s;
  const auto pointer = [&s](const std::string& body) {
    const auto refused = s.call("POST", "/v1/commitments", body);
    BOOST_TEST(refused.status() == 422);
    return refused.at("/errors/0/pointer");
  };
  const std::string reseller = R"({"reseller_id":)" + std::to_string(s.reseller);
  BOOST_TEST(pointer(reseller + R"(,"tiers":[0]})") == "/product_id");
  BOOST_TEST(pointer(reseller + R"(,"product_id":1,"vendor_id":1,"tiers":[0]})") == "/product_id");
  BOOST_TEST(pointer(reseller + R"(,"product_id":99999,"tiers":[0]})") == "/product_id");
  BOOST_TEST(pointer(reseller + R"(,"vendor_id":99999,"tiers":[0]})") == "/vendor_id");
  const std::string vendor = reseller + R"(,"vendor_id":)" + std::to_string(s.vendor);
  BOOST_TEST(pointer(vendor + "}") == "/tiers");
  BOOST_TEST(pointer(vendor + R"(,"tiers":["a"]})") == "/tiers");
  BOOST_TEST(pointer(vendor + R"(,"tiers":[]})") == "/tiers");
  BOOST_TEST(pointer(vendor + R"(,"tiers":[0,9,3]})") == "/tiers/2");
  BOOST_TEST(pointer(vendor + R"(,"tiers":[5]})") == "/tiers/0");
  BOOST_TEST(pointer(vendor + R"(,"tiers":[0],"committed_tier":1})") == "/term_months");
  BOOST_TEST(pointer(vendor + R"(,"tiers":[0],"colour":1})") == "/colour");
}

BOOST_AUTO_TEST_CASE(a_tenant_sees_its_subtree_and_steers_nothing) {
  shop s;
  const std::uint64_t id = s.make("/v1/commitments", s.order(committed));
  s.make("/v1/commitments",
         R"({"reseller_id":1,"vendor_id":)" + std::to_string(s.vendor) + R"(,"tiers":[0,10]})");
  const std::string own = s.make_token(core::role::tenant, s.reseller);
  const std::string other = s.make_token(core::role::tenant, s.stranger);
  const std::string vendor = s.make_token(core::role::vendor, s.vendor);
  const auto count = [&s](const std::string& query, const std::string& token) {
    const auto found = s.call("GET", "/v1/commitments" + query, {}, {}, token);
    BOOST_REQUIRE_EQUAL(found.status(), 200);
    return found.json().at("items").as_array().size();
  };
  BOOST_TEST(count("", "*") == 2U);
  BOOST_TEST(count("?product_id=" + std::to_string(s.product), "*") == 1U);
  BOOST_TEST(count("?vendor_id=" + std::to_string(s.vendor), "*") == 2U);
  BOOST_TEST(count("?reseller_id=1", "*") == 1U);
  BOOST_TEST(count("?state=LAPSED", "*") == 0U);
  BOOST_TEST(count("", own) == 1U);
  BOOST_TEST(count("", other) == 0U);
  BOOST_TEST(s.call("GET", "/v1/commitments?reseller_id=1", {}, {}, own).status() == 404);
  BOOST_TEST(s.call("GET", s.of(id), {}, {}, own).status() == 200);
  BOOST_TEST(s.call("GET", s.of(id), {}, {}, other).status() == 404);
  BOOST_TEST(s.call("GET", s.of(id), {}, {}, vendor).status() == 404);
  BOOST_TEST(s.call("GET", "/v1/commitments", {}, {}, vendor).status() == 403);
  BOOST_TEST(s.call("POST", s.of(id, "/snapshot"), {}, {}, own).status() == 403);
  BOOST_TEST(s.call("POST", "/v1/commitments", s.order(), {}, own).status() == 403);
}

BOOST_AUTO_TEST_CASE(a_subscription_is_ordered_with_one_of_the_plans_options) {
  face s;
  core::plan sold = *s.engine.items->find(core::plan_id{s.plan});
  sold.commitment_options.emplace_back();
  s.engine.items->all_plans[s.plan] = std::make_shared<const core::plan>(sold);
  const std::uint64_t id = s.subscribe(R"(,"paid":true,"commitment":{"term_months":12})");
  const auto shown = s.call("GET", "/v1/subscriptions/" + std::to_string(id));
  BOOST_TEST(shown.at("/commitment/state") == "PENDING");
  BOOST_TEST(shown.at("/commitment/term_months") == "12");
  const auto refused = [&s](const std::string& commitment) {
    const auto r = s.call("POST", "/v1/subscriptions",
                          R"({"tenant_id":)" + std::to_string(s.customer) + R"(,"plan_id":)" +
                              std::to_string(s.plan) + R"(,"commitment":)" + commitment + "}");
    BOOST_TEST(r.status() == 422);
    return r.at("/errors/0/pointer");
  };
  BOOST_TEST(refused(R"({"term_months":24})") == "/commitment/term_months");
  BOOST_TEST(refused("{}") == "/commitment/term_months");
  BOOST_TEST(refused(R"({"term_months":12,"fee":1})") == "/commitment/fee");
}

BOOST_AUTO_TEST_SUITE_END()
