// Client certificates, pinned authorities, HTTP/2, and the receiver's word in the answer.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>

#include "tests/net/loop_fixture.hpp"
#include "tests/support/test_certificates.hpp"

using namespace syndicated;
using namespace syndicated::net;
using namespace syndicated::net::test;
using fixture = loop_fixture;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Says in its answer which certificate the connection was opened with.
scripted_server::script name_the_client() {
  return [](peer& p) {
    const std::string name = p.client_name();
    while (!p.read_request().empty()) {
      if (!p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" +
                  name)) {
        return;
      }
    }
  };
}

struct tls_place {
  scripted_server server{name_the_client(), {"127.0.0.1", false, true}};
  fixture f;
  std::string ca = content_of(server.certificate_file());

  std::shared_ptr<const tls_material> identity(const char* certificate, const char* key) const {
    return std::make_shared<const tls_material>(
        tls_material{certificate, core::secret_bytes{key}, ca});
  }
  attempt_result send(std::shared_ptr<const tls_material> tls, bool http2 = false) {
    results r;
    auto request = fixture::request(server.url(), r);
    request.tls = std::move(tls);
    request.http2 = http2;
    f.loop->submit(std::move(request));
    return r.wait(1).at(0);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_loop_identities)

// One server, four senders: a connection of one is never used for another, whatever the order.
BOOST_AUTO_TEST_CASE(a_connection_belongs_to_one_identity) {
  tls_place place;
  const auto one = place.identity(tests::certificate_one, tests::key_one);
  const auto two = place.identity(tests::certificate_two, tests::key_two);
  const auto nobody = place.identity("", "");
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(place.send(one).excerpt == "client one");
    BOOST_TEST(place.send(two).excerpt == "client two");
    BOOST_TEST(place.send(nobody).excerpt.empty());
    // The same texts in other memory are the same identity.
    BOOST_TEST(place.send(place.identity(tests::certificate_one, tests::key_one)).excerpt ==
               "client one");
    // Without its authority the server is not trusted, although connections to it are open.
    BOOST_TEST(name_of(place.send(nullptr).error) == "tls");
  }
  BOOST_TEST(place.server.connections() <= 3 + 5);
}

BOOST_AUTO_TEST_CASE(identities_do_not_mix_among_many_requests_at_a_time) {
  tls_place place;
  const std::vector<std::shared_ptr<const tls_material>> who{
      place.identity(tests::certificate_one, tests::key_one),
      place.identity(tests::certificate_two, tests::key_two), place.identity("", "")};
  const std::vector<std::string> names{"client one", "client two", ""};
  std::vector<results> seen(who.size());
  constexpr std::size_t rounds = 40;
  for (std::size_t i = 0; i < rounds; ++i) {
    for (std::size_t k = 0; k < who.size(); ++k) {
      auto request = fixture::request(place.server.url(), seen[k]);
      request.tls = who[k];
      place.f.loop->submit(std::move(request));
    }
  }
  for (std::size_t k = 0; k < who.size(); ++k) {
    for (const auto& result : seen[k].wait(rounds)) {
      BOOST_TEST(result.status == 200, result.detail);
      BOOST_TEST(result.excerpt == names[k]);
    }
  }
}

BOOST_AUTO_TEST_CASE(own_authorities_replace_the_loops) {
  scripted_server trusted{always(no_content), certificate_options{}};
  scripted_server other{always(no_content), certificate_options{}};
  curl_loop_options options;
  options.ca_file = trusted.certificate_file();
  fixture f{loopback_rules(), options};
  const auto send = [&](const scripted_server& to, const std::string& ca) {
    results r;
    auto request = fixture::request(to.url(), r);
    if (!ca.empty()) {
      request.tls = std::make_shared<const tls_material>(tls_material{{}, {}, ca});
    }
    f.loop->submit(std::move(request));
    return name_of(r.wait(1).at(0).error);
  };
  const std::string pinned = content_of(other.certificate_file());
  BOOST_TEST(send(trusted, "") == "none");
  BOOST_TEST(send(other, "") == "tls");
  BOOST_TEST(send(other, pinned) == "none");
  BOOST_TEST(send(trusted, pinned) == "tls");
  BOOST_TEST(send(trusted, "") == "none");
}

// A server that only knows HTTP/1.1 is spoken to in that. A connection without the offer is not
// used for a request with it, so that the offer is made; each kind is kept.
BOOST_AUTO_TEST_CASE(http2_is_an_offer) {
  tls_place place;
  const auto nobody = place.identity("", "");
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(place.send(nobody, false).status == 200);
    BOOST_TEST(place.send(nobody, true).status == 200);
  }
  BOOST_TEST(place.server.connections() == 2U);
}

BOOST_AUTO_TEST_CASE(the_receivers_word_is_read_on_request) {
  scripted_server server{
      always("HTTP/1.1 500 No\r\nWebhook-Delivery:  abort-message \r\n"
             "webhook-delivery: disable\r\nContent-Length: 0\r\n\r\n")};
  fixture f;
  results r;
  f.loop->submit(fixture::request(server.url(), r));
  BOOST_TEST(r.wait(1).at(0).control.empty());
  auto asking = fixture::request(server.url(), r);
  asking.receiver_control = true;
  f.loop->submit(std::move(asking));
  BOOST_TEST(r.wait(2).at(1).control == "abort-message");
}

BOOST_AUTO_TEST_SUITE_END()
