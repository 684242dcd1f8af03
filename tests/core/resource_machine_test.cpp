// Sub-resources: every status x every action as a table, the rules of links and limits, what
// transitions of the subscription do; then seeded walks that hold the invariants.
// Source of the expectations: domain.md 2.3, 2.6, 10.7, 10.14.
#include <boost/test/unit_test.hpp>

#include <array>
#include <random>
#include <string>

#include "core/lifecycle/resource.hpp"

namespace syndicated::core {
namespace {

using status = resource_status;
using action = resource_action;
using sub = subscription_status;

const timestamp noon = *parse_rfc3339("2026-03-31T12:00:00Z");

// The two typical cases of the model's description in one: a tenant that hangs on the
// application's root, servers that hang on the tenant, disks that hang on servers.
resource_rules a_plan() {
  resource_rules r;
  r.all.push_back({"cloud", false, "", false, link_strength::weak, {1, 0}, 0});
  r.all.push_back({"context", true, "cloud", true, link_strength::strong, {1, 0}, 1});
  r.all.push_back({"vps", true, "context", false, link_strength::strong, {3, 1}, 0});
  r.all.push_back({"disk", true, "vps", false, link_strength::strong, {2, {}}, 0});
  r.all.push_back({"gold", true, "", false, link_strength::weak, {0, {}}, 0});
  return r;
}

struct house {
  resource_rules rules = a_plan();
  resource_set set;
  std::uint64_t last = 0;
  sub now = sub::deployed;

  resource_circumstances at() {
    resource_circumstances c;
    c.now = noon;
    c.subscription = {9};
    c.status = now;
    c.rules = &rules;
    c.next_id = [this] { return resource_id{++last}; };
    return c;
  }
  std::vector<std::string> take(const resource_decision& d) {
    adopt(set, d);
    std::vector<std::string> names;
    for (const event_draft& e : d.events) {
      const auto id = e.metadata.find("resource_id");
      names.push_back(e.name + (id == e.metadata.end() ? "" : " " + id->second));
    }
    return names;
  }
  std::vector<std::string> take(result<resource_decision>&& d) {
    BOOST_REQUIRE_MESSAGE(d.ok(), (d.ok() ? "" : d.failure().detail));
    return take(*d);
  }
  std::string refusal(const result<resource_decision>& d) {
    BOOST_REQUIRE(!d.ok());
    return d.failure().code;
  }
  result<resource_decision> try_create(std::string type, std::uint64_t parent = 0) {
    new_resource wanted;
    wanted.type = std::move(type);
    wanted.parent = {parent};
    return create_resource(set, wanted, at());
  }
  std::uint64_t create(std::string type, std::uint64_t parent = 0) {
    auto d = try_create(std::move(type), parent);
    BOOST_REQUIRE_MESSAGE(d.ok(), (d.ok() ? "" : d.failure().detail));
    take(*d);
    return d->subject.value;
  }
  result<resource_decision> try_act(std::uint64_t id, action a, party by, bool cascade = false) {
    resource_command c;
    c.action = a;
    c.by = by;
    c.cascade = cascade;
    return decide(set, {id}, c, at());
  }
  std::vector<std::string> act(std::uint64_t id, action a, bool cascade = false) {
    return take(try_act(id, a, party::provider, cascade));
  }
  std::vector<std::string> become(sub after) {
    const sub before = std::exchange(now, after);
    return take(follow(set, before, at()));
  }
  status of(std::uint64_t id) { return set.all.at({id}).status; }
  std::uint64_t ready(std::string type, std::uint64_t parent = 0) {
    const auto id = create(std::move(type), parent);
    act(id, action::report_ready);
    return id;
  }
};

using names = std::vector<std::string>;
#define TEST_NAMES(got, ...) \
  BOOST_TEST((got) == (names{__VA_ARGS__}), boost::test_tools::per_element())

const std::array<std::string, 10> shorts{"", "PT", "PV", "AC", "RD", "CF", "DI", "FA", "UN", "DE"};

struct row {
  action a;
  std::array<const char*, 9> after;  // in the order of the persisted numbers
};
// "--" refused with 409, "==" success without any change, else the status that follows a change.
const std::array<row, resource_action_count> table{{
    // PT, PV, AC, RD, CF, DI, FA, UN, DE
    {action::provision, {"PV", "==", "--", "--", "--", "--", "PV", "--", "--"}},
    {action::configure, {"PT", "PV", "AC", "CF", "CF", "--", "--", "--", "--"}},
    {action::report_activating, {"--", "AC", "==", "--", "--", "--", "--", "--", "--"}},
    {action::report_ready, {"--", "RD", "RD", "==", "RD", "--", "--", "--", "--"}},
    {action::report_failed, {"--", "FA", "FA", "--", "RD", "--", "==", "--", "--"}},
    {action::report_configuring, {"--", "--", "--", "CF", "==", "--", "--", "--", "--"}},
    {action::report_removed, {"DE", "DE", "DE", "DE", "DE", "DE", "DE", "DE", "=="}},
    {action::disable, {"--", "--", "--", "DI", "DI", "==", "--", "--", "--"}},
    {action::enable, {"--", "--", "--", "==", "==", "RD", "--", "--", "--"}},
    {action::remove, {"DE", "UN", "UN", "UN", "UN", "UN", "UN", "==", "=="}},
}};

}  // namespace

BOOST_AUTO_TEST_SUITE(resource_machine)

BOOST_AUTO_TEST_CASE(every_status_takes_every_action_as_the_table_says) {
  for (const row& line : table) {
    for (int s = 1; s <= resource_status_count; ++s) {
      house h;
      resource r;
      r.id = {1};
      r.type = "vps";
      r.status = static_cast<status>(s);
      r.version = 4;
      if (r.status == status::configuring) r.wanted = string_map{{"cpu", "4"}};
      if (r.status == status::disabled) r.held_by_command = true;
      h.set.all[r.id] = r;
      h.set.told["vps"] = allowance_level::within;
      resource_command c;
      c.action = line.a;
      c.by = party::provider;
      c.properties = {{"cpu", "8"}};
      const auto d = decide(h.set, {1}, c, h.at());
      const std::string expected = line.after.at(static_cast<std::size_t>(s) - 1);
      const std::string where =
          std::string{to_string(line.a)} + " in " + std::string{to_string(r.status)};
      BOOST_TEST_CONTEXT(where) {
        if (expected == "--") {
          BOOST_REQUIRE(!d.ok());
          BOOST_TEST(d.failure().code == "transition_not_allowed");
          BOOST_TEST(d.failure().status == to_string(r.status));
          continue;
        }
        BOOST_REQUIRE_MESSAGE(d.ok(), (d.ok() ? "" : d.failure().detail));
        BOOST_TEST(d->changed == (expected != "=="));
        BOOST_TEST(d->events.empty() == (expected == "=="));
        if (expected == "==") continue;
        const resource& after = d->put.at({1});
        BOOST_TEST(shorts.at(static_cast<std::size_t>(after.status)) == expected);
        BOOST_TEST(after.version == 5U);
        BOOST_TEST(after.serial == d->events.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(who_may_do_what) {
  house h;
  const auto id = h.ready("context");
  BOOST_TEST(h.refusal(h.try_act(id, action::disable, party::customer)) == "forbidden");
  BOOST_TEST(h.refusal(h.try_act(id, action::report_ready, party::customer)) == "forbidden");
  BOOST_TEST(h.try_act(id, action::disable, party::reseller).ok());
  BOOST_TEST(h.try_act(id, action::remove, party::customer).ok());
}

BOOST_AUTO_TEST_CASE(what_the_plan_provides_is_made_once_parents_first) {
  house h;
  h.rules.all[2].auto_provide = 2;  // servers
  h.now = sub::waiting_payment;
  TEST_NAMES(h.become(sub::pending), "resource.created 1", "resource.created 2",
             "resource.created 3", "quota.reached");
  BOOST_TEST((h.of(1) == status::provisioning && h.of(2) == status::proto));
  BOOST_TEST(h.set.all.at({2}).parent.value == 1U);
  BOOST_TEST((h.set.all.at({1}).links.at(0).target == link_target::root));
  TEST_NAMES(h.act(1, action::report_ready), "resource.ready 1", "resource.changed 2",
             "resource.changed 3");
  BOOST_TEST(!all_provided(h.set, {}, h.rules));
  h.act(2, action::report_ready);
  h.act(3, action::report_failed);
  h.now = sub::failed;
  TEST_NAMES(h.become(sub::pending), "resource.changed 3");
  BOOST_TEST((h.of(3) == status::provisioning));
  h.act(3, action::report_ready);
  BOOST_TEST(all_provided(h.set, {}, h.rules));
}

BOOST_AUTO_TEST_CASE(a_strong_link_must_exist_and_a_parent_waits_for_its_children) {
  house h;
  auto without = h.try_create("vps");
  BOOST_REQUIRE(!without.ok());
  BOOST_TEST(without.failure().fields.at(0).pointer == "/parent_id");
  const auto context = h.ready("context");
  const auto vps = h.ready("vps", context);
  const auto disk = h.ready("disk", vps);
  BOOST_TEST(h.refusal(h.try_act(context, action::remove, party::provider)) == "has_children");
  BOOST_TEST(h.refusal(h.try_act(vps, action::report_removed, party::vendor)) == "has_children");
  TEST_NAMES(h.act(context, action::remove, true), "resource.changed 3", "resource.changed 2",
             "resource.changed 1");
  BOOST_TEST(h.refusal(h.try_act(context, action::report_removed, party::vendor)) ==
             "has_children");
  // Nothing new hangs on what is going.
  BOOST_TEST(!h.try_create("disk", vps).ok());
  h.act(disk, action::report_removed);
  h.act(vps, action::report_removed);
  TEST_NAMES(h.act(context, action::report_removed), "resource.removed 1");
}

BOOST_AUTO_TEST_CASE(limits_are_counted_and_told_once) {
  house h;
  const auto context = h.ready("context");
  h.create("vps");
  h.create("vps");
  TEST_NAMES(h.take(h.try_create("vps")), "resource.created 4", "quota.reached");
  TEST_NAMES(h.take(h.try_create("vps")), "resource.created 5", "quota.exceeded");
  BOOST_TEST(h.refusal(h.try_create("vps")) == "quota_blocked");
  BOOST_TEST(h.refusal(h.try_create("gold")) == "not_sold");
  BOOST_TEST(h.refusal(h.try_create("cloud")) == "invalid_field");
  BOOST_TEST(h.refusal(h.try_create("lead")) == "invalid_field");
  // Soft: nothing is blocked.
  const auto vps = resource_id{2};
  h.create("disk", vps.value);
  h.create("disk", vps.value);
  TEST_NAMES(h.take(h.try_create("disk", vps.value)), "resource.created 8", "quota.exceeded");
  TEST_NAMES(h.take(h.try_create("disk", vps.value)), "resource.created 9");
  // A fall is silent, and the next rise is told again.
  h.act(5, action::report_removed);
  h.act(4, action::report_removed);
  TEST_NAMES(h.take(h.try_create("vps", context)), "resource.created 10", "quota.reached");
  // A limit that is lowered below what is used blocks new ones and says so.
  h.rules.all[2].allowed = {1, 0};
  TEST_NAMES(h.take(follow(h.set, sub::deployed, h.at())), "quota.exceeded", "quota.blocked");
  TEST_NAMES(h.take(follow(h.set, sub::deployed, h.at())), );
  BOOST_TEST(h.refusal(h.try_create("vps")) == "quota_blocked");
}

BOOST_AUTO_TEST_CASE(a_suspension_disables_and_only_what_was_ready_comes_back) {
  house h;
  const auto context = h.ready("context");
  const auto ready = h.ready("vps");
  const auto off = h.ready("vps");
  h.act(off, action::disable);
  const auto young = h.create("vps");
  TEST_NAMES(h.become(sub::stopped), "resource.disabled 1", "resource.disabled 2");
  h.act(young, action::report_ready);
  BOOST_TEST((h.of(young) == status::disabled));
  h.act(ready, action::enable);  // was not disabled by a command: stays off with the subscription
  BOOST_TEST((h.of(ready) == status::disabled));
  TEST_NAMES(h.become(sub::deployed), "resource.enabled 1", "resource.enabled 2",
             "resource.enabled 4");
  BOOST_TEST((h.of(off) == status::disabled && h.of(context) == status::ready));
}

BOOST_AUTO_TEST_CASE(the_end_closes_all_children_first) {
  house h;
  h.ready("context");
  h.ready("vps");
  h.ready("disk");
  TEST_NAMES(h.become(sub::undeploy_sent), "resource.changed 3", "resource.changed 2",
             "resource.changed 1");
  h.act(3, action::report_removed);
  TEST_NAMES(h.become(sub::undeployed), "resource.removed 2", "resource.removed 1");
  BOOST_TEST(h.refusal(h.try_create("context")) == "transition_not_allowed");
}

BOOST_AUTO_TEST_CASE(a_change_by_others_is_in_force_when_the_vendor_says_so) {
  house h;
  h.ready("context");
  const auto vps = h.ready("vps");
  resource_command c;
  c.action = action::configure;
  c.by = party::customer;
  c.properties = {{"cpu", "4"}};
  TEST_NAMES(h.take(decide(h.set, {vps}, c, h.at())), "resource.changed 2");
  BOOST_TEST((h.of(vps) == status::configuring && h.set.all.at({vps}).properties.empty()));
  h.act(vps, action::report_failed);
  BOOST_TEST((h.of(vps) == status::ready && !h.set.all.at({vps}).wanted));
  h.take(decide(h.set, {vps}, c, h.at()));
  h.act(vps, action::report_ready);
  BOOST_TEST(h.set.all.at({vps}).properties.at("cpu") == "4");
  c.by = party::vendor;
  c.properties = {{"cpu", "8"}};
  h.take(decide(h.set, {vps}, c, h.at()));
  BOOST_TEST((h.of(vps) == status::ready && h.set.all.at({vps}).properties.at("cpu") == "8"));
}

BOOST_AUTO_TEST_CASE(links_are_set_moved_and_taken_off) {
  house h;
  h.rules.all[1].allowed = {3, 0};
  const auto one = h.ready("context");
  const auto two = h.ready("context");
  const auto vps = h.ready("vps", one);
  const auto other = h.ready("vps", one);
  const resource_link buddy{"buddy", link_target::resource, other, link_strength::weak, false};
  TEST_NAMES(h.take(link(h.set, {vps}, buddy, party::vendor, h.at())), "resource.linked 3");
  TEST_NAMES(h.take(link(h.set, {vps}, buddy, party::vendor, h.at())), );
  // Relinking the strong one moves it; taking it off is refused.
  resource_link home{"context", link_target::resource, two, link_strength::strong, false};
  h.take(link(h.set, {vps}, home, party::vendor, h.at()));
  BOOST_TEST(h.set.all.at({vps}).parent.value == two);
  BOOST_TEST(h.refusal(unlink(h.set, {vps}, home, party::vendor, h.at())) == "strong_link");
  BOOST_TEST(
      h.refusal(link(h.set, {vps}, {"new", link_target::account, 0, link_strength::strong, false},
                     party::vendor, h.at())) == "strong_link");
  home.id = vps;
  BOOST_TEST(h.refusal(link(h.set, {vps}, home, party::vendor, h.at())) == "invalid_field");
  home.id = other;  // not a context
  BOOST_TEST(h.refusal(link(h.set, {vps}, home, party::vendor, h.at())) == "invalid_field");
  TEST_NAMES(h.take(unlink(h.set, {vps}, buddy, party::vendor, h.at())), "resource.unlinked 3");
  TEST_NAMES(h.take(unlink(h.set, {vps}, buddy, party::vendor, h.at())), );
  BOOST_TEST(h.refusal(h.try_act(two, action::remove, party::provider)) == "has_children");
  h.act(one, action::remove, true);
  BOOST_TEST((h.of(other) == status::unprovisioning && h.of(vps) == status::ready));
  // A weak link does not outlive what it leads to.
  h.take(link(h.set, {vps},
              {"peer", link_target::resource, h.ready("context"), link_strength::weak, false},
              party::vendor, h.at()));
  TEST_NAMES(h.act(5, action::report_removed), "resource.removed 5", "resource.unlinked 3");
}

BOOST_AUTO_TEST_CASE(rules_come_from_the_product_and_its_plan) {
  product p;
  p.resource_types = {
      {"vps", resource_class::service, "unit", resource_context::customer, "context",
       link_strength::strong},
      {"context", resource_class::service, "", resource_context::customer, "cloud",
       link_strength::strong},
      {"cloud", resource_class::reference, "", resource_context::provider, "", link_strength::weak},
      {"unsold", resource_class::service, "", resource_context::customer, "", link_strength::weak}};
  plan sold;
  const auto sells = [&sold](std::string name, std::int64_t limit, std::int64_t auto_provide) {
    plan_resource r;
    r.name = std::move(name);
    r.limit = limit;
    r.auto_provide = auto_provide;
    sold.resources.push_back(std::move(r));
  };
  sells("vps", -1, 0);
  sells("context", 1, 1);
  sells("cloud", 1, 1);
  sells("seats", 5, 3);  // a quantity without a type of its own
  const resource_rules rules = rules_of(p, sold);
  names order;
  for (const resource_rule& r : rules.all) order.push_back(r.type);
  TEST_NAMES(order, "cloud", "seats", "context", "vps");
  BOOST_TEST(rules.find("unsold") == nullptr);
  BOOST_TEST((rules.find("context")->parent_is_shared && rules.find("context")->instances));
  BOOST_TEST((!rules.find("vps")->parent_is_shared && rules.find("vps")->allowed.limit == -1));
  BOOST_TEST((!rules.find("cloud")->instances && !rules.find("seats")->instances));
  BOOST_TEST(rules.find("seats")->auto_provide == 0);
  BOOST_TEST(allowance_of(sold, "seats").limit == 5);
  BOOST_TEST(allowance_of(sold, "mails").limit == -1);
}

namespace {

void check_invariants(const house& h) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [id, r] : h.set.all) {
    if (r.alive()) ++counts[r.type];
    BOOST_REQUIRE(r.held() == (r.status == status::disabled));
    BOOST_REQUIRE(r.wanted.has_value() <=
                  (r.status == status::configuring || r.status == status::disabled));
    if (h.now == sub::stopped) BOOST_REQUIRE(r.status != status::ready);
    if (h.now == sub::deployed) BOOST_REQUIRE(!r.held_by_suspension);
    if (ended(h.now)) BOOST_REQUIRE(!r.alive());
    for (const resource_link& l : r.links) {
      if (l.strength != link_strength::strong || l.target != link_target::resource) continue;
      const resource& to = h.set.all.at({l.id});
      // What is alive never hangs on what is gone, and what works never on what is going.
      if (r.alive()) BOOST_REQUIRE(to.alive());
      if (!r.leaving()) BOOST_REQUIRE(!to.leaving());
    }
  }
  for (const resource_rule& rule : h.rules.all) {
    if (rule.allowed.limit < 0 || !rule.allowed.overage) continue;
    BOOST_REQUIRE(counts[rule.type] <= rule.allowed.limit + *rule.allowed.overage);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(seeded_walks_hold_the_invariants) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](int n) { return static_cast<int>(random() % unsigned(n)); };
    house h;
    std::map<resource_id, std::uint64_t> serials;
    for (int step = 0; step < 300; ++step) {
      result<resource_decision> d = error{};
      const std::uint64_t id = h.last == 0 ? 1 : 1 + random() % h.last;
      const int choice = pick(20);
      if (choice < 6) {
        static const std::array<const char*, 3> types{"context", "vps", "disk"};
        d = h.try_create(types.at(static_cast<std::size_t>(pick(3))), pick(2) == 0 ? 0 : id);
      } else if (choice < 17) {
        resource_command c;
        c.action = static_cast<action>(pick(resource_action_count));
        c.by = pick(2) == 0 ? party::vendor : party::provider;
        c.cascade = pick(2) == 0;
        c.properties = {{"cpu", std::to_string(pick(4))}};
        d = decide(h.set, {id}, c, h.at());
      } else if (choice == 17) {
        d = link(h.set, {id},
                 {pick(2) == 0 ? "vps" : "peer", link_target::resource, 1 + random() % (h.last + 1),
                  pick(3) == 0 ? link_strength::strong : link_strength::weak, pick(2) == 0},
                 party::vendor, h.at());
      } else if (h.now == sub::deployed || h.now == sub::stopped) {
        h.become(step > 280              ? sub::undeploy_sent
                 : h.now == sub::stopped ? sub::deployed
                                         : sub::stopped);
      } else if (h.now == sub::undeploy_sent && pick(3) == 0) {
        h.become(sub::undeployed);
      }
      if (d.ok()) {
        for (const event_draft& e : d->events) {
          const auto whose = e.metadata.find("resource_id");
          if (whose == e.metadata.end()) continue;
          auto& last = serials[{std::stoull(whose->second)}];
          BOOST_REQUIRE_GT(std::stoull(e.metadata.at("serial")), last);
          last = std::stoull(e.metadata.at("serial"));
        }
        adopt(h.set, *d);
      }
      check_invariants(h);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace syndicated::core
