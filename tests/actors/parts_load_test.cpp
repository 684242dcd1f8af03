// A subscription with as many sub-resources as there may be: what happens to all of them is one
// plan with it, and its telling does not look at all of them for each.
#include <boost/test/unit_test.hpp>

#include "core/base/limits.hpp"
#include "store/subscription_parts.hpp"
#include "tests/actors/flat_engine.hpp"

namespace syndicated {
namespace {

using namespace tests;
using action = core::subscription_action;
using status = core::resource_status;

constexpr auto many = static_cast<std::int64_t>(core::limits::subscription_resources_max);

class crowded : public world {
 public:
  crowded() {
    const auto vendor = new_vendor();
    core::product product;
    product.vendor = vendor;
    product.name = "cloud";
    product.resource_types = {
        {"context", core::resource_class::service, "", core::resource_context::customer, "",
         core::link_strength::weak},
        {"vps", core::resource_class::service, "unit", core::resource_context::customer, "context",
         core::link_strength::strong}};
    core::plan plan;
    plan.product = {catalog(actors::create_product{product})};
    plan.name = "servers";
    plan.resources.resize(2);
    plan.resources[0].name = "context";
    plan.resources[0].auto_provide = 1;
    plan.resources[1].name = "vps";
    core::endpoint e = endpoint_of(vendor);
    e.form = core::wire_form::standard;
    e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    endpoint = engine.new_endpoint(std::move(e));
    const auto ordered = engine.ask(order(add_tenant(), {catalog(actors::create_plan{plan})}));
    engine.settle();
    id = {ordered->number()};
    act_on(action::report_deployed);
    drain();
    fill();
  }

  // All servers but one: they are on disk before the subscription has looked at its parts again.
  void fill() {
    engine.put_to_sleep(core::stream_of(id));
    context = resources().at(0).id;
    store::write_plan plan;
    core::resource r = resources().at(0);
    r.status = status::ready;
    store::subscription_parts::put(plan, r);
    r.type = "vps";
    r.parent = context;
    r.auto_provided = false;
    r.links = {{"context", core::link_target::resource, context.value, core::link_strength::strong,
                false}};
    for (std::int64_t n = 1; n < many; ++n) {
      r.id = ids().next_resource();
      store::subscription_parts::put(plan, r);
    }
    committer().submit(std::move(plan));
    commit();
  }

  void act_on(action what) { done(engine.ask(act(id, what))); }
  void step(core::resource_command command) {
    actors::resource_change change;
    change.order = actors::resource_step{context, std::move(command)};
    change.render = [](const core::resource&, bool) { return actors::answer{200, "1"}; };
    done(engine.ask(request(core::stream_of(id), std::move(change))));
  }
  void done(const outcome_ptr& seen) {
    engine.settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
  }

  std::vector<core::resource> resources() const {
    std::vector<core::resource> out;
    BOOST_REQUIRE(store::subscription_parts(repo().db())
                      .resources(id, {},
                                 [&out](core::resource&& r) {
                                   out.push_back(std::move(r));
                                   return true;
                                 })
                      .ok());
    return out;
  }
  std::int64_t count(status wanted) const {
    return std::ranges::count(resources(), wanted, &core::resource::status);
  }
  // How often the vendor hears of each name, one after the other, without a gap.
  std::map<std::string, std::int64_t> drain() {
    std::map<std::string, std::int64_t> out;
    for (engine.settle(); !engine.wire.empty(); engine.settle()) {
      const auto sent = *repo().find(engine.wire.front().event);
      BOOST_REQUIRE(sent->seq == ++heard_);
      ++out[sent->name];
      engine.answer(0, 204);
    }
    BOOST_TEST(heard_ == subscription(id).seq);
    return out;
  }

  flat_engine engine{*this};
  core::endpoint_id endpoint;
  core::subscription_id id;
  core::resource_id context;

 private:
  std::uint64_t heard_ = 0;
};

BOOST_AUTO_TEST_SUITE(parts_load)

BOOST_AUTO_TEST_CASE(the_most_resources_go_with_their_subscription) {
  crowded w;
  BOOST_TEST(w.count(status::ready) == many);
  w.act_on(action::suspend);
  BOOST_TEST(w.count(status::disabled) == many);
  // A crash right after the commit takes nothing back, and nothing is told twice in another order.
  w.engine.restart();
  auto told = w.drain();
  BOOST_TEST(told["subscription.suspended"] == 1);
  BOOST_TEST(told["resource.disabled"] == many);
  w.act_on(action::resume);
  BOOST_TEST(w.count(status::ready) == many);
  BOOST_TEST(w.drain()["resource.enabled"] == many);
}

BOOST_AUTO_TEST_CASE(the_most_resources_are_removed_with_their_parent) {
  crowded w;
  core::resource_command removal;
  removal.action = core::resource_action::remove;
  removal.cascade = true;
  w.step(removal);
  BOOST_TEST(w.count(status::unprovisioning) == many);
  BOOST_TEST(w.drain()["resource.changed"] == many);
  w.act_on(action::terminate);
  w.act_on(action::report_undeployed);
  BOOST_TEST(w.drain()["resource.removed"] == many);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
