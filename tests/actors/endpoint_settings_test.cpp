// What an endpoint's settings do to its deliveries: rate, age, the receiver's wishes, the end of an
// endpoint, headers.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "core/base/limits.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::endpoint_state;

struct shop : room {
  stall open(const std::function<void(core::endpoint&)>& change, int concurrency = 64) {
    return open_stall(concurrency, change);
  }
  std::vector<core::lane> lanes(const stall& st) {
    std::vector<core::lane> found;
    const auto scanned =
        repo().due_lanes(st.endpoint, store::due_side::fresh, store::due_side::parked, {},
                         [&](const core::lane_key& key, std::string_view) {
                           found.push_back(**repo().find(key));
                           return true;
                         });
    BOOST_REQUIRE(scanned.ok());
    return found;
  }
  std::size_t parked(const stall& st, const std::string& reason) {
    const auto all = lanes(st);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&reason](const core::lane& l) {
          return l.state == core::lane_state::parked && l.last_error == reason;
        }));
  }
  void answer_with(const stall& st, core::attempt_result result) {
    engine.answer(*engine.first_of(st.endpoint), std::move(result));
    engine.settle();
  }
  // Answers 204 to all that is under way; how many that were.
  // Its one event failed in the endpoint's line and pauses for ten minutes; then the endpoint went
  // over to streams.
  stall open_with_a_retry_that_left_its_line() {
    const auto st = open([](core::endpoint& e) {
      e.ordering = core::ordering_mode::endpoint;
      e.retry_schedule = {0s, 10min, 10min};
    });
    sell(st, 1);
    answer_first(st, 500);
    actors::update_endpoint change;
    change.id = st.endpoint;
    change.ordering = core::ordering_mode::stream;
    catalog(std::move(change));
    engine.settle();
    return st;
  }
  int answer_all(const stall& st) {
    int answered = 0;
    while (engine.first_of(st.endpoint)) {
      answer_first(st, 204);
      ++answered;
    }
    return answered;
  }
  void adds_up(const stall& st) {
    const auto n = counted(st);
    std::uint64_t waiting = 0;
    for (const core::lane& l : lanes(st)) {
      waiting += l.backlog - (l.state == core::lane_state::parked ? 1 : 0);
    }
    BOOST_TEST(n.accepted == n.delivered + n.parked + n.cancelled + waiting);
  }
};

BOOST_FIXTURE_TEST_SUITE(endpoint_settings, shop)

BOOST_AUTO_TEST_CASE(headers_and_credentials_are_on_every_request) {
  const auto st = open([](core::endpoint& e) {
    e.headers = {{"X-Key", core::secret_bytes{"value"}}};
    e.auth.kind = core::auth_kind::bearer;
    e.auth.secret = core::secret_bytes{"token"};
    e.http2 = true;
    e.receiver_control = true;
    e.ca = "authority";
  });
  sell(st, 1);
  const auto request = engine.wire.at(0).request;  // a copy: it leaves the wire below
  const auto& fixed = *request.fixed_headers;
  BOOST_TEST(std::count(fixed.begin(), fixed.end(), "X-Key: value") == 1);
  BOOST_TEST(std::count(fixed.begin(), fixed.end(), "Authorization: Bearer token") == 1);
  BOOST_TEST(request.http2);
  BOOST_TEST(request.receiver_control);
  BOOST_REQUIRE(request.tls);
  BOOST_TEST(request.tls->ca == "authority");
  actors::update_endpoint change;
  change.id = st.endpoint;
  change.headers.emplace();
  change.auth.emplace();
  change.ca.emplace();
  catalog(std::move(change));
  engine.settle();
  sell(st, 1);
  answer_first(st, 204);
  const auto& later = engine.wire.at(0).request;
  BOOST_TEST(later.fixed_headers->size() + 2 == fixed.size());
  BOOST_TEST(!later.tls);
}

BOOST_AUTO_TEST_CASE(the_rate_holds_for_first_attempts_retries_and_replays) {
  const auto st = open([](core::endpoint& e) { e.rate = {2, 3}; });
  sell(st, 20);
  int sent = answer_all(st);
  BOOST_TEST(sent == 3);  // the burst
  for (int i = 0; i < 50; ++i) {
    engine.advance(100ms);
    if (i == 20 && engine.first_of(st.endpoint)) answer_first(st, 500);  // its retry counts, too
    sent += answer_all(st);
  }
  BOOST_TEST(sent >= 12);
  BOOST_TEST(sent <= 14);
  adds_up(st);
  for (int i = 0; i < 200; ++i) {
    engine.advance(100ms);
    answer_all(st);
  }
  BOOST_TEST(counted(st).delivered == 20U);
}

BOOST_AUTO_TEST_CASE(an_old_event_is_parked_without_a_request) {
  const auto st = open([](core::endpoint& e) { e.max_age = 1h; });
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  sell(st, 3);
  now += 2h;
  sell(st, 1);
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  BOOST_TEST(under_way(st) == 1U);
  BOOST_TEST(parked(st, "expired") == 3U);
  BOOST_TEST(answer_all(st) == 1);
  adds_up(st);
  // A replay is young again.
  const auto old = lanes(st).front();
  engine.ask(request(old.key.stream, actors::replay_request{old.head, {st.endpoint}}));
  engine.settle();
  BOOST_TEST(under_way(st) == 1U);
  BOOST_TEST(answer_all(st) == 1);
  BOOST_TEST(parked(st, "expired") == 2U);
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(what_is_too_old_costs_neither_an_attempt_nor_a_place_in_the_rate) {
  const auto st = open([](core::endpoint& e) {
    e.max_age = 1h;
    e.rate = {1.0, 1};
  });
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  sell(st, 5);
  now += 2h;
  sell(st, 1);
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  engine.advance(100ms);
  BOOST_TEST(parked(st, "expired") == 5U);
  BOOST_TEST(answer_all(st) == 1);
  BOOST_TEST(counted(st).attempts == 1U);
  BOOST_TEST(s().expired.load() == 5U);
}

BOOST_AUTO_TEST_CASE(a_retry_keeps_its_pause_when_the_endpoint_leaves_its_line) {
  const auto st = open_with_a_retry_that_left_its_line();
  for (int i = 0; i < 8; ++i) engine.advance(1min);
  BOOST_TEST(under_way(st) == 0U);
  for (int i = 0; i < 5; ++i) engine.advance(1min);
  BOOST_TEST(under_way(st) == 1U);
}

BOOST_AUTO_TEST_CASE(a_replay_ends_the_pause_that_a_retry_has_kept) {
  const auto st = open_with_a_retry_that_left_its_line();
  engine.advance(1s);
  BOOST_REQUIRE(under_way(st) == 0U);
  const auto lane = only_lane(st);
  engine.ask(request(lane.key.stream, actors::replay_request{lane.head, {st.endpoint}}));
  engine.settle();
  engine.advance(100ms);
  BOOST_TEST(under_way(st) == 1U);
}

BOOST_AUTO_TEST_CASE(a_retry_beyond_the_age_is_not_waited_for) {
  const auto st = open([](core::endpoint& e) {
    e.max_age = 1h;
    e.retry_schedule = {0s, 30min, 31min, 1s};
  });
  sell(st, 1);
  answer_first(st, 500);
  BOOST_TEST((only_lane(st).state == core::lane_state::pending));
  engine.advance(40min);
  answer_first(st, 500);
  BOOST_TEST(parked(st, "expired") == 1U);
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(the_receiver_gives_one_event_up) {
  const auto st = open([](core::endpoint& e) { e.receiver_control = true; }, 1);
  sell(st, 2);
  core::attempt_result result;
  result.status = 500;
  result.control = "abort-message";
  answer_with(st, result);
  BOOST_TEST(parked(st, "aborted_by_receiver") == 1U);
  BOOST_TEST(answer_all(st) == 1);
  adds_up(st);
}

void expect_ended(shop& s, const stall& st, std::size_t count, const std::string& reason) {
  for (int i = 0; i < 20 && s.parked(st, reason) < count; ++i) s.engine.advance(1s);
  BOOST_TEST(s.parked(st, reason) == count);
  BOOST_TEST(s.under_way(st) == 0U);
  const auto endpoint = s.s().catalog.load()->find(st.endpoint);
  BOOST_REQUIRE(endpoint);
  BOOST_TEST((endpoint->state == endpoint_state::disabled));
  BOOST_TEST(endpoint->state_reason == reason);
  s.adds_up(st);
}

BOOST_AUTO_TEST_CASE(gone_parks_every_lane_until_a_replay) {
  const auto st = open([](core::endpoint&) {}, 1);
  constexpr int count = 1'000;  // more than the window and several pages
  sell(st, count);
  answer_first(st, 410);
  expect_ended(*this, st, count, "gone");
  BOOST_TEST(counted(st).parked == static_cast<std::uint64_t>(count));
  // What comes later has the same fate.
  sell(st, 1);
  expect_ended(*this, st, count + 1, "gone");
  // Enabled again: nothing goes out by itself.
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  engine.advance(10s);
  BOOST_TEST(under_way(st) == 0U);
  sell(st, 1);
  BOOST_TEST(answer_all(st) == 1);
  const auto old = lanes(st).front();
  engine.ask(request(old.key.stream, actors::replay_request{old.head, {st.endpoint}}));
  engine.settle();
  BOOST_TEST(answer_all(st) == 1);
  BOOST_TEST(parked(st, "gone") == static_cast<std::size_t>(count));
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(gone_is_held_even_where_exhausted_events_are_skipped) {
  const auto st = open([](core::endpoint& e) { e.on_exhausted = core::exhausted_policy::skip; }, 1);
  sell(st, 5);
  answer_first(st, 410);
  expect_ended(*this, st, 5, "gone");
}

BOOST_AUTO_TEST_CASE(the_receiver_disables_its_endpoint) {
  const auto st = open([](core::endpoint& e) { e.receiver_control = true; }, 1);
  sell(st, 4);
  core::attempt_result result;
  result.status = 200;
  result.control = "disable";
  answer_with(st, result);
  expect_ended(*this, st, 3, "disabled_by_receiver");
  BOOST_TEST(counted(st).delivered == 1U);
}

// ---- order ------------------------------------------------------------------------------------

// Subscriptions of `st`, told in turns: every one has `events` events, the endpoint is paused.
std::vector<core::subscription_id> story(shop& s, const stall& st, int subscriptions, int events) {
  s.set_state(st.endpoint, endpoint_state::paused);
  std::vector<core::subscription_id> all;
  const auto say = [&s](std::shared_ptr<actors::entity_request> request) {
    s.now += 1ms;
    const auto seen = s.engine.ask(std::move(request));
    s.engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return seen->number();
  };
  for (int i = 0; i < subscriptions; ++i) all.push_back({say(s.order(st.customer, st.plan))});
  using action = core::subscription_action;
  for (int k = 1; k < events; ++k) {
    for (const auto id : all) {
      if (k == 1) {
        say(world::act(id, action::report_deployed));
      } else if (k % 2 == 0) {
        say(world::act(id, action::suspend, core::suspension_reason::admin_hold));
      } else {
        say(world::act(id, action::resume, core::suspension_reason::admin_hold));
      }
    }
  }
  s.set_state(st.endpoint, endpoint_state::active);
  s.engine.settle();
  return all;
}

BOOST_AUTO_TEST_CASE(without_order_a_stream_goes_out_at_once) {
  const auto st = open([](core::endpoint& e) { e.ordering = core::ordering_mode::none; }, 8);
  story(*this, st, 1, 6);
  answer_first(st, 204);  // the window opens
  answer_first(st, 204);
  BOOST_TEST(under_way(st) > 1U);
  answer_first(st, 400);  // one that fails holds nobody
  int sent = answer_all(st);
  BOOST_TEST(sent == 3);
  BOOST_TEST(lanes(st).size() == 1U);
  adds_up(st);
  for (int i = 0; i < 200; ++i) {
    engine.advance(100ms);
    sent += answer_all(st);
  }
  BOOST_TEST(sent == 4);
  BOOST_TEST(lanes(st).empty());
  BOOST_TEST(counted(st).delivered == 6U);
}

// Events that went out beside a lane must not be taken for the lane's own when it moves on.
BOOST_AUTO_TEST_CASE(no_event_is_lost_when_the_ordering_changes_to_and_fro) {
  const auto st = open([](core::endpoint&) {}, 8);
  const core::stream_id stream = core::stream_of(story(*this, st, 1, 2)[0]);
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  using action = core::subscription_action;
  const auto tell = [&](core::ordering_mode ordering, action what) {
    actors::update_endpoint change;
    change.id = st.endpoint;
    change.ordering = ordering;
    catalog(std::move(change));
    engine.settle();
    const auto seen = engine.ask(act({stream.entity}, what, core::suspension_reason::admin_hold));
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
  };
  tell(core::ordering_mode::none, action::suspend);
  tell(core::ordering_mode::stream, action::resume);
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  std::vector<std::uint64_t> seqs;
  while (const auto next = engine.first_of(st.endpoint)) {
    seqs.push_back(engine.wire[*next].seq());
    answer_first(st, 204);
  }
  std::sort(seqs.begin(), seqs.end());
  BOOST_TEST((seqs == std::vector<std::uint64_t>{1, 2, 3, 4}));
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(replays_of_a_stream_are_bounded_and_a_refused_one_leaves_nothing) {
  const auto st = open([](core::endpoint&) {});
  const auto other = open_stall_of(st);
  const auto ordered = engine.ask(order(st.customer, st.plan));
  engine.settle();
  const core::subscription_id id{ordered->number()};
  using action = core::subscription_action;
  engine.ask(act(id, action::report_deployed));
  for (std::size_t i = 2; i < core::limits::lanes_of_stream_max + 1; ++i) {
    engine.ask(act(id, i % 2 == 0 ? action::suspend : action::resume,
                   core::suspension_reason::admin_hold));
  }
  engine.settle();
  answer_all(st);
  answer_all(other);
  BOOST_REQUIRE(lanes(st).empty());
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  const auto stream = core::stream_of(id);
  const auto event = [&](std::uint64_t seq) { return **repo().event_at(stream, seq); };
  for (std::uint64_t seq = 1; seq <= core::limits::lanes_of_stream_max; ++seq) {
    engine.ask(request(stream, actors::replay_request{event(seq), {st.endpoint}}));
  }
  engine.settle();
  BOOST_TEST(lanes(st).size() == core::limits::lanes_of_stream_max);
  const auto before = counted(other).accepted;
  const auto last = event(core::limits::lanes_of_stream_max + 1);
  const auto refused =
      engine.ask(request(stream, actors::replay_request{last, {other.endpoint, st.endpoint}}));
  engine.settle();
  BOOST_TEST(refused->code() == "too_many_replays");
  BOOST_TEST(counted(other).accepted == before);
  BOOST_TEST(under_way(other) == 0U);
  const auto alone = engine.ask(request(stream, actors::replay_request{last, {other.endpoint}}));
  engine.settle();
  BOOST_TEST(alone->ok());
  BOOST_TEST(under_way(other) == 1U);  // not held by what the refused one would have made
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(a_stream_without_order_has_a_bounded_number_of_lanes) {
  const auto st = open([](core::endpoint& e) { e.ordering = core::ordering_mode::none; }, 8);
  const auto id = story(*this, st, 1, 2)[0];
  set_state(st.endpoint, endpoint_state::paused);
  engine.settle();
  const std::size_t more = core::limits::lanes_of_stream_max + 10;
  using action = core::subscription_action;
  for (std::size_t i = 0; i < more; ++i) {
    engine.ask(act(id, i % 2 == 0 ? action::suspend : action::resume,
                   core::suspension_reason::admin_hold));
    engine.settle();
  }
  BOOST_TEST(lanes(st).size() <= core::limits::lanes_of_stream_max + 1);
  adds_up(st);
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  BOOST_TEST(static_cast<std::size_t>(answer_all(st)) == more + 2);
  BOOST_TEST(lanes(st).empty());
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(one_line_for_the_whole_endpoint) {
  const auto st = open([](core::endpoint& e) { e.ordering = core::ordering_mode::endpoint; }, 8);
  story(*this, st, 3, 4);
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 600 && !lanes(st).empty(); ++i) {
    BOOST_TEST(under_way(st) <= 1U);
    const auto next = engine.first_of(st.endpoint);
    if (!next) {
      engine.advance(100ms);
      continue;
    }
    const auto event = engine.wire[*next].event.value;
    // Every third one fails at first: nobody overtakes it.
    const bool fails = event % 3 == 0 && (order.empty() || order.back() != event);
    if (order.empty() || order.back() != event) order.push_back(event);
    answer_first(st, fails ? 500 : 204);
  }
  BOOST_TEST(order.size() == 12U);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
  BOOST_TEST(lanes(st).empty());
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(the_line_is_kept_over_a_crash_and_held_by_a_parked_head) {
  const auto st = open(
      [](core::endpoint& e) {
        e.ordering = core::ordering_mode::endpoint;
        e.retry_schedule = {0s, 30s};
      },
      8);
  story(*this, st, 3, 2);
  const auto first = engine.wire.at(0).event;
  answer_first(st, 500);
  BOOST_TEST(under_way(st) == 0U);
  engine.dispatch.reset();
  engine.entities.clear();
  crash();
  flat_engine again{*this};
  again.settle();
  again.advance(10s);
  BOOST_TEST(again.wire.empty());  // the others stand behind the head, which has to wait
  again.advance(21s);
  for (int i = 0; i < 100 && again.wire.empty(); ++i) again.advance(100ms);
  BOOST_REQUIRE(again.wire.size() == 1U);
  BOOST_TEST(again.wire[0].event.value == first.value);
  again.answer(0, 500);
  again.settle();
  BOOST_TEST(parked(st, "exhausted") == 1U);
  again.advance(60s);
  BOOST_TEST(again.wire.empty());
  adds_up(st);
  const auto held = lanes(st).back();
  BOOST_REQUIRE((held.state == core::lane_state::parked));
  again.ask(request(held.key.stream, actors::replay_request{held.head, {st.endpoint}}));
  again.settle();
  BOOST_REQUIRE(again.wire.size() == 1U);
  BOOST_TEST(again.wire[0].event.value == first.value);
  std::vector<std::uint64_t> order;
  while (!again.wire.empty()) {
    order.push_back(again.wire[0].event.value);
    again.answer(0, 204);
    again.settle();
  }
  BOOST_TEST(order.size() == 6U);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
  BOOST_TEST(lanes(st).empty());
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(of_many_modified_the_newest_is_told) {
  const auto st = open([](core::endpoint& e) { e.coalesce_modified = true; });
  const auto ids = story(*this, st, 1, 8);  // CREATED and seven MODIFIED
  BOOST_REQUIRE(under_way(st) == 1U);
  BOOST_TEST(engine.wire[0].seq() == 1U);
  answer_first(st, 204);
  BOOST_REQUIRE(under_way(st) == 1U);
  BOOST_TEST(engine.wire[0].seq() == 8U);
  adds_up(st);
  answer_first(st, 204);
  BOOST_TEST(lanes(st).empty());
  const auto n = counted(st);
  BOOST_TEST(n.delivered == 2U);
  BOOST_TEST(n.cancelled == 6U);
  BOOST_TEST(s().coalesced.load() == 6U);
  const auto left_out = repo().event_at(core::stream_of(ids[0]), 4);
  BOOST_REQUIRE(left_out.ok() && left_out->has_value());
  const auto row = repo().last_attempt(**left_out, st.endpoint);
  BOOST_REQUIRE(row.ok() && row->has_value());
  BOOST_TEST((*row)->error == "coalesced");
  BOOST_TEST((*row)->number == 0U);
  BOOST_TEST(((*row)->end == store::delivery_end::cancelled));
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(what_is_left_out_or_too_old_counts_when_it_is_on_disk) {
  const auto st = open([](core::endpoint& e) {
    e.max_age = 1h;
    e.coalesce_modified = true;
  });
  story(*this, st, 1, 8);
  fill_disk();
  answer_first(st, 204);
  BOOST_TEST(s().coalesced.load() == 0U);
  empty_disk();
  engine.advance(5s);  // the same event goes out again
  answer_first(st, 204);
  BOOST_TEST(s().coalesced.load() == 6U);
  answer_first(st, 500);
  now += 2h;
  fill_disk();
  engine.advance(1s);
  BOOST_TEST(under_way(st) == 0U);
  BOOST_TEST(s().expired.load() == 0U);
  empty_disk();
  for (int i = 0; i < 10; ++i) engine.advance(1s);
  BOOST_TEST(parked(st, "expired") == 1U);
  BOOST_TEST(s().expired.load() == 1U);
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(deleted_is_told_when_the_vendor_is_asked_to_end_it) {
  auto st = open([](core::endpoint& e) { e.termination = core::termination_signal::deleted; });
  const auto plain = engine.new_endpoint(endpoint_of(st.vendor));
  engine.settle();
  const auto say = [this](std::shared_ptr<actors::entity_request> request) {
    const auto seen = engine.ask(std::move(request));
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return seen->number();
  };
  using action = core::subscription_action;
  const core::subscription_id id{say(order(st.customer, st.plan))};
  say(act(id, action::report_deployed));
  say(act(id, action::terminate));
  say(act(id, action::report_undeployed));
  const auto told = [this](core::endpoint_id endpoint) {
    std::vector<std::string> types;
    while (const auto index = engine.first_of(endpoint)) {
      const std::string& body = *engine.wire[*index].request.body;
      const auto at = body.find("\"type\":\"") + 8;
      types.push_back(body.substr(at, body.find('"', at) - at));
      engine.answer(*index, 204);
      engine.settle();
    }
    return types;
  };
  using words = std::vector<std::string>;
  BOOST_TEST((told(st.endpoint) == words{"CREATED", "MODIFIED", "DELETED"}));
  BOOST_TEST((told(plain) == words{"CREATED", "MODIFIED", "MODIFIED", "DELETED"}));
  BOOST_TEST(counted(st).accepted == 3U);
  adds_up(st);
}

BOOST_AUTO_TEST_CASE(a_crash_while_an_endpoint_ends_changes_nothing) {
  const auto st = open([](core::endpoint&) {}, 1);
  sell(st, 600);
  set_state(st.endpoint, endpoint_state::disabled);
  engine.dispatch_turn();  // one page is reported ...
  for (int i = 0; i < 100; ++i) engine.entity_turn();
  commit();  // ... and partly on disk
  BOOST_TEST(parked(st, "test") > 0U);
  BOOST_TEST(parked(st, "test") < 600U);
  engine.entities.clear();
  engine.entity_mail.clear();
  engine.inbox.clear();
  engine.dispatch.reset();
  crash();
  flat_engine again{*this};
  again.settle();
  for (int i = 0; i < 20; ++i) again.advance(1s);
  BOOST_TEST(parked(st, "test") == 600U);
  adds_up(st);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
