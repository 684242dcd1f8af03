// An order whose tenant was moved while it waited for its turn.
#include <boost/test/unit_test.hpp>

#include "tests/actors/flat_engine.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::tenant_action;

BOOST_AUTO_TEST_SUITE(waiting_orders)

// The move and its cascade are over before the order is looked at.
BOOST_AUTO_TEST_CASE(an_order_that_waited_belongs_where_its_tenant_stands_now) {
  world w;
  flat_engine engine{w};
  const auto plan = w.new_plan(w.new_vendor());
  const auto from = w.add_tenant(core::provider_tenant, core::tenant_kind::reseller);
  const auto to = w.add_tenant(core::provider_tenant, core::tenant_kind::reseller);
  const auto customer = w.add_tenant(from);
  auto order = w.order(customer, plan);
  auto move = world::act(customer, tenant_action::move);
  std::get<actors::tenant_change>(move->body).command.edit.parent = to;
  const auto moved = engine.ask(std::move(move));
  engine.settle();
  BOOST_REQUIRE_MESSAGE(moved->ok(), moved->code());
  const auto made = engine.ask(std::move(order));
  engine.settle();
  BOOST_REQUIRE_MESSAGE(made->ok(), made->code());
  const auto s = w.subscription({made->number()});
  BOOST_TEST((s.path == std::vector<core::tenant_id>{core::provider_tenant, to, customer}));
  BOOST_TEST((s.reseller == to));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
