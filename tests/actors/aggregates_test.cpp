// Aggregate commitments in an engine: what they count, whoever changes it, and over restarts
// (domain.md, 10.14, invariant 18).
#include <future>
#include <random>

#include "store/aggregates.hpp"
#include "store/codec.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;
using core::subscription_action;

class aggregates_fixture : public engine_fixture {
 public:
  aggregates_fixture() {
    options.simulated_time = true;
    options.events_age = options.attempts_age = 10 * 365 * 24h;
    restart();
    market_ = make_market();
    core::plan sold = *engine().catalog()->find(market_.plan);
    sold.id = {};
    core::plan_resource seats;
    seats.name = "seats";
    seats.value_type = core::value_type::postpaid;
    sold.resources = {seats};
    market_.plan = {created(actors::create_plan{sold})};
    reseller_ = add_tenant(core::tenant_kind::reseller, core::provider_tenant);
    customer_ = add_tenant(core::tenant_kind::customer, reseller_);
  }

  core::subscription_id sell(core::tenant_id to, std::int64_t seats, bool used = true) {
    core::new_subscription wanted;
    wanted.tenant = to;
    wanted.plan = market_.plan;
    wanted.paid = true;
    wanted.quantities = {{"seats", seats}};
    auto a = await([&](actors::write_reply reply) {
      engine().create_subscription(wanted, by_test(), text_of, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a ? "" : a.failure().detail));
    const core::subscription_id id{std::stoull(a->body)};
    if (used) act(id, subscription_action::report_deployed);
    return id;
  }

  core::result<actors::answer> change(core::subscription_id id, core::subscription_command c) {
    return await([&](actors::write_reply reply) {
      engine().command(id, std::move(c), by_test(), text_of, std::move(reply));
    });
  }
  void set_seats(core::subscription_id id, std::int64_t seats) {
    core::subscription_command c;
    c.action = subscription_action::change;
    c.new_quantities = core::quantities{{"seats", seats}};
    BOOST_REQUIRE(change(id, std::move(c)).ok());
  }

  core::result<actors::answer> try_commit(core::tenant_id reseller, std::uint32_t tier = 0) {
    core::new_aggregate wanted;
    wanted.group = {reseller, core::entity_kind::product, market_.product.value, "seats"};
    wanted.vendor = market_.vendor;
    wanted.tiers = {0, 100, 500};
    wanted.committed = tier;
    wanted.term_months = tier == 0 ? 0 : 12;
    return await([&](actors::write_reply reply) {
      const auto id_of = [](const core::aggregate& c, bool) {
        return actors::answer{201, std::to_string(c.id.value)};
      };
      engine().create_commitment(wanted, by_test(), id_of, std::move(reply));
    });
  }
  core::commitment_id commit_to(core::tenant_id reseller, std::uint32_t tier = 0) {
    const auto a = try_commit(reseller, tier);
    BOOST_REQUIRE_MESSAGE(a.ok(), (a ? "" : a.failure().detail));
    return {std::stoull(a->body)};
  }
  core::result<actors::answer> steer(core::commitment_id id, core::aggregate_action action) {
    core::aggregate_command c;
    c.action = action;
    return await([&](actors::write_reply reply) {
      const auto nothing = [](const core::aggregate&, bool) { return actors::answer{}; };
      engine().command(id, c, by_test(), nothing, std::move(reply));
    });
  }
  core::aggregate look(core::commitment_id id) {
    auto found = engine().commitment(id);
    BOOST_REQUIRE(found.ok());
    return *found;
  }
  // It is told after the commit, so it may take a moment.
  void wait_for(core::commitment_id id, std::int64_t counter) {
    wait_until([&] { return look(id).counter == counter; });
    BOOST_TEST(look(id).counter == counter);
  }
  void pass(std::chrono::milliseconds time) {
    std::promise<core::result<actors::clock_status>> told;
    engine().move_clock({engine().now() + time, false},
                        [&told](auto&& outcome) { told.set_value(std::move(outcome)); });
    const auto there = told.get_future().get();
    BOOST_REQUIRE_MESSAGE(there.ok(), (there ? "" : there.failure().detail));
  }

 protected:
  static actors::answer text_of(const core::subscription& s, bool) {
    return {200, std::to_string(s.id.value)};
  }

  market market_;
  core::tenant_id reseller_, customer_;
};

BOOST_FIXTURE_TEST_SUITE(aggregates, aggregates_fixture)

BOOST_AUTO_TEST_CASE(what_is_in_use_below_the_reseller_is_counted_and_nothing_else) {
  const auto early = sell(customer_, 7);
  const auto id = commit_to(reseller_);
  const auto above = commit_to(core::provider_tenant);
  wait_for(id, 7);
  const auto elsewhere = add_tenant(core::tenant_kind::customer, core::provider_tenant);
  sell(elsewhere, 1'000);
  const auto waits = sell(customer_, 20, false);
  wait_for(above, 1'007);
  BOOST_TEST(look(id).counter == 7);
  act(waits, subscription_action::report_deployed);
  wait_for(id, 27);
  act(waits, subscription_action::report_deployed);  // again: nothing
  set_seats(early, 10);
  wait_for(id, 30);
  act(early, subscription_action::suspend);
  act(early, subscription_action::resume);
  act(early, subscription_action::cancel);  // STOPPED: it counts until it goes
  act(waits, subscription_action::terminate);
  wait_for(id, 10);
  act(early, subscription_action::terminate);
  wait_for(id, 0);
  wait_for(above, 1'000);
}

BOOST_AUTO_TEST_CASE(transfers_and_moved_tenants_move_the_counters) {
  const auto other = add_tenant(core::tenant_kind::reseller, core::provider_tenant);
  const auto its_customer = add_tenant(core::tenant_kind::customer, other);
  const auto here = commit_to(reseller_);
  const auto there = commit_to(other);
  const auto sold = sell(customer_, 40);
  sell(customer_, 2);
  wait_for(here, 42);
  core::subscription_command c;
  c.action = subscription_action::transfer;
  c.new_tenant = its_customer;
  BOOST_REQUIRE(change(sold, std::move(c)).ok());
  wait_for(here, 2);
  wait_for(there, 40);
  auto moved = await([&](actors::write_reply reply) {
    core::tenant_command command;
    command.edit.parent = reseller_;
    const auto nothing = [](const core::tenant&, bool) { return actors::answer{}; };
    engine().command(its_customer, command, by_test(), nothing, std::move(reply));
  });
  BOOST_REQUIRE_MESSAGE(moved.ok(), (moved ? "" : moved.failure().detail));
  wait_for(here, 42);
  wait_for(there, 0);
}

BOOST_AUTO_TEST_CASE(a_restart_finds_what_was_lost_and_what_is_wrong) {
  const auto id = commit_to(reseller_);
  const auto sold = sell(customer_, 40);
  sell(customer_, 3);
  wait_for(id, 43);
  restart([&] {
    auto db = store::database::open({.directory = options.directory});
    BOOST_REQUIRE(db.ok());
    const auto present = store::aggregates(**db).find(id);
    core::aggregate wrong = **present;
    wrong.counter = 999;  // as no crash can leave it
    store::write_plan plan;
    store::aggregates::put(plan, wrong, &**present);
    // As if the word of it had been lost.
    store::aggregates::put(plan, id, sold, {1, 0});
    BOOST_REQUIRE(((*db)->write({&plan}, {}, true).result == store::commit_result::committed));
  });
  wait_for(id, 43);
  set_seats(sold, 50);
  wait_for(id, 53);
  restart();
  wait_for(id, 53);
}

// More than are looked at in one go, while others change.
BOOST_AUTO_TEST_CASE(very_many_are_counted_in_pages) {
  const auto id = commit_to(reseller_);
  const auto sold = sell(customer_, 2);
  wait_for(id, 2);
  constexpr std::uint64_t many = 2 * core::limits::recount_rows_max + 7;
  restart([&] {
    auto db = store::database::open({.directory = options.directory});
    BOOST_REQUIRE(db.ok());
    auto copy = store::decode_subscription(
        **(*db)->get(store::family::subscriptions, store::id_key(sold.value).view()));
    BOOST_REQUIRE(copy.ok());
    store::write_plan plan;
    for (std::uint64_t i = 1; i <= many; ++i) {
      copy->id = {1'000'000 + i};
      plan.put(store::family::subscriptions, store::id_key(copy->id.value), store::encode(*copy));
      plan.put(store::family::index, store::index_key('v', copy->vendor.value, copy->id.value), {});
    }
    BOOST_REQUIRE(((*db)->write({&plan}, {}, true).result == store::commit_result::committed));
  });
  set_seats(sold, 5);  // perhaps already passed, perhaps not
  wait_for(id, 2 * static_cast<std::int64_t>(many) + 5);
}

BOOST_AUTO_TEST_CASE(the_month_sets_the_tier_and_the_year_renews_it) {
  const auto free = commit_to(reseller_);
  const auto bound = commit_to(core::provider_tenant, 3);
  sell(customer_, 110);
  wait_for(free, 110);
  BOOST_TEST(look(free).tier == 1U);
  pass(32 * 24h);
  BOOST_TEST(look(free).tier == 2U);
  BOOST_TEST(look(bound).tier == 3U);
  BOOST_TEST(look(bound).shortfall == 390);
  BOOST_TEST((look(bound).next_recount > engine().now()));
  pass(366 * 24h);
  BOOST_TEST((look(bound).state == core::commitment_state::renewed));
  BOOST_TEST(look(bound).counter == 110);
  actors::event_filter f;
  f.stream = core::stream_of(bound);
  std::vector<std::string> names;
  actors::page_request all;
  all.limit = 100;
  const auto events = engine().events(f, all);
  BOOST_REQUIRE(events.ok());
  std::uint64_t seq = 0;
  for (const core::event& e : events->items) {
    if (names.empty() || names.back() != e.name) names.push_back(e.name);
    BOOST_TEST(e.seq == ++seq);
  }
  BOOST_TEST((names == std::vector<std::string>{"commitment.created", "commitment.shortfall",
                                                "commitment.renewed", "commitment.shortfall"}));
}

BOOST_AUTO_TEST_CASE(a_reseller_has_one_for_a_group_and_may_have_another_when_it_has_ended) {
  const auto first = commit_to(reseller_);
  BOOST_TEST(try_commit(reseller_).failure().code == "commitment_exists");
  BOOST_TEST(try_commit(customer_).failure().fields.at(0).pointer == "/reseller_id");
  BOOST_REQUIRE(steer(first, core::aggregate_action::cancel).ok());
  const auto second = commit_to(reseller_);
  sell(customer_, 5);
  wait_for(second, 5);
  BOOST_TEST(look(first).counter == 0);
  restart();
  BOOST_TEST(try_commit(reseller_).failure().code == "commitment_exists");
  actors::aggregate_filter f;
  f.within = reseller_;
  BOOST_TEST(engine().commitments(f, {})->items.size() == 2U);
  f.state = core::commitment_state::cancelled;
  BOOST_TEST(engine().commitments(f, {})->items.size() == 1U);
  f.within = customer_;
  BOOST_TEST(engine().commitments(f, {})->items.empty());
}

// Whatever happens to the subscriptions, in the end the counter is their sum.
BOOST_AUTO_TEST_CASE(the_counter_is_the_sum_after_everything) {
  const auto id = commit_to(reseller_);
  std::minstd_rand random(7);
  const auto pick = [&random](unsigned of) { return static_cast<unsigned>(random() % of); };
  std::vector<core::subscription_id> sold;
  for (int i = 0; i < 8; ++i) sold.push_back(sell(customer_, 1 + pick(9), pick(2) == 0));
  for (int step = 0; step < 120; ++step) {
    const auto which = sold[pick(8)];
    constexpr subscription_action actions[] = {
        subscription_action::report_deployed, subscription_action::suspend,
        subscription_action::resume, subscription_action::report_deployed,
        subscription_action::terminate};
    core::subscription_command c;
    c.action = actions[pick(step < 80 ? 4 : 5)];
    if (pick(2) == 0) {
      c.action = subscription_action::change;
      c.new_quantities = core::quantities{{"seats", 1 + pick(50)}};
    }
    (void)change(which, std::move(c));  // some are refused
    if (step == 60) restart();
  }
  std::int64_t sum = 0;
  for (const auto one : sold) {
    auto found = engine().subscription(one);
    BOOST_REQUIRE(found.ok());
    sum += core::counted_units(*found, look(id).group);
  }
  wait_for(id, sum);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
