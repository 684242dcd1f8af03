// Tenants that move, go and come back, users, and what a tenant may use: through the whole engine.
#include "tests/actors/engine_fixture.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;
using core::subscription_action;
using core::tenant_action;
using core::user_action;

const auto id_of = [](const auto& entity, bool) {
  return actors::answer{200, std::to_string(entity.id.value)};
};

class accounts_fixture : public engine_fixture {
 public:
  accounts_fixture() {
    options.simulated_time = true;
    options.events_age = options.attempts_age = 10 * 365 * 24h;
    restart();
    market_ = make_market();
  }

  core::result<actors::answer> change(core::tenant_id id, core::tenant_command command,
                                      std::optional<std::uint64_t> version = {}) {
    return await([&](actors::write_reply reply) {
      auto o = by_test();
      o.if_match = version;
      engine().command(id, std::move(command), std::move(o), id_of, std::move(reply));
    });
  }
  core::result<actors::answer> move(core::tenant_id id, core::tenant_id to) {
    core::tenant_command c;
    c.action = tenant_action::move;
    c.edit.parent = to;
    return change(id, c);
  }
  core::result<actors::answer> try_add_user(core::tenant_id tenant, const std::string& login) {
    core::new_user wanted;
    wanted.tenant = tenant;
    wanted.login = login;
    wanted.contact.email = "r@example.com";
    return await([&](actors::write_reply reply) {
      engine().create_user(wanted, by_test(), id_of, std::move(reply));
    });
  }
  core::user add_user(core::tenant_id tenant, const std::string& login) {
    const auto a = try_add_user(tenant, login);
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return *engine().user({std::stoull(a->body)});
  }
  core::result<actors::answer> change(core::user_id id, core::user_command command,
                                      std::optional<std::uint64_t> version = {}) {
    return await([&](actors::write_reply reply) {
      auto o = by_test();
      o.if_match = version;
      engine().command(id, std::move(command), std::move(o), id_of, std::move(reply));
    });
  }
  core::result<actors::answer> act_on(core::user_id id, user_action action) {
    core::user_command c;
    c.action = action;
    return change(id, c);
  }
  core::subscription_id deployed(core::tenant_id owner) {
    market m = market_;
    m.customer = owner;
    const auto id = order(m, true);
    report(id, subscription_action::report_deployed);
    return id;
  }
  std::vector<std::string> names_of(core::stream_id stream) {
    actors::event_filter f;
    f.stream = stream;
    std::vector<std::string> out;
    const auto found = engine().events(f, {});
    for (const core::event& e : found->items) out.push_back(e.name);
    return out;
  }
  void pass(std::chrono::milliseconds time) {
    std::promise<core::result<actors::clock_status>> told;
    engine().move_clock({engine().now() + time, false},
                        [&told](auto&& outcome) { told.set_value(std::move(outcome)); });
    const auto there = told.get_future().get();
    BOOST_REQUIRE_MESSAGE(there.ok(), (there.ok() ? "" : there.failure().detail));
  }
  static std::string code(const core::result<actors::answer>& a) {
    return a.ok() ? "" : a.failure().code;
  }

 protected:
  market market_;
};

BOOST_FIXTURE_TEST_SUITE(accounts, accounts_fixture)

BOOST_AUTO_TEST_CASE(every_command_asks_for_the_version) {
  const auto id = add_tenant(core::tenant_kind::customer);
  const auto user = add_user(id, "ann");
  for (const auto action :
       {tenant_action::update, tenant_action::disable, tenant_action::enable, tenant_action::erase,
        tenant_action::move, tenant_action::recover, tenant_action::convert}) {
    core::tenant_command c;
    c.action = action;
    c.edit.parent = core::provider_tenant;
    BOOST_TEST(code(change(id, c, 99)) == "version_mismatch");
  }
  for (const auto action :
       {user_action::update, user_action::activate, user_action::disable, user_action::enable,
        user_action::erase, user_action::set_roles, user_action::request_activation}) {
    core::user_command c;
    c.action = action;
    BOOST_TEST(code(change(user.id, c, 99)) == "version_mismatch");
    BOOST_TEST(engine().user(user.id)->version == user.version);
  }
  core::tenant_command rename;
  rename.edit.name = "new";
  BOOST_TEST(code(change(id, rename, 1)) == "");
  BOOST_TEST(engine().tenant(id)->version == 2U);
}

BOOST_AUTO_TEST_CASE(a_login_is_taken_once_whatever_its_case) {
  std::vector<std::future<core::result<actors::answer>>> all;
  for (const char* login : {"RichardDoe", "richarddoe", "RICHARDDOE", "RichardDOE"}) {
    all.push_back(std::async(std::launch::async,
                             [this, login] { return try_add_user(market_.customer, login); }));
  }
  int made = 0;
  for (auto& one : all) {
    const auto a = one.get();
    made += a.ok() ? 1 : 0;
    BOOST_TEST((a.ok() || a.failure().code == "login_taken"));
  }
  BOOST_TEST(made == 1);
  restart();
  BOOST_TEST(engine().user_of_login("RiChArDdOe")->has_value());
  BOOST_TEST(code(try_add_user(market_.customer, "richarddoe")) == "login_taken");
}

BOOST_AUTO_TEST_CASE(a_user_of_a_customer_comes_with_a_unit) {
  const auto user = add_user(market_.customer, "ann");
  const auto unit = engine().tenant(user.personal_unit);
  BOOST_REQUIRE(unit.ok());
  BOOST_TEST((unit->kind == core::tenant_kind::unit));
  BOOST_TEST(unit->parent.value == market_.customer.value);
  BOOST_TEST(unit->personal_of.value == user.id.value);
  BOOST_TEST(names_of(core::stream_of(user.id)).at(0) == "user.created");
  BOOST_TEST(names_of(core::stream_of(unit->id)).at(0) == "tenant.created");
  // The unit's own entity goes on where the user's left off.
  act(unit->id, tenant_action::disable);
  BOOST_TEST(names_of(core::stream_of(unit->id)).at(1) == "tenant.disabled");
  const auto reseller = add_tenant(core::tenant_kind::reseller);
  BOOST_TEST(!add_user(reseller, "bob").personal_unit);
}

BOOST_AUTO_TEST_CASE(a_service_role_gives_the_unit_what_the_tenant_has) {
  const auto set = [this](core::tenant_id id, core::offering_list items) {
    return await([&](actors::write_reply reply) {
      engine().set_offerings(id, std::move(items), by_test(), id_of, std::move(reply));
    });
  };
  core::offering_item storage;
  storage.application_id = "app";
  storage.name = "storage";
  storage.quota.value = 10;
  BOOST_TEST(code(set(market_.customer, {storage})) == "not_offered");
  BOOST_REQUIRE(set(core::provider_tenant, {storage}).ok());
  BOOST_REQUIRE(set(market_.customer, {storage}).ok());
  BOOST_TEST(code(set(market_.customer, {storage})) == "quota_version_mismatch");
  BOOST_TEST(names_of(core::stream_of(market_.customer)).back() == "tenant.updated");

  const auto user = add_user(market_.customer, "ann");
  BOOST_TEST(engine().offerings(user.personal_unit)->empty());
  core::user_command grant;
  grant.action = user_action::set_roles;
  grant.roles = {{0, market_.customer, "backup_user", {}, 0}};
  BOOST_REQUIRE(change(user.id, grant).ok());
  const auto items = engine().offerings(user.personal_unit);
  BOOST_REQUIRE(items->size() == 1U);
  BOOST_TEST(*items->at(0).quota.value == 10);

  storage.on = false;
  storage.quota.version = 1;
  BOOST_REQUIRE(set(core::provider_tenant, {storage}).ok());
  BOOST_TEST(!engine().offerings(market_.customer)->at(0).on);
  restart();
  BOOST_TEST(!engine().offerings(market_.customer)->at(0).on);
}

BOOST_AUTO_TEST_CASE(a_move_takes_all_below_along) {
  const auto from = add_tenant(core::tenant_kind::reseller);
  const auto to = add_tenant(core::tenant_kind::reseller);
  const auto moved = add_tenant(core::tenant_kind::reseller, from);
  const auto customer = add_tenant(core::tenant_kind::customer, moved);
  const auto id = deployed(customer);
  core::endpoint e;
  e.scope = core::endpoint_scope::tenant;
  e.url = vendor.url();
  e.origin = vendor.url();
  e.events = {"subscription.*"};
  e.scope_id = from.value;
  const core::endpoint_id old_one{created(actors::create_endpoint{e})};
  e.scope_id = to.value;
  const core::endpoint_id new_one{created(actors::create_endpoint{e})};

  BOOST_TEST(code(move(moved, customer)) == "invalid_field");
  BOOST_TEST(code(move(from, moved)) == "invalid_field");
  BOOST_REQUIRE(move(moved, to).ok());
  // From the answer on, whether the cascade has come there or not.
  BOOST_TEST(engine().tenant_within(customer, to));
  BOOST_TEST(!engine().tenant_within(customer, from));
  act(id, subscription_action::suspend);
  const auto last = events_of(id).back();
  BOOST_TEST((last.recipients == std::vector{market_.endpoint, new_one}));
  BOOST_TEST(std::ranges::count(last.recipients, old_one) == 0);
  wait_until([&] { return engine().subscription(id)->path.at(1) == to; });
  restart();
  const auto path = engine().subscription(id)->path;
  BOOST_TEST((path == std::vector<core::tenant_id>{{1}, to, moved, customer}));
  BOOST_TEST(engine().subscription(id)->reseller.value == moved.value);
  BOOST_TEST(names_of(core::stream_of(moved)).back() == "tenant.moved");
  BOOST_TEST(names_of(core::stream_of(customer)).size() == 1U);  // a path is no event
}

BOOST_AUTO_TEST_CASE(into_a_disabled_branch_or_out_of_it) {
  const auto off = add_tenant(core::tenant_kind::reseller);
  const auto on = add_tenant(core::tenant_kind::reseller);
  const auto customer = add_tenant(core::tenant_kind::customer, off);
  const auto id = deployed(customer);
  act(off, tenant_action::disable);
  wait_until([&] { return !engine().subscription(id)->reasons.list().empty(); });
  BOOST_REQUIRE(move(customer, on).ok());
  BOOST_TEST(engine().tenant_effective(*engine().tenant(customer)));
  wait_until([&] { return engine().subscription(id)->reasons.list().empty(); });
  BOOST_TEST(code(move(customer, off)) == "parent_disabled");
}

BOOST_AUTO_TEST_CASE(two_moves_make_no_circle) {
  for (int round = 0; round < 20; ++round) {
    const auto a = add_tenant(core::tenant_kind::reseller);
    const auto b = add_tenant(core::tenant_kind::reseller);
    auto first = std::async(std::launch::async, [&] { return move(a, b); });
    auto second = std::async(std::launch::async, [&] { return move(b, a); });
    const bool both = first.get().ok() && second.get().ok();
    BOOST_TEST(!both);
    BOOST_TEST(engine().tenant_within(a, core::provider_tenant));
    BOOST_TEST(engine().tenant_within(b, core::provider_tenant));
  }
}

BOOST_AUTO_TEST_CASE(deleted_recovered_deleted_and_purged_from_below) {
  const auto reseller = add_tenant(core::tenant_kind::reseller);
  const auto customer = add_tenant(core::tenant_kind::customer, reseller);
  const auto user = add_user(customer, "ann");
  const auto id = deployed(customer);
  act(reseller, tenant_action::disable);
  act(reseller, tenant_action::erase);
  act(reseller, tenant_action::recover);
  act(reseller, tenant_action::erase);
  pass(29 * 24h);
  BOOST_TEST((engine().tenant(customer)->state == core::tenant_state::enabled));
  BOOST_TEST(!core::ended(engine().subscription(id)->status));
  restart();
  // The vendor says nothing: the subscription ends by force a week after it was asked to go.
  pass(10 * 24h);
  for (const core::tenant_id t : {reseller, customer, user.personal_unit}) {
    BOOST_TEST((engine().tenant(t).failure().kind == core::errc::gone));
    BOOST_TEST(names_of(core::stream_of(t)).back() == "tenant.purged");
  }
  BOOST_TEST((engine().user(user.id).failure().kind == core::errc::gone));
  BOOST_TEST(core::ended(engine().subscription(id)->status));
  actors::tenant_filter gone;
  gone.state = core::tenant_state::purged;
  const auto left = engine().tenants(gone, {});
  BOOST_TEST(left->items.size() == 3U);
  for (const core::tenant& t : left->items) {
    BOOST_TEST(t.name.empty());
    BOOST_TEST((t.contact == core::contact{}));
  }
  // Bottom-up.
  const auto purged_at = [this](core::tenant_id t) {
    actors::event_filter f;
    f.stream = core::stream_of(t);
    return engine().events(f, {})->items.back().id.value;
  };
  BOOST_TEST(purged_at(user.personal_unit) < purged_at(customer));
  BOOST_TEST(purged_at(customer) < purged_at(reseller));
  BOOST_TEST(try_add_user(market_.customer, "ANN").ok());
}

BOOST_AUTO_TEST_CASE(a_user_is_purged_by_himself_too) {
  const auto user = add_user(market_.customer, "ann");
  BOOST_TEST(code(act_on(user.id, user_action::erase)) == "not_disabled");
  BOOST_REQUIRE(act_on(user.id, user_action::disable).ok());
  BOOST_REQUIRE(act_on(user.id, user_action::erase).ok());
  pass(29 * 24h);
  BOOST_TEST(code(try_add_user(market_.customer, "ann")) == "login_taken");
  pass(2 * 24h);
  BOOST_TEST((engine().user(user.id).failure().kind == core::errc::gone));
  BOOST_TEST((engine().tenant(user.personal_unit).failure().kind == core::errc::gone));
  BOOST_TEST(engine().tenant(market_.customer).ok());
  BOOST_TEST(try_add_user(market_.customer, "ann").ok());
}

BOOST_AUTO_TEST_CASE(a_trial_lasts_a_month) {
  const auto id = add_tenant(core::tenant_kind::customer);
  pass(27 * 24h);
  BOOST_TEST((engine().tenant(id)->pricing == core::pricing_mode::trial));
  restart();
  pass(5 * 24h);
  BOOST_TEST((engine().tenant(id)->pricing == core::pricing_mode::production));
  BOOST_TEST(names_of(core::stream_of(id)).back() == "tenant.converted");
}

BOOST_AUTO_TEST_CASE(who_keeps_out_those_above_is_hidden_from_them) {
  const auto reseller = add_tenant(core::tenant_kind::reseller);
  const auto customer = add_tenant(core::tenant_kind::customer, reseller);
  core::tenant_command hide;
  hide.edit.ancestral_access = false;
  BOOST_TEST(!engine().hidden_from(*engine().tenant(customer), reseller));
  BOOST_REQUIRE(change(customer, hide).ok());
  BOOST_TEST(engine().hidden_from(*engine().tenant(customer), reseller));
  BOOST_TEST(!engine().hidden_from(*engine().tenant(customer), customer));
  actors::tenant_filter below;
  below.within = reseller;
  BOOST_TEST(engine().tenants(below, {})->items.size() == 2U);
  below.visible_above = true;
  BOOST_TEST(engine().tenants(below, {})->items.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
