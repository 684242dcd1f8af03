// Simulated time is moved in steps: in order, on disk first, and never past what does not end.
#include "actors/clock_walk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <mutex>
#include <vector>

#include "tests/support/wait_until.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;
using actors::clock_move;
using actors::clock_status;

const core::timestamp noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h};

// A machine whose clock stands still, and timers that are handled when they are looked at.
class timers {
 public:
  timers() { begin(); }
  ~timers() { walk->stop(); }

  void begin(std::chrono::milliseconds patience = 30s) {
    actors::clock_walk::means m;
    m.save = [this](std::chrono::milliseconds ahead) -> core::result<void> {
      if (refuse) return core::error{core::errc::unavailable, "no_space", "full", {}, {}};
      saved.push_back(ahead);
      seen_when_saved.push_back(clock.ahead());
      return {};
    };
    m.look = [this](const std::function<void(const actors::pending_work&)>& tell) { look(tell); };
    m.moved = [this] { ++arrivals; };
    m.patience = patience;
    walk = std::make_unique<actors::clock_walk>(clock, std::move(m));
    walk->start();
  }

  core::result<clock_status> move(clock_move wanted) { return asked(wanted).get(); }
  std::future<core::result<clock_status>> asked(clock_move wanted) {
    auto told = std::make_shared<std::promise<core::result<clock_status>>>();
    walk->move(wanted, [told](auto&& outcome) { told->set_value(std::move(outcome)); });
    return told->get_future();
  }
  clock_status shown() {
    std::promise<core::result<clock_status>> told;
    walk->show([&told](auto&& outcome) { told.set_value(std::move(outcome)); });
    const auto found = told.get_future().get();
    BOOST_REQUIRE(found.ok());
    return *found;
  }

  actors::simulated_clock clock{[] { return noon; }};
  std::vector<core::timestamp> due;  // guarded by mutex from the first walk on
  std::vector<std::pair<core::timestamp, core::timestamp>> handled;  // its instant, the clock's
  std::optional<std::chrono::milliseconds>
      again;  // each timer arms another one so much later, once
  std::vector<std::chrono::milliseconds> saved, seen_when_saved;
  std::atomic<bool> stuck{false}, refuse{false};
  int arrivals = 0;
  std::unique_ptr<actors::clock_walk> walk;

 private:
  void look(const std::function<void(const actors::pending_work&)>& tell) {
    std::sort(due.begin(), due.end());
    actors::pending_work open;
    const bool ready = !due.empty() && due.front() <= clock.now();
    if (ready && stuck) {
      open.due = 1;
    } else if (ready) {
      handled.emplace_back(due.front(), clock.now());
      due.erase(due.begin());
      if (again) due.push_back(clock.now() + *std::exchange(again, std::nullopt));
      ++commits_;
    }
    if (!due.empty()) open.next = *std::min_element(due.begin(), due.end());
    open.commits = commits_;
    tell(open);
  }

  std::uint64_t commits_ = 0;
};

BOOST_FIXTURE_TEST_SUITE(clock_walk, timers)

BOOST_AUTO_TEST_CASE(each_timer_is_handled_at_its_own_instant_in_order) {
  due = {noon + 72h, noon + 1h, noon + 9000h};
  again = 30min;
  const auto there = move({noon + 8760h});
  BOOST_REQUIRE(there.ok());
  BOOST_TEST((there->now == noon + 8760h));
  BOOST_TEST((there->next == noon + 9000h));
  BOOST_TEST(there->due == 0U);
  const std::vector<core::timestamp> wanted{noon + 1h, noon + 90min, noon + 72h};
  BOOST_REQUIRE(handled.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    BOOST_TEST((handled[i] == std::pair{wanted[i], wanted[i]}), i);
  }
  BOOST_TEST(arrivals == 1);
}

BOOST_AUTO_TEST_CASE(every_step_is_saved_before_the_clock_shows_it) {
  due = {noon + 1h};
  BOOST_REQUIRE(move({noon + 2h}).ok());
  BOOST_TEST((saved == std::vector<std::chrono::milliseconds>{1h, 2h}));
  BOOST_TEST((seen_when_saved == std::vector<std::chrono::milliseconds>{0h, 1h}));
}

BOOST_AUTO_TEST_CASE(a_step_that_cannot_be_saved_is_not_made) {
  refuse = true;
  const auto there = move({noon + 2h});
  BOOST_REQUIRE(!there.ok());
  BOOST_TEST(there.failure().code == "no_space");
  BOOST_TEST((clock.now() == noon));
}

BOOST_AUTO_TEST_CASE(a_jump_makes_no_halt) {
  due = {noon + 1h, noon + 2h};
  BOOST_REQUIRE(move({noon + 24h, true}).ok());
  BOOST_REQUIRE(handled.size() == 2U);
  BOOST_TEST((handled[0] == std::pair{noon + 1h, noon + 24h}));
  BOOST_TEST((handled[1] == std::pair{noon + 2h, noon + 24h}));
}

BOOST_AUTO_TEST_CASE(the_clock_stays_where_something_does_not_end) {
  walk->stop();
  begin(20ms);
  due = {noon + 1h, noon + 2h};
  stuck = true;
  const auto there = move({noon + 24h});
  BOOST_REQUIRE(!there.ok());
  BOOST_TEST(there.failure().code == "clock_waits");
  BOOST_TEST((clock.now() == noon + 1h));
  stuck = false;
  BOOST_REQUIRE(move({noon + 24h}).ok());
  BOOST_TEST((handled[0] == std::pair{noon + 1h, noon + 1h}));
  BOOST_TEST((handled[1] == std::pair{noon + 2h, noon + 2h}));
}

BOOST_AUTO_TEST_CASE(it_goes_forward_only_and_not_too_far) {
  for (const core::timestamp wrong : {noon - 1ms, noon + actors::clock_step_max + 1ms}) {
    const auto refused = move({wrong, true});
    BOOST_REQUIRE(!refused.ok());
    BOOST_TEST(refused.failure().code == "clock_out_of_range");
  }
  BOOST_TEST((clock.now() == noon));
  clock.set_ahead(5h);
  clock.set_ahead(4h);
  BOOST_TEST((clock.now() == noon + 5h));
  BOOST_REQUIRE(move({noon + 5h}).ok());  // there already
  clock.set_ahead(actors::clock_ahead_max);
  BOOST_TEST(!move({clock.now() + 1ms}).ok());
}

BOOST_AUTO_TEST_CASE(one_walk_at_a_time_and_the_end_of_the_daemon_ends_it) {
  due = {noon + 1h};
  stuck = true;
  auto first = asked({noon + 24h});
  wait_until([this] { return clock.now() == noon + 1h; });
  const auto second = move({noon + 48h});
  BOOST_REQUIRE(!second.ok());
  BOOST_TEST(second.failure().code == "clock_is_moving");
  const auto seen = shown();
  BOOST_TEST((seen.moving_to == noon + 24h));
  walk->stop();
  const auto outcome = first.get();
  BOOST_REQUIRE(!outcome.ok());
  BOOST_TEST((outcome.failure().kind == core::errc::unavailable));
  BOOST_TEST(!move({noon + 48h}).ok());
}

BOOST_AUTO_TEST_CASE(what_is_open_is_shown) {
  due = {noon + 1h};
  const auto seen = shown();
  BOOST_TEST(seen.simulated);
  BOOST_TEST((seen.now == noon));
  BOOST_TEST((seen.next == noon + 1h));
  BOOST_TEST(!seen.moving_to.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
