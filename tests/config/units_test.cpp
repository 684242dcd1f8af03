// Durations and sizes as written in the configuration file.
#include <boost/test/unit_test.hpp>

#include "config/units.hpp"

namespace config = syndicated::config;

BOOST_AUTO_TEST_SUITE(config_units)

BOOST_AUTO_TEST_CASE(durations_are_read_and_written) {
  const std::pair<const char*, long> good[] = {
      {"0s", 0},         {"500ms", 500},      {"15s", 15'000}, {"5m", 300'000},
      {"2h", 7'200'000}, {"3d", 259'200'000}, {"0ms", 0},      {"60s", 60'000}};
  for (const auto& [text, ms] : good) {
    const auto got = config::parse_duration(text);
    BOOST_REQUIRE_MESSAGE(got.has_value(), text);
    BOOST_TEST(got->count() == ms);
    BOOST_TEST((config::parse_duration(config::format_duration(*got)) == got));
  }
  BOOST_TEST(config::format_duration(std::chrono::milliseconds{60'000}) == "1m");
  BOOST_TEST(config::format_duration(std::chrono::milliseconds{1'500}) == "1500ms");
}

BOOST_AUTO_TEST_CASE(other_spellings_are_not_durations) {
  for (const char* text :
       {"", "5", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1w", "1y", "1h30m",
        "99999999999999999999s", "3651d", "18446744073709551615d"}) {
    BOOST_TEST(!config::parse_duration(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(sizes_use_binary_units_only) {
  BOOST_TEST(config::parse_bytes("64MiB").value() == 64U << 20U);
  BOOST_TEST(config::parse_bytes("1GiB").value() == 1U << 30U);
  BOOST_TEST(config::parse_bytes("3KiB").value() == 3072U);
  BOOST_TEST(config::parse_bytes("7B").value() == 7U);
  for (const char* text : {"", "64", "64MB", "64M", "-1B", "1.5GiB", "17179869184GiB"}) {
    BOOST_TEST(!config::parse_bytes(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
