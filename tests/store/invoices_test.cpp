// Invoices on disk: every field survives, keys keep their order, golden bytes.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/invoices.hpp"
#include "tests/support/temporary_directory.hpp"

namespace syndicated::store {
namespace {

core::invoice_line a_line() {
  core::invoice_line l;
  l.description = "d";
  l.identifier = "i";
  l.price = -2'500'000;
  l.currency = "EUR";
  l.vat = core::whole(22);
  l.quantity = {1'500'000};
  l.unit = "u";
  l.purchased = core::from_unix_ms(7);
  return l;
}

core::invoice everything() {
  core::invoice i;
  i.subscription = {7};
  i.id = core::invoice_of(i.subscription, 2);
  i.tenant = {8};
  i.kind = core::invoice_kind::chunked;
  i.state = core::invoice_state::pending;
  i.due_at = core::from_unix_ms(3);
  i.overdue = true;
  i.reference = "R";
  i.lines = {a_line()};
  i.version = 4;
  i.created_at = core::from_unix_ms(5);
  i.updated_at = core::from_unix_ms(6);
  return i;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(invoices_on_disk)

BOOST_AUTO_TEST_CASE(an_invoice_has_golden_bytes) {
  const core::invoice i = everything();
  BOOST_TEST(core::hex_encode(invoice_key(i.id).view()) == "0000000000000007690000000000700002");
  BOOST_TEST(core::hex_encode(encode(i)) ==
             "0108031002180320012a015232240a016412016918e0b4e7feffffffffff0122034555"
             "522880e3be0a30e0c65b3a017540073804400548065008");
  const auto back = decode_invoice(i.id, encode(i));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(core::to_json(*back) == core::to_json(i));
  BOOST_TEST((back->lines == i.lines));
  BOOST_TEST(encode(*back) == encode(i));
  BOOST_TEST((decode_invoice(i.id, "x").failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_CASE(a_subscription_keeps_what_is_open) {
  core::subscription s;
  s.id = {7};
  s.last_operation = 1;
  const std::string before = encode(s);  // as a version without invoices wrote it
  BOOST_TEST(decode_subscription(before)->open_invoices.empty());
  BOOST_TEST(decode_subscription(before)->last_invoice == 0U);
  s.open_invoices = {{2, core::invoice_state::pending, core::from_unix_ms(3), true},
                     {5, core::invoice_state::expired, {}, false}};
  s.last_invoice = 5;
  s.last_invoice_at = core::from_unix_ms(8);
  s.owes_besides = true;
  s.oneshot_costs = {a_line()};
  s.recurring_costs = {a_line(), a_line()};
  const std::string bytes = encode(s);
  BOOST_TEST(bytes.starts_with(before));
  const auto back = decode_subscription(bytes);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->open_invoices == s.open_invoices));
  BOOST_TEST((back->last_invoice == 5 && back->last_invoice_at == s.last_invoice_at));
  BOOST_TEST((back->owes_besides && back->oneshot_costs == s.oneshot_costs));
  BOOST_TEST(encode(*back) == bytes);
}

BOOST_AUTO_TEST_CASE(rows_are_found_in_order_and_by_their_owner) {
  tests::temporary_directory directory;
  database_options o;
  o.directory = directory.path();
  auto db = database::open(o);
  BOOST_REQUIRE(db.ok());
  write_plan plan;
  for (const std::uint64_t owner : {6U, 7U, 8U}) {
    for (const std::uint32_t number : {3U, 1U, 2U}) {
      core::invoice i = everything();
      i.subscription = {owner};
      i.id = core::invoice_of(i.subscription, number);
      invoices::put(plan, i);
    }
  }
  BOOST_REQUIRE((*db)->write({&plan}, {}, false).result == commit_result::committed);
  const invoices rows(**db);
  std::vector<std::uint32_t> numbers;
  BOOST_REQUIRE(rows.of({7}, core::invoice_of({7}, 1), [&numbers](core::invoice&& i) {
    BOOST_TEST((i.subscription == core::subscription_id{7}));
    numbers.push_back(core::number_of(i.id));
    return true;
  }));
  BOOST_TEST(numbers == (std::vector<std::uint32_t>{2, 3}), boost::test_tools::per_element());
  BOOST_TEST(rows.find(core::invoice_of({8}, 3))->has_value());
  BOOST_TEST(!rows.find(core::invoice_of({8}, 4))->has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated::store
