// Where the order that made a subscription stands (domain.md, 10.6): of each status, one state.
#include <boost/test/unit_test.hpp>

#include <utility>
#include <vector>

#include "core/lifecycle/first_order.hpp"
#include "core/lifecycle/subscription_rules.hpp"
#include "tests/core/subscription_world.hpp"

namespace syndicated::core {
namespace {

using namespace machine_test;

BOOST_AUTO_TEST_SUITE(first_orders)

BOOST_AUTO_TEST_CASE(each_status_has_its_state) {
  using state = operation_state;
  const std::vector<std::pair<status, state>> table{
      {status::requires_approval, state::requires_approval},
      {status::rejected, state::rejected},
      {status::postponed, state::scheduled},
      {status::waiting_payment, state::pending},
      {status::payment_expired, state::cancelled},
      {status::pending, state::in_progress},
      {status::post_configuration, state::in_progress},
      {status::deployed, state::succeeded},
      {status::stopped, state::succeeded},
      {status::failed, state::failed},
      {status::undeploy_sent, state::cancelled},
      {status::undeployed, state::cancelled},
      {status::purged, state::cancelled}};
  BOOST_TEST(table.size() == static_cast<std::size_t>(subscription_status_count));
  for (const auto& [from, wanted] : table) {
    subscription s = in(from);
    s.period_start.reset();
    BOOST_TEST(to_string(first_order_state(s)) == to_string(wanted), to_string(from));
    // Once it was in use the order had been carried out, whatever came later.
    s.period_start = noon;
    const bool over = rules::closing(s) && wanted == state::cancelled;
    const bool used = over && from != status::payment_expired;
    BOOST_TEST(to_string(first_order_state(s)) == to_string(used ? state::succeeded : wanted),
               to_string(from));
  }
}

BOOST_AUTO_TEST_CASE(it_is_shown_as_the_others_are) {
  subscription s = in(status::deployed);
  s.created_at = noon - 31 * 24h;
  const operation o = *find_operation(s, first_order);
  BOOST_TEST(o.number == first_order);
  BOOST_TEST(to_string(o.kind) == "NEW");
  BOOST_TEST((o.requested_at == s.created_at));
  BOOST_TEST((o.ended_at == s.start_date));
  BOOST_TEST((o.to == s.quantities));
  json_writer out;
  write_operation(out, o, s.id);
  BOOST_TEST(out.str().find(R"("kind":"NEW","state":"SUCCEEDED","requested_by":null)") !=
             std::string::npos);
  s.type = subscription_type::trial;
  BOOST_TEST(to_string(first_order_of(s).kind) == "TRIAL");
  s.status = status::postponed;
  s.start_date = noon + 24h;
  BOOST_TEST((first_order_of(s).due_at == s.start_date));
  BOOST_TEST(!find_operation(s, 2));
}

BOOST_AUTO_TEST_CASE(an_answer_to_it_says_how_it_stands) {
  const world w;
  subscription_command answer = command_for(action::answer_operation);
  answer.operation = first_order;
  const auto refused = decide(in(status::failed), answer, w.at(noon));
  BOOST_TEST(refused.failure().code == "operation_superseded");
  BOOST_TEST(refused.failure().detail.ends_with("it is FAILED"));
  subscription_command back = command_for(action::cancel_operation);
  back.operation = first_order;
  BOOST_TEST(decide(in(status::deployed), back, w.at(noon)).failure().code == "first_order");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
