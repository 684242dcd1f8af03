// N1-N8 of domain.md 10.3, as tables.
#include <boost/test/unit_test.hpp>

#include <array>

#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {
namespace {

const timestamp noon = *parse_rfc3339("2026-11-21T12:00:00Z");

tenant in(tenant_state state, tenant_kind kind = tenant_kind::customer) {
  tenant t;
  t.id = {5};
  t.kind = kind;
  t.parent = {1};
  t.path = {{1}};
  t.name = "acme";
  t.state = state;
  t.version = 3;
  return t;
}

constexpr std::array all_states{tenant_state::enabled, tenant_state::disabled,
                                tenant_state::deleted, tenant_state::purged};
constexpr std::array all_actions{
    tenant_action::update,  tenant_action::disable, tenant_action::enable,  tenant_action::erase,
    tenant_action::move,    tenant_action::recover, tenant_action::convert, tenant_action::timer,
    tenant_action::condemn, tenant_action::purge};

tenant as_after(tenant t) {
  if (t.state == tenant_state::deleted) {
    t.deleted_at = noon - std::chrono::hours{1};
    t.purge_at = noon + std::chrono::hours{719};
  }
  return t;
}

move_target there(tenant_kind kind = tenant_kind::reseller) {
  move_target target;
  target.parent.id = {7};
  target.parent.kind = kind;
  target.parent.path = {{1}};
  return target;
}

result<tenant_decision> run(const tenant& from, tenant_action action, tenant_id by = {}) {
  const move_target target = there();
  tenant_command c;
  c.action = action;
  c.by = by;
  if (action == tenant_action::update) c.edit.name = "other";
  if (action == tenant_action::move) c.edit.parent = tenant_id{7};
  return decide(from, c, {noon, std::chrono::hours{720}, &target});
}

// "-": refused; "gone"; "=": nothing changes; else the events and the state that follows.
std::string after(const tenant& from, tenant_action action) {
  const auto decided = run(from, action);
  if (!decided.ok()) return decided.failure().kind == errc::gone ? "gone" : "-";
  if (!decided->changed) return "=";
  std::string out;
  for (const event_draft& e : decided->events) out += e.name.substr(7) + ' ';
  return out + std::string{to_string(decided->next.state)};
}

BOOST_AUTO_TEST_SUITE(tenant_machine)

BOOST_AUTO_TEST_CASE(every_state_under_every_action) {
  // In the order of all_actions.
  const std::array<std::array<std::string_view, 10>, 4> table{{
      {"updated ENABLED", "disabled DISABLED", "=", "-", "moved ENABLED", "-", "converted ENABLED",
       "=", "deleted DELETED", "-"},
      {"updated DISABLED", "=", "enabled ENABLED", "deleted DELETED", "moved DISABLED", "=",
       "converted DISABLED", "=", "deleted DELETED", "-"},
      {"-", "-", "-", "=", "-", "recovered DISABLED", "-", "=", "DELETED", "-"},
      {"gone", "gone", "gone", "gone", "gone", "gone", "gone", "=", "=", "="},
  }};
  for (std::size_t s = 0; s < all_states.size(); ++s) {
    for (std::size_t a = 0; a < all_actions.size(); ++a) {
      const std::string found = after(as_after(in(all_states[s])), all_actions[a]);
      BOOST_TEST(found == table[s][a], to_string(all_states[s])
                                           << " under " << to_string(all_actions[a]) << ": "
                                           << found);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_decision_is_one_version_and_a_repeat_none) {
  for (const tenant_state s : all_states) {
    for (const tenant_action a : all_actions) {
      const tenant from = as_after(in(s));
      const auto decided = run(from, a);
      if (!decided) continue;
      BOOST_TEST(decided->next.version == from.version + (decided->events.empty() ? 0 : 1));
      BOOST_TEST((decided->events.empty() || decided->next.updated_at == noon));
      // The same again changes nothing.
      if (a == tenant_action::purge) continue;
      const auto again = run(decided->next, a);
      BOOST_TEST((again.ok() && (!again->changed || a == tenant_action::timer)));
    }
  }
}

BOOST_AUTO_TEST_CASE(while_locked_only_the_owner_changes_it) {
  for (const tenant_action a : all_actions) {
    tenant t = as_after(in(tenant_state::disabled));
    t.update_lock = {true, {2}};
    const auto plain = run(as_after(in(tenant_state::disabled)), a);
    BOOST_TEST(run(t, a, {2}).ok() == plain.ok());
    BOOST_TEST(run(t, a).ok() == plain.ok());  // staff, and the daemon
    const auto other = run(t, a, {3});
    BOOST_TEST((!other.ok() && other.failure().code == "tenant_locked"));
  }
}

BOOST_AUTO_TEST_CASE(who_locks_is_the_owner) {
  tenant_command c;
  c.edit.update_lock = tenant_lock{true, {}};
  BOOST_TEST(decide(in(tenant_state::enabled), c, {noon})->next.update_lock.owner.value == 1U);
  c.by = {4};
  BOOST_TEST(decide(in(tenant_state::enabled), c, {noon})->next.update_lock.owner.value == 4U);
  c.edit.update_lock->owner = {5};
  BOOST_TEST(decide(in(tenant_state::enabled), c, {noon}).failure().fields.at(0).pointer ==
             "/update_lock/owner_id");
}

BOOST_AUTO_TEST_CASE(one_command_edits_moves_and_switches) {
  const move_target target = there();
  tenant_command c;
  c.edit.name = "new";
  c.edit.parent = tenant_id{7};
  c.edit.enabled = false;
  const auto d = decide(in(tenant_state::enabled), c, {noon, {}, &target});
  BOOST_REQUIRE(d.ok());
  BOOST_REQUIRE(d->events.size() == 3U);
  BOOST_TEST(d->events[0].name == "tenant.updated");
  BOOST_TEST(d->events[0].change_json == R"({"changed":["name"]})");
  BOOST_TEST(d->events[1].name == "tenant.moved");
  BOOST_TEST(d->events[1].change_json == R"({"from":1,"to":7})");
  BOOST_TEST(d->events[2].name == "tenant.disabled");
  BOOST_TEST(d->events[2].change_json == R"({"epoch":1})");
  BOOST_TEST(d->next.version == 4U);
  BOOST_TEST((d->next.path == std::vector<tenant_id>{{1}, {7}}));
}

BOOST_AUTO_TEST_CASE(where_a_tenant_may_go) {
  const auto moved = [](tenant t, move_target target) {
    tenant_command c;
    c.action = tenant_action::move;
    c.edit.parent = target.parent.id;
    return decide(t, c, {noon, {}, &target});
  };
  using tk = tenant_kind;
  const tenant customer = in(tenant_state::enabled);
  for (tk kind : {tk::provider, tk::reseller}) BOOST_TEST(moved(customer, there(kind)).ok());
  for (tk kind : {tk::customer, tk::unit}) BOOST_TEST(!moved(customer, there(kind)).ok());
  BOOST_TEST(moved(in(tenant_state::enabled, tk::unit), there(tk::customer)).ok());
  BOOST_TEST(!moved(in(tenant_state::enabled, tk::unit), there(tk::reseller)).ok());
  BOOST_TEST(moved(in(tenant_state::enabled, tk::provider), there()).failure().code ==
             "provider_is_fixed");

  const tenant reseller = in(tenant_state::enabled, tk::reseller);
  move_target below = there();
  below.parent.path = {{1}, {5}};  // under itself
  BOOST_TEST(moved(reseller, below).failure().fields.at(0).pointer == "/parent_id");
  move_target self = there();
  self.parent.id = reseller.id;
  BOOST_TEST(!moved(reseller, self).ok());

  move_target deep = there();
  deep.parent.path = {{1}, {2}, {3}};
  BOOST_TEST(moved(reseller, deep).ok());  // the fourth
  deep.resellers_below = 1;
  BOOST_TEST(!moved(reseller, deep).ok());
  BOOST_TEST(moved(customer, deep).ok());

  move_target off = there();
  off.parent_effective = false;
  BOOST_TEST(moved(customer, off).failure().code == "parent_disabled");
  off.parent.state = tenant_state::deleted;
  BOOST_TEST(!moved(customer, off).ok());
  tenant personal = in(tenant_state::enabled, tk::unit);
  personal.personal_of = {9};
  BOOST_TEST(moved(personal, there(tk::customer)).failure().code == "personal_tenant");
}

BOOST_AUTO_TEST_CASE(the_window_and_the_purge) {
  tenant t = in(tenant_state::disabled);
  t = run(t, tenant_action::erase)->next;
  BOOST_TEST((t.purge_at == noon + std::chrono::hours{720}));
  BOOST_TEST((next_timer(t) == t.purge_at));
  tenant_command recover;
  recover.action = tenant_action::recover;
  const auto at = [&](timestamp when) { return decide(t, recover, {when}); };
  BOOST_TEST(at(*t.purge_at - std::chrono::milliseconds{1}).ok());
  BOOST_TEST(at(*t.purge_at).failure().code == "recover_window_over");

  tenant_command timer;
  timer.action = tenant_action::timer;
  BOOST_TEST(!decide(t, timer, {*t.purge_at - std::chrono::milliseconds{1}})->changed);
  t = decide(t, timer, {*t.purge_at})->next;
  BOOST_TEST(t.purging);
  BOOST_TEST((t.state == tenant_state::deleted));
  BOOST_TEST((next_timer(t) == *t.purge_at + limits::purge_look_pause));
  BOOST_TEST(!at(*t.purge_at - std::chrono::hours{1}).ok());  // also with a clock set back

  t.contact = {"a@example.com", "A", "B", "1"};
  const auto gone = run(t, tenant_action::purge);
  BOOST_REQUIRE(gone.ok());
  BOOST_TEST(gone->events.at(0).name == "tenant.purged");
  BOOST_TEST((gone->next.contact == contact{}));
  BOOST_TEST(gone->next.name.empty());
  BOOST_TEST(gone->next.id.value == 5U);
  BOOST_TEST(!next_timer(gone->next));
}

BOOST_AUTO_TEST_CASE(a_trial_ends_once_by_itself_or_by_hand) {
  new_tenant wanted;
  tenant parent = in(tenant_state::enabled, tenant_kind::reseller);
  tenant t = create_tenant({9}, wanted, parent, true, noon)->next;
  BOOST_TEST((t.pricing == pricing_mode::trial));
  const timestamp month = *parse_rfc3339("2026-12-21T12:00:00Z");
  BOOST_TEST((next_timer(t) == month));
  tenant_command timer;
  timer.action = tenant_action::timer;
  BOOST_TEST(!decide(t, timer, {month - std::chrono::milliseconds{1}})->changed);
  const auto ended = decide(t, timer, {month});
  BOOST_TEST(ended->events.at(0).name == "tenant.converted");
  BOOST_TEST((ended->next.pricing == pricing_mode::production));
  BOOST_TEST(after(ended->next, tenant_action::convert) == "=");
  BOOST_TEST(after(t, tenant_action::convert) == "converted ENABLED");
  BOOST_TEST(!next_timer(ended->next));
}

BOOST_AUTO_TEST_CASE(an_enabled_tenant_is_not_deleted) {
  BOOST_TEST(run(in(tenant_state::enabled), tenant_action::erase).failure().code == "not_disabled");
}

BOOST_AUTO_TEST_CASE(the_provider_stays) {
  const auto decided =
      run(in(tenant_state::enabled, tenant_kind::provider), tenant_action::disable);
  BOOST_TEST(decided.failure().code == "provider_is_fixed");
}

BOOST_AUTO_TEST_CASE(who_may_contain_whom) {
  const auto allowed = [](tenant_kind parent, tenant_kind child) {
    new_tenant wanted;
    wanted.kind = child;
    return create_tenant({9}, wanted, in(tenant_state::enabled, parent), true, noon).ok();
  };
  using tk = tenant_kind;
  for (tk parent : {tk::provider, tk::reseller}) {
    BOOST_TEST(allowed(parent, tk::reseller));
    BOOST_TEST(allowed(parent, tk::customer));
    BOOST_TEST(!allowed(parent, tk::unit));
    BOOST_TEST(!allowed(parent, tk::provider));
  }
  BOOST_TEST(allowed(tk::customer, tk::unit));
  BOOST_TEST(!allowed(tk::customer, tk::customer));
  BOOST_TEST(!allowed(tk::unit, tk::unit));
}

BOOST_AUTO_TEST_CASE(resellers_are_nested_to_a_limit) {
  tenant parent = in(tenant_state::enabled, tenant_kind::reseller);
  new_tenant wanted;
  wanted.kind = tenant_kind::reseller;
  parent.path = {{1}, {2}, {3}};
  BOOST_TEST(create_tenant({9}, wanted, parent, true, noon).ok());  // the fourth
  parent.path = {{1}, {2}, {3}, {4}};
  BOOST_TEST(!create_tenant({9}, wanted, parent, true, noon).ok());
  BOOST_TEST(create_tenant({9}, {}, parent, false, noon).failure().code == "parent_disabled");
}

BOOST_AUTO_TEST_CASE(effective_depends_on_states_alone) {
  using ts = tenant_state;
  BOOST_TEST(effective(ts::enabled, {ts::enabled, ts::enabled}));
  BOOST_TEST(!effective(ts::enabled, {ts::enabled, ts::disabled}));
  BOOST_TEST(!effective(ts::disabled, {ts::enabled}));
  BOOST_TEST(!effective(ts::enabled, {ts::deleted}));
}

BOOST_AUTO_TEST_CASE(each_switch_counts_in_the_epoch) {
  tenant t = in(tenant_state::enabled);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    t = run(t, i % 2 == 1 ? tenant_action::disable : tenant_action::enable)->next;
    BOOST_TEST(t.epoch == i);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::core
