// Retention while the disk is too full for others, and while the daemon ends.
#include <thread>

#include "tests/store/retention_fixture.hpp"
#include "tests/support/wait_until.hpp"

namespace syndicated::store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t more_than_any_disk = UINT64_MAX;

write_plan usual_plan(const store_under_test& s) {
  write_plan plan;
  s.repo->put_last_seq(plan, shop, 999);
  return plan;
}

// A round on a thread of its own.
class round_elsewhere {
 public:
  explicit round_elsewhere(store_under_test& s)
      : result_(std::async(std::launch::async,
                           [&s] { return s.kept->round(retention::extent::all); })) {}
  bool ended() const { return result_.wait_for(0s) == std::future_status::ready; }
  core::result<dropped_rows> get() { return result_.get(); }

 private:
  std::future<core::result<dropped_rows>> result_;
};

BOOST_AUTO_TEST_SUITE(retention_on_a_full_disk)

BOOST_AUTO_TEST_CASE(a_round_gives_space_back_from_the_reserve) {
  store_under_test s;
  for (std::uint64_t seq = 1; seq <= 3'000; ++seq) s.publish(shop, seq);
  BOOST_REQUIRE(s.db->flush().ok());
  s.now += 48h;
  s.close();
  s.open(more_than_any_disk);
  BOOST_TEST((s.outcome_of(usual_plan(s)) == commit_result::no_space));
  const std::uint64_t before = s.db->stored_bytes_now();
  BOOST_TEST(s.all().events == 3'000U);
  BOOST_TEST(s.db->stored_bytes_now() < before);
  BOOST_TEST((s.outcome_of(usual_plan(s)) == commit_result::no_space));
  s.close();
  retention_gate fresh;
  s.open();
  retention again(*s.db, *s.repo, *s.writer, s.ids, fresh, s.limits, [&s] { return s.now; });
  BOOST_REQUIRE(again.load().ok());
  BOOST_TEST(fresh.events_from().value == 3'001U);
}

// A batch with a plan that may not use the reserve is refused whole; nothing goes before the
// horizon is on disk.
BOOST_AUTO_TEST_CASE(the_horizon_is_written_in_a_later_batch_if_its_own_is_refused) {
  store_under_test s;
  s.publish(shop, 1);
  s.now += 48h;
  s.close();
  s.open(more_than_any_disk, false);
  round_elsewhere round(s);
  tests::wait_until([&] { return s.writer->stats().queued == 1; });
  commit_result told = commit_result::committed;
  write_plan other = usual_plan(s);
  other.done = [&told](commit_result r) { told = r; };
  s.writer->submit(std::move(other));
  BOOST_TEST(s.writer->run_once());
  BOOST_TEST((told == commit_result::no_space));
  tests::wait_until([&] { return s.writer->stats().queued == 1; });
  BOOST_TEST(s.has(core::event_id{1}));
  BOOST_TEST(!s.repo->find_retention()->events_from);
  tests::wait_until([&] {
    s.writer->run_once();
    return round.ended();
  });
  const auto dropped = round.get();
  BOOST_REQUIRE(dropped.ok());
  BOOST_TEST(dropped->events == 1U);
  BOOST_TEST(!s.has(core::event_id{1}));
  BOOST_TEST(s.repo->find_retention()->events_from.value == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retention_at_the_end)

BOOST_AUTO_TEST_CASE(a_round_that_waits_for_a_plan_ends_at_once) {
  store_under_test s;
  const core::event_id id = s.publish(shop, 1);
  s.now += 48h;
  s.kept->start();
  auto pass = s.gate.enter();
  std::promise<bool> told;
  s.kept->compact_everything(
      [&told](core::result<compaction_report>&& report) { told.set_value(report.ok()); });
  tests::wait_until([&] { return s.gate.events_from() > id; });
  s.kept->stop();
  BOOST_TEST(!told.get_future().get());
  BOOST_TEST(s.has(id));
  pass.reset();
  s.close();
  s.open();
  BOOST_TEST(!s.repo->find_retention()->events_from);  // the horizon was not on disk yet
  BOOST_TEST(s.has(id));
}

// Whatever the compaction got to: what is there is whole, and the next one takes the rest.
BOOST_AUTO_TEST_CASE(a_compaction_is_cut_short_and_the_next_one_goes_on) {
  constexpr std::uint64_t count = 5'000;
  store_under_test s;
  for (std::uint64_t seq = 1; seq <= count; ++seq) s.publish(shop, seq);
  const core::event_id held{count / 2};
  s.put(s.lane(shop, held, count / 2));
  s.now += 48h;
  s.kept->start();
  std::promise<bool> told;
  s.kept->compact_everything(
      [&told](core::result<compaction_report>&& report) { told.set_value(report.ok()); });
  // The horizon is on disk: from here on rows go.
  tests::wait_until([&] { return s.repo->find_retention()->events_from > held; });
  s.kept->stop();
  told.get_future().get();
  s.close();
  s.open();
  for (std::uint64_t seq = held.value; seq <= count; ++seq) {
    BOOST_REQUIRE_MESSAGE(s.has(core::event_id{seq}), "event " << seq);
    BOOST_REQUIRE_MESSAGE(s.has_place(shop, seq), "place " << seq);
  }
  s.all();
  for (std::uint64_t seq = 1; seq < held.value; ++seq) {
    BOOST_REQUIRE_MESSAGE(!s.has(core::event_id{seq}), "event " << seq);
    BOOST_REQUIRE_MESSAGE(!s.has_place(shop, seq), "place " << seq);
    BOOST_REQUIRE_MESSAGE(!s.has_attempt(core::event_id{seq}), "attempt " << seq);
  }
}

// Ended in the wrong order, nothing hangs and nothing goes.
BOOST_AUTO_TEST_CASE(without_a_committer_nothing_goes) {
  store_under_test s;
  const core::event_id id = s.publish(shop, 1);
  s.now += 48h;
  s.writer->stop();
  const auto done = s.kept->round(retention::extent::all);
  BOOST_REQUIRE(!done.ok());
  BOOST_TEST(done.failure().code == "store_io");
  BOOST_TEST(s.has(id));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
