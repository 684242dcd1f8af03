// Sub-resources and usage on disk: every field survives, keys keep their order, golden bytes.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/subscription_parts.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

core::resource a_server() {
  core::resource r;
  r.id = {258};
  r.subscription = {7};
  r.type = "vps";
  r.status = core::resource_status::disabled;
  r.parent = {2};
  r.links = {{"context", core::link_target::resource, 2, core::link_strength::strong, true},
             {"owner", core::link_target::account, 0, core::link_strength::weak, false}};
  r.properties = {{"cpu", "4"}};
  r.wanted = core::string_map{};
  r.held_by_command = r.held_by_suspension = r.auto_provided = true;
  r.problem = "p";
  r.serial = 3;
  r.version = 4;
  r.created_at = core::from_unix_ms(5);
  r.updated_at = core::from_unix_ms(6);
  return r;
}

core::usage_record a_record(std::int64_t start, std::string source = "vendor") {
  core::usage_record r;
  r.subscription = {7};
  r.key = {core::from_unix_ms(start), "disk", std::move(source)};
  r.resource = {258};
  r.kind = core::metric_kind::counter;
  r.value = {31'670'000};
  r.window_end = core::from_unix_ms(start + 10);
  r.state = core::usage_state::rejected;
  r.corrections = 2;
  r.received_at = core::from_unix_ms(3);
  r.updated_at = core::from_unix_ms(4);
  return r;
}

struct parts_store {
  parts_store() {
    database_options o;
    o.directory = directory.path();
    auto opened = database::open(o);
    BOOST_REQUIRE(opened.ok());
    db = std::move(*opened);
  }
  void write(const write_plan& plan) {
    BOOST_REQUIRE(db->write({&plan}, {}, false).result == commit_result::committed);
  }
  tests::temporary_directory directory;
  std::unique_ptr<database> db;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(parts_on_disk)

BOOST_AUTO_TEST_CASE(rows_have_golden_bytes) {
  const core::resource r = a_server();
  BOOST_TEST(core::hex_encode(resource_key({7}, {258}).view()) ==
             "0000000000000007720000000000000102");
  BOOST_TEST(core::hex_encode(encode(r)) ==
             "010a03767073100618022211"
             "0a07636f6e746578741001180220022801220b0a056f776e65721004200"
             "12a080a0363707512013438014001480150015a0170600368047005"
             "7806");
  const auto back = decode_resource({7}, {258}, encode(r));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(core::to_json(*back) == core::to_json(r));
  BOOST_TEST(encode(*back) == encode(r));

  const core::usage_record u = a_record(1000);
  BOOST_TEST(core::hex_encode(usage_key('w', {7}, u.key).view()) ==
             "00000000000000077700000000000003e8" +
                 core::hex_encode(core::sha256(std::string("disk\0vendor", 11)).substr(0, 12)));
  BOOST_TEST(core::hex_encode(encode(u)) ==
             "010a046469736b120676656e646f7218e80720f20728820230023"
             "8f0fd8c0f4003480250035804");
  BOOST_TEST(core::to_json(*decode_usage({7}, encode(u))) == core::to_json(u));

  parts_book b;
  b.resources_told["vps"] = core::allowance_level::reached;
  b.usage.told["disk"] = core::allowance_level::blocked;
  b.usage.series[{"disk", "vendor"}] = {core::metric_kind::counter, core::from_unix_ms(9),
                                        core::decimal{8}};
  b.usage.final_close = core::from_unix_ms(10);
  BOOST_TEST(core::hex_encode(encode(b)) ==
             "010a070a03767073100112080a046469736b10031a140a046469736b"
             "120676656e646f721802200928082"
             "00a");
  b.polls["disk"] = {core::from_unix_ms(1), 2, "p", core::from_unix_ms(3), {4}};
  BOOST_TEST((decode_parts_book(encode(b))->polls == b.polls));
  const auto book = decode_parts_book(encode(b));
  BOOST_REQUIRE(book.ok());
  BOOST_TEST(encode(*book) == encode(b));
  BOOST_TEST((book->usage.final_close == b.usage.final_close));
  BOOST_TEST((decode_resource({7}, {1}, "x").failure().kind == core::errc::corrupt));
}

BOOST_FIXTURE_TEST_CASE(rows_are_found_in_order_and_by_their_owner, parts_store) {
  const subscription_parts parts(*db);
  write_plan plan;
  core::resource r = a_server();
  subscription_parts::put(plan, r);
  r.id = {3};
  subscription_parts::put(plan, r);
  r.subscription = {8};
  subscription_parts::put(plan, r);
  core::usage_record open = a_record(2000);
  open.state = core::usage_state::accepted;
  subscription_parts::put(plan, open, true);
  subscription_parts::put(plan, a_record(1000), false);
  subscription_parts::put(plan, a_record(1000, "other"), false);
  parts_book b;
  b.usage.series[{"disk", "vendor"}] = {};
  subscription_parts::put(plan, {7}, b);
  write(plan);

  std::vector<std::uint64_t> ids;
  BOOST_REQUIRE(parts.resources({7}, {}, [&ids](core::resource&& each) {
    ids.push_back(each.id.value);
    return true;
  }));
  BOOST_TEST(ids == (std::vector<std::uint64_t>{3, 258}), boost::test_tools::per_element());
  BOOST_TEST(parts.find(core::subscription_id{8}, core::resource_id{3})->has_value());
  BOOST_TEST(!parts.find(core::subscription_id{8}, core::resource_id{258})->has_value());

  const auto book = parts.book({7});
  BOOST_REQUIRE(book.ok());
  BOOST_TEST(book->usage.open.size() == 1U);
  BOOST_TEST((book->usage.open.begin()->first == open.key));
  BOOST_TEST(parts.find(core::subscription_id{7}, open.key)->has_value());

  std::vector<std::int64_t> starts;
  std::string place;
  BOOST_REQUIRE(parts.usage({7}, {}, {}, [&](core::usage_record&& u, std::string_view at) {
    starts.push_back(core::to_unix_ms(u.key.window_start));
    if (starts.size() == 2) place = at;
    return true;
  }));
  BOOST_TEST(starts == (std::vector<std::int64_t>{1000, 1000, 2000}),
             boost::test_tools::per_element());
  starts.clear();
  BOOST_REQUIRE(parts.usage({7}, core::from_unix_ms(1000), place,
                            [&](core::usage_record&& u, std::string_view) {
                              starts.push_back(core::to_unix_ms(u.key.window_start));
                              return true;
                            }));
  BOOST_TEST(starts == (std::vector<std::int64_t>{2000}), boost::test_tools::per_element());

  write_plan later;
  subscription_parts::put(later, open, false);  // closed
  BOOST_REQUIRE(parts.forget_usage(later, {7}, core::from_unix_ms(2000)));
  write(later);
  BOOST_TEST(parts.book({7})->usage.open.empty());
  BOOST_TEST(!parts.find(core::subscription_id{7}, a_record(1000).key)->has_value());
  BOOST_TEST(parts.find(core::subscription_id{7}, open.key)->has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated::store
