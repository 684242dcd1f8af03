// Operational events about endpoints, and events that end the process.
#include <boost/test/unit_test.hpp>

#include <fstream>

#include "actors/load_watch.hpp"
#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::endpoint_state;

const char* const good_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class office : public room {
 public:
  core::endpoint_id platform_endpoint() {
    core::endpoint e;
    e.scope = core::endpoint_scope::platform;
    e.form = core::wire_form::standard;
    e.url = "https://operator.example/hook";
    e.origin = "https://operator-" + std::to_string(++platforms_) + ".example:443";
    e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    e.events = {"endpoint.*", "delivery.*", "quota.*"};
    const auto id = engine.new_endpoint(std::move(e));
    engine.settle();
    return id;
  }
  // What the ticker asks once a second.
  void tell_notices() {
    core::endpoint_id after;
    while (const auto next = *repo().next_noticed(after)) {
      after = *next;
      const auto asked = engine.ask(request(core::stream_of(after), actors::endpoint_notices{}));
      engine.settle();
      BOOST_TEST(asked->ok());
    }
  }
  std::vector<core::event> told(core::endpoint_id id) {
    std::vector<core::event> out;
    const auto scanned = repo().stream_events(core::stream_of(id), 1, [&](core::event_id&& event) {
      out.push_back(**repo().find(event));
      return true;
    });
    BOOST_REQUIRE(scanned.ok());
    return out;
  }
  std::string names(core::endpoint_id id) {
    std::string out;
    for (const auto& e : told(id)) out += (out.empty() ? "" : " ") + e.name;
    return out;
  }
  void exhaust(const stall& st) {
    while (under_way(st) > 0) {
      answer_first(st, 404);
      engine.advance(1s);
    }
  }

 private:
  int platforms_ = 0;
};

BOOST_FIXTURE_TEST_SUITE(operations, office)

BOOST_AUTO_TEST_CASE(a_breaker_degrades_and_the_first_delivery_recovers_each_once) {
  set_protection({{30s, 15min}, 1.0});
  const auto operators = platform_endpoint();
  const auto st = open_stall();
  sell(st, 6);
  for (int i = 0; i < 8; ++i) {
    if (under_way(st) > 0) answer_first(st, 503);
    engine.advance(1s);
  }
  BOOST_TEST(names(st.endpoint) == "endpoint.degraded");
  BOOST_TEST(engine.under_way(operators) == 1U);
  const auto index = *engine.first_of(operators);
  const std::string body = *engine.wire[index].request.body;
  BOOST_TEST(body.find(R"("type":"endpoint.degraded")") != std::string::npos, body);
  BOOST_TEST(body.find(R"("reason":"http_503")") != std::string::npos, body);
  engine.answer(index, 204);
  engine.advance(1min);
  drain_all(st);
  engine.advance(1s);
  drain_all(st);
  BOOST_TEST(names(st.endpoint) == "endpoint.degraded endpoint.recovered");
  const auto events = told(st.endpoint);
  BOOST_TEST(events.back().seq == 2U);
  BOOST_TEST(events.back().recipients.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_between_two_failures_shows_that_the_origin_is_alive) {
  set_protection({{30s, 15min}, 1.0});
  const auto st = open_stall(1);
  sell(st, 9);
  for (const int status : {404, 404, 503, 404, 503, 404, 503, 404, 404}) {
    BOOST_REQUIRE(under_way(st) == 1U);  // the breaker is closed
    answer_first(st, status);
  }
}

BOOST_AUTO_TEST_CASE(the_last_word_of_an_address_that_was_left_ends_nothing) {
  for (const bool wish : {false, true}) {
    const auto st = open_stall(1, [](core::endpoint& e) {
      e.form = core::wire_form::standard;
      e.secret = core::secret_bytes{good_secret};
      e.receiver_control = true;
    });
    sell(st, 2);
    actors::update_endpoint move;
    move.id = st.endpoint;
    move.url = s().catalog.load()->find_any(st.endpoint)->url + "/new";
    engine.endpoint_by_url[*move.url] = st.endpoint;
    catalog(move);
    core::attempt_result last_word;
    last_word.status = wish ? 500 : 410;
    if (wish) last_word.control = "disable";
    engine.answer(*engine.first_of(st.endpoint), std::move(last_word));
    engine.settle();
    const auto now_set = [&] { return s().catalog.load()->find_any(st.endpoint)->state; };
    BOOST_TEST((now_set() == endpoint_state::active));
    engine.advance(6s);
    BOOST_TEST(drain_all(st).size() == 2U);
    // What the new one says counts.
    sell(st, 1);
    answer_first(st, 410);
    BOOST_TEST((now_set() == endpoint_state::disabled));
  }
}

BOOST_AUTO_TEST_CASE(each_level_of_an_owners_quota_is_told_once) {
  const auto operators = platform_endpoint();
  const auto st = open_stall();
  const auto tell = [&](core::quota_level level, std::uint64_t value) {
    const auto asked = engine.ask(
        request(core::stream_of(st.endpoint),
                actors::owner_quota_changed{core::endpoint_scope::vendor, 7, level, value, 100}));
    engine.settle();
    BOOST_TEST(asked->ok());
  };
  tell(core::quota_level::within, 0);
  BOOST_TEST(names(st.endpoint) == "");
  tell(core::quota_level::reached, 80);
  tell(core::quota_level::reached, 99);
  tell(core::quota_level::blocked, 101);
  engine.restart();  // it is known what was told
  tell(core::quota_level::blocked, 120);
  tell(core::quota_level::within, 3);
  BOOST_TEST(names(st.endpoint) == "quota.reached quota.blocked quota.recovered");
  const auto events = told(st.endpoint);
  BOOST_TEST(events[1].data.find(R"("owner_scope":"vendor","owner_id":7,"metric":"pending_events",)"
                                 R"("value":101,"limit":100)") != std::string::npos,
             events[1].data);
  for (const auto& e : events) {
    BOOST_TEST((e.recipients == std::vector<core::endpoint_id>{operators}));
  }
}

// The platform's own quota is told in the stream of its oldest endpoint, which hears of it, too.
BOOST_AUTO_TEST_CASE(the_platforms_own_quota_reaches_the_platform) {
  const auto operators = platform_endpoint();
  const auto asked = engine.ask(request(
      core::stream_of(operators), actors::owner_quota_changed{core::endpoint_scope::platform, 0,
                                                              core::quota_level::blocked, 10, 10}));
  engine.settle();
  BOOST_TEST(asked->ok());
  BOOST_REQUIRE_EQUAL(names(operators), "quota.blocked");
  BOOST_TEST((told(operators)[0].recipients == std::vector<core::endpoint_id>{operators}));
  BOOST_TEST(engine.under_way(operators) == 1U);
}

// The endpoint that told it is deleted while the quota is full, and the daemon may be restarted.
BOOST_AUTO_TEST_CASE(the_end_of_a_full_quota_is_told_once_whoever_was_deleted) {
  const auto st = open_stall();
  const auto other = open_stall_of(st);
  std::optional<actors::load_watch> watch;
  const auto begin = [&] {
    s().load.set_limits({1'000'000, 4, 0});
    watch.emplace(s());
    watch->restore();
  };
  const auto look = [&] {
    watch->look();
    engine.settle();
  };
  begin();
  sell(st, 3);  // to both
  look();
  BOOST_TEST(names(st.endpoint) == "quota.blocked");
  set_state(st.endpoint, endpoint_state::deleted);
  engine.settle();
  watch.reset();
  engine.restart();
  begin();
  drain_all(other);
  BOOST_REQUIRE_EQUAL(counted(other).delivered, 3U);
  look();
  BOOST_TEST(names(st.endpoint) == "quota.blocked quota.recovered");
  watch.reset();
  engine.restart();
  begin();
  look();
  BOOST_TEST(names(st.endpoint) == "quota.blocked quota.recovered");
  BOOST_TEST(names(other.endpoint) == "");
  sell(other, 4);
  look();
  BOOST_TEST(names(other.endpoint) == "quota.blocked");  // the next time somebody who is there
}

// The limit passes while no attempt is due: the first failure after it pauses the endpoint.
BOOST_AUTO_TEST_CASE(a_limit_that_passes_between_attempts_pauses_with_the_next_failure) {
  auto p = s().delivery.load()->protection;
  p.pause_after = 2h;
  set_protection(p);
  const auto st = open_stall(1, [](core::endpoint& e) {
    e.retry_schedule = {0s, 10min, 10min, 6h, 6h};
  });
  sell(st, 1);
  answer_first(st, 404);
  for (int i = 0; i < 2; ++i) {
    engine.advance(10min);
    answer_first(st, 404);
  }
  for (int i = 0; i < 5; ++i) engine.advance(1h);
  const auto state = [&] { return s().catalog.load()->find(st.endpoint)->state; };
  BOOST_TEST((state() == endpoint_state::active));
  BOOST_TEST(s().gauges.get(st.endpoint).failing_since.has_value());
  engine.advance(1h);
  answer_first(st, 404);
  BOOST_TEST((state() == endpoint_state::paused));
  BOOST_TEST(s().catalog.load()->find(st.endpoint)->state_reason == actors::failing_reason);
  BOOST_TEST(counted(st).parked == 0U);
}

// The daemon's own pause may come after what somebody else decided.
BOOST_AUTO_TEST_CASE(an_automatic_pause_that_comes_late_changes_nothing) {
  const auto st = open_stall();
  const auto pause = [&] {
    catalog(actors::set_endpoint_state{st.endpoint, endpoint_state::paused,
                                       std::string{actors::failing_reason}});
    return s().catalog.load()->find(st.endpoint);
  };
  set_state(st.endpoint, endpoint_state::disabled);
  const auto version = s().catalog.load()->find(st.endpoint)->version;
  BOOST_TEST((pause()->state == endpoint_state::disabled));
  BOOST_TEST(pause()->state_reason == "test");
  BOOST_TEST(pause()->version == version);
  set_state(st.endpoint, endpoint_state::paused);
  BOOST_TEST(pause()->state_reason == "test");
  set_state(st.endpoint, endpoint_state::active);
  BOOST_TEST((pause()->state == endpoint_state::paused));
  BOOST_TEST(pause()->state_reason == actors::failing_reason);
}

BOOST_AUTO_TEST_CASE(days_of_failures_pause_and_keep_the_backlog) {
  auto protection = core::protection{{0ms, 0ms}, 1.0, 2h};
  set_protection(protection);
  const auto st = open_stall();
  for (int i = 0;
       i < 30 && s().catalog.load()->find_any(st.endpoint)->state == core::endpoint_state::active;
       ++i) {
    sell(st, 1);
    while (under_way(st) > 0) answer_first(st, 404);
    engine.advance(10min);
  }
  tell_notices();
  const auto settings = s().catalog.load()->find_any(st.endpoint);
  BOOST_TEST((settings->state == endpoint_state::paused));
  BOOST_TEST(settings->state_reason == "failing");
  const auto c = counted(st);
  BOOST_TEST(c.cancelled == 0U);
  BOOST_TEST(c.accepted - c.delivered - c.parked > 0U);
  BOOST_TEST(names(st.endpoint).starts_with("endpoint.degraded"));
  BOOST_TEST(names(st.endpoint).find("endpoint.paused") != std::string::npos);
  set_state(st.endpoint, endpoint_state::active);
  engine.settle();
  tell_notices();
  answer_first(st, 404);  // a new beginning: not paused again at once
  BOOST_TEST((s().catalog.load()->find_any(st.endpoint)->state == endpoint_state::active));
  engine.restart([&] { set_protection(protection); });
  engine.advance(1s);
  answer_first(st, 404);
  BOOST_TEST((s().catalog.load()->find_any(st.endpoint)->state == endpoint_state::active));
  engine.advance(1s);
  drain_all(st);
  BOOST_TEST(names(st.endpoint).ends_with("endpoint.recovered"));
}

BOOST_AUTO_TEST_CASE(a_parked_event_is_told_once_even_over_a_crash) {
  const auto operators = platform_endpoint();
  const auto st = open_stall();
  sell(st, 1);
  exhaust(st);
  BOOST_REQUIRE_EQUAL(counted(st).parked, 1U);
  engine.restart();
  tell_notices();
  tell_notices();
  BOOST_TEST(names(st.endpoint) == "delivery.exhausted");
  const auto e = told(st.endpoint).front();
  BOOST_TEST(e.data.find(R"("reason":"exhausted")") != std::string::npos, e.data);
  BOOST_TEST(e.data.find(R"("attempts":8)") != std::string::npos, e.data);
  BOOST_TEST(e.data.find(R"("last_status":404)") != std::string::npos, e.data);
  BOOST_TEST(engine.under_way(operators) == 1U);
}

BOOST_AUTO_TEST_CASE(a_gone_endpoint_is_told_once_and_not_its_parked_events) {
  const auto st = open_stall();
  sell(st, 5);
  answer_first(st, 410);
  engine.advance(10s);
  tell_notices();
  BOOST_TEST(names(st.endpoint) == "endpoint.disabled");
  BOOST_TEST(told(st.endpoint).front().data.find(R"("reason":"gone")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_told_to_the_endpoint_it_is_about_nor_about_the_telling) {
  const auto first = platform_endpoint();
  const auto second = platform_endpoint();
  const auto st = open_stall();
  sell(st, 1);
  exhaust(st);
  tell_notices();  // one event to each of the two
  for (int i = 0; i < 40; ++i) {
    while (const auto index = engine.first_of(first)) {
      engine.answer(*index, 404);
      engine.settle();
    }
    engine.advance(1s);
    tell_notices();
  }
  BOOST_TEST(counted({{}, {}, first, {}}).parked == 1U);
  BOOST_TEST(names(first).empty());  // no delivery.exhausted about a delivery.exhausted
  set_state(second, endpoint_state::paused);
  engine.settle();
  tell_notices();
  const auto paused = told(second);
  BOOST_REQUIRE_EQUAL(paused.size(), 1U);
  BOOST_TEST((paused[0].recipients == std::vector<core::endpoint_id>{first}));
}

// ---- poison -------------------------------------------------------------------------------------

// What is parked of the endpoint's only lane, and why; told to the platform once.
void check_poison(office& o, const stall& st, const std::string& reason) {
  BOOST_TEST(o.engine.wire.empty());
  const auto lane = o.only_lane(st);
  BOOST_TEST((lane.state == core::lane_state::parked));
  BOOST_TEST(lane.last_error == reason);
  BOOST_TEST(lane.attempts == 0U);
  const auto c = o.counted(st);
  BOOST_TEST(c.parked == 1U);
  BOOST_TEST(c.attempts == 0U);  // no request was made
  for (int i = 0; i < 3; ++i) o.engine.advance(5s);
  o.tell_notices();
  o.tell_notices();
  BOOST_REQUIRE_EQUAL(o.names(st.endpoint), "delivery.exhausted");
  const std::string data = o.told(st.endpoint).front().data;
  BOOST_TEST(data.find("\"reason\":\"" + reason + '"') != std::string::npos, data);
  BOOST_TEST(data.find("\"event_id\":" + std::to_string(lane.head.value)) != std::string::npos,
             data);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_signed_is_parked_and_goes_out_with_a_good_secret) {
  const auto st = open_stall(64, [](core::endpoint& e) {
    e.form = core::wire_form::standard;
    e.secret = core::secret_bytes{"whsec_damaged"};
  });
  sell(st, 1);
  check_poison(*this, st, "cannot_sign");
  catalog(actors::rotate_secret{st.endpoint, core::secret_bytes{good_secret}, 0s});
  engine.settle();
  BOOST_TEST(engine.wire.empty());  // it waits for somebody to decide
  const auto lane = only_lane(st);
  engine.ask(request(lane.key.stream, actors::replay_request{lane.head, {st.endpoint}}));
  engine.settle();
  BOOST_TEST(drain_all(st).size() == 1U);
  BOOST_TEST(counted(st).parked == 0U);
}

// Rendering what is there cannot fail; what is not there or cannot be read can be parked alone.
BOOST_AUTO_TEST_CASE(an_event_that_is_missing_or_damaged_is_parked_and_others_are_not) {
  for (const bool missing : {true, false}) {
    const auto st = open_stall();
    set_state(st.endpoint, endpoint_state::paused);
    sell(st, 1);
    store::write_plan plan;
    const auto row = store::id_key(last_event());
    missing ? plan.erase(store::family::events, row) : plan.put(store::family::events, row, "junk");
    committer().submit(std::move(plan));
    commit();
    engine.restart();
    set_state(st.endpoint, endpoint_state::active);
    engine.advance(100ms);
    check_poison(*this, st, missing ? "event_missing" : "record_unreadable");
    sell(st, 1);
    BOOST_TEST(drain_all(st).size() == 1U);
    const auto parked = [&] {
      const auto found =
          repo().due_lanes(st.endpoint, store::due_side::parked, store::due_side::parked, {},
                           [&](const core::lane_key& key, std::string_view) {
                             engine.ask(request(key.stream, actors::discard_request{key, {}}));
                             return true;
                           });
      BOOST_REQUIRE(found.ok());
    };
    parked();
    engine.settle();
    BOOST_TEST(counted(st).parked == 0U);
    BOOST_TEST(counted(st).cancelled == 1U);
  }
}

struct laboratory : office {
  laboratory() {
    engine.keep_journal();
    engine.restart();
  }
  // Nothing is sent from a suspect lane before this.
  void calm() {
    engine.advance(100ms);
    engine.advance(5s);
  }
};

BOOST_FIXTURE_TEST_CASE(after_a_crash_what_was_in_flight_goes_one_at_a_time, laboratory) {
  const auto st = open_stall();
  sell(st, 40);
  for (int i = 0; i < 12; ++i) answer_first(st, 204);
  std::vector<core::event_id> were;
  for (const auto& sent : engine.wire) were.push_back(sent.event);
  BOOST_REQUIRE_GT(were.size(), 3U);
  engine.restart();
  const auto suspect = [&](const on_the_wire& sent) {
    return std::find(were.begin(), were.end(), sent.event) != were.end();
  };
  const auto suspects_out = [&] {
    return std::count_if(engine.wire.begin(), engine.wire.end(), suspect);
  };
  BOOST_TEST(!engine.wire.empty());  // the others go on
  BOOST_TEST(suspects_out() == 0);
  calm();
  std::size_t tried = 0;
  for (int i = 0; i < 200 && tried < were.size(); ++i) {
    BOOST_TEST(suspects_out() <= 1);
    tried += static_cast<std::size_t>(suspects_out());
    drain_all(st);
    engine.advance(100ms);
  }
  drain_all(st);
  BOOST_TEST(tried == were.size());
  BOOST_TEST(counted(st).delivered == 40U);
  BOOST_TEST(counted(st).parked == 0U);
}

// The process died while the vendor was down.
BOOST_FIXTURE_TEST_CASE(suspects_do_not_keep_a_breaker_open, laboratory) {
  for (const int others : {0, 20}) {
    const auto st = open_stall();
    sell(st, 100);
    drain_all(st);
    sell(st, limit(st) + others);
    BOOST_REQUIRE_GT(under_way(st), 8U);  // as many as are guaranteed a place in memory, and more
    engine.restart([&] {
      set_protection({{30s, 15min}, 1.0});
      store::write_plan plan;
      repo().put(plan, core::breaker_record{origin_of(st), 1, now, now + 30s, "http_503"});
      committer().submit(std::move(plan));
      commit();
    });
    BOOST_TEST(engine.wire.empty());
    std::size_t sent = 0;
    for (int i = 0; i < 600 && counted(st).delivered < counted(st).accepted; ++i) {
      sent += drain_all(st).size();
      engine.advance(200ms);
    }
    BOOST_TEST(sent > 0U);
    BOOST_TEST(counted(st).delivered == counted(st).accepted);
    BOOST_TEST(counted(st).parked == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(an_event_that_is_in_flight_at_two_crashes_is_quarantined, laboratory) {
  const auto st = open_stall();
  sell(st, 1);
  const auto poison = engine.wire[0].event;
  engine.restart();
  calm();
  BOOST_REQUIRE_EQUAL(engine.wire.size(), 1U);
  BOOST_TEST((engine.wire[0].event == poison));
  engine.restart();
  sell(st, 3);
  calm();
  engine.advance(100ms);
  drain_all(st);
  BOOST_TEST(counted(st).delivered == 3U);
  BOOST_TEST(counted(st).parked == 1U);
  const auto lane = only_lane(st);
  BOOST_TEST((lane.state == core::lane_state::parked));
  BOOST_TEST(lane.last_error == "quarantined");
  BOOST_TEST((lane.head == poison));
  tell_notices();
  BOOST_TEST(told(st.endpoint).front().data.find(R"("reason":"quarantined")") != std::string::npos);
  // A replay is a new beginning.
  engine.ask(request(lane.key.stream, actors::replay_request{poison, {st.endpoint}}));
  engine.settle();
  BOOST_TEST(drain_all(st).size() == 1U);
  BOOST_TEST(counted(st).parked == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_quarantined_event_that_is_skipped_is_forgotten_by_the_journal,
                        laboratory) {
  auto e = endpoint_of({});
  e.on_exhausted = core::exhausted_policy::skip;
  const auto st = open_stall_with(std::move(e));
  sell(st, 1);
  const core::subscription_id id{(*repo().find(engine.wire[0].event))->stream.entity};
  engine.ask(act(id, core::subscription_action::report_deployed));
  engine.settle();
  for (int i = 0; i < 2; ++i) {
    engine.restart();
    calm();
  }
  BOOST_TEST(counted(st).parked == 1U);
  BOOST_TEST(drain_all(st).size() == 1U);  // the stream goes on
  engine.restart();
  BOOST_TEST(engine.suspects() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_suspect_that_was_not_tried_yet_does_not_become_guilty, laboratory) {
  const auto st = open_stall();
  sell(st, 1);
  for (int i = 0; i < 5; ++i) {
    engine.restart();  // again and again, in a hurry
    engine.advance(1s);
    BOOST_TEST(engine.wire.empty());
  }
  calm();
  BOOST_TEST(drain_all(st).size() == 1U);
  BOOST_TEST(counted(st).delivered == 1U);
}

BOOST_FIXTURE_TEST_CASE(after_a_clean_end_nothing_is_suspect, laboratory) {
  const auto st = open_stall();
  sell(st, 3);
  BOOST_REQUIRE(!engine.wire.empty());
  engine.close_journal();
  engine.restart();
  BOOST_TEST(!engine.wire.empty());
}

BOOST_AUTO_TEST_CASE(a_journal_counts_for_one_boot_and_survives_damage) {
  temporary_directory place{temporary_directory::place::in_memory};
  const std::string path = place.path() + "/in_flight";
  const core::lane_key lane{{core::entity_kind::subscription, 7}, {3}, {}};
  const auto open = [&](const std::string& boot, std::size_t parts = 1) {
    auto opened = actors::flight_journal::open(
        path, boot, parts, 4, [parts](core::endpoint_id id) { return id.value % parts; });
    BOOST_REQUIRE(opened.ok());
    return std::move(*opened);
  };
  open("a")->of(0).began(lane, {11});
  {
    const auto again = open("a", 2);  // with more loops than before
    BOOST_TEST(again->of(0).suspects().empty());
    BOOST_REQUIRE_EQUAL(again->of(1).suspects().size(), 1U);
    const auto& one = again->of(1).suspects()[0];
    BOOST_TEST((one.lane == lane));
    BOOST_TEST((one.event == core::event_id{11}));
    BOOST_TEST(one.crashes == 1U);
    again->of(1).tried(one.slot);
  }
  BOOST_TEST(open("a")->of(0).suspects()[0].crashes == 2U);
  BOOST_TEST(open("b")->of(0).suspects().empty());
  open("b")->of(0).began(lane, {12});
  for (const std::string& junk : {std::string(10, 'x'), std::string(5000, '\xFF'), std::string{}}) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << junk;
    BOOST_TEST(open("b")->of(0).suspects().empty());
  }
  auto full = open("c");
  for (std::uint64_t i = 0; i < 4; ++i) {
    BOOST_TEST(full->of(0).began(lane, {i + 1}) != actors::flight_journal::none);
  }
  BOOST_TEST(full->of(0).began(lane, {9}) == actors::flight_journal::none);
  full->of(0).ended(actors::flight_journal::none);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
