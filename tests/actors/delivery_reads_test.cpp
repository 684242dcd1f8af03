// What the engine tells about deliveries and attempts: filters, cursors, and who is shown.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "store/database.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated {
namespace {

using namespace std::chrono_literals;
using actors::attempt_choice;
using actors::attempt_record;
using tests::wait_until;

class reading_room : public tests::engine_fixture {
 public:
  reading_room() {
    options.protection = {{0ms, 0ms}, 1.0};
    restart();
  }

  // All pages. Each is full but the last, and the newest comes first.
  std::vector<attempt_record> tried(core::endpoint_id id, const actors::attempt_filter& f,
                                    std::size_t limit = 500) {
    std::vector<attempt_record> out;
    actors::page_request p{limit, {}};
    while (true) {
      const auto found = engine().attempts_at(id, f, p);
      BOOST_REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.failure().detail));
      out.insert(out.end(), found->items.begin(), found->items.end());
      if (!found->next) break;
      BOOST_TEST(found->items.size() == limit);
      p.after = *found->next;
    }
    BOOST_TEST(std::ranges::is_sorted(out, std::ranges::greater{}, &attempt_record::at));
    return out;
  }
  std::vector<attempt_record> tried(core::endpoint_id id, attempt_choice choice) {
    return tried(id, {choice, {}, {}, {}});
  }
  core::event_id first_event(core::subscription_id id) { return events_of(id).front().id; }
  std::uint64_t ended() {
    const auto c = engine().status().counters;
    return c.delivered + c.parked;
  }
  // A new order, and what became of its only event with this answer.
  core::event_id order_answered(const tests::market& m, int status) {
    vendor.answer_with(status);
    const std::uint64_t before = ended();
    const auto id = order(m, true);
    wait_until([&] { return ended() == before + 1; });
    return first_event(id);
  }
  // Time that no attempt before has, and none after.
  core::timestamp pause_between() {
    const auto last = engine().now();
    wait_until([&] { return engine().now() > last; });
    const auto between = engine().now();
    wait_until([&] { return engine().now() > between; });
    return between;
  }
  void change(const tests::market& m, core::exhausted_policy policy) {
    actors::update_endpoint u;
    u.id = m.endpoint;
    u.on_exhausted = policy;
    u.retry_schedule = std::vector<std::chrono::milliseconds>{0ms, 10ms, 10ms};
    created(u);
  }
  core::result<actors::answer> replay_to(core::event_id event, core::endpoint_id to) {
    return await([&](actors::write_reply reply) {
      engine().replay_event(event, to, by_test(), std::move(reply));
    });
  }
  core::result<actors::answer> discard(core::event_id event, core::endpoint_id at) {
    return await([&](actors::write_reply reply) {
      engine().discard_event(event, at, by_test(), std::move(reply));
    });
  }
  std::vector<std::pair<std::uint64_t, std::string>> states(core::event_id event) {
    const auto found = engine().deliveries(event);
    BOOST_REQUIRE(found.ok());
    std::vector<std::pair<std::uint64_t, std::string>> out;
    for (const auto& d : *found) {
      out.emplace_back(d.endpoint.value, std::string{actors::to_string(d.state)});
    }
    return out;
  }
};

bool same(const std::vector<attempt_record>& a, const std::vector<attempt_record>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.event == y.event && x.at == y.at && x.number == y.number;
  });
}

BOOST_FIXTURE_TEST_SUITE(delivery_reads, reading_room)

BOOST_AUTO_TEST_CASE(attempts_are_chosen_by_outcome_and_time_page_by_page) {
  const auto m = make_market();
  change(m, core::exhausted_policy::hold);
  for (int i = 0; i < 3; ++i) order_answered(m, 204);
  const auto between = pause_between();
  for (int i = 0; i < 2; ++i) order_answered(m, 404);
  const auto all = tried(m.endpoint, attempt_choice::any);
  BOOST_TEST(all.size() == 9U);
  const auto delivered = tried(m.endpoint, attempt_choice::delivered);
  BOOST_TEST(delivered.size() == 3U);
  for (const auto& a : delivered) BOOST_TEST(a.ended == "delivered");
  const auto failed = tried(m.endpoint, attempt_choice::failed);
  BOOST_TEST(failed.size() == 6U);
  for (const auto& a : failed) BOOST_TEST(a.error == "http_404");
  const auto parked = tried(m.endpoint, attempt_choice::parked);
  BOOST_TEST(parked.size() == 2U);
  for (const auto& a : parked) BOOST_TEST(a.number == 3U);
  // Both ends of a time range belong to it.
  BOOST_TEST(same(tried(m.endpoint, {attempt_choice::any, {}, between, {}}), delivered));
  BOOST_TEST(same(tried(m.endpoint, {attempt_choice::any, between, {}, {}}), failed));
  const auto oldest = all.back().at;
  BOOST_TEST(tried(m.endpoint, {attempt_choice::any, oldest, oldest, {}}).size() >= 1U);
  BOOST_TEST(tried(m.endpoint, {attempt_choice::parked, {}, between, {}}).empty());
  for (const std::size_t limit : {1U, 2U, 4U}) {
    BOOST_TEST(same(tried(m.endpoint, {}, limit), all));
    BOOST_TEST(same(tried(m.endpoint, {attempt_choice::failed, between, {}, {}}, limit), failed));
  }
  const auto wrong = engine().attempts_at(m.endpoint, {}, {10, "bm9uc2Vuc2U="});
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.failure().kind == core::errc::invalid));
}

BOOST_AUTO_TEST_CASE(what_is_still_parked_is_told_from_what_was) {
  for (const auto policy : {core::exhausted_policy::hold, core::exhausted_policy::skip}) {
    const auto m = make_market();
    change(m, policy);
    const auto first = order_answered(m, 404);
    const auto second = order_answered(m, 404);
    const auto events = [&](attempt_choice choice) {
      std::vector<std::uint64_t> out;
      for (const auto& a : tried(m.endpoint, choice)) out.push_back(a.event.value);
      return out;
    };
    using list = std::vector<std::uint64_t>;
    BOOST_TEST((events(attempt_choice::still_parked) == list{second.value, first.value}));
    vendor.answer_with(204);
    const std::uint64_t delivered = engine().status().counters.delivered;
    BOOST_REQUIRE(replay_to(first, m.endpoint).ok());
    wait_until([&] { return engine().status().counters.delivered == delivered + 1; });
    BOOST_TEST(events(attempt_choice::parked).size() == 2U);
    BOOST_TEST((events(attempt_choice::still_parked) == list{second.value}));
    // Given up again: once in the list, by its last attempt.
    vendor.answer_with(404);
    BOOST_REQUIRE(replay_to(second, m.endpoint).ok());
    wait_until([&] { return events(attempt_choice::parked).size() == 3U; });
    BOOST_TEST((events(attempt_choice::still_parked) == list{second.value}));
    BOOST_REQUIRE(discard(second, m.endpoint).ok());
    BOOST_TEST(events(attempt_choice::still_parked).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_parked_event_that_is_missing_is_among_those_that_still_are) {
  const auto m = make_market();
  change(m, core::exhausted_policy::hold);
  const auto event = order_answered(m, 404);
  const core::lane_key lane{engine().event(event)->stream, m.endpoint, {}};
  restart([&] {
    store::database_options o;
    o.directory = options.directory;
    o.reserve_bytes = 1;
    auto db = store::database::open(o);
    BOOST_REQUIRE(db.ok());
    store::write_plan plan;
    plan.erase(store::family::events, store::id_key(event.value));
    const auto written = (*db)->write({&plan}, {}, true);
    BOOST_REQUIRE((written.result == store::commit_result::committed));
  });
  const auto still = tried(m.endpoint, attempt_choice::still_parked);
  BOOST_REQUIRE_EQUAL(still.size(), 1U);
  BOOST_TEST((still[0].event == event));
  const auto discarded = await(
      [&](actors::write_reply reply) { engine().discard(lane, by_test(), std::move(reply)); });
  BOOST_REQUIRE(discarded.ok());
  BOOST_TEST(tried(m.endpoint, attempt_choice::still_parked).empty());
}

BOOST_AUTO_TEST_CASE(a_replay_to_another_endpoint_is_among_the_deliveries) {
  const auto m = make_market();
  const auto event = order_answered(m, 204);
  core::endpoint late;
  late.scope = core::endpoint_scope::vendor;
  late.scope_id = m.vendor.value;
  late.url = late.origin = vendor.url();
  late.url += "/late";
  late.secret = core::secret_bytes{"MY_SECRET_TOKEN"};
  late.events = {"subscription.created"};
  late.retry_schedule = {0ms};
  const core::endpoint_id other{created(actors::create_endpoint{late})};
  using list = std::vector<std::pair<std::uint64_t, std::string>>;
  const list alone{{m.endpoint.value, "delivered"}};
  BOOST_TEST((states(event) == alone));
  set_state(other, core::endpoint_state::paused);
  BOOST_REQUIRE(replay_to(event, other).ok());
  BOOST_TEST((states(event) == list{alone[0], {other.value, "pending"}}));
  set_state(other, core::endpoint_state::active);
  const list both{alone[0], {other.value, "delivered"}};
  wait_until([&] { return states(event) == both; });
}

// The endpoint's lane of the stream waits at an earlier event and will not come to this one.
BOOST_AUTO_TEST_CASE(a_lane_of_the_stream_says_nothing_of_events_it_passes_over) {
  const auto m = make_market();
  core::endpoint picky;
  picky.scope = core::endpoint_scope::vendor;
  picky.scope_id = m.vendor.value;
  picky.url = picky.origin = vendor.url();
  picky.url += "/picky";
  picky.secret = core::secret_bytes{"MY_SECRET_TOKEN"};
  picky.retry_schedule = {0ms};
  vendor.answer_with(204);
  const auto name = events_of(order(m, true)).front().name;
  picky.events = {name};
  const core::endpoint_id other{created(actors::create_endpoint{picky})};
  vendor.answer_with(404);
  const auto id = order(m, true);
  wait_until([&] { return engine().status_of(other)->counters.parked == 1; });
  act(id, core::subscription_action::report_deployed);
  const auto second = events_of(id).at(1).id;
  vendor.answer_with(204);
  BOOST_REQUIRE(replay_to(second, other).ok());
  const auto state_there = [&] {
    for (const auto& [endpoint, state] : states(second)) {
      if (endpoint == other.value) return state;
    }
    return std::string{"none"};
  };
  wait_until([&] { return engine().status_of(other)->counters.delivered == 1; });
  BOOST_TEST(state_there() == "delivered");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
