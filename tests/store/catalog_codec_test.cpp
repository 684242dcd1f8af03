// The stored forms of products, instances and plans.
#include <boost/test/unit_test.hpp>

#include <string>

#include "core/delivery/signature.hpp"
#include "core/lifecycle/json.hpp"
#include "store/codec.hpp"
#include "store/sealed_fields.hpp"

namespace core = syndicated::core;
using namespace syndicated::store;
using namespace std::chrono_literals;

namespace {

vault a_vault(char fill = 'k') { return std::move(*vault::with_key(std::string(32, fill))); }

core::product a_product() {
  core::product p;
  p.id = {1};
  p.vendor = {2};
  p.name = "p";
  p.sku = "s";
  p.metadata = {{"gsuite_sku_id", "1"}};
  p.version = 3;
  p.state = core::publication_state::withdrawn;
  p.type = core::product_type::csp;
  p.resource_types = {{"tenant", core::resource_class::service, "unit",
                       core::resource_context::customer, "root", core::link_strength::strong}};
  p.config_parameters = {{{9}, "domain", "Domain", "which", true, true}};
  core::metric m;
  m.name = "users";
  m.kind = core::metric_kind::counter;
  m.unit = "user";
  m.url = "https://m.example/";
  m.headers = {{"X-Key", core::secret_bytes{"canary-header"}}};
  m.frequency = 300s;
  m.function = core::metric_function::peak;
  p.metrics = {m};
  p.approval_required = true;
  p.per_customer = core::per_customer::trial;
  p.order_validation_urls = {"https://v.example/"};
  p.parameter_value_url = "https://x.example/";
  p.provisioning = {1ms, 2ms, 3U};
  p.deprovision = {4ms, false};
  p.changes = {core::change_mode::confirm, 5ms, core::silence_policy::wait};
  p.lifecycle = {core::lifecycle_profile::csp, 6ms, 7ms, 8ms, 9ms, 10ms, 11ms, 12ms, true};
  p.mode = core::fulfilment_mode::resource_driven;
  return p;
}

core::plan a_plan() {
  core::plan p;
  p.id = {1};
  p.product = {2};
  p.vendor = {3};
  p.name = "n";
  p.trial_days = 14;
  core::plan_resource r{"seats", 1, 100, 1, 2, 50, 5, 3};
  r.value_type = core::value_type::payg;
  r.presence = core::resource_presence::required;
  r.downgradable = false;
  r.rate = core::resource_rate{core::rate_scheme::tiered,
                               {{1, 9, 5'000'000, 7}, {10, std::nullopt, 3'000'000, 0}},
                               8,
                               "EUR"};
  p.resources = {r};
  p.state = core::publication_state::draft;
  p.trial_wo_payment_method = true;
  p.minimum_duration_months = 12;
  p.lifespan_hours = 0;
  p.auto_renewable = false;
  p.upgradable = false;
  p.unkillable = true;
  p.needs_approval = true;
  p.post_configuration = true;
  p.free = true;
  p.commitment_options = {{36, false, 1, 2, false, true, 3, true, true, true, 4, 5, "seat"}};
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(catalog_records)

BOOST_AUTO_TEST_CASE(a_product_keeps_everything_and_hides_its_secrets) {
  const vault v = a_vault();
  const core::product p = a_product();
  const std::string bytes = encode(p, v);
  BOOST_TEST(bytes.find("canary") == std::string::npos);
  const auto back = decode_product(bytes, v);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(core::to_json(*back) == core::to_json(p));
  BOOST_TEST(back->metrics.at(0).headers.at(0).value.reveal() == "canary-header");
  BOOST_TEST((decode_product(bytes, a_vault('x')).failure().kind == core::errc::corrupt));
}

BOOST_AUTO_TEST_CASE(a_product_has_golden_bytes) {
  core::product p = a_product();
  p.metrics.at(0).headers.clear();  // sealed values differ each time
  BOOST_TEST(core::hex_encode(encode(p, a_vault())) ==
             "01080110021a01702201732a120a0d6773756974655f736b755f69641201313003480350045a1a0a"
             "0674656e616e7410021a04756e697420032a04726f6f743002621d08091206646f6d61696e1a0644"
             "6f6d61696e22057768696368280130016a280a05757365727310021a047573657222126874747073"
             "3a2f2f6d2e6578616d706c652f30ac0238027001780582011268747470733a2f2f762e6578616d70"
             "6c652f8a011268747470733a2f2f782e6578616d706c652f900101980102a00103a80104b00101b8"
             "0102c00105c80103d00102d80106e00107e80108f00109f8010a80020b88020c900201980202");
}

BOOST_AUTO_TEST_CASE(a_product_of_before_has_the_defaults) {
  const std::string old{"\x01\x08\x01\x10\x02\x1a\x01p\x30\x03", 10};
  const auto p = decode_product(old, a_vault());
  BOOST_REQUIRE(p.ok());
  core::product expected;
  expected.id = {1};
  expected.vendor = {2};
  expected.name = "p";
  expected.version = 3;
  BOOST_TEST(core::to_json(*p) == core::to_json(expected));
  BOOST_TEST((p->state == core::publication_state::published));
  BOOST_TEST(p->deprovision.force);
}

BOOST_AUTO_TEST_CASE(an_instance_keeps_everything_and_hides_its_settings) {
  const vault v = a_vault();
  core::product_instance i{{1}, {2}, {3}, "eu", {4}, {}, true, 5, {}, {}};
  i.settings.emplace("login", core::secret_bytes{"canary-login"});
  const std::string bytes = encode(i, v);
  BOOST_TEST(bytes.find("canary") == std::string::npos);
  const auto back = decode_instance(bytes, v);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(back->settings.at("login").reveal() == "canary-login");
  BOOST_TEST((back->product == i.product && back->vendor == i.vendor && back->deleted));
  BOOST_TEST(!decode_instance(bytes, a_vault('x')).ok());
  i.settings.clear();
  BOOST_TEST(core::hex_encode(encode(i, v)) == "0108011002180322026575280438014005");
}

BOOST_AUTO_TEST_CASE(a_plan_keeps_everything) {
  const core::plan p = a_plan();
  const auto back = decode_plan(encode(p));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(core::to_json(*back) == core::to_json(p));
  BOOST_TEST(encode(*back) == encode(p));
  BOOST_TEST(core::hex_encode(encode(p)) ==
             "0108011002180322016e3001380e423c0a0573656174731001186420012802303238054003480350"
             "035801621f0803120b0801100918c096b10220071207080a18c08db7011808220345555268017001"
             "780c880101900101980101a00101a80101b00101ba011a0824180120023001380340014801500158"
             "0460056a0473656174");
}

BOOST_AUTO_TEST_CASE(a_plan_of_before_is_published_and_has_the_defaults) {
  const std::string old{
      "\x01\x08\x01\x10\x02\x18\x03\"\x01n\x30\x01\x38\x0e"
      "B\x14\x0a\x05seats\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x20\x01",
      36};
  const auto p = decode_plan(old);
  BOOST_REQUIRE(p.ok());
  core::plan expected;
  expected.id = {1};
  expected.product = {2};
  expected.vendor = {3};
  expected.name = "n";
  expected.trial_days = 14;
  expected.resources.resize(1);
  expected.resources[0].name = "seats";
  BOOST_TEST(core::to_json(*p) == core::to_json(expected));
  BOOST_TEST((p->state == core::publication_state::published));
  BOOST_TEST((p->trial_mode() == core::trial_mode::allowed));
}

BOOST_AUTO_TEST_CASE(an_untold_event_has_a_golden_key) {
  BOOST_TEST(core::hex_encode(untold_key({core::entity_kind::plan, 2}, 3).view()) ==
             "6b0400000000000000020000000000000003");
}

// A new master key reaches them: every sealed field is visited with what it is sealed for.
BOOST_AUTO_TEST_CASE(sealed_fields_are_known_to_key_rotation) {
  const vault v = a_vault();
  core::product_instance i{{1}, {2}, {3}, "eu", {4}, {}, false, 5, {}, {}};
  i.settings.emplace("login", core::secret_bytes{"canary-login"});
  std::vector<std::string> opened;
  const auto open = [&](std::string& sealed, const std::string& context) {
    const auto plain = v.open(sealed, context);
    BOOST_REQUIRE(plain.ok());
    opened.push_back(*plain);
  };
  const auto visit = [&](core::entity_kind kind, const std::string& row) {
    const std::string prefix(1, static_cast<char>(kind));
    for (const sealed_area& area : sealed_areas()) {
      if (area.where == family::catalog && area.begin == prefix) {
        BOOST_TEST(area.visit(row, open).ok());
      }
    }
  };
  visit(core::entity_kind::product, encode(a_product(), v));
  visit(core::entity_kind::instance, encode(i, v));
  BOOST_TEST(opened == (std::vector<std::string>{"canary-header", "canary-login"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
