// Times, JSON and sets of ids.
#include <boost/test/unit_test.hpp>

#include "core/base/id_set.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {
namespace {

BOOST_AUTO_TEST_SUITE(base)

BOOST_AUTO_TEST_CASE(times_are_read_and_written) {
  const auto at = parse_rfc3339("2026-11-21T10:15:30.1234+02:00");
  BOOST_REQUIRE(at.has_value());
  BOOST_TEST(format_rfc3339_ms(*at) == "2026-11-21T08:15:30.123Z");
  BOOST_TEST(format_rfc3339_seconds(*at) == "2026-11-21T08:15:30Z");
  BOOST_TEST(format_rfc3339_ms(from_unix_ms(-1)) == "1969-12-31T23:59:59.999Z");
  for (const char* bad : {"", "2026-11-21", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
                          "2026-11-21T10:15:30", "2026-11-21T10:15:30.Z", "2026-11-21T10:15:30Zx",
                          "0000-01-01T00:00:00Z", "2026-11-21T10:15:30+24:00"}) {
    BOOST_TEST(!parse_rfc3339(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(months_stay_inside_the_month) {
  const auto text = [](const char* from, int months) {
    return format_rfc3339_seconds(add_months(*parse_rfc3339(from), months));
  };
  BOOST_TEST(text("2026-01-31T10:00:00Z", 1) == "2026-02-28T10:00:00Z");
  BOOST_TEST(text("2028-01-31T10:00:00Z", 1) == "2028-02-29T10:00:00Z");
  BOOST_TEST(text("2026-11-30T10:00:00Z", 3) == "2027-02-28T10:00:00Z");
}

BOOST_AUTO_TEST_CASE(json_is_escaped_and_always_valid) {
  json_writer out;
  out.begin_object();
  out.key("a").text("q\"b\\n\n\x01\x1f");
  out.key("u").text("\xC3\xA9\xF0\x9F\x98\x80");
  out.key("bad").text("\xC0\xAF\xED\xA0\x80\xFF");
  out.key("list")
      .begin_array()
      .number(1)
      .null()
      .boolean(true)
      .begin_object()
      .end_object()
      .end_array();
  out.end_object();
  BOOST_TEST(out.str() ==
             "{\"a\":\"q\\\"b\\\\n\\n\\u0001\\u001f\",\"u\":\"\xC3\xA9\xF0\x9F\x98\x80\","
             "\"bad\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\","
             "\"list\":[1,null,true,{}]}");
}

BOOST_AUTO_TEST_CASE(json_names_of_any_kind_are_escaped) {
  const std::string longest(40, 'n');
  const std::string longer(41, 'n');
  json_writer out;
  out.begin_object();
  for (const std::string& name : {std::string{}, longest, longer, std::string{"q\"\xFF"}}) {
    out.given_key(name).time(from_unix_ms(0));
  }
  out.end_object();
  const std::string epoch = R"(":"1970-01-01T00:00:00.000Z")";
  BOOST_TEST(out.str() == "{\"" + epoch + ",\"" + longest + epoch + ",\"" + longer + epoch +
                              ",\"q\\\"\xEF\xBF\xBD" + epoch + "}");
}

BOOST_AUTO_TEST_CASE(an_id_set_holds_exactly_what_was_put_in) {
  id_set ids;
  const std::uint64_t far = std::uint64_t{1} << 40U;
  for (const std::uint64_t id : {0UL, 1UL, 4'095UL, 4'096UL, far}) {
    BOOST_TEST(!ids.erase(id));
    ids.insert(id);
  }
  BOOST_TEST(!ids.erase(2));
  BOOST_TEST(!ids.erase(4'097));
  BOOST_TEST(!ids.erase(far + 1));
  for (const std::uint64_t id : {0UL, 1UL, 4'095UL, 4'096UL, far}) {
    BOOST_TEST(ids.erase(id));
    BOOST_TEST(!ids.erase(id));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
