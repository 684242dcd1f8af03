// What retention drops, what it must not, and the race with those who still want an old event.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "store/retention.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

using namespace std::chrono_literals;
using tests::temporary_directory;

constexpr core::stream_id shop{core::entity_kind::published, 77};
constexpr core::endpoint_id vendor{5};
const core::timestamp start = core::from_unix_ms(1'800'000'000'000);

// A store with a clock of its own, opened again at will.
struct store_under_test {
  temporary_directory directory{temporary_directory::place::in_memory};
  retention_limits limits{24h, 24h, 0, 0};
  core::timestamp now = start;
  vault secrets = std::move(vault::with_key(std::string(32, 'k'))).value();
  std::unique_ptr<database> db;
  id_source ids;
  std::unique_ptr<repository> repo;
  std::unique_ptr<committer> writer;
  retention_gate gate;
  std::unique_ptr<retention> kept;

  explicit store_under_test(retention_limits l = {24h, 24h, 0, 0}) : limits(l) { open(); }
  ~store_under_test() { close(); }

  void open() {
    auto opened = database::open({directory.path()});
    BOOST_REQUIRE(opened.ok());
    db = std::move(*opened);
    BOOST_REQUIRE(check_store(*db, secrets, ids).ok());
    repo = std::make_unique<repository>(*db, secrets);
    auto made = committer::create(*db, ids, {});
    BOOST_REQUIRE(made.ok());
    writer = std::move(*made);
    writer->start();
    kept =
        std::make_unique<retention>(*db, *repo, *writer, ids, gate, limits, [this] { return now; });
    BOOST_REQUIRE(kept->load().ok());
  }
  void close() {
    kept.reset();
    writer.reset();
    repo.reset();
    db.reset();
  }
  void commit(write_plan plan) {
    std::promise<commit_result> done;
    plan.done = [&done](commit_result r) { done.set_value(r); };
    writer->submit(std::move(plan));
    // Not with Boost's macros: other threads commit, too.
    if (done.get_future().get() != commit_result::committed) __builtin_trap();
  }

  core::event_id publish(const core::stream_id& stream, std::uint64_t seq, write_plan plan = {}) {
    const auto pass = gate.enter();
    core::event e;
    e.id = ids.next_event();
    e.stream = stream;
    e.seq = seq;
    e.name = "shop.sold";
    e.at = now;
    e.data = std::string(400, static_cast<char>('a' + e.id.value % 26));
    e.recipients = {vendor};
    repo->put(plan, e);
    repo->put_last_seq(plan, stream, seq);
    attempt_row row;
    row.event = e.id;
    row.endpoint = vendor;
    row.at = now;
    row.number = 1;
    repo->put(plan, row);
    commit(std::move(plan));
    return e.id;
  }
  core::lane lane(const core::stream_id& stream, core::event_id head, std::uint64_t seq,
                  core::event_id replay = {}) {
    core::lane l;
    l.key = {stream, vendor, replay};
    l.head = head;
    l.next_seq = seq;
    l.backlog = 1;
    return l;
  }
  void put(const core::lane& l) {
    write_plan plan;
    repo->put(plan, l, nullptr);
    commit(std::move(plan));
  }
  void erase(const core::lane& l) {
    write_plan plan;
    repo->erase(plan, l);
    commit(std::move(plan));
  }
  dropped_rows all() {
    auto done = kept->round(retention::extent::all);
    BOOST_REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.failure().detail));
    return *done;
  }
  bool has(core::event_id id) const { return repo->find(id)->has_value(); }
  bool has_place(const core::stream_id& stream, std::uint64_t seq) const {
    return repo->event_at(stream, seq)->has_value();
  }
  bool has_attempt(core::event_id id) const { return repo->last_attempt(id, vendor)->has_value(); }
  std::size_t marks() const {
    std::size_t count = 0;
    BOOST_REQUIRE(repo->attempts_at(vendor, {}, now + 1h, {},
                                    [&](attempt_mark&&) {
                                      ++count;
                                      return true;
                                    })
                      .ok());
    return count;
  }
};

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
