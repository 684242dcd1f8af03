// What tenants use, at rest: golden bytes, and the rows that the ledger and tenants leave for each
// other.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/usages.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

core::tenant_usage everything() {
  core::tenant_usage u;
  u.item = {"a", "s", "e", "i"};
  u.counter = true;
  u.own = {300, 2};
  u.total = {400, 3};
  u.range_start = core::from_unix_ms(5);
  u.counted_under = {6};
  u.version = 7;
  return u;
}

struct shelf {
  shelf() {
    auto opened = database::open({.directory = directory.path()});
    BOOST_REQUIRE(opened.ok());
    db = std::move(*opened);
  }
  template <class Fill>
  void write(Fill fill) {
    write_plan plan;
    fill(plan);
    BOOST_REQUIRE((db->write({&plan}, {}, true).result == commit_result::committed));
  }

  tests::temporary_directory directory;
  std::unique_ptr<database> db;
};

BOOST_AUTO_TEST_SUITE(usage_rows)

BOOST_AUTO_TEST_CASE(a_row_has_golden_bytes) {
  const core::tenant_usage u = everything();
  BOOST_TEST(core::hex_encode(encode(u)) ==
             "010a01611201731a0165220169280130ac0238024090034803500558066007");
  const auto back = decode_tenant_usage(encode(u));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->item == u.item && back->own == u.own && back->total == u.total));
  BOOST_TEST((back->counter && back->range_start == u.range_start));
  BOOST_TEST((back->counted_under == u.counted_under && back->version == u.version));
  BOOST_TEST((decode_tenant_usage("\x01\xff").failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_CASE(an_item_has_an_id_for_ever_and_no_other_has_it) {
  const std::string id = usage_item_id({"a", "s", "e", "i"});
  BOOST_TEST(core::hex_encode(id) == "e535a804bd639e41b6fa850fd5259938");
  BOOST_TEST(id.size() == 16U);
  BOOST_TEST(id != usage_item_id({"as", "", "e", "i"}));
  BOOST_TEST(id != usage_item_id({"a", "s", "ei", ""}));
}

BOOST_AUTO_TEST_CASE(rows_stand_beside_what_was_told_of_them) {
  shelf s;
  const usages rows{*s.db};
  const core::tenant_usage u = everything();
  const std::string id = usage_item_id(u.item);
  BOOST_TEST(!rows.find({9}, id)->has_value());
  BOOST_TEST(core::same(*rows.told({9}, id), {}));
  s.write([&](write_plan& plan) {
    usages::put(plan, {9}, u);
    usages::put_told(plan, {9}, id, {core::quota_crossing::exceeded, true, core::from_unix_ms(77)});
    usages::put(plan, {10}, u);
  });
  BOOST_TEST(encode(**rows.find({9}, id)) == encode(u));
  const core::quota_told told = *rows.told({9}, id);
  BOOST_TEST((told.level == core::quota_crossing::exceeded && told.blocked));
  BOOST_TEST(core::to_unix_ms(told.range) == 77);
  int seen = 0;
  BOOST_REQUIRE(rows.of_tenant({9}, [&seen](core::tenant_usage&&) { return ++seen > 0; }).ok());
  BOOST_TEST(seen == 1);
  s.write([&](write_plan& plan) { usages::erase(plan, {9}, id); });
  BOOST_TEST(!rows.find({9}, id)->has_value());
  BOOST_TEST(core::same(*rows.told({9}, id), {}));
  BOOST_TEST(rows.find({10}, id)->has_value());
  s.write([&](write_plan& plan) {
    plan.put(family::usages, key_bytes{}.u64(9).append(id).byte('l'), "x");
  });
  BOOST_TEST((rows.told({9}, id).failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_CASE(notices_are_found_by_tenant_and_item) {
  shelf s;
  const usages rows{*s.db};
  const std::string a = usage_item_id({"a", "1", "", ""});
  const std::string b = usage_item_id({"a", "2", "", ""});
  BOOST_TEST(!rows.next_noticed({})->has_value());
  s.write([&](write_plan& plan) {
    usages::put(plan, quota_notice{{7}, a, 1, {}});
    usages::put(plan, quota_notice{{7}, a, 2, 120});
    usages::put(plan, quota_notice{{9}, b, 1, {}});
  });
  BOOST_TEST(rows.next_noticed({})->value().value == 7U);
  BOOST_TEST(rows.next_noticed({7})->value().value == 9U);
  BOOST_TEST(!rows.next_noticed({9})->has_value());
  BOOST_TEST(rows.notice({7}, a)->has_value());
  BOOST_TEST(!rows.notice({7}, b)->has_value());
  std::vector<quota_notice> found;
  const auto collect = [&found](quota_notice&& n) {
    found.push_back(std::move(n));
    return true;
  };
  BOOST_REQUIRE(rows.notices({7}, collect).ok());
  BOOST_REQUIRE(found.size() == 2U);
  BOOST_TEST((found[0].item == a && found[0].version == 1 && !found[0].tried));
  BOOST_TEST((found[1].version == 2 && found[1].tried == 120));
  s.write([&](write_plan& plan) { usages::erase(plan, found[0]); });
  BOOST_TEST(rows.notice({7}, a)->value().version == 2U);  // what was left later stays
}

BOOST_AUTO_TEST_CASE(marks_go_one_by_one) {
  shelf s;
  const usages rows{*s.db};
  s.write([](write_plan& plan) {
    usages::put(plan, usage_mark{{7}, 3});
    usages::put(plan, usage_mark{{7}, 4});
  });
  s.write([](write_plan& plan) { usages::erase(plan, usage_mark{{7}, 3}); });
  std::vector<usage_mark> found;
  BOOST_REQUIRE(rows.marks([&found](usage_mark&& m) {
                      found.push_back(m);
                      return true;
                    })
                    .ok());
  BOOST_REQUIRE(found.size() == 1U);
  BOOST_TEST((found[0].tenant.value == 7 && found[0].seq == 4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
