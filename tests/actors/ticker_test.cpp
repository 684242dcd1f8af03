// Lifecycle timers, and what follows when a tenant is disabled or enabled.
#include "actors/ticker.hpp"

#include <boost/test/unit_test.hpp>

#include "core/lifecycle/json.hpp"
#include "tests/actors/stage.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::subscription_action;
using core::subscription_status;
using core::suspension_reason;
using core::tenant_action;

BOOST_FIXTURE_TEST_SUITE(ticker, stage)

BOOST_AUTO_TEST_CASE(an_unpaid_order_expires_at_its_instant_and_not_before) {
  start_ticker();
  const auto id = ordered(add_tenant(), false);
  const auto deadline = core::next_timer(subscription(id));
  BOOST_REQUIRE(deadline.has_value());
  BOOST_TEST((*deadline == now + 72h));
  jump_to(*deadline - 1ms);
  BOOST_TEST((subscription(id).status == subscription_status::waiting_payment));
  pass(1001ms);
  BOOST_TEST((subscription(id).status == subscription_status::payment_expired));
  const auto names = names_of(*this, core::stream_of(id));
  for (int i = 0; i < 20; ++i) pass(100ms);
  BOOST_TEST(names_of(*this, core::stream_of(id)) == names, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_cancelled_one_is_deprovisioned_after_its_grace_then_by_force) {
  start_ticker();
  const auto id = deployed(add_tenant());
  done(act(id, subscription_action::cancel));
  const auto purge_at = subscription(id).purge_at;
  BOOST_REQUIRE(purge_at.has_value());
  BOOST_TEST((*purge_at == now + 720h));
  jump_to(*purge_at - 1ms);
  BOOST_TEST((subscription(id).status == subscription_status::stopped));
  pass(1001ms);
  BOOST_TEST((subscription(id).status == subscription_status::undeploy_sent));
  const auto deadline = core::next_timer(subscription(id));
  BOOST_REQUIRE(deadline.has_value());
  jump_to(*deadline - 1ms);
  BOOST_TEST((subscription(id).status == subscription_status::undeploy_sent));
  pass(1001ms);
  BOOST_TEST((subscription(id).status == subscription_status::undeployed));
}

BOOST_AUTO_TEST_CASE(timers_of_one_instant_do_not_wait_for_the_next_second) {
  start_ticker();
  const auto tenant = add_tenant();
  std::vector<core::subscription_id> ids;
  for (int i = 0; i < 1'300; ++i) ids.push_back(ordered(tenant, false));
  jump_to(*core::next_timer(subscription(ids.front())));
  pass(1s);
  for (const auto id : ids) {
    BOOST_TEST((subscription(id).status == subscription_status::payment_expired));
  }
}

BOOST_AUTO_TEST_CASE(a_payment_in_time_calls_the_timer_off) {
  start_ticker();
  const auto id = ordered(add_tenant(), false);
  pass(71h);
  done(act(id, subscription_action::pay));
  const auto names = names_of(*this, core::stream_of(id));
  jump_to(now + 2h);
  pass(1s);
  BOOST_TEST((subscription(id).status == subscription_status::pending));
  const auto later = names_of(*this, core::stream_of(id));
  BOOST_TEST(std::count(later.begin(), later.end(), "subscription.payment_expired") == 0);
  BOOST_TEST(later.size() == names.size() + 1);  // that provisioning is overdue
}

BOOST_AUTO_TEST_CASE(a_timer_that_the_disk_refused_is_tried_again) {
  start_ticker();
  const auto id = ordered(add_tenant(), false);
  fill_disk();
  now += 73h;
  scheduler().advance_time(100ms);
  run();
  commit();
  empty_disk();
  BOOST_TEST((subscription(id).status == subscription_status::waiting_payment));
  pass(1s);
  BOOST_TEST((subscription(id).status == subscription_status::payment_expired));
}

// ---- cascades -----------------------------------------------------------------------------------

struct family_of_tenants : stage {
  family_of_tenants() {
    reseller = add_tenant(core::provider_tenant, core::tenant_kind::reseller);
    for (int c = 0; c < 3; ++c) {
      customers.push_back(add_tenant(reseller));
      for (int i = 0; i < 20; ++i) subscriptions.push_back(deployed(customers.back()));
    }
    start_ticker();
  }
  void expect(core::subscription_id id, bool usable) {
    const auto s = subscription(id);
    BOOST_TEST(s.usable() == usable);
    BOOST_TEST(s.reasons.has(suspension_reason::tenant_disabled) == !usable);
    names_of(*this, core::stream_of(id));  // no gap
  }
  bool cascade_is_open() {
    bool open = false;
    BOOST_TEST(repo().cascades([&](core::tenant_id&&) { return open = true; }).ok());
    return open;
  }

  core::tenant_id reseller;
  std::vector<core::tenant_id> customers;
  std::vector<core::subscription_id> subscriptions;
};

BOOST_FIXTURE_TEST_CASE(a_quick_series_of_switches_ends_as_if_only_the_last_had_happened,
                        family_of_tenants) {
  for (const bool last_enables : {true, false}) {
    std::vector<outcome_ptr> seen;
    for (int i = 0; i < 4; ++i) {
      seen.push_back(send(act(reseller, tenant_action::disable)));
      for (int n = 0; n < 7 * i; ++n) scheduler().try_run_once();
      if (i % 2 == 0) commit();
      if (i == 3 && !last_enables) break;
      seen.push_back(send(act(reseller, tenant_action::enable)));
      for (int n = 0; n < 5 * i; ++n) scheduler().try_run_once();
    }
    settle();
    for (const auto& o : seen) BOOST_TEST(o->ok());
    for (const auto id : subscriptions) expect(id, last_enables);
    BOOST_TEST(!cascade_is_open());
    for (const auto id : customers) BOOST_TEST(tenant(id).ancestors_enabled == last_enables);
  }
}

BOOST_FIXTURE_TEST_CASE(a_customer_disabled_by_itself_stays_so, family_of_tenants) {
  done(act(customers[1], tenant_action::disable));
  done(act(reseller, tenant_action::disable));
  for (const auto id : subscriptions) expect(id, false);
  done(act(reseller, tenant_action::enable));
  for (std::size_t i = 0; i < subscriptions.size(); ++i) expect(subscriptions[i], i / 20 != 1);
  done(act(customers[1], tenant_action::enable));
  for (const auto id : subscriptions) expect(id, true);
}

BOOST_FIXTURE_TEST_CASE(a_suspension_of_another_kind_survives_the_cascade, family_of_tenants) {
  done(act(subscriptions[5], subscription_action::suspend, suspension_reason::admin_hold));
  done(act(reseller, tenant_action::disable));
  done(act(reseller, tenant_action::enable));
  const auto s = subscription(subscriptions[5]);
  BOOST_TEST(!s.usable());
  BOOST_TEST(s.reasons.has(suspension_reason::admin_hold));
  BOOST_TEST(!s.reasons.has(suspension_reason::tenant_disabled));
}

// One commit after the other for each of them would take minutes with a hundred thousand.
BOOST_FIXTURE_TEST_CASE(customers_with_few_subscriptions_are_walked_together, family_of_tenants) {
  for (int c = 0; c < 150; ++c) subscriptions.push_back(deployed(add_tenant(reseller)));
  const auto disabled = send(act(reseller, tenant_action::disable));
  int commits = 0;
  do {
    run();
  } while (commit() && ++commits < 1000);
  BOOST_TEST(disabled->ok());
  BOOST_TEST(commits < 10);
  for (const auto id : subscriptions) expect(id, false);
  BOOST_TEST(!cascade_is_open());
}

BOOST_FIXTURE_TEST_CASE(an_order_made_during_a_disable_does_not_slip_through, family_of_tenants) {
  const auto ordered_meanwhile = send(order(customers[0], plan));
  send(act(reseller, tenant_action::disable));
  run();  // both decided on the same state of the disk
  settle();
  BOOST_REQUIRE(ordered_meanwhile->ok());
  expect({ordered_meanwhile->number()}, false);
}

BOOST_AUTO_TEST_CASE(a_paused_endpoint_is_told_within_a_second) {
  start_ticker();
  const auto endpoint = new_endpoint(endpoint_of(vendor));
  set_state(endpoint, core::endpoint_state::paused);
  pass(1s);
  BOOST_TEST(
      (names_of(*this, core::stream_of(endpoint)) == std::vector<std::string>{"endpoint.paused"}));
  pass(1s);
  set_state(endpoint, core::endpoint_state::active);
  pass(1s);
  pass(1s);
  BOOST_TEST(names_of(*this, core::stream_of(endpoint)).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
