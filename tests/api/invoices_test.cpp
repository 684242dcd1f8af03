// Invoices on both faces.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

struct till : face {
  till() : seller(make_token(core::role::vendor, vendor)) { sold = subscribe(); }
  tests::reply as_vendor(std::string_view method, const std::string& target,
                         std::string body = {}) {
    return call(method, target, std::move(body), {{"CMW-Auth-Token", seller}}, "");
  }
  std::string at_vendor(const std::string& more = {}) const {
    return "/api/subscription/" + std::to_string(sold) + more;
  }
  std::string native() const { return "/v1/subscriptions/" + std::to_string(sold) + "/invoices"; }
  std::string seller;
  std::uint64_t sold = 0;
};

constexpr const char* two_lines =
    R"([{"description":"First row","identifier":"first","price":{"price":"100.0000","currency":)"
    R"("EUR"},"quantity":2.0,"unit":"un","type":"UPSELL"},{"description":"Second row","price":)"
    R"({"price":23.4567,"vat":22.0},"purchased":"2021-11-19T00:00:00Z"}])";

}  // namespace

BOOST_AUTO_TEST_SUITE(invoices)

BOOST_AUTO_TEST_CASE(a_vendor_charges_and_the_billing_settles) {
  till t;
  const auto made = t.as_vendor("POST", t.at_vendor("/invoice?type=upsell"), two_lines);
  BOOST_REQUIRE_MESSAGE(made.status() == 201, made.http.body);
  const std::string url = "/api/invoice/" + made.at("/id");
  BOOST_TEST(made.header("Location") == url);
  BOOST_TEST(made.at("/paymentStatus") == "UNPAID");
  BOOST_TEST(made.at("/entries/0/price/price") == "100.00");
  BOOST_TEST(made.at("/entries/0/quantity") == "2");
  BOOST_TEST(made.at("/entries/1/price/price") == "23.4567");
  BOOST_TEST(made.at("/entries/1/price/vat") == "22");
  BOOST_TEST(made.at("/entries/1/purchased") == "2021-11-19T00:00:00Z");
  BOOST_TEST(made.at("/subscription/url") == "subscription/" + std::to_string(t.sold));
  BOOST_TEST(t.as_vendor("GET", url).at("/paid") == "false");
  auto seen = t.as_vendor("GET", t.at_vendor());
  BOOST_TEST(seen.at("/paid") == "false");
  BOOST_TEST(seen.at("/invoices/0/url") == "invoice/" + made.at("/id"));
  BOOST_TEST(!seen.at("/lastInvoice").empty());

  BOOST_TEST(t.as_vendor("PATCH", url, R"({"paid":true})").status() == 403);
  BOOST_TEST(t.call("PATCH", url, R"({"paid":false})").status() == 422);
  BOOST_TEST(t.call("PATCH", url, "{}").status() == 422);
  BOOST_TEST(t.call("PATCH", url, R"({"paymentStatus":"soon"})").status() == 422);
  BOOST_TEST(t.call("PATCH", url, R"({"paymentStatus":"requires_action"})").status() == 204);
  BOOST_TEST(t.call("GET", url).at("/status") == "PENDING");
  for (int i = 0; i < 2; ++i) {  // repeated: without an effect
    BOOST_TEST(t.call("PATCH", url, R"({"paid":true})").status() == 204);
  }
  const auto late = t.call("PATCH", url, R"({"paymentStatus":"EXPIRED"})");
  BOOST_TEST(late.status() == 409);
  BOOST_TEST(late.at("/errorHolders/0/extraFields/status") == "PAID");
  BOOST_TEST(late.http.body.find("deploymentStatus") == std::string::npos, late.http.body);
  BOOST_TEST(t.as_vendor("GET", t.at_vendor()).at("/paid") == "true");
  BOOST_TEST(t.call("PATCH", "/api/invoice/4711", R"({"paid":true})").status() == 404);
}

BOOST_AUTO_TEST_CASE(paid_and_its_state_say_the_same) {
  till t;
  const auto made = t.as_vendor("POST", t.at_vendor("/invoice"), two_lines);
  BOOST_REQUIRE(made.status() == 201);
  const std::string url = "/api/invoice/" + made.at("/id");
  const auto refused = [&](const char* body, const char* field) {
    const auto r = t.call("PATCH", url, body);
    BOOST_TEST(r.status() == 422, body);
    BOOST_TEST(r.at("/errorHolders/0/extraFields/field") == field, r.http.body);
  };
  refused(R"({"paid":false})", "/paid");
  refused(R"({})", "/paid");
  refused(R"({"paid":true,"paymentStatus":"PENDING"})", "/paymentStatus");
  refused(R"({"paid":false,"paymentStatus":"DELAYED"})", "/paymentStatus");
  refused(R"({"paid":true,"status":"UNPAID"})", "/status");
  refused(R"({"paymentStatus":"PAID","status":"DELAYED"})", "/status");
  const auto becomes = [&](const char* body, const char* state) {
    BOOST_TEST(t.call("PATCH", url, body).status() == 204, body);
    BOOST_TEST(t.call("GET", url).at("/paymentStatus") == state, body);
  };
  becomes(R"({"paid":false,"paymentStatus":"PENDING"})", "PENDING");
  becomes(R"({"paid":false,"status":"UNPAID"})", "UNPAID");
  becomes(R"({"paid":true,"paymentStatus":"DELAYED"})", "DELAYED");
  becomes(R"({"paymentStatus":"PAID","status":"paid"})", "PAID");
}

BOOST_AUTO_TEST_CASE(a_vendor_charges_once_the_order_is_paid) {
  till t;
  t.sold = t.subscribe(R"(,"paid":false)");
  const auto early = t.as_vendor("POST", t.at_vendor("/invoice"), two_lines);
  BOOST_TEST(early.status() == 409);
  BOOST_TEST(early.at("/errorHolders/0/key") == "not_provisioned");
  BOOST_TEST(early.at("/errorHolders/0/extraFields/deploymentStatus") == "WAITING_PAYMENT");
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice?type=CASHED"), two_lines).status() == 201);
}

BOOST_AUTO_TEST_CASE(what_is_declared_or_given_back_is_paid) {
  till t;
  for (const char* query : {"?type=CASHED", "?cashed=true", "?type=REFUND&apiVersion=20250109"}) {
    const auto made = t.as_vendor("POST", t.at_vendor("/invoice") + query, two_lines);
    BOOST_TEST(made.at("/paymentStatus") == "PAID", query);
  }
  const auto discount = t.as_vendor("POST", t.at_vendor("/invoice"),
                                    R"({"lines":[{"description":"x","price":{"price":"-1"}}]})");
  BOOST_TEST(discount.at("/paid") == "true");
  BOOST_TEST(discount.at("/entries/0/price/price") == "-1.00");
  BOOST_TEST(t.as_vendor("GET", t.at_vendor()).at("/paid") == "true");
}

BOOST_AUTO_TEST_CASE(a_repeated_charge_is_the_same_invoice) {
  till t;
  const auto charge = [&t] {
    return t.call("POST", t.at_vendor("/invoice"), two_lines, {{"Idempotency-Key", "c-1"}},
                  t.seller);
  };
  const auto first = charge();
  const auto again = charge();
  BOOST_TEST(again.status() == 201);
  BOOST_TEST(again.http.body == first.http.body);
  BOOST_TEST(again.header("Location") == "/api/invoice/" + first.at("/id"));
  BOOST_TEST(t.engine.all_invoices.size() == 1U);
}

BOOST_AUTO_TEST_CASE(lines_are_checked_field_by_field) {
  till t;
  const auto refused = [&t](const char* body, const std::string& pointer) {
    const auto r = t.as_vendor("POST", t.at_vendor("/invoice"), body);
    BOOST_TEST(r.status() == 422, body);
    BOOST_TEST(r.at("/errorHolders/0/extraFields/field") == pointer, r.http.body);
  };
  refused(R"([{"price":{"price":"1"}}])", "/0/description");
  refused(R"([{"description":"x"}])", "/0/price");
  refused(R"([{"description":"x","price":{}}])", "/0/price/price");
  refused(R"([{"description":"x","price":{"price":"1.1234567"}}])", "/0/price/price");
  refused(R"([{"description":"x","price":{"price":1e30}}])", "/0/price/price");
  refused(R"([{"description":"x","price":{"price":"1","currency":"eur"}}])", "/0/price/currency");
  refused(R"([{"description":"x","price":{"price":"1","vat":101}}])", "/0/price/vat");
  refused(R"([{"description":"x","price":{"price":"1"},"quantity":-1}])", "/0/quantity");
  refused(R"([{"description":"x","price":{"price":"1"},"purchased":"now"}])", "/0/purchased");
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice"), "[]").status() == 422);
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice"), "{}").status() == 422);
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice?type=GIFT"), two_lines).status() == 422);
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many += R"({"description":"x","price":{"price":1}},)";
  many.back() = ']';
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice"), many).status() == 422);
}

BOOST_AUTO_TEST_CASE(costs_for_later_invoices_are_kept_and_cleared) {
  till t;
  const auto one = t.as_vendor("POST", t.at_vendor("/invoice/oneshot"), two_lines);
  BOOST_TEST(one.status() == 200);
  BOOST_TEST(one.at("/oneshotCosts/1/description") == "Second row");
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice/recurring"), two_lines).status() == 200);
  auto seen = t.as_vendor("GET", t.at_vendor());
  BOOST_TEST(seen.at("/recurringCosts/0/price/currency") == "EUR");
  const auto shown = t.call("GET", "/v1/subscriptions/" + std::to_string(t.sold));
  BOOST_TEST(shown.at("/oneshot_costs/0/price") == "100.00");
  BOOST_TEST(t.as_vendor("POST", t.at_vendor("/invoice/oneshot"), "[]").status() == 200);
  seen = t.as_vendor("GET", t.at_vendor());
  BOOST_TEST(seen.at("/oneshotCosts") == "[]");
  BOOST_TEST(seen.at("/recurringCosts/1/quantity") == "1");
}

BOOST_AUTO_TEST_CASE(the_billing_mirrors_its_invoices) {
  till t;
  const auto made = t.call("POST", t.native(),
                           R"({"kind":"NORMAL","state":"UNPAID","due_at":"2026-12-01T00:00:00Z",)"
                           R"("reference":"2026-0001","lines":[{"description":"Plan","price":)"
                           R"("10.50","currency":"EUR","vat":22,"quantity":0.5}]})");
  BOOST_REQUIRE_MESSAGE(made.status() == 201, made.http.body);
  BOOST_TEST(made.at("/due_at") == "2026-12-01T00:00:00.000Z");
  BOOST_TEST(made.http.body.find("\"quantity\":0.5,") != std::string::npos, made.http.body);
  const std::string one = "/v1/invoices/" + made.at("/id");
  const auto got = t.call("GET", one);
  BOOST_TEST(got.header("ETag") == "\"1\"");
  BOOST_TEST(got.at("/reference") == "2026-0001");
  const auto shown = t.call("GET", "/v1/subscriptions/" + std::to_string(t.sold));
  BOOST_TEST(shown.at("/open_invoices/0/id") == made.at("/id"));
  BOOST_TEST(t.call("POST", t.native(), "{}").status() == 201);
  const auto first = t.call("GET", t.native() + "?limit=1");
  BOOST_TEST(first.at("/items/0/id") == made.at("/id"));
  const auto rest = t.call("GET", t.native() + "?after=" + first.at("/next"));
  BOOST_TEST(rest.json().at("items").as_array().size() == 1U);

  BOOST_TEST(t.call("PATCH", one, "{}").status() == 422);
  BOOST_TEST(t.call("PATCH", one, R"({"state":"SOON"})").status() == 422);
  BOOST_TEST(t.call("PATCH", one, R"({"state":"PAID"})", {{"If-Match", "\"9\""}}).status() == 412);
  const auto later =
      t.call("PATCH", one, R"({"due_at":"2027-01-01T00:00:00Z"})", {{"If-Match", "\"1\""}});
  BOOST_TEST(later.status() == 200);
  BOOST_TEST(later.header("ETag") == "\"2\"");
  BOOST_TEST(t.call("PATCH", one, R"({"state":"PAID"})").at("/paid") == "true");
  const auto back = t.call("PATCH", one, R"({"state":"UNPAID"})");
  BOOST_TEST(back.status() == 409);
  BOOST_TEST(back.at("/present_status") == "PAID");
  BOOST_TEST(t.call("POST", t.native(), R"({"state":"EXPIRED"})").status() == 422);
  BOOST_TEST(
      t.call("POST", t.native(), R"({"lines":[{"description":"x","price":0.1}]})").status() == 422);
  BOOST_TEST(t.call("GET", "/v1/invoices/4711").status() == 404);
}

BOOST_AUTO_TEST_CASE(who_may_see_and_write_them) {
  till t;
  const auto made = t.call("POST", t.native(), "{}", {}, t.market);
  BOOST_REQUIRE(made.status() == 201);
  const std::string one = "/v1/invoices/" + made.at("/id");
  const std::string at_vendors = "/api/invoice/" + made.at("/id");
  const auto other = t.make_token(core::role::vendor, t.other_vendor);
  const auto customer = t.make_token(core::role::tenant, t.customer);
  const auto stranger = t.make_token(core::role::tenant, t.stranger);
  for (const auto& [token, status] :
       {std::pair{t.seller, 200}, {other, 404}, {customer, 200}, {stranger, 404}}) {
    BOOST_TEST(t.call("GET", one, {}, {}, token).status() == status);
    BOOST_TEST(t.call("GET", at_vendors, {}, {}, token).status() == status);
    const int refused = status == 200 ? 403 : 404;
    BOOST_TEST(t.call("PATCH", one, R"({"state":"PAID"})", {}, token).status() == refused);
    BOOST_TEST(t.call("PATCH", at_vendors, R"({"paid":true})", {}, token).status() == refused);
    BOOST_TEST(t.call("POST", t.native(), "{}", {}, token).status() == refused);
  }
  BOOST_TEST(t.call("POST", t.at_vendor("/invoice"), two_lines, {}, other).status() == 404);
  BOOST_TEST(t.call("POST", t.at_vendor("/invoice"), two_lines, {}, customer).status() == 403);
  BOOST_TEST(t.call("POST", t.at_vendor("/invoice"), two_lines, {}, t.market).status() == 201);
}

BOOST_AUTO_TEST_SUITE_END()
