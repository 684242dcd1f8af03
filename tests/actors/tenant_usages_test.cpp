// Usages of tenants through the whole engine: who is refused, what is told once, months, purges.
#include "store/usages.hpp"
#include "tests/actors/engine_fixture.hpp"

namespace syndicated::tests {
namespace {

using namespace std::chrono_literals;
using core::tenant_action;

const auto id_of = [](const auto& entity, bool) {
  return actors::answer{200, std::to_string(entity.id.value)};
};

core::offering_item item(std::string name, core::offering_quota quota = {},
                         std::string unit = "bytes") {
  core::offering_item i;
  i.application_id = "app";
  i.name = std::move(name);
  i.measurement_unit = std::move(unit);
  i.quota = quota;
  return i;
}

class usages_fixture : public engine_fixture {
 public:
  usages_fixture() {
    options.simulated_time = true;
    options.events_age = options.attempts_age = 10 * 365 * 24h;
    restart();
    reseller_ = add_tenant(core::tenant_kind::reseller, core::provider_tenant);
    customer_ = add_tenant(core::tenant_kind::customer, reseller_);
    offer(core::provider_tenant, {item("storage"), item("hours", {}, "seconds")});
    offer(reseller_, {item("storage"), item("hours")});
    offer(customer_, {item("storage"), item("hours")});
  }

  void offer(core::tenant_id id, core::offering_list items) {
    auto a = await([&](actors::write_reply reply) {
      engine().set_offerings(id, std::move(items), by_test(), id_of, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
  }
  core::result<actors::answer> move(core::tenant_id id, core::tenant_id to) {
    return await([&](actors::write_reply reply) {
      core::tenant_command c;
      c.action = tenant_action::move;
      c.edit.parent = to;
      engine().command(id, c, by_test(), id_of, std::move(reply));
    });
  }
  // "" or the code of the refusal.
  std::string use(core::tenant_id id, const std::string& name, std::int64_t value,
                  actors::item_check may = {}) {
    actors::usage_push push;
    push.tenants.push_back({id, name, {}, {}, {}, value});
    push.may = std::move(may);
    const auto a = await([&](actors::write_reply reply) {
      const auto code = [](const actors::tenant_usage_outcomes& all, const auto&) {
        return actors::answer{200, all.front() ? "" : all.front().failure().code};
      };
      engine().push_usages(std::move(push), by_test(), code, std::move(reply));
    });
    BOOST_REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.failure().detail));
    return a->body;
  }
  actors::tenant_usage_view look(core::tenant_id id, const std::string& name) {
    auto all = engine().tenant_usages(id);
    BOOST_REQUIRE(all.ok());
    for (actors::tenant_usage_view& one : *all) {
      if (one.item.name == name) return one;
    }
    return {};
  }
  std::int64_t total(core::tenant_id id, const std::string& name = "storage") {
    return look(id, name).usage.total.value();
  }
  std::vector<std::string> told(core::tenant_id id) {
    actors::event_filter f;
    f.stream = core::stream_of(id);
    std::vector<std::string> out;
    const auto found = engine().events(f, {});
    for (const core::event& e : found->items) {
      if (e.name.starts_with("quota.")) out.push_back(e.name);
    }
    return out;
  }
  void pass(std::chrono::milliseconds time) {
    std::promise<core::result<actors::clock_status>> done;
    engine().move_clock({engine().now() + time, false},
                        [&done](auto&& outcome) { done.set_value(std::move(outcome)); });
    const auto there = done.get_future().get();
    BOOST_REQUIRE_MESSAGE(there.ok(), (there ? "" : there.failure().detail));
  }

 protected:
  core::tenant_id reseller_, customer_;
};

using names = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(tenant_usages, usages_fixture)

BOOST_AUTO_TEST_CASE(sums_go_up_to_the_root_and_last) {
  BOOST_TEST(use(customer_, "storage", 70) == "");
  BOOST_TEST(use(reseller_, "storage", 5) == "");
  restart();
  BOOST_TEST(total(core::provider_tenant) == 75);
  BOOST_TEST(total(reseller_) == 75);
  BOOST_TEST(look(reseller_, "storage").usage.own.value() == 5);
  BOOST_TEST(total(customer_, "hours") == 0);  // shown all the same
  BOOST_TEST(use(customer_, "storage", 0) == "");
  BOOST_TEST(total(core::provider_tenant) == 5);
}

BOOST_AUTO_TEST_CASE(a_soft_quota_is_told_once_and_stops_nobody) {
  offer(customer_, {item("storage", {100, {}, 0})});
  BOOST_TEST(use(customer_, "storage", 79) == "");
  BOOST_TEST(use(customer_, "storage", 80) == "");
  pass(1s);
  BOOST_TEST((told(customer_) == names{"quota.reached"}));
  for (const std::int64_t value : {101, 99, 102, 400}) use(customer_, "storage", value);
  pass(1s);
  BOOST_TEST((told(customer_) == names{"quota.reached", "quota.exceeded"}));
  BOOST_TEST((look(customer_, "storage").level == core::quota_crossing::exceeded));
  restart();
  use(customer_, "storage", 401);
  pass(1s);
  BOOST_TEST(told(customer_).size() == 2U);
  use(customer_, "storage", 1);
  pass(1s);
  use(customer_, "storage", 90);
  pass(1s);
  BOOST_TEST((told(customer_) == names{"quota.reached", "quota.exceeded", "quota.reached"}));
  BOOST_TEST(told(reseller_).empty());
}

BOOST_AUTO_TEST_CASE(a_hard_quota_above_refuses_what_is_used_below) {
  offer(reseller_, {item("storage", {100, 10, 0})});
  BOOST_TEST(use(customer_, "storage", 110) == "");
  BOOST_TEST(use(customer_, "storage", 111) == "quota_blocked");
  BOOST_TEST(use(customer_, "storage", 111) == "quota_blocked");
  pass(1s);
  BOOST_TEST((told(reseller_) == names{"quota.reached", "quota.exceeded", "quota.blocked"}));
  BOOST_TEST(total(reseller_) == 110);
  BOOST_TEST(told(customer_).empty());
  BOOST_TEST(use(customer_, "storage", 109) == "");
  BOOST_TEST(use(reseller_, "storage", 1) == "");
  BOOST_TEST(use(reseller_, "storage", 2) == "quota_blocked");
  pass(1s);
  BOOST_TEST(told(reseller_).size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_quota_may_be_lowered_below_what_is_used) {
  use(customer_, "storage", 50);
  offer(customer_, {item("storage", {10, 0, 0})});
  BOOST_TEST((told(customer_) == names{"quota.reached", "quota.exceeded"}));  // with the change
  BOOST_TEST(use(customer_, "storage", 51) == "quota_blocked");
  BOOST_TEST(use(customer_, "storage", 49) == "");
  pass(1s);
  BOOST_TEST((told(customer_) == names{"quota.reached", "quota.exceeded", "quota.blocked"}));
}

BOOST_AUTO_TEST_CASE(what_is_not_offered_can_only_go_down) {
  BOOST_TEST(use(customer_, "mail", 1) == "not_offered");
  use(customer_, "storage", 50);
  core::offering_item off = item("storage");
  off.on = false;
  offer(reseller_, {off});
  BOOST_TEST(use(customer_, "storage", 51) == "not_offered");
  BOOST_TEST(use(customer_, "storage", 20) == "");
  BOOST_TEST(total(core::provider_tenant) == 20);
  BOOST_TEST(!look(customer_, "storage").item.on);
  BOOST_TEST(use({4'711}, "storage", 1) == "not_found");
}

BOOST_AUTO_TEST_CASE(an_item_is_named_well_enough) {
  core::offering_item other = item("storage");
  other.application_id = "other";
  for (const core::tenant_id t : {core::provider_tenant, reseller_, customer_}) offer(t, {other});
  BOOST_TEST(use(customer_, "storage", 1) == "ambiguous_item");
  const auto mine = [](const core::offering_key& k) { return k.application_id == "other"; };
  BOOST_TEST(use(customer_, "storage", 1, mine) == "");
  BOOST_TEST(use(customer_, "hours", 1, mine) == "not_offered");
  BOOST_TEST(use({4'711}, "storage", 1, mine) == "not_offered");
}

BOOST_AUTO_TEST_CASE(seconds_count_by_the_month) {
  BOOST_TEST(use(customer_, "hours", 100) == "");
  BOOST_TEST(use(customer_, "hours", 99) == "counter_went_down");
  pass(32 * 24h);
  BOOST_TEST(total(reseller_, "hours") == 0);
  BOOST_TEST(look(reseller_, "hours").usage.total.ever == 100);
  BOOST_TEST(use(customer_, "hours", 7) == "");
  BOOST_TEST(total(reseller_, "hours") == 7);
  BOOST_TEST(look(reseller_, "hours").usage.total.ever == 107);
}

BOOST_AUTO_TEST_CASE(a_move_takes_usages_along_unless_a_hard_quota_does_not_bear_it) {
  const auto other = add_tenant(core::tenant_kind::reseller, core::provider_tenant);
  offer(other, {item("storage", {40, 0, 0}), item("hours")});
  use(customer_, "storage", 50);
  const auto refused = move(customer_, other);
  BOOST_TEST((refused.ok() ? "" : refused.failure().code) == "quota_exceeded");
  use(customer_, "storage", 40);
  BOOST_REQUIRE(move(customer_, other).ok());
  pass(1s);
  BOOST_TEST(total(reseller_) == 0);
  BOOST_TEST(total(other) == 40);
  BOOST_TEST(total(core::provider_tenant) == 40);
  BOOST_TEST((told(other) == names{"quota.reached"}));
  BOOST_TEST(use(customer_, "storage", 41) == "quota_blocked");
}

BOOST_AUTO_TEST_CASE(moves_in_a_row_are_counted_where_they_stand) {
  const auto other = add_tenant(core::tenant_kind::reseller);
  offer(other, {item("storage", {100, 0, 0})});
  const auto second = add_tenant(core::tenant_kind::customer, reseller_);
  offer(second, {item("storage")});
  use(customer_, "storage", 60);
  use(second, "storage", 60);
  const auto code = [this](core::tenant_id id, core::tenant_id to) {
    const auto a = move(id, to);
    return a.ok() ? std::string{} : a.failure().code;
  };
  BOOST_TEST(code(customer_, other) == "");
  BOOST_TEST(code(second, other) == "quota_exceeded");
  BOOST_TEST(use(customer_, "storage", 101) == "quota_blocked");
  // There and back, and what has gone makes room.
  BOOST_TEST(code(customer_, reseller_) == "");
  BOOST_TEST(code(customer_, other) == "");
  BOOST_TEST(code(customer_, reseller_) == "");
  BOOST_TEST(code(second, other) == "");
  pass(1s);
  BOOST_TEST(total(other) == 60);
  BOOST_TEST(total(reseller_) == 60);
}

BOOST_AUTO_TEST_CASE(a_refusal_that_is_repeated_is_told_once) {
  offer(reseller_, {item("storage", {100, 0, 0})});
  BOOST_TEST(use(customer_, "storage", 80) == "");
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(use(customer_, "storage", 150) == "quota_blocked");
    pass(1s);
  }
  BOOST_TEST((told(reseller_) == names{"quota.reached", "quota.blocked"}));
}

BOOST_AUTO_TEST_CASE(what_a_purged_tenant_used_leaves_the_sums) {
  use(customer_, "storage", 50);
  use(reseller_, "storage", 1);
  act(customer_, tenant_action::disable);
  act(customer_, tenant_action::erase);
  pass(29 * 24h);
  BOOST_TEST(total(reseller_) == 51);  // it can come back
  pass(10 * 24h);
  BOOST_TEST(total(reseller_) == 1);
  BOOST_TEST(total(core::provider_tenant) == 1);
  BOOST_TEST(use(customer_, "storage", 1) == "not_found");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated::tests
