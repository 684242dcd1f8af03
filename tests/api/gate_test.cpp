// What is decided about a request before its body is there.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using tests::face;

namespace {

struct gate : face {
  // The status of the refusal, 0 = go on; `code` gets its word.
  int ask(const std::string& method, const std::string& path, const std::string& token,
          std::string* code = nullptr) {
    net::http_request head;
    head.method = method;
    head.path = path;
    head.peer = "192.0.2.1:4711";
    if (!token.empty()) head.headers.push_back({"Authorization", "Bearer " + token});
    const auto no = router.public_gate()(head);
    if (!no) return 0;
    if (code != nullptr) *code = tests::reply{*no}.at("/code");
    return no->status;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_before_bodies)

BOOST_AUTO_TEST_CASE(strangers_and_wrong_paths) {
  gate f;
  BOOST_TEST(f.ask("POST", "/v1/events", f.staff) == 0);
  BOOST_TEST(f.ask("POST", "/v1/events", "") == 401);
  BOOST_TEST(f.ask("POST", "/v1/events", f.staff + "x") == 401);
  BOOST_TEST(f.ask("PATCH", "/api/subscription/1", "") == 401);
  BOOST_TEST(f.ask("POST", "/v1/nothing", f.staff) == 404);
  BOOST_TEST(f.ask("PUT", "/v1/events", f.staff) == 405);
  BOOST_TEST(f.ask("GET", "/healthz", "") == 413);
  BOOST_TEST(f.ask("GET", "/v1/vendors", f.staff) == 0);
  const std::string disabled = f.make_token(core::role::tenant, f.customer);
  f.call("POST", "/v1/tenants/" + std::to_string(f.customer) + "/disable", "{}");
  BOOST_TEST(f.ask("POST", "/v1/subscriptions", disabled) == 403);
}

BOOST_AUTO_TEST_CASE(guesses_count) {
  gate f;
  for (int i = 0; i < 10; ++i) BOOST_TEST(f.ask("POST", "/v1/events", "guess") == 401);
  BOOST_TEST(f.ask("POST", "/v1/events", "guess") == 429);
  BOOST_TEST(f.router.stats().auth_failures() == 11U);
  std::uint64_t counted = 0;
  for (const auto& row : f.router.stats().read()) {
    if (row.face == api::face::v1 && row.method == "POST" && row.status_class == 4) {
      counted += row.requests;
    }
  }
  BOOST_TEST(counted == 11U);
}

BOOST_AUTO_TEST_CASE(load_and_space) {
  gate f;
  std::string code;
  f.engine.state.refusing_load = "backlog_full";
  BOOST_TEST(f.ask("POST", "/v1/events", f.staff, &code) == 503);
  BOOST_TEST(code == "backlog_full");
  BOOST_TEST(f.ask("POST", "/v1/subscriptions", f.staff) == 503);
  BOOST_TEST(f.ask("POST", "/v1/tenants", f.staff) == 503);
  // What is no new load, or reads, is not refused for it.
  BOOST_TEST(f.ask("PATCH", "/api/subscription/1", f.staff) == 0);
  BOOST_TEST(f.ask("POST", "/v1/subscriptions/1/cancel", f.staff) == 0);
  f.engine.state.accepting = false;
  f.engine.state.why_not = "no_space";
  BOOST_TEST(f.ask("POST", "/v1/subscriptions/1/cancel", f.staff, &code) == 503);
  BOOST_TEST(code == "no_space");
  BOOST_TEST(f.ask("GET", "/v1/vendors", f.staff) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
