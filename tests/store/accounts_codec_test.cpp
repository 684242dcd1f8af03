// Tenants, users and offering items as bytes.
#include <boost/test/unit_test.hpp>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"

namespace syndicated::store {
namespace {

BOOST_AUTO_TEST_SUITE(account_records)

BOOST_AUTO_TEST_CASE(a_tenant_keeps_everything) {
  core::tenant t;
  t.id = {2};
  t.kind = core::tenant_kind::unit;
  t.parent = {1};
  t.path = {{1}};
  t.name = "n";
  t.external_ref = "r";
  t.contact = {"e@x", "f", "l", "p", {{"city", "Pisa"}, {"fax", "1"}}, {"billing", "technical"}};
  t.language = "it";
  t.internal_tag = "tag";
  t.customer_type = "enterprise";
  t.default_idp_id = "idp";
  t.brand_id = 3579;
  t.ancestral_access = false;
  t.state = core::tenant_state::deleted;
  t.update_lock = {true, {7}};
  t.trial_until = core::from_unix_ms(1);
  t.purge_at = core::from_unix_ms(2);
  t.look_at = core::from_unix_ms(3);
  t.purging = true;
  t.personal_of = {9};
  const std::string bytes = encode(t);
  const auto back = decode_tenant(bytes);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(encode(*back) == bytes);
  const core::tenant_profile& profile = *back;
  BOOST_TEST((profile == static_cast<const core::tenant_profile&>(t)));
  BOOST_TEST((back->update_lock == t.update_lock));
  BOOST_TEST((back->pricing == core::pricing_mode::trial));
  BOOST_TEST((back->look_at == t.look_at && back->purge_at == t.purge_at));
}

BOOST_AUTO_TEST_CASE(a_tenant_has_golden_bytes) {
  core::tenant t;
  t.id = {300};
  t.kind = core::tenant_kind::customer;
  t.parent = {2};
  t.path = {{1}, {2}};
  t.name = "a";
  t.contact = {"e@x", "", "", "", {{"city", "Pisa"}}, {"billing"}};
  t.customer_type = "default";
  t.pricing = core::pricing_mode::production;
  t.version = 3;
  t.seq = 2;
  BOOST_TEST(
      core::hex_encode(encode(t)) ==
      "0108ac0210031802220201022a01613a1c0a036540782a0c0a0463697479120450697361320762696c6c696e6740"
      "0150035802820102656e92010764656661756c74c00102");
  BOOST_TEST(encode(*decode_tenant(encode(t))) == encode(t));
}

// Bytes of before there were trials and profiles.
BOOST_AUTO_TEST_CASE(an_older_tenant_is_in_production) {
  const std::string older{"\x01\x08\x02\x10\x03\x18\x01\x2a\x01n\x40\x01", 12};
  const auto t = decode_tenant(older);
  BOOST_REQUIRE(t.ok());
  BOOST_TEST((t->pricing == core::pricing_mode::production));
  BOOST_TEST(t->language == "en");
  BOOST_TEST(t->ancestral_access);
  BOOST_TEST(!core::next_timer(*t));
}

BOOST_AUTO_TEST_CASE(a_user_has_golden_bytes) {
  core::user u;
  u.id = {300};
  u.tenant = {7};
  u.login = "a";
  u.contact.email = "e@x";
  u.personal_unit = {8};
  u.activated = true;
  u.password_hash = "h";
  u.roles = {{1, {7}, "backup_user", {1}, 2}};
  u.last_role = 1;
  u.version = 3;
  u.seq = 2;
  BOOST_TEST(core::hex_encode(encode(u)) ==
             "0108ac0210071a016122050a036540782a02656e400848015a01687215080110071a0b6261636b75705f"
             "75736572200128027801a80103b00102");
  BOOST_TEST(encode(*decode_user(encode(u))) == encode(u));
}

BOOST_AUTO_TEST_CASE(offering_items_have_golden_bytes) {
  core::offering_item i;
  i.application_id = "app";
  i.name = "storage";
  i.measurement_unit = "bytes";
  i.type = "infra";
  i.infra_id = "i";
  i.locked = true;
  i.quota = {10, 5, 2};
  BOOST_TEST(
      core::hex_encode(encode(core::offering_list{i})) ==
      "010a270a03617070120773746f72616765220169320562797465733a05696e6672614001500a58056002");
}

BOOST_AUTO_TEST_CASE(offering_items_keep_everything) {
  core::offering_item i;
  i.application_id = "app";
  i.name = "storage";
  i.edition = "e";
  i.infra_id = "i";
  i.measurement_unit = "bytes";
  i.type = "infra";
  i.locked = true;
  i.on = false;
  i.quota = {0, 5, 2};  // no limit is not the limit zero
  const core::offering_list list{i, {}};
  const auto back = decode_offerings(encode(list));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(core::same_settings(*back, list));
  BOOST_TEST(!back->at(1).quota.value);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::store
