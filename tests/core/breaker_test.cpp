// When sending stops and starts again, and how many retries there may be.
#include "core/delivery/breaker.hpp"

#include <boost/test/unit_test.hpp>

#include "core/delivery/health.hpp"
#include "core/delivery/retry_budget.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;

const timestamp noon = from_unix_ms(1'700'000'000'000);
const breaker_rules usual;

BOOST_AUTO_TEST_SUITE(breakers)

bool fail(breaker& b, int cohort = 1, timestamp now = noon, double random = 0.0) {
  return b.failed(cohort, "http_503", usual, random, now);
}

BOOST_AUTO_TEST_CASE(two_failed_cohorts_open_it) {
  for (const int cohort : {1, 2, 3, 7, 64}) {
    breaker b;
    for (int i = 1; i < 2 * cohort && i < 19; ++i) BOOST_TEST(!fail(b, cohort), cohort);
    // From twenty failures on the share decides earlier.
    const bool opened = fail(b, cohort);
    BOOST_TEST((opened || cohort > 10));
    while (cohort > 10 && b.closed()) fail(b, cohort);
    BOOST_TEST((b.state(noon) == breaker_state::open));
    BOOST_TEST(b.reason() == "http_503");
  }
}

BOOST_AUTO_TEST_CASE(a_success_between_them_starts_the_count_again) {
  breaker b;
  for (int i = 0; i < 6; ++i) {
    BOOST_TEST(!fail(b));
    b.succeeded(noon);
  }
  BOOST_TEST(b.closed());
}

BOOST_AUTO_TEST_CASE(failures_of_different_days_do_not_add_up) {
  breaker b;
  for (int day = 0; day < 9; ++day) BOOST_TEST(!fail(b, 1, noon + day * 24h));
  BOOST_TEST(fail(b, 1, noon + 8 * 24h + 59min));
}

BOOST_AUTO_TEST_CASE(half_of_at_least_twenty_attempts_in_a_minute_open_it) {
  breaker b;
  for (int i = 0; i < 19; ++i) {
    b.succeeded(noon);
    BOOST_TEST(!fail(b, 64) == (i < 9));
    if (!b.closed()) break;
  }
  BOOST_TEST(!b.closed());

  breaker mostly_well;
  for (int i = 0; i < 300; ++i) {
    mostly_well.succeeded(noon);
    if (i % 3 == 0) BOOST_TEST(!fail(mostly_well, 64));
  }

  breaker old_failures;
  for (int i = 0; i < 15; ++i) BOOST_TEST(!fail(old_failures, 64));
  for (int i = 0; i < 10; ++i) old_failures.succeeded(noon + 70s);
  for (int i = 0; i < 9; ++i) BOOST_TEST(!fail(old_failures, 64, noon + 70s));
}

BOOST_AUTO_TEST_CASE(it_stays_open_for_longer_each_time_and_never_beyond_the_maximum) {
  breaker b;
  fail(b);
  fail(b);
  BOOST_TEST((b.until() == noon + 15s));  // half of 30 s, and a random part of the other half
  timestamp now = b.until();
  for (const auto half : {30s, 60s, 120s, 240s, 450s, 450s}) {
    BOOST_TEST((b.state(now - 1ms) == breaker_state::open));
    BOOST_TEST((b.state(now) == breaker_state::half_open));
    b.probe_began();
    b.probe_failed("timeout", usual, 0.0, now);
    BOOST_TEST((b.until() == now + half));
    now = b.until();
  }
  b.probe_failed("timeout", usual, 1.0, now);
  BOOST_TEST((b.until() == now + 15min));
  BOOST_TEST(b.reason() == "timeout");
}

BOOST_AUTO_TEST_CASE(one_probe_at_a_time_decides) {
  breaker b;
  fail(b);
  BOOST_TEST(!b.may_probe(noon));  // closed: no probe needed
  fail(b);
  BOOST_TEST(!b.may_probe(b.until() - 1ms));
  const timestamp later = b.until();
  BOOST_TEST(b.may_probe(later));
  b.probe_began();
  BOOST_TEST(!b.may_probe(later));
  b.probe_lost();
  BOOST_TEST(b.may_probe(later));
  b.probe_began();
  b.probe_succeeded();
  BOOST_TEST(b.closed());
  BOOST_TEST(!fail(b, 1, later));  // what was before is forgotten
}

BOOST_AUTO_TEST_CASE(it_survives_a_restart_and_a_clock_that_jumps) {
  breaker before;
  fail(before);
  fail(before);
  before.probe_failed("dns", usual, 1.0, before.until());
  const auto stored = before.record("https://vendor.example:443");
  BOOST_TEST(stored.trips == 2U);
  breaker after;
  after.restore(stored, usual, noon);
  BOOST_TEST((after.until() == before.until()));
  BOOST_TEST((after.state(noon) == breaker_state::open));
  after.restore(stored, usual, noon - 87'600h);  // the clock went back ten years
  BOOST_TEST((after.until() == noon - 87'600h + 15min));
  after.restore(stored, usual, noon + 87'600h);
  BOOST_TEST((after.state(noon + 87'600h) == breaker_state::half_open));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_does_not_keep_it_open) {
  breaker b;
  fail(b);
  fail(b);
  BOOST_TEST((b.state(noon - 30s) == breaker_state::open));  // a small correction
  BOOST_TEST((b.state(noon - 1h) == breaker_state::half_open));
  BOOST_TEST(b.may_probe(noon - 1h));
  b.probe_began();
  b.probe_failed("timeout", usual, 0.0, noon - 1h);
  BOOST_TEST((b.state(noon - 1h) == breaker_state::open));
  breaker after;
  after.restore(b.record("https://vendor.example:443"), usual, noon - 1h);
  BOOST_TEST((after.state(noon - 1h) == breaker_state::open));
  BOOST_TEST((after.state(noon - 100h) == breaker_state::half_open));
}

BOOST_AUTO_TEST_CASE(without_a_pause_it_never_opens) {
  breaker b;
  for (int i = 0; i < 100; ++i) BOOST_TEST(!b.failed(1, "timeout", {0ms, 0ms}, 0.0, noon));
  BOOST_TEST(b.closed());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retry_budgets)

constexpr double share = 0.2;

int retries_allowed(retry_budget& b, timestamp now) {
  int count = 0;
  for (; count < 1'000 && b.allows_retry(share, now); ++count) b.began(true, now);
  return count;
}

BOOST_AUTO_TEST_CASE(a_few_a_minute_are_always_allowed) {
  retry_budget b;
  BOOST_TEST(retries_allowed(b, noon) == 6);  // one in ten seconds
  BOOST_TEST(!b.allows_retry(share, noon + 30s));
  BOOST_TEST(retries_allowed(b, noon + 70s) == 6);
}

BOOST_AUTO_TEST_CASE(a_fifth_of_the_attempts_of_the_last_minute) {
  retry_budget b;
  for (int i = 0; i < 400; ++i) b.began(false, noon);
  BOOST_TEST(retries_allowed(b, noon + 1s) == 100);  // of then 500
  BOOST_TEST(!b.allows_retry(share, noon + 20s));
}

BOOST_AUTO_TEST_CASE(delivered_retries_make_room_for_more) {
  retry_budget b;
  int under_way = retries_allowed(b, noon);
  int sent = under_way;
  while (sent < 2'000 && under_way > 0) {
    b.retry_delivered();
    --under_way;
    const int more = retries_allowed(b, noon);
    under_way += more;
    sent += more;
    BOOST_TEST(under_way <= std::max(6, sent / 5 + 1));
  }
  BOOST_TEST(sent >= 2'000);
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_stops_nothing_for_good) {
  retry_budget b;
  retries_allowed(b, noon);
  retries_allowed(b, noon - 1h);
  BOOST_TEST(retries_allowed(b, noon - 1h + 70s) == 6);
  BOOST_TEST((retry_budget::next_look(noon) > noon));
  BOOST_TEST((retry_budget::next_look(noon) <= noon + 10s));
}

BOOST_AUTO_TEST_CASE(a_share_of_one_is_no_bound) {
  retry_budget b;
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(b.allows_retry(1.0, noon));
    b.began(true, noon);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(health_of_endpoints)

constexpr std::chrono::milliseconds pause_after = 120h;

health_change fail(endpoint_health& h, timestamp now, std::string_view reason = "http_500") {
  return h.failed(reason, pause_after, now);
}

BOOST_AUTO_TEST_CASE(an_hour_of_failures_degrades_once_and_a_delivery_recovers_once) {
  endpoint_health h;
  BOOST_TEST((fail(h, noon) == health_change::none));
  BOOST_TEST((fail(h, noon + 59min) == health_change::none));
  BOOST_TEST((fail(h, noon + 60min) == health_change::degraded));
  BOOST_TEST((fail(h, noon + 61min) == health_change::none));
  BOOST_TEST((h.failing_since() == noon));
  BOOST_TEST((h.delivered() == health_change::recovered));
  BOOST_TEST((h.delivered() == health_change::none));
  BOOST_TEST((fail(h, noon + 62min) == health_change::none));
}

BOOST_AUTO_TEST_CASE(three_redirects_in_a_row_degrade) {
  endpoint_health h;
  fail(h, noon, "redirect");
  fail(h, noon, "redirect");
  BOOST_TEST((fail(h, noon, "http_404") == health_change::none));
  fail(h, noon, "redirect");
  BOOST_TEST((fail(h, noon, "redirect") == health_change::none));
  BOOST_TEST((fail(h, noon, "redirect") == health_change::degraded));
}

BOOST_AUTO_TEST_CASE(an_open_breaker_degrades_those_that_failed) {
  endpoint_health well;
  BOOST_TEST((well.breaker_opened() == health_change::none));
  endpoint_health failing;
  fail(failing, noon);
  BOOST_TEST((failing.breaker_opened() == health_change::degraded));
  BOOST_TEST((failing.breaker_opened() == health_change::none));
}

BOOST_AUTO_TEST_CASE(the_failing_age_pauses_and_begins_anew_when_resumed) {
  endpoint_health h;
  for (int hour = 0; hour < 120; ++hour) {
    BOOST_TEST((fail(h, noon + std::chrono::hours{hour}) != health_change::pause));
  }
  BOOST_TEST((fail(h, noon + 120h) == health_change::pause));
  BOOST_TEST((fail(h, noon + 120h + 59s) != health_change::pause));
  BOOST_TEST((fail(h, noon + 121h) ==
              health_change::pause));  // the disk may have refused it  // it is on its way
  h.resumed();
  BOOST_TEST(h.degraded());
  BOOST_TEST((fail(h, noon + 500h) == health_change::none));
  BOOST_TEST((h.delivered() == health_change::recovered));
}

BOOST_AUTO_TEST_CASE(one_delivery_between_keeps_it_going) {
  endpoint_health h;
  for (int day = 0; day < 30; ++day) {
    for (int i = 0; i < 5; ++i) {
      BOOST_TEST((fail(h, noon + std::chrono::hours{24 * day + i}) != health_change::pause));
    }
    h.delivered();
  }
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_the_age_and_a_clock_that_jumps_does_not_pause_at_once) {
  endpoint_health h;
  h.restore(true, noon);
  BOOST_TEST((fail(h, noon + 130h) == health_change::none));
  BOOST_TEST((fail(h, noon + 130h) == health_change::none));
  BOOST_TEST((fail(h, noon + 130h) == health_change::pause));
  endpoint_health back;
  back.restore(true, noon);
  fail(back, noon - 1000h);
  BOOST_TEST((back.failing_since() == noon - 1000h));
}

BOOST_AUTO_TEST_CASE(without_a_failing_age_nothing_is_paused) {
  endpoint_health h;
  for (int day = 0; day < 400; ++day) {
    const auto at = noon + std::chrono::hours{24 * day};
    BOOST_TEST((h.failed("timeout", 0ms, at) != health_change::pause));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
