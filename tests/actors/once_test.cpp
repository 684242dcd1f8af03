// Without a crash every event goes out once: many loops, late news, a stop in good order.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

#include "actors/dispatch_queue.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using tests::engine_fixture;
using tests::wait_until;

class shop : public engine_fixture {
 public:
  // How many events arrived more than once.
  std::size_t repeated() const {
    std::map<std::string, int> times;
    for (const auto& r : vendor.received()) ++times[std::string{r.header("CMW-Event-Id")}];
    return static_cast<std::size_t>(
        std::count_if(times.begin(), times.end(), [](const auto& t) { return t.second > 1; }));
  }
  void wait_for_all() {
    wait_until([&] { return engine().status().counters.pending() == 0; });
  }
};

BOOST_FIXTURE_TEST_SUITE(once, shop)

BOOST_AUTO_TEST_CASE(an_endpoint_has_one_sender_whatever_its_url) {
  options.curl_loops = 3;
  restart();
  const auto m = make_market();
  set_state(m.endpoint, core::endpoint_state::paused);
  for (int i = 0; i < 40; ++i) order(m, true);
  set_state(m.endpoint, core::endpoint_state::active);
  for (int i = 0; i < 10; ++i) {
    actors::update_endpoint moved;
    moved.id = m.endpoint;
    moved.url = vendor.url() + std::to_string(i);
    moved.origin = "http://127.0.0.1:" + std::to_string(i);
    created(moved);
    order(m, true);
  }
  wait_for_all();
  BOOST_TEST(engine().status().counters.delivered == 50U);
  BOOST_TEST(vendor.received().size() == 50U);
  BOOST_TEST(repeated() == 0U);
}

BOOST_AUTO_TEST_CASE(what_was_delivered_before_the_drain_ended_is_not_sent_again) {
  const auto m = make_market();
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 5; ++i) order(m, true);
    BOOST_REQUIRE(engine().drain(10s));
    restart();
  }
  wait_for_all();
  BOOST_TEST(vendor.received().size() == 40U);
  BOOST_TEST(repeated() == 0U);
}

// A refill reads a committed lane before the committer's own news of it arrives.
BOOST_AUTO_TEST_CASE(late_news_of_a_lane_that_was_already_sent_changes_nothing) {
  tests::temporary_directory where;
  store::database_options o;
  o.directory = where.path();
  auto db = store::database::open(o);
  BOOST_REQUIRE(db.ok());
  const auto vault = store::vault::with_key(std::string(32, 'k'));
  store::id_source ids;
  auto committer = store::committer::create(**db, ids, {});
  store::repository repo(**db, *vault);
  actors::services s(repo, **committer, ids);
  const core::timestamp now{1'000'000ms};
  s.now = [now] { return now; };
  actors::dispatch_queue q(s, {7});
  auto settings = std::make_shared<core::endpoint>();
  settings->id = {7};
  q.configure(settings);
  q.refill(now, 100);  // nothing on disk: what is ready comes in directly
  actors::lane_work work;
  work.lane.key = {{core::entity_kind::subscription, 1}, {7}, {}};
  work.lane.head = {11};
  work.lane.due = now;
  const auto news = std::make_shared<const actors::lane_work>(work);
  q.ready(news, true);
  BOOST_REQUIRE((q.can_send(now, true) == actors::sendable::now));
  const auto sent = q.take(now, true);
  q.ready(news, true);  // in flight
  q.finished(sent, {core::response_class::delivered, {}, {}}, 204, now, nullptr);
  q.ready(news, true);  // its outcome is on the way to the disk
  BOOST_TEST((q.can_send(now, true) == actors::sendable::nothing));
  work.lane.head = {12};  // the entity has moved on
  q.ready(std::make_shared<const actors::lane_work>(work), true);
  BOOST_TEST((q.can_send(now, true) == actors::sendable::now));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
