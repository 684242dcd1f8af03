// Rows of events that are gone or damaged behind the head of a lane: each is parked by itself, and
// what stands around it arrives.
#include <boost/test/unit_test.hpp>

#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using action = core::subscription_action;

class damage : public room {
 public:
  // A subscription's stream of `count` events for the endpoint, none of them sent yet; their ids.
  std::vector<std::uint64_t> stream_of(const stall& st, int count) {
    catalog(actors::set_endpoint_state{st.endpoint, core::endpoint_state::paused, {}});
    sell(st, 1);
    std::vector<std::uint64_t> out{last_event()};
    const core::subscription_id sold = {(**repo().find(core::event_id{out[0]})).stream.entity};
    for (int i = 1; i < count; ++i) {
      const auto seen = engine.ask(act(sold, i == 1  ? action::report_deployed
                                             : i % 2 ? action::resume
                                                     : action::suspend));
      engine.settle();
      BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
      out.push_back(last_event());
    }
    return out;
  }
  void damage_rows(const std::vector<std::uint64_t>& events, bool missing) {
    store::write_plan plan;
    for (const std::uint64_t id : events) {
      const auto row = store::id_key(id);
      missing ? plan.erase(store::family::events, row)
              : plan.put(store::family::events, row, "junk");
    }
    committer().submit(std::move(plan));
    commit();
    engine.restart();
  }
  void go_on(const stall& st) {
    catalog(actors::set_endpoint_state{st.endpoint, core::endpoint_state::active, {}});
    engine.advance(100ms);
  }
};

BOOST_FIXTURE_TEST_SUITE(damaged_streams, damage)

BOOST_AUTO_TEST_CASE(the_damaged_one_is_parked_and_the_others_arrive_once) {
  for (const bool missing : {true, false}) {
    const auto st = open_stall();
    const auto events = stream_of(st, 6);
    damage_rows({events[1], events[4]}, missing);
    go_on(st);
    BOOST_TEST((drain_all(st) == std::vector{events[0]}));
    for (const std::size_t damaged : {1U, 4U}) {
      const auto lane = only_lane(st);
      BOOST_TEST((lane.state == core::lane_state::parked));
      BOOST_TEST(lane.head.value == events[damaged]);
      BOOST_TEST(lane.last_error == (missing ? "event_missing" : "record_unreadable"));
      engine.ask(request(lane.key.stream, actors::discard_request{lane.key, {}}));
      engine.settle();
      const auto rest = damaged == 1 ? std::vector{events[2], events[3]} : std::vector{events[5]};
      BOOST_TEST((drain_all(st) == rest));
    }
    const auto c = counted(st);
    BOOST_TEST((c.accepted == 6 && c.delivered == 4 && c.cancelled == 2 && c.parked == 0));
    BOOST_TEST(c.attempts == 4);
  }
}

BOOST_AUTO_TEST_CASE(with_skip_nothing_stands_still) {
  const auto st =
      open_stall(64, [](core::endpoint& e) { e.on_exhausted = core::exhausted_policy::skip; });
  const auto events = stream_of(st, 4);
  damage_rows({events[1], events[2]}, true);
  go_on(st);
  BOOST_TEST((drain_all(st) == std::vector{events[0], events[3]}));
  BOOST_TEST(counted(st).parked == 2);
}

// Whom it was for stood in the damaged row; what the lane counts tells.
BOOST_AUTO_TEST_CASE(what_was_for_others_is_passed_by) {
  const auto st = open_stall();
  const auto events = stream_of(st, 3);
  const auto deaf = open_stall_of(st);  // hears only what comes from now on
  core::subscription_id sold = {(**repo().find(core::event_id{events[0]})).stream.entity};
  actors::update_endpoint none;
  none.id = st.endpoint;
  none.events = std::vector<std::string>{"order.*"};
  catalog(none);
  engine.ask(act(sold, action::resume));  // for the other endpoint only
  engine.settle();
  const std::uint64_t foreign = last_event();
  none.events = std::vector<std::string>{"*"};
  catalog(none);
  engine.ask(act(sold, action::suspend));
  engine.settle();
  const std::uint64_t last = last_event();
  damage_rows({foreign}, false);
  go_on(st);
  BOOST_TEST((drain_all(st) == std::vector{events[0], events[1], events[2], last}));
  BOOST_TEST(counted(st).delivered == 4);
  // The other one counts it as its own.
  drain_all(deaf);
  BOOST_TEST(only_lane(deaf).head.value == foreign);
  BOOST_TEST((only_lane(deaf).state == core::lane_state::parked));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
