// What retention drops, what it must not, and the race with those who still want an old event.
#include <atomic>
#include <set>
#include <thread>

#include "tests/store/retention_fixture.hpp"

namespace syndicated::store {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(retention_rounds)

BOOST_AUTO_TEST_CASE(what_is_older_than_its_age_goes_and_the_space_returns) {
  store_under_test s({48h, 24h, 0, 0});
  for (std::uint64_t seq = 1; seq <= 3'000; ++seq) s.publish(shop, seq);
  BOOST_REQUIRE(s.db->flush().ok());
  const auto before = s.db->family_bytes();
  s.now += 36h;
  const core::event_id young = s.publish(shop, 3'001);
  auto dropped = s.all();
  BOOST_TEST(dropped.events == 0U);
  BOOST_TEST(dropped.attempts == 3'000U);
  BOOST_TEST(s.has(core::event_id{1}));
  BOOST_TEST(!s.has_attempt(core::event_id{1}));
  BOOST_TEST(s.has_attempt(young));
  BOOST_TEST(s.marks() == 1U);
  s.now += 24h;
  dropped = s.all();
  BOOST_TEST(dropped.events == 3'000U);
  BOOST_TEST(!s.has(core::event_id{1}));
  BOOST_TEST(!s.has_place(shop, 1));
  BOOST_TEST(s.has(young));
  BOOST_TEST(s.has_place(shop, 3'001));
  BOOST_TEST(*s.repo->last_seq(shop) == 3'001U);
  BOOST_REQUIRE(s.db->flush().ok());
  const auto after = s.db->family_bytes();
  for (const family f :
       {family::events, family::streams, family::attempts, family::attempt_index}) {
    const auto i = static_cast<std::size_t>(f);
    BOOST_TEST_CONTEXT(family_name(f)) BOOST_TEST(after[i] < before[i] / 4);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_rewritten_while_all_is_young) {
  store_under_test s;
  s.publish(shop, 1);
  s.now += 23h;
  const auto dropped = s.all();
  BOOST_TEST(dropped.events + dropped.attempts == 0U);
  BOOST_TEST(!s.gate.events_from());
  BOOST_TEST(s.has(core::event_id{1}));
}

// The files' indexes tell sizes by whole blocks, and one row has none.
BOOST_AUTO_TEST_CASE(a_single_row_goes_too) {
  store_under_test s;
  const core::event_id id = s.publish(shop, 1);
  const core::lane pending = s.lane(shop, id, 1);
  s.put(pending);
  s.now += 48h;
  BOOST_TEST(s.all().events == 0U);
  s.erase(pending);
  BOOST_TEST(s.all().events == 1U);
  BOOST_TEST(!s.has(id));
}

BOOST_AUTO_TEST_CASE(what_a_lane_has_before_it_stays) {
  store_under_test s;
  std::vector<core::event_id> ids{{}};
  for (std::uint64_t seq = 1; seq <= 6; ++seq) ids.push_back(s.publish(shop, seq));
  const core::lane pending = s.lane(shop, ids[4], 4);
  s.put(pending);
  s.now += 48h;
  BOOST_TEST(s.all().events == 3U);
  for (std::uint64_t seq = 1; seq <= 6; ++seq) {
    BOOST_TEST_CONTEXT("seq " << seq) {
      BOOST_TEST(s.has(ids[seq]) == (seq >= 4));
      BOOST_TEST(s.has_place(shop, seq) == (seq >= 4));
      BOOST_TEST(s.has_attempt(ids[seq]) == (seq >= 4));
    }
  }
  s.erase(pending);
  BOOST_TEST(s.all().events == 3U);
  BOOST_TEST(!s.has(ids[6]));
}

BOOST_AUTO_TEST_CASE(parked_replayed_and_passed_over_events_stay) {
  store_under_test s;
  constexpr core::stream_id loose{core::entity_kind::unordered, 900};
  std::vector<core::event_id> ids{{}};
  for (std::uint64_t seq = 1; seq <= 8; ++seq) ids.push_back(s.publish(loose, seq));
  core::lane parked = s.lane(loose, ids[2], 2, ids[2]);
  parked.state = core::lane_state::parked;
  s.put(parked);
  const core::lane replay = s.lane(loose, ids[5], 5, ids[5]);
  s.put(replay);
  write_plan mark;
  s.repo->put_skipped(mark, ids[7], vendor);
  s.commit(std::move(mark));
  s.now += 48h;
  BOOST_TEST(s.all().events == 5U);
  const std::set<std::uint64_t> expected{2, 5, 7};
  for (std::uint64_t seq = 1; seq <= 8; ++seq) {
    BOOST_TEST_CONTEXT("seq " << seq) {
      BOOST_TEST(s.has(ids[seq]) == expected.contains(seq));
      BOOST_TEST(s.has_place(loose, seq) == expected.contains(seq));
      BOOST_TEST(s.has_attempt(ids[seq]) == expected.contains(seq));
    }
  }
  s.erase(parked);
  s.erase(replay);
  write_plan unmark;
  s.repo->erase_skipped(unmark, ids[7], vendor);
  s.commit(std::move(unmark));
  BOOST_TEST(s.all().events == 3U);
}

BOOST_AUTO_TEST_CASE(a_size_limit_keeps_the_newest) {
  store_under_test s({24h * 365, 24h * 365, 64 * 1024, 16 * 1024});
  for (std::uint64_t seq = 1; seq <= 5'000; ++seq) s.publish(shop, seq);
  BOOST_REQUIRE(s.db->flush().ok());
  const auto dropped = s.all();
  BOOST_TEST(dropped.events > 2'000U);
  BOOST_TEST(dropped.events < 5'000U);
  BOOST_TEST(dropped.attempts > 1'000U);
  BOOST_TEST(dropped.attempts < 5'000U);
  BOOST_TEST(s.has(core::event_id{5'000}));
  BOOST_TEST(s.has_attempt(core::event_id{5'000}));
  BOOST_TEST(!s.has(core::event_id{1}));
  const auto events = s.db->family_bytes()[static_cast<std::size_t>(family::events)];
  BOOST_TEST(events < 2U * 64 * 1024);
  BOOST_TEST(s.all().events < 500U);  // it rests at its size
}

BOOST_AUTO_TEST_CASE(the_horizon_survives_a_restart_and_does_not_fall) {
  store_under_test s;
  for (std::uint64_t seq = 1; seq <= 4; ++seq) s.publish(shop, seq);
  s.now += 48h;
  const core::event_id young = s.publish(shop, 5);
  s.all();
  const core::event_id from = s.gate.events_from();
  BOOST_TEST((from == young));
  s.close();
  s.now -= 100h;  // a clock that was set back brings nothing back
  retention_gate fresh;
  s.open();
  retention again(*s.db, *s.repo, *s.writer, s.ids, fresh, s.limits, [&s] { return s.now; });
  BOOST_REQUIRE(again.load().ok());
  BOOST_TEST((fresh.events_from() == young));
  BOOST_TEST((fresh.attempts_from() == young));
  BOOST_REQUIRE(again.round(retention::extent::all).ok());
  BOOST_TEST((fresh.events_from() == young));
  BOOST_TEST(s.has(young));
}

// The hour's round does not rewrite files for a few rows; a day's does.
BOOST_AUTO_TEST_CASE(a_usual_round_waits_until_it_is_worth_it) {
  store_under_test s;
  s.publish(shop, 1);
  s.now += 30h;
  s.publish(shop, 2);
  s.now += 18h;
  auto first = s.kept->round(retention::extent::usual);  // the first one is also the day's
  BOOST_REQUIRE(first.ok());
  BOOST_TEST(first->events == 1U);
  s.now += 10h;  // old enough now, but little, and the day is not over
  auto second = s.kept->round(retention::extent::usual);
  BOOST_REQUIRE(second.ok());
  BOOST_TEST(s.has(core::event_id{2}));
  s.now += 15h;
  auto third = s.kept->round(retention::extent::usual);
  BOOST_REQUIRE(third.ok());
  BOOST_TEST(!s.has(core::event_id{2}));
}

// The families that are not in the order of event ids are rewritten whole, so not for a few rows.
BOOST_AUTO_TEST_CASE(a_sweep_leaves_families_of_small_rows_until_a_share_of_them_can_go) {
  store_under_test s({72h, 72h, 0, 0});
  for (std::uint64_t seq = 1; seq <= 100; ++seq) s.publish(shop, seq);
  s.now += 24h;
  s.publish(shop, 101);
  s.now += 24h;
  for (std::uint64_t seq = 102; seq <= 400; ++seq) s.publish(shop, seq);
  const auto usual = [&] {
    auto done = s.kept->round(retention::extent::usual);
    BOOST_REQUIRE(done.ok());
    return done->events;
  };
  s.now += 25h;
  BOOST_TEST(usual() == 100U);
  BOOST_TEST(!s.has_place(shop, 100));
  BOOST_TEST(s.marks() == 300U);
  s.now += 25h;
  BOOST_TEST(usual() == 1U);
  BOOST_TEST(!s.has(core::event_id{101}));
  BOOST_TEST(s.has_place(shop, 101));
  BOOST_TEST(s.marks() == 300U);
  s.now += 25h;
  BOOST_TEST(usual() == 299U);
  BOOST_TEST(!s.has_place(shop, 101));
  BOOST_TEST(s.marks() == 0U);
  // Asked for, they are rewritten for one row, too.
  s.publish(shop, 401);
  s.now += 73h;
  for (std::uint64_t seq = 402; seq <= 500; ++seq) s.publish(shop, seq);
  BOOST_TEST(s.all().events == 1U);
  BOOST_TEST(!s.has_place(shop, 401));
  BOOST_TEST(s.marks() == 99U);
}

BOOST_AUTO_TEST_CASE(compacting_everything_tells_what_it_gave_back) {
  store_under_test s;
  for (std::uint64_t seq = 1; seq <= 2'000; ++seq) s.publish(shop, seq);
  s.now += 48h;
  s.kept->start();
  std::promise<core::result<compaction_report>> told;
  s.kept->compact_everything(
      [&told](core::result<compaction_report>&& report) { told.set_value(std::move(report)); });
  const auto report = told.get_future().get();
  BOOST_REQUIRE(report.ok());
  BOOST_TEST(report->dropped.events == 2'000U);
  BOOST_TEST(report->bytes_after < report->bytes_before);
  BOOST_TEST(s.kept->dropped_so_far().events == 2'000U);
  s.kept->stop();
  std::promise<bool> refused;
  s.kept->compact_everything([&refused](auto&& r) { refused.set_value(!r.ok()); });
  BOOST_TEST(refused.get_future().get());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retention_races)

BOOST_AUTO_TEST_CASE(a_turn_waits_for_every_pass_before_it) {
  retention_gate gate;
  std::atomic<bool> stop{false};
  auto first = gate.enter();
  BOOST_TEST(!gate.turn(stop, 0ms));
  auto second = gate.enter();
  BOOST_TEST(!gate.turn(stop, 0ms));
  first.reset();
  BOOST_TEST(!gate.turn(stop, 0ms));
  second.reset();
  BOOST_TEST(gate.turn(stop, 60s));
  first = gate.enter();
  stop = true;
  BOOST_TEST(!gate.turn(stop, 60s));
}

// Publishers and replays on one side, rounds on the other, the horizon close behind the newest
// event: whatever a lane on disk names is on disk, too.
BOOST_AUTO_TEST_CASE(no_lane_ever_names_an_event_that_is_gone) {
  store_under_test s({24h * 365, 24h * 365, 20 * 1024, 20 * 1024});
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> refused{0}, replayed{0};
  // As many for each round: else they would write ever more while a round lasts.
  std::atomic<std::uint64_t> allowed{0};
  const auto work = [&](std::uint64_t entity) {
    const core::stream_id stream{core::entity_kind::published, entity};
    std::vector<core::event_id> mine{{}};
    while (!stop) {
      if (replayed + refused >= allowed) {
        std::this_thread::yield();
        continue;
      }
      const auto pass = s.gate.enter();
      const std::uint64_t seq = mine.size();
      write_plan fresh;
      mine.push_back(s.publish(stream, seq));
      // One of the last events again, as an owner that works ahead of the disk would.
      const std::uint64_t old = seq > 40 ? seq - 40 : 1;
      if (mine[old] < s.gate.events_from()) {
        ++refused;
        continue;
      }
      const core::lane l = s.lane(stream, mine[old], old, mine[old]);
      s.put(l);
      ++replayed;
      if (seq % 3 != 0) s.erase(l);
    }
  };
  std::thread one(work, 1), two(work, 2);
  std::uint64_t dropped = 0;
  for (int i = 0; i < 20; ++i) {
    allowed += 60;
    while (replayed + refused < static_cast<std::uint64_t>(i) * 60) std::this_thread::yield();
    dropped += s.all().events;
  }
  stop = true;
  one.join();
  two.join();
  dropped += s.all().events;
  BOOST_TEST(dropped > 0U);
  BOOST_TEST(refused > 0U);
  std::size_t lanes = 0;
  for (std::uint64_t entity : {1, 2}) {
    const auto waiting = s.repo->lanes_of({core::entity_kind::published, entity});
    BOOST_REQUIRE(waiting.ok());
    for (const core::lane& l : *waiting) {
      ++lanes;
      BOOST_REQUIRE_MESSAGE(s.has(l.head), "a lane names event " << l.head.value);
    }
  }
  BOOST_TEST(lanes > 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
