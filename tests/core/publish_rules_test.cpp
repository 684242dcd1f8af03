// Names, streams and headers of published events.
#include <boost/test/unit_test.hpp>

#include "core/delivery/envelope.hpp"
#include "core/delivery/url.hpp"
#include "core/lifecycle/event.hpp"

using namespace syndicated::core;

BOOST_AUTO_TEST_SUITE(publish_rules)

BOOST_AUTO_TEST_CASE(names) {
  for (const char* good : {"shop.order_placed", "a.b", "a1.b2.c3.d.e.f.g.h", "orders.created"}) {
    BOOST_TEST(why_not_publishable(good).empty(), good);
  }
  for (const char* bad :
       {"", "plain", ".a.b", "a.b.", "a..b", "A.b", "a.b-c", "a. b", "a.b\n", "a.b.c.d.e.f.g.h.i",
        "subscription.renewed", "test.ping", "quota.reached", "tenant.created", "endpoint.paused",
        "delivery.exhausted", "order.created"}) {
    BOOST_TEST(!why_not_publishable(bad).empty(), bad);
  }
  BOOST_TEST(why_not_publishable("a." + std::string(126, 'b')).empty());
  BOOST_TEST(!why_not_publishable("a." + std::string(127, 'b')).empty());
}

BOOST_AUTO_TEST_CASE(a_stream_is_found_by_its_name_for_ever) {
  // Stored: the first 53 bits of SHA-256("orders-17").
  BOOST_TEST(published_stream("orders-17").entity == 0x5F4060768C84A5B3ULL >> 10U);
  BOOST_TEST((published_stream("orders-17").kind == entity_kind::published));
  BOOST_TEST((published_stream("a") != published_stream("b")));
  BOOST_TEST(to_string(stream_id{entity_kind::unordered, 7}) == "unordered/7");
}

BOOST_AUTO_TEST_CASE(a_name_of_any_letters_fits_into_a_header) {
  BOOST_TEST(percent_encoded("orders/17:eu") == "orders/17:eu");
  BOOST_TEST(percent_encoded("a b%\xC3\xA9\r\n") == "a%20b%25%C3%A9%0D%0A");
}

BOOST_AUTO_TEST_CASE(published_events_have_no_cloudesire_form) {
  event e;
  e.stream = published_stream("x");
  e.data = R"({ "a": 1.50 })";
  e.name = "shop.paid";
  e.at = from_unix_ms(0);
  BOOST_TEST(!sent_in(wire_form::cloudesire, e));
  BOOST_TEST(sent_in(wire_form::standard, e));
  BOOST_TEST(render_standard(e) ==
             R"({"type":"shop.paid","timestamp":"1970-01-01T00:00:00.000Z","data":{ "a": 1.50 }})");
}

BOOST_AUTO_TEST_SUITE_END()
