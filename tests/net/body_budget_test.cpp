#include "net/body_budget.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "core/base/limits.hpp"

using namespace syndicated::net;

BOOST_AUTO_TEST_SUITE(body_budgets)

BOOST_AUTO_TEST_CASE(shares_grow_and_come_back) {
  const auto budget = std::make_shared<body_budget>(400'000);
  std::optional<body_share> one{std::in_place, budget};
  body_share other{budget};
  BOOST_TEST(one->hold(100'000));
  BOOST_TEST(one->hold(50'000));  // it keeps what it has
  BOOST_TEST(budget->held() == 100'000U);
  BOOST_TEST(other.hold(200'000));  // three quarters are held
  BOOST_TEST(!one->hold(100'001));
  BOOST_TEST(budget->held() == 300'000U);
  one.reset();
  BOOST_TEST(budget->held() == 200'000U);
  BOOST_TEST(other.hold(300'000));
}

BOOST_AUTO_TEST_CASE(a_quarter_is_kept_for_small_ones) {
  constexpr auto small = syndicated::core::limits::small_body_bytes_max;
  const auto budget = std::make_shared<body_budget>(8 * small);
  body_share large{budget};
  BOOST_TEST(large.hold(6 * small));
  body_share first{budget};
  body_share second{budget};
  body_share third{budget};
  BOOST_TEST(!first.hold(small + 1));
  BOOST_TEST(first.hold(small));
  BOOST_TEST(second.hold(small));
  BOOST_TEST(!third.hold(1));
  BOOST_TEST(budget->held() == 8 * small);
}

BOOST_AUTO_TEST_SUITE_END()
