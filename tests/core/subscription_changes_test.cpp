// Plans and quantities: now, with the renewal, and with the vendor's consent; owners.
// Source of the expectations: domain.md 10.5 (S11, S12, S18), 10.6, 10.14 (15, 16).
#include <boost/test/unit_test.hpp>

#include <string>

#include "core/base/limits.hpp"
#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

// A quarter of an hour before the period ends.
const timestamp in_time = noon - 75min;

subscription with_seats(std::int64_t seats) {
  subscription s = in(status::deployed);
  s.quantities["seats"] = seats;
  return s;
}

subscription_command change_to(quantities counts, change_time when = change_time::earliest) {
  subscription_command c;
  c.action = action::change;
  c.new_quantities = std::move(counts);
  c.when = when;
  return c;
}

world asking(silence_policy on_silence) {
  world w;
  w.sold.changes.mode = change_mode::confirm;
  w.sold.changes.on_silence = on_silence;
  w.sold.changes.deadline = 10s;
  return w;
}

subscription_command answer(const subscription& s, bool success, std::string message = {}) {
  subscription_command c = command_for(action::answer_operation);
  c.operation = s.in_progress() != nullptr ? s.in_progress()->number : 0;
  c.success = success;
  c.message = std::move(message);
  return c;
}

BOOST_AUTO_TEST_SUITE(subscription_changes)

BOOST_AUTO_TEST_CASE(more_is_now_and_less_of_what_is_prepaid_comes_with_the_renewal) {
  const world w;
  const auto more = decide(with_seats(5), change_to({{"seats", 9}}), w.at(in_time));
  BOOST_TEST(more->next.quantities.at("seats") == 9);
  BOOST_TEST(has_event(*more, "subscription.quantity_changed"));
  const auto less = decide(with_seats(5), change_to({{"seats", 2}}), w.at(in_time));
  BOOST_TEST(less->next.quantities.at("seats") == 5);
  BOOST_REQUIRE(less->next.scheduled() != nullptr);
  BOOST_TEST((less->next.scheduled()->due_at == less->next.period_end));
  BOOST_TEST(less->events.at(0).name == "subscription.change_scheduled");
  BOOST_TEST((less->events.at(0).type == wire_type::none));
  const auto now =
      decide(with_seats(5), change_to({{"seats", 2}}, change_time::now), w.at(in_time));
  BOOST_TEST(now.failure().code == "not_before_renewal");
  BOOST_TEST(now.failure().fields.at(0).pointer == "/quantities/seats");
}

BOOST_AUTO_TEST_CASE(both_at_once_are_told_apart) {
  const world w;
  subscription s = with_seats(5);
  const auto both = decide(s, change_to({{"seats", 2}, {"packs", 20}}), w.at(in_time));
  BOOST_TEST(both->next.quantities.at("packs") == 20);
  BOOST_TEST(both->next.quantities.at("seats") == 5);
  BOOST_TEST((both->next.scheduled()->to == quantities{{"seats", 2}}));
}

BOOST_AUTO_TEST_CASE(what_is_paid_afterwards_is_lowered_at_once_and_some_never) {
  world w;
  w.offered.resources[0].value_type = value_type::postpaid;
  BOOST_TEST(decide(with_seats(5), change_to({{"seats", 2}}), w.at(in_time))
                 ->next.quantities.at("seats") == 2);
  w.offered.resources[0].downgradable = false;
  BOOST_TEST(decide(with_seats(5), change_to({{"seats", 2}}), w.at(in_time))
                 .failure()
                 .fields.at(0)
                 .pointer == "/quantities/seats");
}

// domain.md 10.16, 9; invariant 16.
BOOST_AUTO_TEST_CASE(the_renewal_takes_on_what_was_scheduled_in_one_event) {
  const world w;
  subscription_command downgrade = change_to({{"seats", 2}}, change_time::renewal);
  downgrade.new_plan = plan_id{5};
  subscription s = decide(with_seats(5), downgrade, w.at(in_time))->next;
  BOOST_TEST((s.plan == plan_id{3}));
  const auto renewed = decide(s, command_for(action::timer), w.at(*s.period_end));
  BOOST_REQUIRE_EQUAL(renewed->events.size(), 1U);
  BOOST_TEST(renewed->events[0].name == "subscription.renewed");
  const std::string& change = renewed->events[0].change_json;
  BOOST_TEST(change.find(R"("plan":{"from":3,"to":5})") != std::string::npos, change);
  BOOST_TEST(change.find(R"("seats":{"from":5,"to":2})") != std::string::npos, change);
  BOOST_TEST((renewed->next.plan == plan_id{5}));
  BOOST_TEST(renewed->next.quantities.at("seats") == 2);
  BOOST_TEST(renewed->next.scheduled() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_plan_that_changed_meanwhile_drops_what_was_scheduled) {
  world w;
  const subscription s = decide(with_seats(5), change_to({{"seats", 2}}), w.at(in_time))->next;
  w.offered.resources[0].min = 3;
  const auto renewed = decide(s, command_for(action::timer), w.at(*s.period_end));
  BOOST_TEST(has_event(*renewed, "subscription.change_unscheduled"));
  BOOST_TEST(has_event(*renewed, "subscription.renewed"));
  BOOST_TEST(renewed->next.quantities.at("seats") == 5);
}

BOOST_AUTO_TEST_CASE(a_new_schedule_takes_the_place_of_the_old_and_may_be_taken_back) {
  const world w;
  subscription s = decide(with_seats(9), change_to({{"seats", 5}}), w.at(in_time))->next;
  const auto same = decide(s, change_to({{"seats", 5}}), w.at(in_time));
  BOOST_TEST(!same->changed);
  const auto other = decide(s, change_to({{"seats", 4}}), w.at(in_time));
  BOOST_TEST(has_event(*other, "subscription.change_unscheduled"));
  BOOST_TEST(has_event(*other, "subscription.change_scheduled"));
  BOOST_TEST((other->next.scheduled()->to == quantities{{"seats", 4}}));
  const auto back = decide(other->next, command_for(action::unschedule), w.at(in_time));
  BOOST_TEST(back->next.scheduled() == nullptr);
  BOOST_TEST(!decide(back->next, command_for(action::unschedule), w.at(in_time))->changed);
}

BOOST_AUTO_TEST_CASE(only_published_plans_of_upgradable_ones) {
  world w;
  subscription_command c = change_to({});
  c.new_plan = plan_id{5};
  w.other.state = publication_state::withdrawn;
  BOOST_TEST(decide(with_seats(5), c, w.at(in_time)).failure().fields.at(0).pointer == "/plan_id");
  w.other.state = publication_state::published;
  w.offered.upgradable = false;
  BOOST_TEST(decide(with_seats(5), c, w.at(in_time)).failure().code == "plan_not_upgradable");
  new_subscription wanted;
  w.offered.state = publication_state::draft;
  BOOST_TEST(
      create_subscription({1}, wanted, a_customer(), w.at(noon)).failure().fields.at(0).pointer ==
      "/plan_id");
}

BOOST_AUTO_TEST_CASE(a_vendor_that_wants_to_be_asked_decides) {
  const world w = asking(silence_policy::reject);
  const auto asked = decide(with_seats(5), change_to({{"seats", 9}}), w.at(in_time));
  BOOST_TEST(asked->next.quantities.at("seats") == 5);  // the old values stay in force
  BOOST_REQUIRE_EQUAL(asked->events.size(), 1U);
  BOOST_TEST(asked->events[0].name == "operation.requested");
  const subscription& s = asked->next;
  BOOST_TEST(decide(s, change_to({{"seats", 8}}), w.at(in_time)).failure().code ==
             "operation_open");
  const auto yes = decide(s, answer(s, true), w.at(in_time + 1s));
  BOOST_TEST(yes->next.quantities.at("seats") == 9);
  BOOST_TEST(yes->events.at(0).name == "operation.succeeded");
  BOOST_TEST(yes->events.at(1).name == "subscription.quantity_changed");
  BOOST_TEST(!decide(yes->next, command_for(action::answer_operation), w.at(in_time)).ok());
  subscription_command again = answer(s, true);
  BOOST_TEST(!decide(yes->next, again, w.at(in_time + 2s))->changed);
  again.success = false;
  BOOST_TEST(decide(yes->next, again, w.at(in_time + 2s)).failure().code == "operation_superseded");
  const auto no = decide(s, answer(s, false, "no room"), w.at(in_time + 1s));
  BOOST_TEST(no->next.quantities.at("seats") == 5);
  BOOST_TEST(no->events.at(0).name == "operation.failed");
  BOOST_TEST(no->next.operations.back().message == "no room");
}

BOOST_AUTO_TEST_CASE(silence_is_what_the_product_says) {
  for (const auto& [policy, event] :
       std::map<silence_policy, std::string>{{silence_policy::accept, "operation.succeeded"},
                                             {silence_policy::reject, "operation.failed"},
                                             {silence_policy::wait, "operation.failed"}}) {
    const world w = asking(policy);
    subscription s = with_seats(5);
    s.period_end = s.end_date = noon + 400 * 24h;
    s = decide(s, change_to({{"seats", 9}}), w.at(in_time))->next;
    const auto wait =
        policy == silence_policy::wait
            ? std::chrono::milliseconds{std::chrono::days{limits::operation_wait_days_max}}
            : std::chrono::milliseconds{10s};
    BOOST_TEST((next_timer(s) == in_time + wait));
    const auto silent = decide(s, command_for(action::timer), w.at(in_time + wait));
    BOOST_TEST(silent->events.at(0).name == event);
    BOOST_TEST(silent->next.quantities.at("seats") == (policy == silence_policy::accept ? 9 : 5));
  }
}

BOOST_AUTO_TEST_CASE(a_cancelled_subscription_drops_what_was_open) {
  const world w = asking(silence_policy::wait);
  const subscription s = decide(with_seats(5), change_to({{"seats", 9}}), w.at(in_time))->next;
  subscription_command cancel = command_for(action::cancel);
  const auto cancelled = decide(s, cancel, w.at(in_time));
  BOOST_TEST(has_event(*cancelled, "operation.cancelled"));
  BOOST_TEST(decide(cancelled->next, answer(s, true), w.at(in_time)).failure().code ==
             "operation_superseded");
}

BOOST_AUTO_TEST_CASE(a_customer_is_bound_for_the_minimum_duration) {
  world w;
  w.offered.unkillable = true;
  w.offered.minimum_duration_months = 12;
  const auto bound = decide(with_seats(5), command_for(action::cancel), w.at(noon));
  BOOST_TEST(bound.failure().code == "minimum_duration");
  subscription_command by_seller = command_for(action::cancel);
  by_seller.by = party::reseller;
  BOOST_TEST(decide(with_seats(5), by_seller, w.at(noon)).ok());
  BOOST_TEST(decide(with_seats(5), command_for(action::cancel), w.at(noon + 366 * 24h)).ok());
}

BOOST_AUTO_TEST_CASE(what_is_sold_once_is_sold_once) {
  world w;
  circumstances c = w.at(noon);
  c.same_product = 1;
  new_subscription wanted;
  BOOST_TEST(create_subscription({1}, wanted, a_customer(), c).ok());
  w.sold.per_customer = per_customer::one_per_company;
  BOOST_TEST(create_subscription({1}, wanted, a_customer(), c).failure().code ==
             "one_per_customer");
  w.sold.per_customer = per_customer::trial;
  BOOST_TEST(create_subscription({1}, wanted, a_customer(), c).ok());
  wanted.type = subscription_type::trial;
  BOOST_TEST(!create_subscription({1}, wanted, a_customer(), c).ok());
}

BOOST_AUTO_TEST_CASE(another_owner_takes_over) {
  const world w;
  tenant other = a_customer();
  other.id = {8};
  other.parent = {5};
  other.path = {{1}, {5}};
  circumstances c = w.at(noon);
  c.new_owner = &other;
  const auto moved = decide(with_seats(5), command_for(action::transfer), c);
  BOOST_TEST((moved->next.tenant == tenant_id{8}));
  BOOST_TEST((moved->next.reseller == tenant_id{5}));
  BOOST_TEST((moved->next.path == std::vector<tenant_id>{{1}, {5}, {8}}));
  BOOST_TEST(moved->events.at(0).name == "subscription.transferred");
  c.tenant_effective = false;
  BOOST_TEST(decide(with_seats(5), command_for(action::transfer), c).failure().code ==
             "tenant_disabled");
  c.tenant_effective = true;
  other.kind = tenant_kind::reseller;
  BOOST_TEST(
      decide(with_seats(5), command_for(action::transfer), c).failure().fields.at(0).pointer ==
      "/tenant_id");
}

BOOST_AUTO_TEST_CASE(old_operations_make_room_and_ids_carry_their_owner) {
  const world w;
  subscription s = with_seats(1);
  s.period_end = noon + 24h;
  for (int i = 2; i < 20; ++i) s = decide(s, change_to({{"seats", i}}), w.at(in_time))->next;
  BOOST_TEST(s.operations.size() == limits::operations_kept_max);
  const operation_id id = operation_of(s.id, s.operations.back().number);
  BOOST_TEST((subscription_of(id) == s.id));
  BOOST_TEST(number_of(id) == s.last_operation);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
