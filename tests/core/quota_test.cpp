// Levels of a quota: where they begin and how long they last.
#include "core/delivery/quota.hpp"

#include <boost/test/unit_test.hpp>

namespace syndicated::core {
namespace {

BOOST_AUTO_TEST_SUITE(quota)

BOOST_AUTO_TEST_CASE(a_level_begins_at_its_mark_and_lasts_until_five_percent_of_it_are_gone) {
  using enum quota_level;
  struct step {
    std::uint64_t value;
    quota_level level;
  };
  const step steps[] = {{79, within},   {80, reached}, {77, reached},  {76, within},
                        {79, within},   {99, reached}, {100, blocked}, {96, blocked},
                        {95, reached},  {99, reached}, {200, blocked}, {10, within},
                        {100, blocked}, {76, within}};
  quota_level level = within;
  for (const step& s : steps) {
    level = level_of(s.value, 100, level);
    BOOST_TEST((level == s.level), s.value);
  }
}

BOOST_AUTO_TEST_CASE(a_tiny_limit_has_no_warning_and_a_huge_one_does_not_overflow) {
  BOOST_TEST((level_of(0, 1, quota_level::within) == quota_level::within));
  BOOST_TEST((level_of(1, 1, quota_level::within) == quota_level::blocked));
  const std::uint64_t huge = ~std::uint64_t{0};
  BOOST_TEST(share_of(huge, 100) == huge);
  BOOST_TEST((level_of(huge / 2, huge, quota_level::within) == quota_level::within));
  BOOST_TEST((level_of(huge / 10 * 9, huge, quota_level::within) == quota_level::reached));
}

BOOST_AUTO_TEST_CASE(each_level_has_its_event) {
  BOOST_TEST(event_name_of(quota_level::within) == "quota.recovered");
  BOOST_TEST(event_name_of(quota_level::reached) == "quota.reached");
  BOOST_TEST(event_name_of(quota_level::blocked) == "quota.blocked");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
