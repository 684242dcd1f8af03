// Ed25519 by the vectors of RFC 8032 and RFC 8037, prepared keys, and what a rotation sends.
#include "core/delivery/signer.hpp"

#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"

namespace syndicated::core {
namespace {

using namespace std::chrono_literals;

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(ed25519)

struct vector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc).
const std::vector<vector> rfc_8032{
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "b"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0"
     "303dca179c138ac17ad9bef1177331a704"},
};

BOOST_AUTO_TEST_CASE(rfc_8032_vectors) {
  for (const vector& v : rfc_8032) {
    const auto key = make_signing_key(from_hex(v.seed));
    BOOST_REQUIRE(key.ok());
    BOOST_TEST(hex_encode(public_part(*key)) == v.public_key);
    auto made = ed25519_signer::create(*key);
    BOOST_REQUIRE(made.ok());
    for (int i = 0; i < 2; ++i) {  // the prepared key is not used up
      BOOST_TEST(hex_encode(made->sign(from_hex(v.message))) == v.signature);
    }
    const std::string signature = from_hex(v.signature);
    BOOST_TEST(ed25519_verify(from_hex(v.public_key), from_hex(v.message), signature));
    std::string changed = signature;
    changed[5] = static_cast<char>(changed[5] ^ 1);
    BOOST_TEST(!ed25519_verify(from_hex(v.public_key), from_hex(v.message), changed));
    BOOST_TEST(!ed25519_verify(from_hex(v.public_key), from_hex(v.message) + "x", signature));
    BOOST_TEST(!ed25519_verify("short", "", signature));
    BOOST_TEST(!ed25519_verify(from_hex(v.public_key), "", "short"));
  }
}

// RFC 8037, A.2 and A.3
BOOST_AUTO_TEST_CASE(rfc_8037_thumbprint) {
  const std::string key = from_hex(rfc_8032[0].public_key);
  BOOST_TEST(base64url(key) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  BOOST_TEST(key_thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

BOOST_AUTO_TEST_CASE(texts_of_keys) {
  const std::string seed = from_hex(rfc_8032[0].seed);
  const std::string pair = *make_signing_key(seed);
  BOOST_TEST(*decode_signing_key("whsk_" + base64_encode(seed)) == pair);
  BOOST_TEST(*decode_signing_key("whsk_" + base64_encode(pair)) == pair);
  BOOST_TEST(*decode_public_key(encode_public_key(public_part(pair))) == public_part(pair));
  std::string torn = pair;
  torn.back() = static_cast<char>(torn.back() ^ 1);
  for (const std::string& bad : {std::string{}, std::string{"whsk_"}, "whsk_" + base64_encode("x"),
                                 base64_encode(seed), "whsk_" + base64_encode(torn)}) {
    BOOST_TEST(!decode_signing_key(bad).ok(), bad);
  }
  for (const std::string& bad : {std::string{}, "whsk_" + base64_encode(seed),
                                 "whpk_" + base64_encode(pair), std::string{"whpk_!"}}) {
    BOOST_TEST(!decode_public_key(bad).ok(), bad);
  }
  BOOST_TEST(!make_signing_key("short").ok());
  BOOST_TEST(!ed25519_signer::create(seed).ok());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(signers)

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");
const std::string first_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string second_secret = "whsec_" + base64_encode(std::string(32, 's'));

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == ' ') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

// RFC 4231, test cases 1 and 2; RFC 2202, test case 2. The prepared key gives the same each time.
BOOST_AUTO_TEST_CASE(prepared_hmac_keys) {
  hmac_key first{hmac_key::digest::sha256, std::string(20, '\x0b')};
  hmac_key jefe{hmac_key::digest::sha256, "Jefe"};
  hmac_key old{hmac_key::digest::sha1, "Jefe"};
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(hex_encode(first.sign({"Hi There"})) ==
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    BOOST_TEST(hex_encode(jefe.sign({"what do ya want ", "", "for nothing?"})) ==
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(hex_encode(old.sign({"what do ya want for nothing?"})) ==
               "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  }
}

BOOST_AUTO_TEST_CASE(the_standard_form_with_everything) {
  endpoint e;
  e.form = wire_form::standard;
  e.secret = secret_bytes{first_secret};
  e.previous_secret = secret_bytes{second_secret};
  e.previous_until = noon + 1h;
  const std::string key = *make_signing_key(std::string(32, 'a'));
  const std::string previous = *make_signing_key(std::string(32, 'b'));
  e.signing_key = secret_bytes{key};
  e.previous_signing_key = secret_bytes{previous};
  e.previous_signing_until = noon + 2h;
  signer s{e};
  BOOST_TEST(s.usable());
  const std::int64_t seconds = to_unix_seconds(noon);
  const auto all = words(s.standard("evt_1", noon, "{}"));
  BOOST_REQUIRE(all.size() == 4U);
  BOOST_TEST(all[0] ==
             standard_signature(*decode_standard_secret(first_secret), "evt_1", seconds, "{}"));
  BOOST_TEST(all[1] ==
             standard_signature(*decode_standard_secret(second_secret), "evt_1", seconds, "{}"));
  const std::string message = standard_message("evt_1", std::to_string(seconds), "{}");
  const auto verified = [&message](const std::string& word, const std::string& pair) {
    return word.starts_with("v1a,") &&
           ed25519_verify(public_part(pair), message, *base64_decode(word.substr(4)));
  };
  BOOST_TEST(verified(all[2], key));
  BOOST_TEST(verified(all[3], previous));
  BOOST_TEST(words(s.standard("evt_1", noon + 1h, "{}")).size() == 3U);
  BOOST_TEST(words(s.standard("evt_1", noon + 2h, "{}")).size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_signed_is_not_usable) {
  endpoint e;
  BOOST_TEST(signer{e}.usable());  // the Cloudesire form may go unsigned
  BOOST_TEST(signer{e}.cloudesire("{}").empty());
  e.secret = secret_bytes{"MY_SECRET_TOKEN"};
  BOOST_TEST(signer{e}.cloudesire("{}") == cloudesire_signature("MY_SECRET_TOKEN", "{}"));
  e.form = wire_form::standard;
  BOOST_TEST(!signer{e}.usable());
  e.secret = secret_bytes{first_secret};
  BOOST_TEST(signer{e}.usable());
  e.signing_key = secret_bytes{"damaged"};
  BOOST_TEST(!signer{e}.usable());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
