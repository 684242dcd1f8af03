// Products, plans and instances in the keeper, and what their streams tell.
#include <boost/test/unit_test.hpp>

#include "tests/actors/room.hpp"

namespace syndicated {
namespace {

using namespace tests;
using state = core::publication_state;

class bazaar : public room {
 public:
  core::endpoint_id platform_endpoint() {
    core::endpoint e;
    e.scope = core::endpoint_scope::platform;
    e.url = "https://operator.example/hook";
    e.origin = "https://operator.example:443";
    e.secret = core::secret_bytes{"MY_SECRET_TOKEN"};
    e.with_metadata = true;
    const auto id = engine.new_endpoint(std::move(e));
    engine.settle();
    return id;
  }
  // What the ticker asks once a second.
  void tell_news() {
    core::stream_id after;
    while (const auto next = *repo().next_untold(after)) {
      after = *next;
      (void)engine.ask(request(after, actors::untold_events{}));
    }
    engine.settle();
  }
  std::vector<core::event> told(core::stream_id stream) {
    std::vector<core::event> out;
    const auto scanned = repo().stream_events(stream, 1, [&](core::event_id&& event) {
      out.push_back(**repo().find(event));
      return true;
    });
    BOOST_REQUIRE(scanned.ok());
    return out;
  }
  std::string names(core::stream_id stream) {
    std::string out;
    for (const auto& e : told(stream)) {
      BOOST_TEST(e.data.find("\"seq\":" + std::to_string(e.seq) + '}') != std::string::npos);
      out += std::to_string(e.seq) + ' ' + e.name + '\n';
    }
    return out;
  }
  // The code of the refusal.
  std::string refusal(actors::catalog_command command) {
    actors::catalog_request asked;
    asked.command = std::move(command);
    const auto seen = watch(asked);
    actors::catalog_keeper(s()).handle(asked);
    commit();
    return seen->code();
  }
  std::shared_ptr<const core::product> product(core::product_id id) {
    return s().catalog.load()->find(id);
  }
};

BOOST_FIXTURE_TEST_SUITE(catalog_news, bazaar)

BOOST_AUTO_TEST_CASE(a_plans_life_is_told_in_order_and_to_the_platform_only) {
  const auto operators = platform_endpoint();
  const auto st = open_stall();  // its endpoint wants everything
  const auto stream = core::stream_of(st.plan);
  catalog(actors::update_plan{st.plan, [](core::plan& p) { p.name = "yearly"; }});
  catalog(actors::update_plan{st.plan, [](core::plan& p) { p.name = "yearly"; }});  // no change
  catalog(actors::move_plan{st.plan, state::withdrawn});
  catalog(actors::move_plan{st.plan, state::withdrawn});
  catalog(actors::move_plan{st.plan, state::published});
  catalog(actors::move_plan{st.plan, state::withdrawn});
  catalog(actors::move_plan{st.plan, state::deleted});
  tell_news();
  BOOST_TEST(names(stream) ==
             "1 plan.created\n2 plan.updated\n3 plan.withdrawn\n4 plan.published\n"
             "5 plan.withdrawn\n6 plan.deleted\n");
  const auto events = told(stream);
  BOOST_TEST((events.front().type == core::wire_type::created));
  BOOST_TEST((events.back().type == core::wire_type::deleted));
  BOOST_TEST(events[1].metadata.at("published") == "true");
  BOOST_TEST(events[2].metadata.at("published") == "false");
  BOOST_TEST(events[2].metadata.at("approved") == "true");  // the product is still sold
  BOOST_TEST(events[2].data.find(R"("state":"withdrawn")") != std::string::npos);
  BOOST_TEST(events[2].entity_version == 3U);
  for (const auto& e : events) {
    BOOST_TEST((e.recipients == std::vector<core::endpoint_id>{operators}));
  }
  BOOST_TEST(under_way(st) == 0U);
  BOOST_TEST(!repo().next_untold({})->has_value());
  // Subscriptions go on with a deleted plan.
  BOOST_TEST((s().catalog.load()->find(st.plan) != nullptr));
}

BOOST_AUTO_TEST_CASE(a_product_is_told_as_a_version_of_itself) {
  const auto operators = platform_endpoint();
  const auto vendor = new_vendor();
  core::product draft;
  draft.vendor = vendor;
  draft.name = "backup";
  draft.state = state::draft;
  const core::product_id id{catalog(actors::create_product{draft})};
  tell_news();
  BOOST_TEST(names(core::stream_of(id)).empty());
  catalog(actors::move_product{id, state::published});
  catalog(actors::update_product{id, [](core::product& p) { p.sku = "b1"; }});
  catalog(actors::move_product{id, state::withdrawn});
  tell_news();
  BOOST_TEST(names(core::stream_of(id)) ==
             "1 product.published\n2 product.updated\n3 product.withdrawn\n");
  BOOST_REQUIRE(engine.under_way(operators) == 1U);
  const std::string body = *engine.wire[*engine.first_of(operators)].request.body;
  BOOST_TEST(body.find(R"("entity":"ProductVersion","entityUrl":"product/)" +
                       std::to_string(id.value)) != std::string::npos,
             body);
  BOOST_TEST(body.find(R"("metadata":{"approved":"true","published":"true"})") != std::string::npos,
             body);
}

// The change is on disk, the telling is not: it comes once, whoever asks and however often.
BOOST_AUTO_TEST_CASE(a_change_is_told_once_even_over_a_crash) {
  const auto operators = platform_endpoint();
  const auto plan = new_plan(new_vendor());
  const auto stream = core::stream_of(plan);
  engine.restart();
  BOOST_TEST(names(stream).empty());
  BOOST_TEST(
      (**repo().next_untold({}) == core::stream_of(s().catalog.load()->find(plan)->product)));
  (void)engine.ask(request(stream, actors::untold_events{}));
  (void)engine.ask(request(stream, actors::untold_events{}));
  engine.entity_turn();
  engine.entity_turn();  // before the first one's plan is committed
  engine.settle();
  tell_news();
  tell_news();
  BOOST_TEST(names(stream) == "1 plan.created\n");
  engine.restart();
  catalog(actors::move_plan{plan, state::withdrawn});
  tell_news();
  BOOST_TEST(names(stream) == "1 plan.created\n2 plan.withdrawn\n");
  BOOST_TEST(committer().counters_of(operators).accepted == 3U);  // and the product's
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(catalog_changes, bazaar)

BOOST_AUTO_TEST_CASE(only_what_is_possible) {
  const auto plan = new_plan(new_vendor());
  BOOST_TEST(refusal(actors::move_plan{plan, state::deleted}) == "transition_not_allowed");
  catalog(actors::move_plan{plan, state::withdrawn});
  catalog(actors::move_plan{plan, state::deleted});
  BOOST_TEST(refusal(actors::move_plan{plan, state::published}) == "not_found");
  BOOST_TEST(refusal(actors::update_plan{plan, {}}) == "not_found");
  core::plan draft;
  draft.product = s().catalog.load()->find(plan)->product;
  draft.state = state::draft;
  const core::plan_id id{catalog(actors::create_plan{draft})};
  BOOST_TEST(refusal(actors::move_plan{id, state::withdrawn}) == "transition_not_allowed");
  catalog(actors::move_plan{id, state::deleted});
  draft.lifespan_hours = 2;  // and renewable
  BOOST_TEST(refusal(actors::create_plan{draft}) == "invalid_input");
}

BOOST_AUTO_TEST_CASE(a_product_keeps_what_its_plans_sell_and_its_parameters_numbers) {
  const auto vendor = new_vendor();
  core::product p;
  p.vendor = vendor;
  p.resource_types.resize(2);
  p.resource_types[0].name = "tenant";
  p.resource_types[1].name = "vps";
  p.config_parameters.resize(1);
  p.config_parameters[0].code = "domain";
  const core::product_id id{catalog(actors::create_product{p})};
  core::plan plan;
  plan.product = id;
  plan.resources.resize(1);
  plan.resources[0].name = "disk";
  BOOST_TEST(refusal(actors::create_plan{plan}) == "invalid_input");
  plan.resources[0].name = "vps";
  catalog(actors::create_plan{plan});
  BOOST_TEST(refusal(actors::update_product{
                 id, [](core::product& x) { x.resource_types.pop_back(); }}) == "invalid_field");
  const auto number = product(id)->config_parameters.at(0).id;
  BOOST_TEST(static_cast<bool>(number));
  catalog(actors::update_product{id, [](core::product& x) {
                                   x.config_parameters.insert(x.config_parameters.begin(),
                                                              {{}, "edition", {}, {}, true, false});
                                   x.config_parameters[1].required = true;
                                 }});
  BOOST_TEST((product(id)->config_parameters.at(1).id == number));
  BOOST_TEST((product(id)->config_parameters.at(0).id != number));
}

BOOST_AUTO_TEST_CASE(instances_belong_to_one_product) {
  const auto vendor = new_vendor();
  const core::product_id product{catalog(actors::create_product{{{}, vendor, "a", "a"}})};
  const core::product_id other{catalog(actors::create_product{{{}, vendor, "b", "b"}})};
  core::product_instance wanted;
  wanted.product = product;
  wanted.tenant = {99};
  wanted.settings.emplace("host", core::secret_bytes{"canary"});
  BOOST_TEST(refusal(actors::create_instance{wanted}) == "invalid_field");
  wanted.tenant = core::provider_tenant;
  const core::instance_id id{catalog(actors::create_instance{wanted})};
  const auto secret = [](const char* text) {
    return std::map<std::string, std::optional<core::secret_bytes>>{
        {"login", core::secret_bytes{text}}, {"host", std::nullopt}};
  };
  BOOST_TEST(refusal(actors::update_instance{other, id, {}, {}, secret("x")}) == "not_found");
  catalog(actors::update_instance{product, id, "eu", {}, secret("root")});
  engine.restart();  // what is read back was sealed
  const auto found = s().catalog.load()->find(id);
  BOOST_REQUIRE(found != nullptr);
  BOOST_TEST(found->name == "eu");
  BOOST_TEST(found->settings.size() == 1U);
  BOOST_TEST(found->settings.at("login").reveal() == "root");
  BOOST_TEST(refusal(actors::delete_instance{other, id}) == "not_found");
  catalog(actors::delete_instance{product, id});
  BOOST_TEST((s().catalog.load()->find(id) == nullptr));
  BOOST_TEST(s().catalog.load()->instances(0, 10).empty());
}

// domain.md 10.11: tenants are no users, unless somebody wants them to be.
BOOST_AUTO_TEST_CASE(tenants_in_cloudesires_form_go_to_those_that_ask) {
  const auto listener = [this](core::wire_form form, std::vector<std::string> events) {
    core::endpoint e = endpoint_of({});
    e.scope = core::endpoint_scope::platform;
    e.form = form;
    e.events = std::move(events);
    return engine.new_endpoint(std::move(e));
  };
  const auto any = listener(core::wire_form::cloudesire, {"*"});
  const auto named = listener(core::wire_form::cloudesire, {"subscription.*", "tenant.*"});
  const auto standard = listener(core::wire_form::standard, {"*"});
  const auto to = [this](const char* name, core::entity_kind kind, core::wire_type type) {
    core::event e;
    e.stream = {kind, 7};
    e.name = name;
    e.type = type;
    return s().catalog.load()->recipients(e, {}, {});
  };
  using ids = std::vector<core::endpoint_id>;
  using core::entity_kind;
  using core::wire_type;
  BOOST_TEST(
      (to("tenant.created", entity_kind::tenant, wire_type::created) == ids{named, standard}));
  BOOST_TEST(
      (to("tenant.access_suspended", entity_kind::tenant, wire_type::none) == ids{standard}));
  BOOST_TEST((to("user.created", entity_kind::user, wire_type::created) == ids{any, standard}));
  BOOST_TEST((to("subscription.created", entity_kind::subscription, wire_type::created) ==
              ids{any, named, standard}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
