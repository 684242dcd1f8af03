// The dispatcher's rules on a real store, with a network that the test plays.
#include "actors/dispatch.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "core/base/limits.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::endpoint_state;

struct room_with_one_socket : room {
  room_with_one_socket() : room({1, 4'096}) {}
};
struct room_with_eight_sockets : room {
  room_with_eight_sockets() : room({8, 4'096}) {}
};
struct room_for_few_bytes : room {
  static constexpr std::size_t bytes_max = 50'000;
  room_for_few_bytes() : room(few()) {}
  static actors::dispatch_settings few() {
    actors::dispatch_settings settings;
    settings.in_flight_bytes_max = bytes_max;
    return settings;
  }
  stall open_standard(int concurrency_max = 64) {
    return open_stall(concurrency_max, [](core::endpoint& e) {
      e.form = core::wire_form::standard;
      e.secret = core::secret_bytes{std::string(32, 's')};
    });
  }
  // One order, whose event is about that large.
  void sell_large(const stall& st, std::size_t bytes) {
    auto wanted = order(st.customer, st.plan);
    std::get<actors::subscription_creation>(wanted->body).wanted.config["size"] =
        std::string(bytes, 'x');
    engine.ask(std::move(wanted));
  }
  std::size_t bytes_in_flight() const {
    std::size_t sum = 0;
    for (const auto& sent : engine.wire) sum += sent.request.body->size();
    return sum;
  }
};
struct room_with_a_small_window : room {
  room_with_a_small_window() : room({64, core::limits::endpoint_window_max}) {}
};

BOOST_FIXTURE_TEST_SUITE(dispatch, room)

// ---- slots --------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(endpoints_take_turns, room_with_one_socket) {
  std::vector<stall> stalls{open_stall(), open_stall(), open_stall()};
  for (const auto& st : stalls) sell(st, 10);
  std::vector<core::endpoint_id> order;
  while (!engine.wire.empty()) {
    BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
    order.push_back(engine.wire[0].endpoint);
    engine.answer(0, 204);
    engine.settle();
  }
  BOOST_REQUIRE_EQUAL(order.size(), 30U);
  // The first one was alone when it began; from then on no endpoint is served twice in a row.
  for (std::size_t i = 2; i + 3 < order.size(); ++i) {
    const std::set<core::endpoint_id> round{order[i], order[i + 1], order[i + 2]};
    BOOST_TEST(round.size() == 3U, "at " << i);
  }
}

// The weight is taken over while everything runs.
BOOST_FIXTURE_TEST_CASE(a_vendor_is_granted_as_many_requests_in_a_turn_as_it_weighs,
                        room_with_one_socket) {
  const stall heavy = open_stall();
  const stall light = open_stall();
  catalog(actors::update_vendor{heavy.vendor, {}, {}, 3});
  engine.settle();
  sell(heavy, 12);
  sell(light, 6);
  std::string turns;
  for (int i = 0; i < 12; ++i) {
    const stall& next = under_way(heavy) > 0 ? heavy : light;
    turns += &next == &heavy ? 'h' : 'l';
    answer_first(next, 204);
  }
  // The heavy one was alone when it began; two whole rounds of four follow.
  BOOST_TEST(std::ranges::count(turns.substr(4, 8), 'h') == 6, turns);
}

BOOST_AUTO_TEST_CASE(success_adds_slots_up_to_the_maximum) {
  const auto st = open_stall(4);
  sell(st, 40);
  std::vector<std::size_t> peaks{under_way(st)};
  for (int i = 0; i < 12; ++i) {
    answer_first(st, 204);
    BOOST_TEST(under_way(st) == static_cast<std::size_t>(limit(st)));
    if (under_way(st) != peaks.back()) peaks.push_back(under_way(st));
  }
  const std::vector<std::size_t> expected{1, 2, 3, 4};
  BOOST_TEST(peaks == expected, boost::test_tools::per_element());
  BOOST_TEST(drain_all(st).size() == 28U);
}

BOOST_AUTO_TEST_CASE(overload_takes_one_slot_for_each_run_of_failures) {
  const auto st = open_stall(4);
  sell(st, 60);
  for (int i = 0; i < 6; ++i) answer_first(st, 204);
  BOOST_REQUIRE_EQUAL(limit(st), 4);
  answer_first(st, 500);
  BOOST_TEST(limit(st) == 3);
  answer_first(st, 500);
  answer_first(st, 429);
  BOOST_TEST(limit(st) == 3);  // the same run
  answer_first(st, 204);
  answer_first(st, 500);
  BOOST_TEST(limit(st) == 2);
  BOOST_TEST(under_way(st) <= 3U);
  answer_first(st, 404);  // the endpoint is alive: no congestion
  BOOST_TEST(limit(st) == 2);
  BOOST_TEST(under_way(st) == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_hanging_endpoint_keeps_to_its_own_slots, room_with_eight_sockets) {
  const auto hanging = open_stall(4);
  const auto healthy = open_stall();
  sell(hanging, 300);
  for (int i = 0; i < 6; ++i) answer_first(hanging, 204);
  BOOST_REQUIRE_EQUAL(under_way(hanging), 4U);  // and none of them will end
  sell(healthy, 50);
  BOOST_TEST(drain_all(healthy).size() == 50U);
  BOOST_TEST(under_way(hanging) == 4U);
}

BOOST_FIXTURE_TEST_CASE(hanging_endpoints_do_not_keep_the_window_from_others,
                        room_with_a_small_window) {
  const auto hanging = open_stall();
  sell(hanging, 300);  // more than the whole window
  BOOST_TEST(under_way(hanging) == 1U);
  const auto healthy = open_stall();
  sell(healthy, 50);
  BOOST_TEST(drain_all(healthy).size() == 50U);
}

BOOST_FIXTURE_TEST_CASE(endpoints_behind_an_open_breaker_leave_the_window_to_others,
                        room_with_a_small_window) {
  set_protection({{30s, 15min}, 1.0});
  const auto down = open_stall();
  const auto healthy = open_stall();
  sell(down, 300);  // more than the whole window
  for (int i = 0; i < 2; ++i) {
    answer_first(down, 503);
    engine.advance(100ms);
  }
  BOOST_REQUIRE(engine.wire.empty());
  sell(down, 100);
  sell(healthy, 200);
  BOOST_TEST(drain_all(healthy).size() == 200U);
  // As many as it may have at a time, which is more than the lanes that everyone is guaranteed.
  sell(healthy, 100);
  BOOST_TEST(under_way(healthy) > 8U);
  BOOST_TEST(under_way(healthy) == static_cast<std::size_t>(limit(healthy)));
  BOOST_TEST(drain_all(healthy).size() == 100U);
  // What was left on disk is all there when the vendor is.
  engine.advance(30s);
  BOOST_TEST(under_way(down) == 1U);
  std::size_t delivered = 0;
  for (int look = 0; look < 100 && delivered < 400; ++look) {
    delivered += drain_all(down).size();
    engine.advance(1s);
  }
  BOOST_TEST(delivered == 400U);
}

BOOST_FIXTURE_TEST_CASE(bodies_with_vendors_have_a_bound, room_for_few_bytes) {
  constexpr std::size_t large = 20'000;
  for (int i = 0; i < 8; ++i) sell_large(open_standard(), large);
  engine.settle();
  std::size_t delivered = 0;
  while (!engine.wire.empty()) {
    // The last one may pass the bound, so that one larger than it goes out, too.
    BOOST_TEST(bytes_in_flight() - engine.wire.back().request.body->size() < bytes_max);
    const bool all_out = delivered + engine.wire.size() == 8U;
    BOOST_TEST((all_out || bytes_in_flight() >= bytes_max));
    engine.answer(0, 204);
    engine.settle();
    ++delivered;
  }
  BOOST_TEST(delivered == 8U);
}

BOOST_FIXTURE_TEST_CASE(a_large_event_that_waits_is_not_kept, room_for_few_bytes) {
  const auto st = open_standard(1);
  std::vector<std::weak_ptr<const core::event>> events;
  for (const std::size_t bytes : {6'000U, 6'001U, 6'002U, 100U}) {
    sell_large(st, bytes);
    while (engine.entity_turn() || commit()) {
    }
    const auto& ready = std::get<actors::lane_ready>(engine.inbox.back());
    events.push_back(ready.work->event);
    engine.settle();
  }
  engine.entities.clear();           // they sleep, and keep nothing
  BOOST_TEST(!events[1].expired());  // the next one
  BOOST_TEST(events[2].expired());
  BOOST_TEST(!events[3].expired());  // small
  std::vector<std::size_t> sizes;
  while (!engine.wire.empty()) {
    sizes.push_back(engine.wire[0].request.body->size());
    answer_first(st, 204);
  }
  BOOST_REQUIRE_EQUAL(sizes.size(), 4U);
  BOOST_TEST(sizes[2] == sizes[1] + 1);
}

// A backlog that drains wakes very many entities, and each needs its lanes and nothing else.
BOOST_AUTO_TEST_CASE(an_outcome_needs_no_record) {
  const auto st = open_stall();
  sell(st, 1);
  const core::subscription_id id{only_lane(st).key.stream.entity};
  engine.restart();
  store::write_plan damage;
  damage.put(store::family::subscriptions, store::id_key(id.value), "no record");
  committer().submit(std::move(damage));
  engine.settle();
  BOOST_TEST(drain_all(st).size() == 1U);
  BOOST_TEST(counted(st).delivered == 1U);
  const auto asked = engine.ask(act(id, core::subscription_action::suspend));
  engine.settle();
  BOOST_REQUIRE(asked->done());
  BOOST_TEST((asked->value->failure().kind == core::errc::corrupt));
}

// ---- the window ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_queue_holds_no_more_than_its_window) {
  const auto st = open_stall();
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  sell(st, 600);
  actors::dispatch_queue q(s(), st.endpoint);
  auto settings = *s().catalog.load()->find_any(st.endpoint);
  settings.state = endpoint_state::active;
  q.configure(std::make_shared<const core::endpoint>(settings));
  // A few at a time, as reading them keeps the others waiting.
  std::size_t most = 0;
  while (const std::size_t loaded = q.refill(now, 10'000)) most = std::max(most, loaded);
  BOOST_TEST(most > 0U);
  BOOST_TEST(most <= 8U);
  BOOST_TEST(q.held() == core::limits::endpoint_window_max);
  // One more that just became ready has to wait on disk behind the others.
  sell(st, 1);
  const auto before = q.held();
  core::lane fresh;
  fresh.key = {{core::entity_kind::subscription, 99'999}, st.endpoint, {}};
  fresh.due = now;
  q.ready(std::make_shared<actors::lane_work>(actors::lane_work{fresh, nullptr}), true);
  BOOST_TEST(q.held() == before);
}

// Neither has to be passed to find the other.
BOOST_AUTO_TEST_CASE(a_late_retry_is_found_at_once_behind_a_long_fresh_backlog) {
  const auto st = open_stall();
  sell(st, 1);
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  sell(st, 3'000);
  now += 1h;
  answer_first(st, 500);
  now += 1h;
  actors::dispatch_queue q(s(), st.endpoint);
  auto settings = *s().catalog.load()->find_any(st.endpoint);
  settings.state = endpoint_state::active;
  q.configure(std::make_shared<const core::endpoint>(settings));
  BOOST_TEST(q.refill(now, 10'000) > 1U);
  int late = 0;
  for (int i = 0; i < 2; ++i) late += q.take(now, true)->lane.attempts > 0 ? 1 : 0;
  BOOST_TEST(late == 1);
}

// Looks that find no room for another late retry must not be the last ones.
BOOST_AUTO_TEST_CASE(late_retries_that_find_no_room_are_looked_for_again) {
  constexpr std::size_t count = 200;  // more than the late ones' half of the window
  const auto st = open_stall(256, [](core::endpoint& e) { e.retry_schedule = {0s, 1h}; });
  sell(st, static_cast<int>(count));
  for (std::size_t i = 0; i < count; ++i) {
    now += 10ms;
    answer_first(st, 500);
  }
  actors::dispatch_queue q(s(), st.endpoint);
  q.configure(s().catalog.load()->find_any(st.endpoint));
  q.refill(now, 10'000);
  while (const auto next = q.next_look()) {
    if (*next <= now) break;
    now = *next;
    q.refill(now, 10'000);
  }
  now += 1h;  // the breaker was open, or the vendor asked for it
  std::size_t sent = 0;
  while (sent < count) {
    const bool empty = q.held() == sent;
    if (empty && (!q.wants_refill() || q.refill(now, 10'000) == 0)) break;
    (void)q.take(now, true);
    ++sent;
  }
  BOOST_TEST(sent == count);
}

void expect_all_in_due_order(room& r, const stall& st, std::size_t count) {
  const auto order = r.drain_all(st);
  BOOST_TEST(order.size() == count);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
  BOOST_TEST(r.counted(st).delivered == count);
}

BOOST_AUTO_TEST_CASE(more_than_a_window_overflows_to_disk_and_drains_in_due_order) {
  const auto st = open_stall(1);
  sell(st, 900);  // while the first attempt is under way
  BOOST_TEST(under_way(st) == 1U);
  expect_all_in_due_order(*this, st, 900);
}

// What an entity reads ahead for one lane is no business of the other.
BOOST_AUTO_TEST_CASE(two_endpoints_go_through_one_stream_each_at_its_own_pace) {
  const stall quick = open_stall();
  const stall slow = open_stall_of(quick);
  const auto ordered = engine.ask(order(quick.customer, quick.plan));
  engine.settle();
  const core::subscription_id id{ordered->number()};
  engine.ask(act(id, core::subscription_action::report_deployed));
  for (int i = 0; i < 20; ++i) {
    engine.ask(act(id, core::subscription_action::suspend));
    engine.ask(act(id, core::subscription_action::resume));
  }
  engine.settle();
  engine.entities.clear();  // what it made is on disk, and no longer in memory
  std::map<core::endpoint_id, std::uint64_t> last;
  for (int turn = 0; !engine.wire.empty(); ++turn) {
    const bool slow_ones = turn % 5 == 0 || under_way(quick) == 0;
    const auto index = engine.first_of(slow_ones ? slow.endpoint : quick.endpoint);
    BOOST_REQUIRE(index.has_value());
    const auto& sent = engine.wire[*index];
    BOOST_TEST(sent.seq() == ++last[sent.endpoint]);
    engine.answer(*index, 204);
    engine.settle();
  }
  BOOST_TEST(last[quick.endpoint] == 42U);
  BOOST_TEST(last[slow.endpoint] == 42U);
}

BOOST_AUTO_TEST_CASE(a_backlog_made_in_a_pause_drains_in_due_order) {
  const auto st = open_stall(1);
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  sell(st, 900);
  BOOST_TEST(engine.wire.empty());
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  expect_all_in_due_order(*this, st, 900);
}

// Lanes that give way return to disk before the place that the reading of it has got to. They are
// remembered, and nothing gets lost when there are more of them than that.
BOOST_AUTO_TEST_CASE(what_returns_to_disk_is_read_again_once_however_much_it_is) {
  const auto st = open_stall();
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  const int count = static_cast<int>(core::limits::endpoint_window_max) + 44;
  sell(st, count);
  actors::dispatch_queue q(s(), st.endpoint);
  auto settings = *s().catalog.load()->find_any(st.endpoint);
  settings.state = endpoint_state::active;
  q.configure(std::make_shared<const core::endpoint>(settings));
  std::set<core::lane_key> seen;
  now += 1s;
  std::vector<core::lane> lanes;
  while (q.refill(now, 10'000) > 0) {
    while (q.can_send(now, true) == actors::sendable::now) {
      lanes.push_back(q.take(now, true)->lane);
      q.returned(std::make_shared<actors::lane_work>(actors::lane_work{lanes.back(), nullptr}));
    }
  }
  BOOST_TEST(lanes.size() == static_cast<std::size_t>(count));
  BOOST_TEST(q.held() == 0U);
  for (const core::lane& lane : lanes) {
    q.ready(std::make_shared<actors::lane_work>(actors::lane_work{lane, nullptr}), false);
  }
  BOOST_TEST(q.held() == 0U);
  BOOST_TEST(q.wants_refill());
  BOOST_TEST(q.refill(now - 30s, 10'000) == 0U);  // the clock was corrected a little
  while (q.refill(now, 10'000) > 0) {
    while (q.can_send(now, true) == actors::sendable::now) {
      const auto work = q.take(now, true);
      BOOST_TEST(seen.insert(work->lane.key).second);
      q.returned(work);
    }
  }
  BOOST_TEST(seen.size() == lanes.size());
  BOOST_TEST(!q.wants_refill());
}

// ---- when ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_retry_happens_at_its_due_time_and_not_before) {
  const auto st = open_stall();
  sell(st, 1);
  const std::string body = *engine.wire[0].request.body;
  int attempt = 1;
  for (const auto pause : {100ms, 200ms, 400ms}) {
    BOOST_TEST(engine.wire[0].header("CMW-Delivery-Attempt") == std::to_string(attempt++));
    answer_first(st, 500);
    BOOST_TEST((only_lane(st).due == now + pause));
    engine.advance(pause - 1ms);
    BOOST_TEST(engine.wire.empty());
    engine.advance(1ms);
    BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
    BOOST_TEST(*engine.wire[0].request.body == body);
  }
  answer_first(st, 204);
  BOOST_TEST(counted(st).delivered == 1U);
  BOOST_TEST(counted(st).attempts == 4U);
}

BOOST_AUTO_TEST_CASE(retry_after_holds_the_whole_endpoint_and_no_other) {
  const auto held = open_stall();
  const auto other = open_stall();
  sell(held, 20);
  answer_first(held, 204);
  answer_first(held, 204);
  const auto open = under_way(held);
  BOOST_REQUIRE_GE(open, 2U);
  const auto heard = now;
  answer_first(held, 503, "5");
  BOOST_TEST(under_way(held) == open - 1);
  while (under_way(held) > 0) answer_first(held, 204);  // what was under way may end
  sell(held, 3);
  sell(other, 3);
  BOOST_TEST(drain_all(other).size() == 3U);
  engine.advance(heard + 5s - 1ms - now);
  BOOST_TEST(under_way(held) == 0U);
  engine.advance(1ms);
  BOOST_TEST(under_way(held) > 0U);
  drain_all(held);
  BOOST_TEST(counted(held).delivered == 23U);
}

// ---- states -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_pause_sends_nothing_and_a_resume_everything) {
  const auto st = open_stall();
  sell(st, 10);
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  answer_first(st, 204);  // what was under way counts
  BOOST_TEST(counted(st).delivered == 1U);
  sell(st, 5);
  engine.advance(10s);
  BOOST_TEST(engine.wire.empty());
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  BOOST_TEST(under_way(st) == 1U);  // slowly at first
  BOOST_TEST(drain_all(st).size() == 14U);
  BOOST_TEST(counted(st).delivered == 15U);
}

BOOST_AUTO_TEST_CASE(a_deleted_endpoint_cancels_what_it_had_all_of_it) {
  const auto st = open_stall();
  sell(st, 700);
  BOOST_REQUIRE_EQUAL(under_way(st), 1U);
  set_state(st.endpoint, endpoint_state::deleted);
  engine.settle();
  for (int i = 0; i < 10; ++i) engine.advance(5s);
  answer_first(st, 204);
  for (int i = 0; i < 10; ++i) engine.advance(5s);
  const auto c = counted(st);
  BOOST_TEST(c.accepted == 700U);
  BOOST_TEST(c.delivered + c.cancelled == 700U);
  BOOST_TEST(c.cancelled >= 699U);
  BOOST_TEST(engine.wire.empty());
}

BOOST_AUTO_TEST_CASE(a_gone_endpoint_is_disabled_and_all_it_waits_for_parked) {
  const auto st = open_stall();
  sell(st, 3);
  answer_first(st, 410);
  BOOST_TEST((s().catalog.load()->find_any(st.endpoint)->state == endpoint_state::disabled));
  BOOST_TEST(engine.wire.empty());
  engine.advance(10s);
  BOOST_TEST(engine.wire.empty());
  BOOST_TEST(counted(st).parked == 3U);
}

BOOST_AUTO_TEST_CASE(an_exhausted_head_is_parked_and_holds_its_lane) {
  const auto st = open_stall();
  sell(st, 1);
  for (int attempt = 1; attempt <= 8; ++attempt) {
    BOOST_REQUIRE_EQUAL(under_way(st), 1U);
    answer_first(st, 500);
    engine.advance(1s);
  }
  BOOST_TEST(engine.wire.empty());
  const auto lane = only_lane(st);
  BOOST_TEST((lane.state == core::lane_state::parked));
  BOOST_TEST(lane.attempts == 8U);
  BOOST_TEST(counted(st).parked == 1U);
}

// ---- the end ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_the_clock_is_set) {
  const auto st = open_stall();
  s().clock_least = now + 1h;
  sell(st, 3);
  BOOST_TEST(engine.wire.empty());
  std::optional<std::string> refusal;
  engine.dispatch->test(st.endpoint, [&](core::result<core::attempt_result>&& r) {
    refusal = r.ok() ? "none" : r.failure().detail;
  });
  BOOST_TEST(refusal.value_or("unanswered") == "the clock is not set");
  engine.advance(59min);
  BOOST_TEST(engine.wire.empty());
  engine.advance(1min);
  BOOST_TEST(drain_all(st).size() == 3U);
  BOOST_TEST(counted(st).attempts == 3U);
}

BOOST_AUTO_TEST_CASE(a_drain_starts_nothing_and_leaves_the_undone_as_it_is) {
  const auto st = open_stall();
  sell(st, 20);
  for (int i = 0; i < 3; ++i) answer_first(st, 204);
  const auto open = under_way(st);
  BOOST_REQUIRE_EQUAL(open, 3U);
  engine.dispatch->drain();
  const auto delivered = counted(st).delivered;
  const auto lane_key =
      core::lane_key{(*repo().find(engine.wire[0].event))->stream, st.endpoint, {}};
  const auto before = **repo().find(lane_key);
  core::attempt_result stopped;
  stopped.error = core::attempt_error::local;
  engine.answer(0, stopped);
  engine.settle();
  const auto after = **repo().find(lane_key);
  BOOST_TEST(after.attempts == before.attempts);
  BOOST_TEST((after.due == before.due));
  BOOST_TEST((after.state == core::lane_state::pending));
  while (under_way(st) > 0) answer_first(st, 204);  // answers that came in time still count
  BOOST_TEST(counted(st).delivered == delivered + open - 1);
  engine.advance(10s);
  BOOST_TEST(engine.wire.empty());
  BOOST_TEST(engine.dispatch->in_flight() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
