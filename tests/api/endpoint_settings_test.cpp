// Reading, refusing and showing the settings of endpoints; secrets go in and never come out.
#include <boost/test/unit_test.hpp>

#include "core/delivery/ed25519.hpp"
#include "tests/api/face.hpp"
#include "tests/support/test_certificates.hpp"

using namespace syndicated;
using tests::face;

namespace {

tests::reply create(face& f, const std::string& more) {
  return f.call("POST", "/v1/endpoints",
                R"({"scope":"platform","url":"https://hooks.example.com/in")" + more + "}");
}

std::string quoted(const char* text) { return boost::json::serialize(boost::json::string(text)); }

// A field that must be refused, and the pointer that must be named.
struct refused {
  const char* more;
  const char* pointer;
};

void refuse_all(const std::vector<refused>& cases) {
  face f;
  for (const auto& [more, pointer] : cases) {
    const auto r = create(f, more);
    BOOST_TEST(r.status() == 422, more);
    BOOST_TEST(r.at("/errors/0/pointer") == pointer, more << " " << r.http.body);
    BOOST_TEST(r.http.body.find("canary") == std::string::npos, r.http.body);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_settings)

BOOST_AUTO_TEST_CASE(headers_are_masked) {
  face f;
  const auto made = create(f, R"(,"headers":{"X-Key":"canary","Authorization":"canary too"})");
  BOOST_TEST(made.status() == 201);
  BOOST_TEST(made.at("/headers/X-Key") == "********");
  BOOST_TEST(made.http.body.find("canary") == std::string::npos);
  const std::string path = "/v1/endpoints/" + made.at("/id");
  // What a reading shows cannot be written back by accident.
  BOOST_TEST(f.call("PATCH", path, R"({"headers":{"X-Key":"********"}})").status() == 422);
  BOOST_TEST(f.call("PATCH", path, R"({"headers":{"X-B":"b"}})").at("/headers") ==
             R"({"X-B":"********"})");
  BOOST_TEST(f.call("PATCH", path, R"({"headers":null})").at("/headers") == "{}");
  refuse_all({
      {R"(,"headers":{"Host":"canary"})", "/headers/Host"},
      {R"(,"headers":{"webhook-id":"canary"})", "/headers/webhook-id"},
      {R"(,"headers":{"X":"canary\r\nY: 1"})", "/headers/X"},
      {R"(,"headers":{"X":1})", "/headers/X"},
      {R"(,"headers":{"X":"canary","x":"2"})", "/headers/x"},
      {R"(,"headers":[])", "/headers"},
      {R"(,"headers":{"authorization":"canary"},"auth":{"type":"bearer","token":"canary"})",
       "/headers/authorization"},
  });
}

BOOST_AUTO_TEST_CASE(credentials_are_written_only) {
  face f;
  const auto basic = create(f, R"(,"auth":{"type":"basic","username":"u","password":"canary"})");
  BOOST_TEST(basic.at("/auth") == R"({"type":"basic","username":"u"})");
  const auto bearer = create(f, R"(,"auth":{"type":"bearer","token":"canary"})");
  BOOST_TEST(bearer.at("/auth") == R"({"type":"bearer"})");
  const auto key = create(f, R"(,"auth":{"type":"api_key","header":"X-Key","value":"canary"})");
  BOOST_TEST(key.at("/auth") == R"({"type":"api_key","header":"X-Key"})");
  const auto oauth2 = create(
      f, R"(,"auth":{"type":"oauth2","token_url":"https://id.example.com/token","client_id":"c",)"
         R"("client_secret":"canary","scope":"a b"})");
  BOOST_TEST(oauth2.at("/auth") ==
             R"({"type":"oauth2","token_url":"https://id.example.com/token","client_id":"c",)"
             R"("scope":"a b","audience":""})");
  for (const auto& r : {basic, bearer, key, oauth2}) {
    BOOST_TEST(r.status() == 201);
    BOOST_TEST(r.http.body.find("canary") == std::string::npos);
  }
  const std::string path = "/v1/endpoints/" + basic.at("/id");
  // A header that auth sets is refused later, too, and the other way round.
  BOOST_TEST(f.call("PATCH", path, R"({"headers":{"Authorization":"x"}})").status() == 422);
  BOOST_TEST(f.call("PATCH", path, R"({"auth":null})").at("/auth") == "null");
  BOOST_TEST(f.call("PATCH", path, R"({"headers":{"Authorization":"x"}})").status() == 200);
  BOOST_TEST(
      f.call("PATCH", path, R"({"auth":{"type":"bearer","token":"t"}})").at("/errors/0/pointer") ==
      "/headers/Authorization");
  refuse_all({
      {R"(,"auth":{"type":"digest"})", "/auth/type"},
      {R"(,"auth":{})", "/auth/type"},
      {R"(,"auth":"canary")", "/auth"},
      {R"(,"auth":{"type":"basic","username":"a:b","password":"canary"})", "/auth/username"},
      {R"(,"auth":{"type":"basic","username":"a"})", "/auth/password"},
      {R"(,"auth":{"type":"bearer","token":"canary canary"})", "/auth/token"},
      {R"(,"auth":{"type":"bearer","token":""})", "/auth/token"},
      {R"(,"auth":{"type":"api_key","header":"Content-Type","value":"canary"})", "/auth/header"},
      {R"(,"auth":{"type":"api_key","value":"canary"})", "/auth/header"},
      {R"(,"auth":{"type":"bearer","token":"t","user":"canary"})", "/auth/user"},
      {R"(,"auth":{"type":"oauth2","token_url":"https://10.0.0.1/","client_id":"c",)"
       R"("client_secret":"canary"})",
       "/auth/token_url"},
      {R"(,"auth":{"type":"oauth2","token_url":"https://id.example.com/","client_id":"c"})",
       "/auth/client_secret"},
      {R"(,"auth":{"type":"oauth2","client_id":"c","client_secret":"canary"})", "/auth/token_url"},
  });
}

BOOST_AUTO_TEST_CASE(a_client_certificate_has_its_key) {
  face f;
  const std::string one = quoted(tests::certificate_one);
  const std::string key = quoted(tests::key_one);
  const auto made =
      create(f, ",\"client_cert\":" + one + ",\"client_key\":" + key + ",\"ca\":" + one);
  BOOST_TEST(made.status() == 201);
  BOOST_TEST(made.at("/client_cert") == tests::certificate_one);
  BOOST_TEST(made.at("/client_cert_expires_at").starts_with("2126-"));
  BOOST_TEST(made.at("/ca") == tests::certificate_one);
  BOOST_TEST(made.http.body.find("PRIVATE KEY") == std::string::npos);
  const std::string path = "/v1/endpoints/" + made.at("/id");
  BOOST_TEST(f.call("PATCH", path, "{\"client_cert\":" + one + "}").at("/errors/0/pointer") ==
             "/client_key");
  BOOST_TEST(f.call("PATCH", path, "{\"client_key\":" + key + "}").at("/errors/0/pointer") ==
             "/client_cert");
  const std::string other = quoted(tests::key_two);
  BOOST_TEST(f.call("PATCH", path, "{\"client_cert\":" + one + ",\"client_key\":" + other + "}")
                 .at("/errors/0/pointer") == "/client_key");
  BOOST_TEST(f.call("PATCH", path, R"({"ca":"x"})").at("/errors/0/pointer") == "/ca");
  const auto without = f.call("PATCH", path, R"({"client_cert":null})");
  BOOST_TEST(without.at("/client_cert") == "null");
  BOOST_TEST(without.at("/client_cert_expires_at") == "null");
}

BOOST_AUTO_TEST_CASE(public_keys_are_published) {
  face f;
  const auto keys = [&f](const std::string& query = {}) {
    return f.call("GET", "/.well-known/webhook-keys" + query, {}, {}, "");
  };
  BOOST_TEST(keys().http.body == R"({"keys":[]})");
  BOOST_TEST(keys().http.content_type == "application/jwk-set+json");
  const auto made = create(f, R"(,"form":"standard","asymmetric":true)");
  BOOST_TEST(made.at("/asymmetric") == "true");
  const auto public_key = core::decode_public_key(made.at("/public_key"));
  BOOST_REQUIRE(public_key.ok());
  const std::string kid = core::key_thumbprint(*public_key);
  BOOST_TEST(keys().at("/keys/0/kid") == kid);
  BOOST_TEST(keys().at("/keys/0/x") == core::base64url(*public_key));
  BOOST_TEST(keys().at("/keys/0/kty") == "OKP");
  BOOST_TEST(keys("?kid=" + kid).at("/keys/0/crv") == "Ed25519");
  BOOST_TEST(keys("?kid=other").http.body == R"({"keys":[]})");
  BOOST_TEST(keys("?id=1").status() == 422);
  const std::string path = "/v1/endpoints/" + made.at("/id");
  // Said again: the key stays.
  BOOST_TEST(f.call("PATCH", path, R"({"asymmetric":true})").at("/public_key") ==
             made.at("/public_key"));
  // Rotated: both are there for a while, and the secret stays.
  const auto turned =
      f.call("POST", path + "/rotate-secret", R"({"kind":"asymmetric","overlap_s":60})");
  BOOST_TEST(turned.status() == 200, turned.http.body);
  BOOST_TEST(turned.at("/public_key") != made.at("/public_key"));
  BOOST_TEST(turned.at("/secret").empty());
  BOOST_TEST(turned.at("/previous_secret_until") == "null");
  BOOST_TEST(keys().json().at("keys").as_array().size() == 2U);
  const auto both = f.call("POST", path + "/rotate-secret", R"({"kind":"both","overlap_s":0})");
  BOOST_TEST(both.at("/secret").starts_with("whsec_"));
  BOOST_TEST(keys().json().at("keys").as_array().size() == 1U);
  BOOST_TEST(f.call("PATCH", path, R"({"asymmetric":false})").at("/public_key") == "null");
  BOOST_TEST(keys().http.body == R"({"keys":[]})");
  BOOST_TEST(
      f.call("POST", path + "/rotate-secret", R"({"kind":"asymmetric"})").at("/errors/0/pointer") ==
      "/kind");
  BOOST_TEST(create(f, R"(,"asymmetric":true)").at("/errors/0/pointer") == "/asymmetric");
}

BOOST_AUTO_TEST_CASE(order_and_coalescing) {
  face f;
  const auto made = create(
      f, R"(,"ordering":"endpoint","coalesce_modified":true,"termination_signal":"deleted")");
  BOOST_TEST(made.status() == 201, made.http.body);
  BOOST_TEST(made.at("/ordering") == "endpoint");
  BOOST_TEST(made.at("/coalesce_modified") == "true");
  BOOST_TEST(made.at("/termination_signal") == "deleted");
  const std::string path = "/v1/endpoints/" + made.at("/id");
  BOOST_TEST(f.call("PATCH", path, R"({"ordering":"stream"})").status() == 200);
  BOOST_TEST(f.call("PATCH", path, R"({"ordering":"none"})").at("/errors/0/pointer") ==
             "/ordering");
  BOOST_TEST(f.call("PATCH", path, R"({"termination_signal":"modified"})").status() == 422);
  const auto none = create(f, R"(,"ordering":"none")");
  BOOST_TEST(none.at("/ordering") == "none");
  BOOST_TEST(f.call("PATCH", "/v1/endpoints/" + none.at("/id"), R"({"ordering":"stream"})")
                 .at("/errors/0/pointer") == "/ordering");
  refuse_all({
      {R"(,"ordering":"random")", "/ordering"},
      {R"(,"form":"standard","coalesce_modified":true)", "/coalesce_modified"},
      {R"(,"form":"standard","termination_signal":"deleted")", "/termination_signal"},
      {R"(,"termination_signal":"both")", "/termination_signal"},
  });
}

BOOST_AUTO_TEST_CASE(schedules_rates_and_ages) {
  face f;
  const auto made = create(
      f, R"(,"retry_schedule":{"base_s":10,"factor":3,"cap_s":60,"attempts":5},)"
         R"("success_codes":[202],)"
         R"("rate_limit":{"per_s":2.5},"max_age_s":60,"receiver_control":true,"http2":true)");
  BOOST_TEST(made.status() == 201, made.http.body);
  BOOST_TEST(made.at("/retry_schedule") == "[0,10,30,60,60]");
  BOOST_TEST(made.at("/rate_limit/burst") == "3");
  BOOST_TEST(made.at("/max_age_s") == "60");
  BOOST_TEST(made.at("/receiver_control") == "true");
  BOOST_TEST(made.at("/http2") == "true");
  const auto broken = create(f, R"(,"retry_schedule":{"base_s":5,"factor":1.5,"attempts":5})");
  BOOST_TEST(broken.at("/retry_schedule") == "[0,5,8,11,17]");
  const auto bare = create(f, "");
  BOOST_TEST(bare.at("/rate_limit") == "null");
  BOOST_TEST(bare.at("/max_age_s") == "null");
  const std::string path = "/v1/endpoints/" + made.at("/id");
  const auto off = f.call("PATCH", path,
                          R"({"rate_limit":null,"max_age_s":null,)"
                          R"("retry_schedule":null,"success_codes":null})");
  BOOST_TEST(off.status() == 200, off.http.body);
  BOOST_TEST(off.at("/retry_schedule") == bare.at("/retry_schedule"));
  BOOST_TEST(off.at("/success_codes") == bare.at("/success_codes"));
  BOOST_TEST(off.at("/rate_limit") == "null");
  BOOST_TEST(off.at("/max_age_s") == "null");
  refuse_all({
      {R"(,"retry_schedule":[60])", "/retry_schedule"},
      {R"(,"coalesce_modified":true,"ordering":"none")", "/coalesce_modified"},
      {R"(,"retry_schedule":{"attempts":33})", "/retry_schedule/attempts"},
      {R"(,"retry_schedule":{"factor":0.5})", "/retry_schedule/factor"},
      {R"(,"retry_schedule":{"base":1})", "/retry_schedule/base"},
      {R"(,"rate_limit":{"per_s":0})", "/rate_limit/per_s"},
      {R"(,"rate_limit":{})", "/rate_limit/per_s"},
      {R"(,"rate_limit":{"per_s":"2"})", "/rate_limit/per_s"},
      {R"(,"rate_limit":{"per_s":100,"burst":9})", "/rate_limit/burst"},
      {R"(,"rate_limit":5)", "/rate_limit"},
      {R"(,"max_age_s":0)", "/max_age_s"},
      {R"(,"max_age_s":7776001)", "/max_age_s"},
      {R"(,"receiver_control":"on")", "/receiver_control"},
  });
}

BOOST_AUTO_TEST_SUITE_END()
