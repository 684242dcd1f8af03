// Aggregate commitments at rest: golden bytes, their timer, and what they have counted.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/aggregates.hpp"
#include "store/codec.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

core::aggregate everything() {
  core::aggregate a;
  a.id = {1};
  a.group = {{2}, core::entity_kind::product, 3, "s"};
  a.vendor = {4};
  a.tiers = {0, 5, 6};
  a.committed = 2;
  a.wanted = 1;
  a.term_months = 12;
  a.allow_early_cancel = true;
  a.cancel_fee = true;
  a.state = core::commitment_state::renewed;
  a.term = 7;
  a.starts_at = core::from_unix_ms(8);
  a.ends_at = core::from_unix_ms(9);
  a.tier = 2;
  a.counter = 10;
  a.shortfall = 11;
  a.fee = true;
  a.snapshot_at = core::from_unix_ms(12);
  a.next_snapshot = core::from_unix_ms(13);
  a.next_recount = core::from_unix_ms(14);
  a.version = 15;
  a.seq = 16;
  a.created_at = core::from_unix_ms(17);
  a.updated_at = core::from_unix_ms(18);
  return a;
}

BOOST_AUTO_TEST_SUITE(aggregate_rows)

BOOST_AUTO_TEST_CASE(a_commitment_has_golden_bytes) {
  const core::aggregate a = everything();
  BOOST_TEST(core::hex_encode(encode(a)) ==
             "0108011002180320032a017330043a0300050640024801500c58016001680170037807800108"
             "88010990010298010aa0010ba80101b0010cb8010dc0010ec8010fd00110d80111e00112");
  const auto back = decode_aggregate(encode(a));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(encode(*back) == encode(a));
  BOOST_TEST((back->group == a.group && back->ends_at == a.ends_at && back->wanted == a.wanted));
  BOOST_TEST(core::to_json(*back) == core::to_json(a));
}

BOOST_AUTO_TEST_CASE(a_tier_that_is_not_there_is_damage) {
  core::aggregate a = everything();
  a.committed = 4;
  BOOST_TEST((decode_aggregate(encode(a)).failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_CASE(rows_and_the_timer_are_where_they_are_looked_for) {
  const tests::temporary_directory directory;
  auto db = database::open({.directory = directory.path()});
  BOOST_REQUIRE(db.ok());
  const auto put = [&db](const core::aggregate& a, const core::aggregate* before) {
    write_plan plan;
    aggregates::put(plan, a, before);
    aggregates::put(plan, a.id, {7}, {3, 40});
    BOOST_REQUIRE(((*db)->write({&plan}, {}, true).result == commit_result::committed));
  };
  core::aggregate a = everything();
  put(a, nullptr);
  const aggregates rows{**db};
  BOOST_TEST(encode(**rows.find({1})) == encode(a));
  BOOST_TEST(!rows.find({2})->has_value());
  BOOST_TEST((*rows.counted({1}, {7}) == counted_row{3, 40}));
  BOOST_TEST(!rows.counted({1}, {8})->has_value());
  const auto timer = [&db](std::int64_t ms) {
    const auto key = timer_key(core::from_unix_ms(ms), core::stream_of(core::commitment_id{1}));
    return (*db)->get(family::timers, key.view())->has_value();
  };
  BOOST_TEST(timer(9));
  core::aggregate later = a;
  later.ends_at = core::from_unix_ms(20);
  put(later, &a);
  BOOST_TEST(!timer(9));
  BOOST_TEST(timer(13));
  core::aggregate over = later;
  over.state = core::commitment_state::lapsed;
  put(over, &later);
  BOOST_TEST(!timer(13));
  core::aggregate second = everything();
  second.id = {3};
  put(second, nullptr);
  std::vector<std::uint64_t> ids;
  BOOST_REQUIRE(rows.all({},
                         [&ids](core::aggregate&& one) {
                           ids.push_back(one.id.value);
                           return true;
                         })
                    .ok());
  BOOST_TEST((ids == std::vector<std::uint64_t>{1, 3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
