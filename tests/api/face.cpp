#include "tests/api/face.hpp"

#include <boost/test/unit_test.hpp>

namespace syndicated::tests {
namespace {

reply run(const net::http_handler& handler, net::http_request request) {
  reply out;
  bool answered = false;
  handler(std::move(request), net::responder{[&](net::http_response&& r) {
            out.http = std::move(r);
            answered = true;
          }});
  BOOST_TEST(answered, "the request was not answered");
  return out;
}

net::http_request make_request(std::string_view method, std::string_view target, std::string body,
                               headers more) {
  net::http_request request;
  request.method = method;
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  request.body = std::move(body);
  request.headers = std::move(more);
  request.peer = "192.0.2.1:4711";
  if (!request.body.empty() && request.count("Content-Type") == 0) {
    request.headers.push_back({"Content-Type", "application/json"});
  }
  return request;
}

}  // namespace

std::string reply::at(std::string_view pointer) const {
  boost::json::error_code failure;
  const boost::json::value whole = boost::json::parse(http.body, failure);
  if (failure) return "(not JSON)";
  const boost::json::value* found = whole.find_pointer(pointer, failure);
  if (found == nullptr) return {};
  return found->is_string() ? std::string{found->as_string()} : boost::json::serialize(*found);
}

std::string reply::header(std::string_view name) const {
  for (const net::http_header& h : http.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

face::face(api::api_settings settings)
    : router(engine, std::move(settings)),
      handler(router.public_handler()),
      admin_handler(router.admin_handler()) {
  staff = make_token(core::role::operator_);
  market = make_token(core::role::marketplace);
  const auto id = [](std::uint64_t v) { return std::to_string(v); };
  vendor = make("/v1/vendors", R"({"name":"Acme"})");
  other_vendor = make("/v1/vendors", R"({"name":"Other"})");
  product = make("/v1/products", R"({"name":"Mail","sku":"M1","vendor_id":)" + id(vendor) + "}");
  other_product = make("/v1/products", R"({"name":"X","vendor_id":)" + id(other_vendor) + "}");
  plan = make("/v1/plans", R"({"name":"Small","trial_days":14,"product_id":)" + id(product) + "}");
  reseller = make("/v1/tenants", R"({"kind":"reseller","parent_id":1,"name":"R"})");
  customer =
      make("/v1/tenants", R"({"kind":"customer","name":"C","contact":{"email":"c@c.example",)"
                          R"("first_name":"Cleo"},"parent_id":)" +
                              id(reseller) + "}");
  stranger = make("/v1/tenants", R"({"kind":"customer","name":"S","parent_id":1})");
}

reply face::call(std::string_view method, std::string_view target, std::string body, headers more,
                 std::string token) {
  if (token == "*") token = staff;
  if (!token.empty()) more.push_back({"Authorization", "Bearer " + token});
  return run(handler, make_request(method, target, std::move(body), std::move(more)));
}

reply face::admin(std::string_view method, std::string_view target, std::string body) {
  auto request = make_request(method, target, std::move(body), {});
  request.peer = "unix";
  return run(admin_handler, std::move(request));
}

std::uint64_t face::make(std::string_view path, std::string body, std::string token) {
  const reply r = call("POST", path, std::move(body), {}, std::move(token));
  BOOST_TEST_REQUIRE(r.status() == 201, path << ": " << r.status() << ' ' << r.http.body);
  return std::stoull(r.at("/id"));
}

std::string face::make_token(core::role role, std::uint64_t scope,
                             std::optional<core::timestamp> expires) {
  const std::string secret = api::make_token_secret();
  core::token t;
  t.id.value = 1'000 + engine.items->all_tokens.size();
  t.role = role;
  t.scope = scope;
  t.secret_sha256 = api::token_hash(secret);
  t.expires_at = expires;
  engine.items->all_tokens[t.id.value] = std::make_shared<const core::token>(t);
  return api::format_token(t.id, secret);
}

std::uint64_t face::subscribe(const std::string& more, std::uint64_t tenant) {
  return make("/v1/subscriptions", R"({"tenant_id":)" +
                                       std::to_string(tenant == 0 ? customer : tenant) +
                                       R"(,"plan_id":)" + std::to_string(plan) + more + "}");
}

}  // namespace syndicated::tests
