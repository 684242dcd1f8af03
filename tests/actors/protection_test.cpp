// Failing endpoints and the others: breakers, retry budgets, fair shares, and what a replay, a full
// disk or a slow entity must not do to a lane.
#include <boost/test/unit_test.hpp>

#include "core/base/limits.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::breaker_state;

const core::protection breakers_on{{30s, 15min}, 1.0};
const core::protection budgets_on{{0ms, 0ms}, 0.2};

BOOST_FIXTURE_TEST_SUITE(protection, room)

breaker_state state_of(room& r, const stall& st) {
  return r.s().breakers.get(r.origin_of(st), r.now).state;
}

// Two failures in a row, one after the other.
void break_it(room& r, const stall& st, int status = 503) {
  for (int i = 0; i < 2; ++i) {
    r.answer_first(st, status);
    if (state_of(r, st) == breaker_state::closed) r.engine.advance(100ms);
  }
  BOOST_REQUIRE((state_of(r, st) == breaker_state::open));
}

BOOST_AUTO_TEST_CASE(an_open_breaker_defers_and_spends_no_attempt) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 5);
  break_it(*this, st);
  const auto until = s().breakers.get(origin_of(st), now).until;
  BOOST_TEST((until == now + 22'500ms));  // random is 0.5 here
  const auto spent = counted(st).attempts;
  sell(st, 5);
  engine.advance(until - now - 1ms);
  BOOST_TEST(engine.wire.empty());
  BOOST_TEST(counted(st).attempts == spent);
  BOOST_TEST(counted(st).parked == 0U);
  engine.advance(1ms);
  BOOST_TEST(under_way(st) == 1U);  // one probe, however many are due
}

BOOST_AUTO_TEST_CASE(the_probe_is_the_oldest_due_event_of_the_origin) {
  set_protection(breakers_on);
  const auto first = open_stall();
  const auto second = open_stall_at(origin_of(first));
  sell(second, 1);
  sell(first, 3);
  const auto oldest = engine.wire[0].event;
  BOOST_REQUIRE(engine.wire[0].endpoint == second.endpoint);
  // Both fail; the second's event is due again first.
  engine.answer(0, 503);
  engine.settle();
  answer_first(first, 503);
  while (!engine.wire.empty()) {
    engine.answer(0, 503);
    engine.settle();
  }
  BOOST_REQUIRE((state_of(*this, first) == breaker_state::open));
  BOOST_TEST((state_of(*this, second) == breaker_state::open));
  engine.advance(30s);
  BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
  BOOST_TEST(engine.wire[0].event.value == oldest.value);
  BOOST_TEST((engine.wire[0].endpoint == second.endpoint));
}

BOOST_AUTO_TEST_CASE(a_failed_probe_opens_for_longer_a_good_one_starts_slowly) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 40);
  for (int i = 0; i < 12; ++i) answer_first(st, 204);
  BOOST_REQUIRE_GT(limit(st), 3);
  while (state_of(*this, st) == breaker_state::closed) answer_first(st, 500);
  while (under_way(st) > 0) answer_first(st, 204);  // too late to matter
  BOOST_TEST((state_of(*this, st) == breaker_state::open));
  engine.advance(s().breakers.get(origin_of(st), now).until - now);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  answer_first(st, 500);
  const auto second = s().breakers.get(origin_of(st), now);
  BOOST_TEST((second.state == breaker_state::open));
  BOOST_TEST((second.until == now + 45s));
  BOOST_TEST(second.reason == "http_500");
  engine.advance(45s);
  answer_first(st, 204);
  BOOST_TEST((state_of(*this, st) == breaker_state::closed));
  BOOST_TEST(limit(st) == 1);
  BOOST_TEST(under_way(st) == 1U);
  answer_first(st, 204);
  BOOST_TEST(under_way(st) == 2U);
  drain_all(st);
  engine.advance(1s);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == 40U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_overload_closes_it_and_never_opens_it) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 12);
  for (int i = 0; i < 8; ++i) answer_first(st, 404);
  BOOST_TEST((state_of(*this, st) == breaker_state::closed));
  while (state_of(*this, st) == breaker_state::closed) answer_first(st, 503);
  while (under_way(st) > 0) answer_first(st, 503);
  engine.advance(30s);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  answer_first(st, 404);
  BOOST_TEST((state_of(*this, st) == breaker_state::closed));
}

// The egress policy refused the address, or no access token could be had: nothing was sent.
BOOST_AUTO_TEST_CASE(a_probe_that_never_reached_the_origin_is_none) {
  set_protection(breakers_on);
  for (const auto error : {core::attempt_error::blocked_destination, core::attempt_error::auth}) {
    const auto st = open_stall();
    sell(st, 5);
    for (int i = 0; i < 4; ++i) answer_first(st, 204);  // more than one may be under way
    sell(st, 5);
    while (state_of(*this, st) == breaker_state::closed) answer_first(st, 503);
    while (under_way(st) > 0) answer_first(st, 503);
    const auto first = s().breakers.get(origin_of(st), now).until;
    engine.advance(first - now);
    BOOST_REQUIRE_EQUAL(under_way(st), 1U);
    core::attempt_result result;
    result.error = error;
    engine.answer(*engine.first_of(st.endpoint), result);
    engine.settle();
    BOOST_TEST((state_of(*this, st) == breaker_state::half_open));
    BOOST_REQUIRE_EQUAL(under_way(st), 1U);  // another finds out
    answer_first(st, 503);
    // Its second opening in a row, and no new first one.
    BOOST_TEST((s().breakers.get(origin_of(st), now).until == now + 45s));
  }
}

BOOST_AUTO_TEST_CASE(what_never_reached_the_endpoint_does_not_widen_its_window) {
  const auto st = open_stall(8);
  sell(st, 20);
  for (int i = 0; i < 5; ++i) {
    core::attempt_result result;
    result.error = core::attempt_error::auth;
    engine.answer(*engine.first_of(st.endpoint), result);
    engine.settle();
  }
  BOOST_TEST(limit(st) == 1);
}

BOOST_AUTO_TEST_CASE(an_endpoint_tells_since_when_it_does_nothing_but_fail) {
  const auto st = open_stall();
  sell(st, 3);
  const auto since = [&] { return s().gauges.get(st.endpoint).failing_since; };
  BOOST_TEST(!since().has_value());
  answer_first(st, 404);
  const auto first = now;
  now += 1s;
  answer_first(st, 404);
  BOOST_REQUIRE(since().has_value());
  BOOST_TEST((*since() == first));
  answer_first(st, 204);
  BOOST_TEST(!since().has_value());
}

BOOST_AUTO_TEST_CASE(an_origin_that_comes_back_with_refusals_is_not_kept_slow) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 40);
  break_it(*this, st);
  engine.advance(30s);
  for (int i = 0; i < 15; ++i) answer_first(st, 404);
  BOOST_TEST(under_way(st) >= 4U);
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_an_origin_was_well_again_does_not_count_against_it) {
  set_protection(breakers_on);
  const auto hanging = open_stall();
  const auto failing = open_stall_at(origin_of(hanging));
  sell(hanging, 30);
  for (int i = 0; i < 10; ++i) answer_first(hanging, 204);
  sell(failing, 10);
  while (state_of(*this, failing) == breaker_state::closed) answer_first(failing, 503);
  while (under_way(failing) > 0) answer_first(failing, 503);
  const auto late = under_way(hanging);
  BOOST_REQUIRE_GT(late, 2U);
  engine.advance(30s);
  BOOST_REQUIRE_EQUAL(under_way(failing), 1U);
  answer_first(failing, 204);
  BOOST_REQUIRE((state_of(*this, failing) == breaker_state::closed));
  for (std::size_t i = 0; i < late; ++i) answer_first(hanging, 504);
  BOOST_TEST((state_of(*this, failing) == breaker_state::closed));
}

BOOST_AUTO_TEST_CASE(after_an_outage_all_endpoints_of_an_origin_start_with_one_together) {
  set_protection(breakers_on);
  std::vector<stall> stalls{open_stall()};
  for (int i = 0; i < 5; ++i) stalls.push_back(open_stall_at(origin_of(stalls[0])));
  for (const auto& st : stalls) sell(st, 10);
  while (state_of(*this, stalls[0]) == breaker_state::closed) {
    engine.answer(0, 503);
    engine.settle();
  }
  while (!engine.wire.empty()) {
    engine.answer(0, 503);
    engine.settle();
  }
  engine.advance(1min);
  BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
  std::size_t largest = 0;
  std::size_t done = 0;
  while (!engine.wire.empty()) {
    engine.answer(0, 204);
    engine.settle();
    ++done;
    largest = std::max(largest, engine.wire.size());
    BOOST_TEST(engine.wire.size() <= 1 + done);
    if (engine.wire.empty()) engine.advance(1s);
  }
  BOOST_TEST(largest > 1U);
  for (const auto& st : stalls) BOOST_TEST(counted(st).delivered == 10U);
}

BOOST_AUTO_TEST_CASE(an_open_breaker_outlives_the_process) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 5);
  break_it(*this, st);
  const auto until = s().breakers.get(origin_of(st), now).until;
  engine.restart([this] { set_protection(breakers_on); });
  BOOST_TEST((state_of(*this, st) == breaker_state::open));
  BOOST_TEST(engine.wire.empty());
  engine.advance(until - now);
  BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
  answer_first(st, 204);
  drain_all(st);
  BOOST_TEST(repo().breakers()->empty());  // nothing is kept of one that is closed
}

BOOST_AUTO_TEST_CASE(an_endpoint_that_moves_leaves_the_breaker_behind) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 5);
  break_it(*this, st);
  const auto old = origin_of(st);
  actors::update_endpoint change;
  change.id = st.endpoint;
  change.origin = "https://elsewhere.example:443";
  catalog(std::move(change));
  engine.settle();
  engine.advance(1s);
  BOOST_TEST(under_way(st) == 1U);
  BOOST_TEST((s().breakers.get(old, now).state == breaker_state::closed));
  BOOST_TEST(repo().breakers()->empty());
}

BOOST_AUTO_TEST_CASE(a_prober_that_moves_away_leaves_the_probing_to_others) {
  set_protection(breakers_on);
  const auto first = open_stall();
  const auto second = open_stall_at(origin_of(first));
  sell(first, 5);
  break_it(*this, first);
  engine.advance(30s);
  BOOST_REQUIRE_EQUAL(under_way(first), 1U);  // the probe
  sell(second, 1);
  actors::update_endpoint change;
  change.id = first.endpoint;
  change.origin = "https://elsewhere.example:443";
  catalog(std::move(change));
  engine.settle();
  answer_first(first, 204);
  engine.advance(10s);
  BOOST_REQUIRE_EQUAL(under_way(second), 1U);
  answer_first(second, 204);
  BOOST_TEST((state_of(*this, second) == breaker_state::closed));
}

BOOST_AUTO_TEST_CASE(events_that_are_too_old_do_not_use_up_the_probes) {
  set_protection(breakers_on);
  const auto st = open_stall(64, [](core::endpoint& e) { e.max_age = 1min; });
  sell(st, 20);
  break_it(*this, st);
  now += 2min;
  sell(st, 1);
  const auto young = last_event();
  engine.advance(100ms);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  BOOST_TEST(engine.wire[0].event.value == young);
}

// Every event is refused once: the second attempt of the first one shows that the origin is well.
BOOST_AUTO_TEST_CASE(an_origin_that_refuses_first_attempts_is_found_to_be_well) {
  set_protection(breakers_on);
  const auto st = open_stall();
  sell(st, 10);
  break_it(*this, st);
  engine.advance(30s);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  BOOST_TEST(engine.wire[0].header("CMW-Delivery-Attempt") == "2");
}

// ---- fair shares --------------------------------------------------------------------------------

struct room_with_sixteen_sockets : room {
  room_with_sixteen_sockets() : room({16, 4'096, 128}) {}
};

BOOST_FIXTURE_TEST_CASE(one_owner_has_a_quarter_of_the_sockets_while_others_wait,
                        room_with_sixteen_sockets) {
  // One vendor with many endpoints that hang ...
  const auto large = open_stall();
  std::vector<stall> endpoints{large};
  for (int i = 0; i < 19; ++i) endpoints.push_back(open_stall_of(large));
  sell(large, 2);  // goes to all of them
  BOOST_TEST(engine.wire.size() == 12U);
  // ... leaves room for another.
  const auto small = open_stall();
  sell(small, 20);
  BOOST_TEST(drain_all(small).size() == 20U);
}

struct room_with_a_small_cap : room {
  room_with_a_small_cap() : room({64, 4'096, 3}) {}
};

BOOST_FIXTURE_TEST_CASE(an_origin_gets_no_more_than_its_cap, room_with_a_small_cap) {
  const auto st = open_stall();
  const auto neighbour = open_stall_at(origin_of(st));
  sell(st, 30);
  sell(neighbour, 30);
  std::size_t largest = 0;
  std::size_t delivered = 0;
  while (!engine.wire.empty()) {
    largest = std::max(largest, engine.wire.size());
    engine.answer(engine.wire.size() - 1, 204);
    engine.settle();
    ++delivered;
  }
  BOOST_TEST(largest == 3U);
  BOOST_TEST(delivered == 60U);
}

// ---- retries and fresh events -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(retries_of_a_failing_endpoint_stay_a_trickle_and_all_go_when_it_is_well) {
  set_protection(budgets_on);
  const auto st = open_stall(8);
  sell(st, 30);
  while (!engine.wire.empty()) answer_first(st, 404);
  const auto first = counted(st).attempts;
  for (int i = 0; i < 60; ++i) {
    engine.advance(1s);
    while (!engine.wire.empty()) answer_first(st, 404);
  }
  const auto retries = counted(st).attempts - first;
  BOOST_TEST(retries >= 6U);
  BOOST_TEST(retries <= 14U);  // two windows may touch a minute
  for (int i = 0; i < 20; ++i) {
    engine.advance(10s);
    drain_all(st);
  }
  BOOST_TEST(counted(st).delivered == 30U);
  BOOST_TEST(counted(st).parked == 0U);
}

BOOST_AUTO_TEST_CASE(retries_that_are_too_old_leave_the_budget_to_the_others) {
  set_protection(budgets_on);
  const auto st = open_stall(8, [](core::endpoint& e) {
    e.max_age = 1h;
    e.retry_schedule = {0s, 1min, 1min};
  });
  sell(st, 20);
  while (!engine.wire.empty()) answer_first(st, 404);
  set_state(st.endpoint, core::endpoint_state::paused);
  engine.settle();
  now += 2h;
  set_state(st.endpoint, core::endpoint_state::active);
  engine.settle();
  engine.advance(100ms);
  BOOST_TEST(counted(st).parked == 20U);
  BOOST_TEST(counted(st).attempts == 20U);
  sell(st, 1);
  answer_first(st, 404);
  engine.advance(1min);
  BOOST_TEST(under_way(st) == 1U);
}

BOOST_AUTO_TEST_CASE(fresh_events_pass_a_backlog_of_retries) {
  set_protection(budgets_on);
  const auto st = open_stall(1);
  sell(st, 400);
  for (int i = 0; i < 400; ++i) answer_first(st, 404);  // each once
  engine.advance(1min);
  while (!engine.wire.empty()) answer_first(st, 404);  // the budget is spent
  BOOST_TEST(engine.wire.empty());
  const auto last = last_event();
  sell(st, 10);
  std::vector<std::uint64_t> order;
  while (const auto index = engine.first_of(st.endpoint)) {
    order.push_back(engine.wire[*index].event.value);
    engine.answer(*index, 404);
    engine.settle();
  }
  BOOST_TEST(std::count_if(order.begin(), order.end(), [&](auto e) { return e > last; }) == 10);
}

BOOST_AUTO_TEST_CASE(late_and_fresh_ones_take_turns) {
  const auto st = open_stall(1);
  sell(st, 10);
  for (int i = 0; i < 10; ++i) answer_first(st, 404);
  const auto last = last_event();
  sell(st, 10);  // one is under way
  engine.advance(1s);
  const auto order = drain_all(st);
  BOOST_REQUIRE_EQUAL(order.size(), 20U);
  std::string kinds;
  for (const auto e : order) kinds += e > last ? 'f' : 'r';
  BOOST_TEST(kinds.substr(1, 17).find("ff") == std::string::npos, kinds);
  BOOST_TEST(kinds.substr(1, 17).find("rr") == std::string::npos, kinds);
}

BOOST_AUTO_TEST_CASE(a_window_full_of_retries_leaves_room_for_fresh_ones) {
  set_protection(budgets_on);
  const auto st = open_stall(1);
  sell(st, 700);
  for (int i = 0; i < 700; ++i) answer_first(st, 404);
  engine.advance(1min);
  while (!engine.wire.empty()) answer_first(st, 404);
  set_state(st.endpoint, core::endpoint_state::paused);
  engine.settle();
  const auto last = last_event();
  sell(st, 50);  // on disk, behind seven hundred rows of retries
  set_state(st.endpoint, core::endpoint_state::active);
  engine.settle();
  std::size_t fresh = 0;
  for (int i = 0; i < 100; ++i) {
    while (const auto index = engine.first_of(st.endpoint)) {
      fresh += engine.wire[*index].event.value > last ? 1 : 0;
      engine.answer(*index, 404);
      engine.settle();
    }
    engine.advance(100ms);
  }
  BOOST_TEST(fresh == 50U);
}

BOOST_AUTO_TEST_CASE(streams_with_a_long_backlog_do_not_keep_others_waiting_for_all_of_it) {
  const auto st = open_stall(1);
  set_state(st.endpoint, core::endpoint_state::paused);
  engine.settle();
  constexpr std::size_t streams = core::limits::endpoint_window_max;
  constexpr std::size_t events = 40;
  for (std::size_t i = 0; i < streams; ++i) {
    const auto ordered = engine.ask(order(st.customer, st.plan));
    engine.settle();
    const core::subscription_id id{ordered->number()};
    engine.ask(act(id, core::subscription_action::report_deployed));
    for (std::size_t k = 2; k < events; ++k) {
      using action = core::subscription_action;
      engine.ask(act(id, k % 2 == 0 ? action::suspend : action::resume,
                     core::suspension_reason::admin_hold));
    }
    engine.settle();
  }
  now += 1s;
  sell(st, 1);
  const auto last = last_event();
  set_state(st.endpoint, core::endpoint_state::active);
  engine.settle();
  std::size_t before = 0;
  while (under_way(st) > 0 && engine.wire[0].event.value != last) {
    now += 1ms;
    answer_first(st, 204);
    ++before;
  }
  BOOST_TEST(under_way(st) == 1U);
  BOOST_TEST(before < streams * events / 2);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == streams * events + 1);
}

// ---- what must not undo, repeat or break in -----------------------------------------------------

BOOST_AUTO_TEST_CASE(a_late_report_does_not_undo_a_replay) {
  const auto st = open_stall();
  sell(st, 1);
  for (int attempt = 1; attempt < 8; ++attempt) {
    answer_first(st, 500);
    engine.advance(1s);
  }
  const auto event = engine.wire[0].event;
  engine.answer(0, 500);  // the last attempt: its report parks ...
  const auto stream = (*repo().find(event))->stream;
  const auto asked = engine.ask(request(stream, actors::replay_request{event, {st.endpoint}}));
  engine.dispatch_turn();  // ... but the replay is handled first
  std::rotate(engine.entity_mail.begin(), engine.entity_mail.begin() + 1, engine.entity_mail.end());
  if (std::holds_alternative<actors::report_ptr>(engine.entity_mail.front())) {
    std::swap(engine.entity_mail[0], engine.entity_mail[1]);
  }
  BOOST_REQUIRE_EQUAL(engine.entity_mail.size(), 2U);
  BOOST_REQUIRE(std::holds_alternative<actors::request_ptr>(engine.entity_mail.front()));
  engine.settle();
  BOOST_TEST(asked->ok());
  engine.advance(1s);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  answer_first(st, 204);
  BOOST_TEST(counted(st).delivered == 1U);
  BOOST_TEST(counted(st).parked == 0U);
}

BOOST_AUTO_TEST_CASE(an_outcome_that_is_slow_to_settle_is_not_sent_again) {
  const auto st = open_stall();
  sell(st, 1);
  engine.answer(0, 204);
  engine.dispatch_turn();
  BOOST_REQUIRE_EQUAL(engine.entity_mail.size(), 1U);
  for (int i = 0; i < 20; ++i) {  // the entity does not come to it
    now += 5s;
    engine.dispatch->tick(now);
    engine.dispatch_turn();
  }
  BOOST_TEST(engine.wire.empty());
  engine.settle();
  BOOST_TEST(counted(st).delivered == 1U);
}

BOOST_AUTO_TEST_CASE(an_outcome_that_was_lost_is_looked_at_again) {
  const auto st = open_stall();
  sell(st, 1);
  engine.answer(0, 204);
  engine.dispatch_turn();
  engine.entity_mail.clear();
  for (int i = 0; i < 8; ++i) engine.advance(5s);
  BOOST_TEST(engine.wire.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_barred_lane_is_left_alone_whatever_its_row_says) {
  const auto st = open_stall();
  sell(st, 2);
  const auto barred = (*repo().find(engine.wire[0].event))->stream;
  engine.answer(0, 500);
  engine.dispatch_turn();
  engine.entity_mail.clear();  // its entity is in quarantine
  const auto until = now + 5min;
  s().lane_is_barred({barred, st.endpoint, {}}, until);
  engine.settle();
  const auto first = [&] { return (*repo().find(engine.wire[0].event))->stream; };
  drain_all(st);
  while (now < until - 5s) {
    engine.advance(5s);
    if (!engine.wire.empty()) BOOST_TEST((first() != barred));
    drain_all(st);
  }
  for (int i = 0; i < 3; ++i) engine.advance(5s);
  BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
  BOOST_TEST((first() == barred));
}

BOOST_AUTO_TEST_CASE(a_skipped_event_leaves_the_parked_ones_once_whatever_the_clock_does) {
  auto e = endpoint_of({});
  e.on_exhausted = core::exhausted_policy::skip;
  const auto st = open_stall_with(std::move(e));
  sell(st, 1);
  const auto event = engine.wire[0].event;
  for (int attempt = 1; attempt <= 8; ++attempt) {
    answer_first(st, 500);
    engine.advance(1s);
  }
  BOOST_REQUIRE_EQUAL(counted(st).parked, 1U);
  const auto stream = (*repo().find(event))->stream;
  now -= 1h;  // the clock is set back
  const auto replay = [&] {
    engine.ask(request(stream, actors::replay_request{event, {st.endpoint}}));
    engine.settle();
    drain_all(st);
  };
  replay();
  BOOST_TEST(counted(st).parked == 0U);
  BOOST_TEST(counted(st).delivered == 1U);
  BOOST_TEST(counted(st).accepted == 1U);
  replay();
  BOOST_TEST(counted(st).parked == 0U);
  BOOST_TEST(counted(st).delivered == 2U);
  BOOST_TEST(counted(st).accepted == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
