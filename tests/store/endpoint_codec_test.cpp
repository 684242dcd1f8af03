// The record of an endpoint: every setting survives, no secret is readable, old records load.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"

namespace syndicated::store {
namespace {

vault a_vault() { return std::move(vault::with_key(std::string(32, 'k'))).value(); }

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  }
  return out;
}

core::endpoint with_everything() {
  core::endpoint e;
  e.id = {7};
  e.url = "https://a.example/h";
  e.form = core::wire_form::standard;
  e.secret = core::secret_bytes{"canary-secret"};
  e.previous_secret = core::secret_bytes{"canary-previous"};
  e.previous_until = core::from_unix_ms(1);
  e.headers = {{"X-Key", core::secret_bytes{"canary-header"}}};
  e.auth = {core::auth_kind::oauth2,    "client", core::secret_bytes{"canary-auth"},
            "https://id.example/token", "read",   "api"};
  e.identity = {"certificate", core::secret_bytes{"canary-client-key"}, core::from_unix_ms(2)};
  e.ca = "authority";
  e.max_age = std::chrono::hours{1};
  e.rate = {2.5, 10};
  e.ordering = core::ordering_mode::endpoint;
  e.coalesce_modified = true;
  e.termination = core::termination_signal::deleted;
  e.http2 = true;
  e.receiver_control = true;
  e.signing_key = core::secret_bytes{"canary-seed"};
  e.previous_signing_key = core::secret_bytes{"canary-previous-seed"};
  e.previous_signing_until = core::from_unix_ms(3);
  return e;
}

BOOST_AUTO_TEST_SUITE(endpoint_records)

BOOST_AUTO_TEST_CASE(everything_survives_and_no_secret_is_readable) {
  const vault secrets = a_vault();
  const core::endpoint e = with_everything();
  const std::string bytes = encode(e, secrets);
  BOOST_TEST(bytes.find("canary") == std::string::npos);
  const auto back = decode_endpoint(bytes, secrets);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(back->secret.reveal() == "canary-secret");
  BOOST_TEST(back->previous_secret.reveal() == "canary-previous");
  BOOST_REQUIRE(back->headers.size() == 1U);
  BOOST_TEST(back->headers[0].name == "X-Key");
  BOOST_TEST(back->headers[0].value.reveal() == "canary-header");
  BOOST_TEST((back->auth.kind == core::auth_kind::oauth2));
  BOOST_TEST(back->auth.name == "client");
  BOOST_TEST(back->auth.secret.reveal() == "canary-auth");
  BOOST_TEST(back->auth.token_url == "https://id.example/token");
  BOOST_TEST(back->auth.scope == "read");
  BOOST_TEST(back->auth.audience == "api");
  BOOST_TEST(back->identity.certificate == "certificate");
  BOOST_TEST(back->identity.key.reveal() == "canary-client-key");
  BOOST_TEST((back->identity.expires_at == core::from_unix_ms(2)));
  BOOST_TEST(back->ca == "authority");
  BOOST_TEST((back->max_age == std::chrono::hours{1}));
  BOOST_TEST((back->rate == e.rate));
  BOOST_TEST((back->ordering == core::ordering_mode::endpoint));
  BOOST_TEST(back->coalesce_modified);
  BOOST_TEST((back->termination == core::termination_signal::deleted));
  BOOST_TEST(back->http2);
  BOOST_TEST(back->receiver_control);
  BOOST_TEST(back->signing_key.reveal() == "canary-seed");
  BOOST_TEST(back->previous_signing_key.reveal() == "canary-previous-seed");
  BOOST_TEST((back->previous_signing_until == core::from_unix_ms(3)));
}

// A sealed value belongs to its endpoint.
BOOST_AUTO_TEST_CASE(a_secret_of_another_endpoint_is_refused) {
  const vault secrets = a_vault();
  std::string bytes = encode(with_everything(), secrets);
  BOOST_REQUIRE(bytes[1] == 8 && bytes[2] == 7);  // field 1: the id
  bytes[2] = 8;
  BOOST_TEST((decode_endpoint(bytes, secrets).failure().kind == core::errc::corrupt));
}

// Written by the first version: all that came later has its old meaning.
BOOST_AUTO_TEST_CASE(a_record_of_the_first_version_loads) {
  const auto e = decode_endpoint(
      from_hex("01080710021809221368747470733a2f2f612e6578616d706c652f682a1568747470733a2f2f"
               "612e6578616d706c653a343433300148e807520e737562736372697074696f6e2e2a5a016460"
               "02680170017a02ca0180018827880103920103008827980102a00102aa0103776879b00104b8"
               "0101c00102"),
      a_vault());
  BOOST_REQUIRE(e.ok());
  BOOST_TEST(e->id.value == 7U);
  BOOST_TEST(e->url == "https://a.example/h");
  BOOST_TEST((e->id_format == core::id_format::string));
  BOOST_TEST((e->success_codes == std::vector<int>{202}));
  BOOST_TEST((e->retry_schedule.back() == std::chrono::seconds{5}));
  BOOST_TEST((e->on_exhausted == core::exhausted_policy::skip));
  BOOST_TEST((e->state == core::endpoint_state::paused));
  BOOST_TEST(e->version == 4U);
  BOOST_TEST(e->headers.empty());
  BOOST_TEST((e->auth.kind == core::auth_kind::none));
  BOOST_TEST(e->identity.certificate.empty());
  BOOST_TEST((e->max_age == std::chrono::milliseconds{0}));
  BOOST_TEST((e->rate == core::rate_limit{}));
  BOOST_TEST((e->ordering == core::ordering_mode::stream));
  BOOST_TEST((e->termination == core::termination_signal::modified));
  BOOST_TEST(!e->coalesce_modified);
  BOOST_TEST(!e->http2);
  BOOST_TEST(!e->receiver_control);
  BOOST_TEST(e->signing_key.empty());
}

BOOST_AUTO_TEST_CASE(a_lane_of_the_first_version_loads) {
  const auto l = decode_lane({{core::entity_kind::subscription, 1}, {2}, {}},
                             from_hex("010805100118032001280230e8073801"));
  BOOST_REQUIRE(l.ok());
  BOOST_TEST(l->head.value == 5U);
  BOOST_TEST((l->replayed_at == core::timestamp{}));
  BOOST_TEST((l->not_before == core::timestamp{}));
  BOOST_TEST(core::hex_encode(encode(*l)) == "010805100118032001280230e8073801");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
