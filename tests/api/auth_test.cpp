// Tokens, roles and the failed-credentials limiter.
#include <boost/test/unit_test.hpp>

#include "api/failed_auth.hpp"
#include "api/token_rates.hpp"
#include "core/delivery/signature.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

BOOST_AUTO_TEST_SUITE(auth)

BOOST_AUTO_TEST_CASE(a_token_survives_the_round_trip_and_nothing_else_does) {
  const std::string secret = api::make_token_secret();
  BOOST_TEST(secret.size() >= 40U);
  const std::string text = api::format_token(core::token_id{42}, secret);
  const auto parts = api::parse_token(text);
  BOOST_REQUIRE(parts);
  BOOST_TEST(parts->id.value == 42U);
  BOOST_TEST(parts->secret == secret);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    BOOST_TEST(!api::parse_token(wrong), "changed at " << i);
    BOOST_TEST(!api::parse_token(std::string_view{text}.substr(0, i)), "cut at " << i);
  }
  for (const std::string_view wrong : {"", "syn_", "syn___", "syn_1__", "syn_0_", "Bearer"}) {
    BOOST_TEST(!api::parse_token(wrong));
  }
}

BOOST_AUTO_TEST_CASE(one_answer_for_every_wrong_credential) {
  face f;
  const std::string good = f.market;
  std::string wrong_secret =
      api::format_token(api::parse_token(good)->id, api::make_token_secret());
  std::string unknown = api::format_token(core::token_id{999'999}, api::make_token_secret());
  const std::string expired = f.make_token(core::role::operator_, 0, core::timestamp{});
  std::string revoked = f.make_token(core::role::operator_);
  auto& tokens = f.engine.items->all_tokens;
  auto copy = std::make_shared<core::token>(*tokens[api::parse_token(revoked)->id.value]);
  copy->revoked = true;
  tokens[copy->id.value] = copy;

  const std::string body = f.call("GET", "/v1/vendors", {}, {}, "").http.body;
  for (const std::string& token : {wrong_secret, unknown, expired, revoked, good + "x", good + " ",
                                   std::string(10'240, 'x'), std::string{"nul\0", 4}}) {
    const auto r = f.call("GET", "/v1/vendors", {}, {}, token);
    BOOST_TEST(r.status() == 401);
    BOOST_TEST(r.http.body == body);
    BOOST_TEST(r.header("WWW-Authenticate") == "Bearer realm=\"syndicated\"");
  }
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, {}, good).status() == 200);
}

BOOST_AUTO_TEST_CASE(credentials_must_be_exactly_one) {
  face f;
  const tests::headers twice{{"Authorization", "Bearer " + f.staff}};
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, twice).status() == 401);
  const std::string pair = core::base64_encode("vendor:" + f.staff);
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, {{"Authorization", "Basic " + pair}}, "").status() ==
             401);
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, {{"CMW-Auth-Token", f.staff}}, "").status() == 401);
  BOOST_TEST(
      f.call("GET", "/v1/vendors", {}, {{"Authorization", "bearer " + f.staff}}, "").status() ==
      200);
  const std::string s = "/api/subscription";
  BOOST_TEST(f.call("GET", s, {}, {{"Authorization", "Basic " + pair}}, "").status() == 200);
  BOOST_TEST(f.call("GET", s, {}, {{"CMW-Auth-Token", f.staff}}, "").status() == 200);
  BOOST_TEST(f.call("GET", s, {}, {{"CMW-Auth-Token", f.staff}}).status() == 401);
  BOOST_TEST(f.call("GET", s, {}, {{"Authorization", "Basic !!"}}, "").status() == 401);
}

BOOST_AUTO_TEST_CASE(guessing_is_slowed_down_and_the_good_token_still_works) {
  face f;
  int refused = 0;
  int slowed = 0;
  for (int i = 0; i < 25; ++i) {
    const auto r = f.call("GET", "/v1/vendors", {}, {}, "syn_1_guess_" + std::to_string(i));
    (r.status() == 401 ? refused : slowed) += 1;
    if (r.status() != 429) continue;
    const int seconds = std::stoi(r.header("Retry-After"));
    BOOST_TEST((seconds >= 1 && seconds <= 30));
  }
  BOOST_TEST(refused == 10);
  BOOST_TEST(slowed == 15);
  BOOST_TEST(f.call("GET", "/v1/vendors").status() == 200);
  BOOST_TEST(f.router.stats().auth_failures() == 25U);
}

BOOST_AUTO_TEST_CASE(the_limiter_forgets_after_a_minute_and_stays_bounded) {
  api::failed_auth limiter;
  for (int i = 0; i < 10; ++i) BOOST_TEST(!limiter.note("a", 100));
  BOOST_TEST(limiter.note("a", 159));
  BOOST_TEST(!limiter.note("a", 160));
  for (int i = 0; i < 200'000; ++i) limiter.note("source " + std::to_string(i), 160);
  BOOST_TEST(!limiter.note("fresh", 161));
}

BOOST_AUTO_TEST_CASE(a_token_has_a_rate_and_others_go_on) {
  face f;
  f.router.set_token_rate(5);
  int served = 0;
  tests::reply refused;
  for (int i = 0; i < 50; ++i) {
    auto r = f.call("GET", "/v1/vendors", {}, {}, f.market);
    if (r.status() == 200) {
      ++served;
    } else {
      refused = std::move(r);
    }
  }
  BOOST_TEST((served >= 5 && served < 15), served);  // five at once, and what a moment brings
  BOOST_TEST(refused.status() == 429);
  BOOST_TEST(refused.at("/code") == "rate_limited");
  BOOST_TEST(refused.header("Retry-After") == "1");
  BOOST_TEST(f.router.stats().rate_refusals() == 50U - static_cast<unsigned>(served));
  BOOST_TEST(f.call("GET", "/v1/vendors").status() == 200);  // another token
  BOOST_TEST(f.admin("GET", "/v1/vendors").status() == 200);
  f.router.set_token_rate(0);
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, {}, f.market).status() == 200);
}

BOOST_AUTO_TEST_CASE(a_request_admitted_before_its_body_counts_once) {
  face f;
  f.router.set_token_rate(1);
  net::http_request head;
  head.method = "POST";
  head.path = "/v1/vendors";
  head.headers = {{"Authorization", "Bearer " + f.staff}, {"Content-Type", "application/json"}};
  const auto gate = f.router.public_gate();
  BOOST_TEST(!gate(head).has_value());
  const auto second = gate(head);
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST(second->status == 429);
  head.admitted = true;
  head.body = R"({"name":"x"})";
  int status = 0;
  f.handler(std::move(head),
            net::responder{[&](net::http_response&& answer) { status = answer.status; }});
  BOOST_TEST(status == 201);
}

BOOST_AUTO_TEST_CASE(rates_refill_and_idle_tokens_are_forgotten) {
  using namespace std::chrono_literals;
  api::token_rates rates;
  const core::timestamp start{1'000'000s};
  const core::token_id busy{1};
  BOOST_TEST(rates.take(busy, start));  // no bound
  BOOST_TEST(rates.size() == 0U);
  rates.configure(2);
  for (int i = 0; i < 2; ++i) BOOST_TEST(rates.take(busy, start));
  BOOST_TEST(!rates.take(busy, start));
  BOOST_TEST(!rates.take(busy, start + 499ms));
  BOOST_TEST(rates.take(busy, start + 500ms));
  BOOST_TEST(!rates.take(busy, start + 500ms));
  rates.configure(4);  // from the next request on, with what is there
  BOOST_TEST(!rates.take(busy, start + 750ms));
  BOOST_TEST(rates.take(busy, start + 875ms));
  for (std::uint64_t id = 2; id < 20'000; ++id) {
    rates.take(core::token_id{id}, start + std::chrono::seconds{id});
  }
  BOOST_TEST(rates.size() < 2'100U);
}

BOOST_AUTO_TEST_CASE(the_roles_see_their_own_things) {
  face f;
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string other = f.make_token(core::role::vendor, f.other_vendor);
  const std::string reseller = f.make_token(core::role::tenant, f.reseller);
  const std::string stranger = f.make_token(core::role::tenant, f.stranger);
  const std::string s = "/v1/subscriptions/" + std::to_string(f.subscribe());
  const std::string t = "/v1/tenants/" + std::to_string(f.customer);
  const std::string p = "/v1/products/" + std::to_string(f.product);
  const auto get = [&](const std::string& path, const std::string& token) {
    return f.call("GET", path, {}, {}, token).status();
  };
  for (const std::string& token : {f.staff, f.market, vendor, reseller})
    BOOST_TEST(get(s, token) == 200);
  for (const std::string& token : {other, stranger}) BOOST_TEST(get(s, token) == 404);
  for (const std::string& token : {f.staff, f.market, reseller}) BOOST_TEST(get(t, token) == 200);
  for (const std::string& token : {vendor, other, stranger}) BOOST_TEST(get(t, token) == 404);
  BOOST_TEST(get(p, vendor) == 200);
  BOOST_TEST(get(p, other) == 404);
  BOOST_TEST(get("/v1/vendors/" + std::to_string(f.other_vendor), vendor) == 404);
  BOOST_TEST(get("/v1/tenants", vendor) == 403);
  // Lists hold only what is theirs.
  BOOST_TEST(f.call("GET", "/v1/subscriptions", {}, {}, other).at("/items") == "[]");
  BOOST_TEST(
      f.call("GET", "/v1/subscriptions", {}, {}, reseller).json().at("items").as_array().size() ==
      1U);
  BOOST_TEST(f.call("GET", "/v1/vendors", {}, {}, vendor).json().at("items").as_array().size() ==
             1U);
  BOOST_TEST(f.call("GET", "/v1/subscriptions?within=1", {}, {}, reseller).status() == 404);
  BOOST_TEST(f.call("GET", "/v1/subscriptions?vendor_id=" + std::to_string(f.vendor), {}, {}, other)
                 .status() == 404);
}

BOOST_AUTO_TEST_CASE(the_roles_do_only_what_is_theirs) {
  face f;
  const std::string vendor = f.make_token(core::role::vendor, f.vendor);
  const std::string reseller = f.make_token(core::role::tenant, f.reseller);
  const std::string customer = f.make_token(core::role::tenant, f.customer);
  const std::string s = "/v1/subscriptions/" + std::to_string(f.subscribe(""));
  const auto post = [&](const std::string& path, const std::string& token,
                        std::string body = "{}") {
    return f.call("POST", path, std::move(body), {}, token).status();
  };
  BOOST_TEST(post("/v1/vendors", vendor, R"({"name":"x"})") == 403);
  BOOST_TEST(post("/v1/vendors", reseller, R"({"name":"x"})") == 403);
  BOOST_TEST(post(s + "/pay", customer) == 403);
  BOOST_TEST(post(s + "/pay", vendor) == 403);
  BOOST_TEST(post(s + "/terminate", reseller) == 403);
  BOOST_TEST(post(s + "/pay", f.market) == 200);
  const std::string plan = R"(,"plan_id":)" + std::to_string(f.plan);
  const auto order = [&](std::uint64_t tenant, const std::string& more) {
    return R"({"tenant_id":)" + std::to_string(tenant) + plan + more + "}";
  };
  BOOST_TEST(post("/v1/subscriptions", customer, order(f.customer, "")) == 201);
  BOOST_TEST(post("/v1/subscriptions", customer, order(f.customer, R"(,"paid":true)")) == 403);
  BOOST_TEST(post("/v1/subscriptions", customer, order(f.stranger, "")) == 404);
  BOOST_TEST(post("/v1/subscriptions", vendor, order(f.customer, "")) == 403);
  // A tenant is switched by one above it.
  const std::string own = "/v1/tenants/" + std::to_string(f.customer) + "/disable";
  BOOST_TEST(post(own, customer) == 403);
  BOOST_TEST(post(own, reseller) == 200);
  BOOST_TEST(f.call("GET", "/v1/subscriptions", {}, {}, customer).at("/code") == "tenant_disabled");
}

BOOST_AUTO_TEST_CASE(the_admin_socket_needs_no_token_and_the_port_has_no_admin_calls) {
  face f;
  BOOST_TEST(f.admin("GET", "/v1/vendors").status() == 200);
  BOOST_TEST(f.admin("GET", "/admin/status").status() == 200);
  BOOST_TEST(f.call("GET", "/admin/status").status() == 404);
  BOOST_TEST(f.admin("GET", "/api/subscription").status() == 404);
}

BOOST_AUTO_TEST_CASE(tokens_are_made_listed_and_revoked) {
  face f;
  const auto made =
      f.admin("POST", "/admin/tokens",
              R"({"role":"vendor","scope_id":)" + std::to_string(f.vendor) + R"(,"name":"ci"})");
  BOOST_TEST(made.status() == 201);
  const std::string token = made.at("/token");
  BOOST_TEST(f.call("GET", "/v1/subscriptions", {}, {}, token).status() == 200);
  const auto list = f.admin("GET", "/admin/tokens");
  BOOST_TEST(list.http.body.find(token) == std::string::npos);
  BOOST_TEST(list.http.body.find("sha256") == std::string::npos);
  BOOST_TEST(f.admin("DELETE", "/admin/tokens/" + made.at("/id")).status() == 200);
  BOOST_TEST(f.call("GET", "/v1/subscriptions", {}, {}, token).status() == 401);
  BOOST_TEST(f.admin("POST", "/admin/tokens", R"({"role":"vendor"})").at("/errors/0/pointer") ==
             "/scope_id");
  BOOST_TEST(f.admin("POST", "/admin/tokens", R"({"role":"tenant","scope_id":77777})").status() ==
             422);
  BOOST_TEST(f.admin("POST", "/admin/tokens", R"({"role":"operator","scope_id":1})").status() ==
             422);
  BOOST_TEST(f.admin("POST", "/admin/tokens", R"({"role":"king"})").status() == 422);
}

BOOST_AUTO_TEST_SUITE_END()
