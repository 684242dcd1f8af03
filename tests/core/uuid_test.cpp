// UUIDs that stand for our ids.
#include <boost/test/unit_test.hpp>

#include "core/base/uuid.hpp"

namespace syndicated::core {
namespace {

BOOST_AUTO_TEST_SUITE(uuids)

BOOST_AUTO_TEST_CASE(golden) {
  BOOST_TEST(to_uuid(tenant_id{42}) == "01000000-0000-85d1-8000-00000000002a");
  BOOST_TEST(to_uuid(uuid_kind::role, 300, 7) == "81000000-0007-85d1-8000-00000000012c");
}

BOOST_AUTO_TEST_CASE(there_and_back) {
  for (const auto kind :
       {uuid_kind::tenant, uuid_kind::product, uuid_kind::subscription, uuid_kind::token,
        uuid_kind::user, uuid_kind::resource, uuid_kind::role}) {
    for (const std::uint64_t id : {1ULL, 255ULL, 1ULL << 40U, (1ULL << 62U) - 1}) {
      for (const std::uint64_t part : {0ULL, 9ULL, (1ULL << 40U) - 1}) {
        const auto back = parse_uuid(to_uuid(kind, id, part));
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST((back->kind == kind && back->id == id && back->part == part));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(others_are_not_ours) {
  for (const std::string_view text :
       {"", "1", "ede9f834-70b3-476c-83d9-736f9f8c7dae", "00000000-0000-0000-0000-000000000000",
        "01000000-0000-85d1-8000-000000000000", "02000000-0000-85d1-8000-000000000001",
        "01000000-0000-85d1-c000-000000000001", "01000000-0000-85d2-8000-000000000001",
        "0100000000000-85d1-8000-000000000001", "01000000-0000-85d1-8000-00000000000g"}) {
    BOOST_TEST(!parse_uuid(text), text);
  }
  BOOST_TEST(parse_uuid("01000000-0000-85D1-8000-00000000002A").has_value());
  BOOST_TEST(!parse_uuid(to_uuid(tenant_id{1}), uuid_kind::user));
  BOOST_TEST(is_uuid("ede9f834-70b3-476c-83d9-736f9f8c7dae"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
