// Shards and entities: sleeping, waking, full disks, crashes.
#include "actors/shard.hpp"

#include <boost/test/unit_test.hpp>

#include "core/lifecycle/json.hpp"
#include "tests/actors/stage.hpp"

namespace syndicated {
namespace {

using namespace tests;
using actors::entity_request;
using core::subscription_action;
using core::subscription_status;

BOOST_FIXTURE_TEST_SUITE(shard, stage)

BOOST_AUTO_TEST_CASE(an_idle_entity_sleeps_and_wakes_with_the_same_state) {
  const auto id = deployed(add_tenant());
  BOOST_TEST(awake() == 1U);
  now += 29s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 1U);
  now += 1s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
  const auto before = core::to_json(subscription(id));
  done(act(id, subscription_action::report_deployed));  // a repeat: wakes it, changes nothing
  BOOST_TEST(awake() == 1U);
  BOOST_TEST(core::to_json(subscription(id)) == before);
  done(act(id, subscription_action::suspend));
  BOOST_TEST(subscription(id).seq == 3U);
  BOOST_TEST(names_of(*this, core::stream_of(id)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_arrives_while_it_falls_asleep_is_kept_for_the_next_one) {
  const auto id = deployed(add_tenant());
  now += 30s;
  tick_shard();
  const auto first = send(act(id, subscription_action::suspend));
  // The shard has asked it to sleep and not yet heard that it is gone; all of this is kept.
  BOOST_REQUIRE(scheduler().try_run_once());
  const auto second = send(act(id, subscription_action::resume));
  std::uint64_t most_awake = 0;
  while (scheduler().try_run_once()) most_awake = std::max(most_awake, awake());
  BOOST_TEST(most_awake == 1U);  // never two at a time
  settle();
  BOOST_TEST(first->ok());
  BOOST_TEST(second->ok());
  BOOST_TEST(subscription(id).seq == 4U);
  BOOST_TEST(names_of(*this, core::stream_of(id)).size() == 4U);
}

BOOST_AUTO_TEST_CASE(an_entity_with_a_plan_in_flight_refuses_to_sleep) {
  const auto id = deployed(add_tenant());
  const auto open = send(act(id, subscription_action::suspend));
  run();  // decided, not written
  BOOST_TEST(!open->done());
  now += 30s;
  tick_shard();
  const auto kept = send(act(id, subscription_action::resume));
  run();
  BOOST_TEST(awake() == 1U);
  BOOST_TEST(!kept->done());
  settle();
  BOOST_TEST(open->ok());
  BOOST_TEST(kept->ok());
  BOOST_TEST(subscription(id).seq == 4U);
  // Its patience begins anew, and then it does sleep.
  now += 30s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_all_that_was_built_on_it_and_the_entity_goes_on) {
  const auto id = deployed(add_tenant());
  const auto suspend = send(act(id, subscription_action::suspend));
  const auto edit = send(act(id, subscription_action::resume));
  run();
  fill_disk();
  commit();
  BOOST_TEST(suspend->code() == "no_space");
  BOOST_TEST(edit->code() == "no_space");
  empty_disk();
  BOOST_TEST(subscription(id).seq == 2U);
  done(act(id, subscription_action::suspend));
  const auto now_stored = subscription(id);
  BOOST_TEST(now_stored.seq == 3U);
  BOOST_TEST((now_stored.status == subscription_status::stopped));
  BOOST_TEST(names_of(*this, core::stream_of(id)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_plan_built_on_a_refused_one_fails_though_there_is_space_again) {
  const auto id = deployed(add_tenant());
  const auto first = send(act(id, subscription_action::suspend));
  run();
  fill_disk();
  BOOST_REQUIRE(committer().run_once());
  empty_disk();
  // Decided before the entity heard of the refusal would be on top of it; this one is after it.
  const auto second = send(act(id, subscription_action::report_deployed));
  settle();
  BOOST_TEST(first->code() == "no_space");
  BOOST_TEST(second->ok());  // a repeat on what is stored
  BOOST_TEST((subscription(id).status == subscription_status::deployed));
  BOOST_TEST(subscription(id).seq == 2U);
}

BOOST_AUTO_TEST_CASE(what_waits_to_be_sent_is_known_after_each_sleep) {
  const auto to = new_endpoint(endpoint_of(vendor));
  const auto id = ordered(add_tenant());
  const auto lane = [&] { return *repo().find(core::lane_key{core::stream_of(id), to, {}}); };
  const auto sleep = [&] {
    now += 30s;
    tick_shard();
    settle();
    BOOST_REQUIRE_EQUAL(awake(), 0U);
  };
  const auto add = [&](subscription_action what) { done(act(id, what)); };
  BOOST_REQUIRE_EQUAL(ready.size(), 1U);
  s().report_to_shard(delivered(ready[0]->lane.key, ready[0]->lane.head));
  settle();
  BOOST_REQUIRE(!lane());
  sleep();
  add(subscription_action::report_deployed);  // nothing was there: a new lane
  BOOST_REQUIRE(lane());
  const core::event_id head = lane()->head;
  sleep();
  add(subscription_action::suspend);  // now there is one, and its head stays
  BOOST_REQUIRE(lane());
  BOOST_TEST(lane()->head.value == head.value);
  sleep();
  s().report_to_shard(delivered(ready[1]->lane.key, ready[1]->lane.head));
  settle();
  BOOST_REQUIRE(lane());
  BOOST_TEST(lane()->next_seq == 3U);
  BOOST_TEST(lane()->head.value != head.value);
}

BOOST_AUTO_TEST_CASE(a_report_that_the_disk_refused_lets_the_lane_be_looked_at_again) {
  new_endpoint(endpoint_of(vendor));
  ordered(add_tenant());
  BOOST_REQUIRE_EQUAL(ready.size(), 1U);
  const auto report = delivered(ready[0]->lane.key, ready[0]->lane.head);
  s().report_to_shard(report);
  run();
  fill_disk();
  commit();
  empty_disk();
  BOOST_REQUIRE_EQUAL(barred.size(), 1U);
  BOOST_TEST((barred[0].second == now + 4s));
  BOOST_TEST(repo().find(report->lane)->has_value());
  BOOST_TEST(committer().counters_total().delivered == 0U);
  s().report_to_shard(report);
  settle();
  BOOST_TEST(!repo().find(report->lane)->has_value());
  BOOST_TEST(committer().counters_total().delivered == 1U);
}

BOOST_AUTO_TEST_CASE(the_actor_of_one_that_sleeps_is_the_next_ones) {
  const auto tenant = add_tenant();
  const auto one = deployed(tenant);
  const auto other = deployed(tenant);
  now += 30s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
  const auto before = actors_running();
  done(act(one, subscription_action::suspend));
  done(act(other, subscription_action::suspend));
  BOOST_TEST(awake() == 2U);
  BOOST_TEST(actors_running() == before);
  BOOST_TEST((subscription(one).status == subscription_status::stopped));
  BOOST_TEST((subscription(other).status == subscription_status::stopped));
  BOOST_TEST(names_of(*this, core::stream_of(one)).size() == 3U);
  BOOST_TEST(names_of(*this, core::stream_of(other)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(actors_that_nobody_needs_leave_little_by_little) {
  const auto tenant = add_tenant();
  for (int i = 0; i < 8; ++i) deployed(tenant);
  const auto busy = actors_running();
  now += 30s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
  BOOST_TEST(actors_running() == busy);
  std::vector<std::size_t> left;
  for (int i = 0; i < 6; ++i) {
    tick_shard();
    settle();
    left.push_back(busy - actors_running());
  }
  BOOST_TEST(left == (std::vector<std::size_t>{0, 4, 6, 7, 8, 8}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(many_that_rest_are_asked_a_few_at_a_time) {
  const auto tenant = add_tenant();
  for (int i = 0; i < 40; ++i) deployed(tenant);
  now += 30s;
  tick_shard();
  BOOST_REQUIRE(scheduler().try_run_once());  // the shard alone
  const auto waiting = scheduler().jobs.size();
  BOOST_TEST(waiting > 0U);
  BOOST_TEST(waiting < 40U);
  settle();
  BOOST_TEST(awake() == 0U);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_keeps_nobody_awake) {
  const auto tenant = add_tenant();
  deployed(tenant);
  now -= 1h;
  deployed(tenant);
  now += 29s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 1U);  // what it was used last is an hour away
  now += 1s;
  tick_shard();
  settle();
  BOOST_TEST(awake() == 0U);
}

struct small_stage : stage {
  small_stage() : stage(actors::shard_settings{30s, 4}) {}
};

BOOST_FIXTURE_TEST_CASE(where_it_is_crowded_those_go_that_rest_for_longest, small_stage) {
  const auto tenant = add_tenant();
  std::vector<core::subscription_id> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(deployed(tenant));
  BOOST_TEST(awake() == 10U);  // all of them were just used
  now += 1s;
  done(act(ids[0], subscription_action::suspend));  // awake already: nobody goes
  BOOST_TEST(awake() == 10U);
  ids.push_back(deployed(tenant));
  BOOST_TEST(awake() == 9U);
  ids.push_back(deployed(tenant));
  ids.push_back(deployed(tenant));
  ids.push_back(deployed(tenant));
  BOOST_TEST(awake() == 6U);
  const auto before = awake();
  done(act(ids[0], subscription_action::resume));  // it was used last, so it is still there
  BOOST_TEST(awake() == before);
}

// ---- crashes ----------------------------------------------------------------------------------

std::shared_ptr<entity_request> poison(core::subscription_id id) {
  actors::subscription_change change;
  change.command.action = subscription_action::suspend;
  change.render = [](const core::subscription&, bool) -> actors::answer {
    throw std::runtime_error("a defect");
  };
  return world::request(core::stream_of(id), std::move(change));
}

BOOST_AUTO_TEST_CASE(an_entity_that_crashed_is_made_anew_from_the_disk) {
  const auto id = deployed(add_tenant());
  const auto poisoned = send(poison(id));
  settle();
  BOOST_TEST(!poisoned->ok());
  BOOST_TEST(poisoned->done());  // answered, not left waiting
  BOOST_TEST(awake() == 0U);
  const auto too_soon = send(act(id, subscription_action::suspend));
  settle();
  BOOST_TEST(too_soon->code() == "unavailable");
  now += 200ms;
  done(act(id, subscription_action::suspend));
  BOOST_TEST(subscription(id).seq == 3U);
  BOOST_TEST(names_of(*this, core::stream_of(id)).size() == 3U);
}

BOOST_AUTO_TEST_CASE(repeated_crashes_bring_quarantine_and_others_do_not_notice) {
  const auto tenant = add_tenant();
  const auto bad = deployed(tenant);
  const auto good = deployed(tenant);
  for (int i = 0; i < 5; ++i) {
    send(poison(bad));
    settle();
    done(act(good, i % 2 == 0 ? subscription_action::suspend : subscription_action::resume));
    now += 4s;  // longer than any of the short pauses
  }
  const auto refused = send(act(bad, subscription_action::suspend));
  settle();
  BOOST_TEST(refused->code() == "unavailable");
  BOOST_TEST((subscription(bad).status == subscription_status::deployed));
  // Its lanes rest meanwhile.
  auto report = std::make_shared<actors::lane_report>();
  report->lane.stream = core::stream_of(bad);
  barred.clear();
  s().report_to_shard(report);
  settle();
  BOOST_REQUIRE_EQUAL(barred.size(), 1U);
  BOOST_TEST((barred[0].second >= now + 4min));
  now += 5min;
  done(act(bad, subscription_action::suspend));
  BOOST_TEST((subscription(bad).status == subscription_status::stopped));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_ends_a_quarantine) {
  const auto bad = deployed(add_tenant());
  now += 24h * 365;
  for (int i = 0; i < 5; ++i) {
    send(poison(bad));
    settle();
    now += 4s;
  }
  const auto refused = send(act(bad, subscription_action::suspend));
  settle();
  BOOST_REQUIRE_EQUAL(refused->code(), "unavailable");
  now -= 24h * 365;
  done(act(bad, subscription_action::suspend));
}

BOOST_AUTO_TEST_CASE(a_crash_with_a_plan_in_flight_never_makes_two_incarnations_at_a_time) {
  const auto id = deployed(add_tenant());
  const auto open = send(act(id, subscription_action::suspend));  // decided, not written
  send(poison(id));
  run();
  now += 10s;  // the disk is slower than the pause after a crash
  const auto next = send(act(id, subscription_action::report_stopped));
  run();
  settle();
  BOOST_TEST(open->ok());
  BOOST_TEST(next->done());
  done(act(id, subscription_action::resume));
  const auto names = names_of(*this, core::stream_of(id));
  BOOST_TEST(names.size() == subscription(id).seq);
  std::size_t events = 0;
  const auto scanned = repo().events({1}, [&](core::event&& e) {
    events += e.stream == core::stream_of(id) ? 1U : 0U;
    return true;
  });
  BOOST_TEST(scanned.ok());
  BOOST_TEST(events == names.size());  // none was overwritten by another of the same number
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
