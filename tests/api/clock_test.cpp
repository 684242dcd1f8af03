// The clock on the admin socket, and what goes by it.
#include <boost/test/unit_test.hpp>

#include "tests/api/face.hpp"

using namespace syndicated;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(daemon_clock, tests::face)

BOOST_AUTO_TEST_CASE(real_time_is_shown_and_stays) {
  const auto shown = admin("GET", "/admin/clock");
  BOOST_TEST(shown.status() == 200);
  BOOST_TEST(shown.at("/simulated") == "false");
  BOOST_TEST(shown.at("/ahead_ms") == "0");
  const auto refused = admin("POST", "/admin/clock", R"({"advance_s":60})");
  BOOST_TEST(refused.status() == 409);
  BOOST_TEST(refused.at("/code") == "clock_not_simulated");
  BOOST_TEST(admin("GET", "/admin/status").at("/simulated_time") == "false");
}

BOOST_AUTO_TEST_CASE(it_is_moved_by_a_span_or_to_a_time) {
  engine.clock.simulated = true;
  engine.state.clock_ahead = 0ms;
  engine.clock.due = 2;
  engine.clock.next = *core::parse_rfc3339("2125-06-01T00:00:00Z");
  const auto before = engine.now();
  const auto there = admin("POST", "/admin/clock", R"({"advance_s":3600})");
  BOOST_TEST(there.status() == 200);
  BOOST_TEST((engine.moved->to - before >= 1h && engine.moved->to - before < 2h));
  BOOST_TEST(!engine.moved->jump);
  BOOST_TEST(there.at("/due") == "2");
  BOOST_TEST(there.at("/next_at") == "2125-06-01T00:00:00.000Z");
  BOOST_TEST(there.at("/moving_to") == "null");
  BOOST_TEST(
      admin("POST", "/admin/clock", R"({"to":"2125-01-01T00:00:00Z","jump":true})").status() ==
      200);
  BOOST_TEST((engine.moved->to == core::parse_rfc3339("2125-01-01T00:00:00Z")));
  BOOST_TEST(engine.moved->jump);
  BOOST_TEST(admin("GET", "/admin/clock").at("/now").starts_with("2125-01-01T00:00:0"));
  BOOST_TEST(admin("GET", "/admin/status").at("/simulated_time") == "true");
}

BOOST_AUTO_TEST_CASE(one_way_to_say_where_to) {
  engine.clock.simulated = true;
  for (const char* wrong :
       {"{}", R"({"advance_s":60,"to":"2125-01-01T00:00:00Z"})", R"({"advance_s":0})",
        R"({"advance_s":315619201})", R"({"to":"tomorrow"})", R"({"advance_s":60,"back":true})"}) {
    BOOST_TEST(admin("POST", "/admin/clock", wrong).status() == 422, wrong);
  }
  BOOST_TEST(!engine.moved.has_value());
}

BOOST_AUTO_TEST_CASE(tokens_expire_by_it) {
  const auto token = make_token(core::role::operator_, 0, engine.now() + 24h);
  BOOST_TEST(call("GET", "/v1/vendors", {}, {}, token).status() == 200);
  engine.clock.ahead = 25h;
  BOOST_TEST(call("GET", "/v1/vendors", {}, {}, token).status() == 401);
}

// Not on the port.
BOOST_AUTO_TEST_CASE(only_the_admin_socket_has_it) {
  BOOST_TEST(call("POST", "/admin/clock", R"({"advance_s":60})").status() == 404);
}

BOOST_AUTO_TEST_SUITE_END()
