// N1-N5 of domain.md 10.3, as tables.
#include <boost/test/unit_test.hpp>

#include <random>

#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {
namespace {

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");

tenant in(tenant_state state, tenant_kind kind = tenant_kind::customer) {
  tenant t;
  t.id = {5};
  t.kind = kind;
  t.parent = {1};
  t.path = {{1}};
  t.name = "acme";
  t.state = state;
  t.version = 3;
  return t;
}

// "-": refused; "=": nothing changes; else the state that follows.
std::string after(tenant_state from, tenant_action action) {
  tenant_command c;
  c.action = action;
  if (action == tenant_action::update) c.name = "other";
  const auto decided = decide(in(from), c, noon);
  if (!decided.ok()) return "-";
  if (decided->events.empty()) return "=";
  return std::string{to_string(decided->next.state)};
}

BOOST_AUTO_TEST_SUITE(tenant_machine)

BOOST_AUTO_TEST_CASE(every_state_under_every_action) {
  using ts = tenant_state;
  using ta = tenant_action;
  BOOST_TEST(after(ts::enabled, ta::update) == "ENABLED");
  BOOST_TEST(after(ts::enabled, ta::disable) == "DISABLED");
  BOOST_TEST(after(ts::enabled, ta::enable) == "=");
  BOOST_TEST(after(ts::enabled, ta::erase) == "-");
  BOOST_TEST(after(ts::disabled, ta::update) == "DISABLED");
  BOOST_TEST(after(ts::disabled, ta::disable) == "=");
  BOOST_TEST(after(ts::disabled, ta::enable) == "ENABLED");
  BOOST_TEST(after(ts::disabled, ta::erase) == "DELETED");
  BOOST_TEST(after(ts::deleted, ta::update) == "-");
  BOOST_TEST(after(ts::deleted, ta::disable) == "-");
  BOOST_TEST(after(ts::deleted, ta::enable) == "-");
  BOOST_TEST(after(ts::deleted, ta::erase) == "=");
}

BOOST_AUTO_TEST_CASE(an_enabled_tenant_is_not_deleted) {
  tenant_command c;
  c.action = tenant_action::erase;
  BOOST_TEST(decide(in(tenant_state::enabled), c, noon).failure().code == "not_disabled");
}

BOOST_AUTO_TEST_CASE(the_provider_stays) {
  tenant_command c;
  c.action = tenant_action::disable;
  const auto decided = decide(in(tenant_state::enabled, tenant_kind::provider), c, noon);
  BOOST_TEST(decided.failure().code == "provider_is_fixed");
}

BOOST_AUTO_TEST_CASE(who_may_contain_whom) {
  const auto allowed = [](tenant_kind parent, tenant_kind child) {
    new_tenant wanted;
    wanted.kind = child;
    return create_tenant({9}, wanted, in(tenant_state::enabled, parent), true, noon).ok();
  };
  using tk = tenant_kind;
  for (tk parent : {tk::provider, tk::reseller}) {
    BOOST_TEST(allowed(parent, tk::reseller));
    BOOST_TEST(allowed(parent, tk::customer));
    BOOST_TEST(!allowed(parent, tk::unit));
    BOOST_TEST(!allowed(parent, tk::provider));
  }
  BOOST_TEST(allowed(tk::customer, tk::unit));
  BOOST_TEST(!allowed(tk::customer, tk::customer));
  BOOST_TEST(!allowed(tk::unit, tk::unit));
}

BOOST_AUTO_TEST_CASE(resellers_are_nested_to_a_limit) {
  tenant parent = in(tenant_state::enabled, tenant_kind::reseller);
  new_tenant wanted;
  wanted.kind = tenant_kind::reseller;
  parent.path = {{1}, {2}, {3}};
  BOOST_TEST(create_tenant({9}, wanted, parent, true, noon).ok());  // the fourth
  parent.path = {{1}, {2}, {3}, {4}};
  BOOST_TEST(!create_tenant({9}, wanted, parent, true, noon).ok());
  BOOST_TEST(create_tenant({9}, {}, parent, false, noon).failure().code == "parent_disabled");
}

BOOST_AUTO_TEST_CASE(effective_depends_on_states_alone) {
  using ts = tenant_state;
  BOOST_TEST(effective(ts::enabled, {ts::enabled, ts::enabled}));
  BOOST_TEST(!effective(ts::enabled, {ts::enabled, ts::disabled}));
  BOOST_TEST(!effective(ts::disabled, {ts::enabled}));
  BOOST_TEST(!effective(ts::enabled, {ts::deleted}));
}

BOOST_AUTO_TEST_CASE(each_switch_counts_in_the_epoch) {
  tenant t = in(tenant_state::enabled);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    tenant_command c;
    c.action = i % 2 == 1 ? tenant_action::disable : tenant_action::enable;
    t = decide(t, c, noon)->next;
    BOOST_TEST(t.epoch == i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
