// The ledger of tenants' usages with the tenants' own entities, by seed: reports, moves, quotas
// that are raised and lowered, entities that sleep, crashes and power cuts. At rest each total is
// the sum of what is used below, each level is told, and at no commit a report has taken a total
// above a hard quota.
//
// SYNDICATED_SIM_SEED=17 in the environment lives that life alone.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <deque>
#include <random>

#include "actors/tenant_entity.hpp"
#include "actors/usage_ledger.hpp"
#include "tests/actors/world.hpp"

namespace syndicated {
namespace {

using namespace tests;

constexpr int seeds = 60;
constexpr int steps = 200;

struct tally {
  std::map<std::string, int> events, refusals;
  int crashes = 0, moves = 0, moves_refused = 0, strict_looks = 0;
};

class town {
 public:
  // `orderly`: quotas wait until everything is at rest, moves until everything is on disk, and
  // reports wait for both.
  town(world& w, std::uint64_t seed, bool orderly, tally& seen)
      : w_(w), dice_(seed), orderly_(orderly), seen_(seen) {
    wire_up();
    tenants_.push_back(core::provider_tenant);
    for (int r = 0; r < 3; ++r) {
      const auto above = r == 2 ? tenants_.back() : core::provider_tenant;
      tenants_.push_back(w_.add_tenant(above, core::tenant_kind::reseller));
    }
    for (int c = 0; c < 5; ++c) tenants_.push_back(w_.add_tenant(tenants_[1 + roll(3)]));
    for (const core::tenant_id t : tenants_) set_quota(t, {});
    settle();
  }

  void run() {
    for (int i = 0; i < steps; ++i) step();
    settle();
    check_sums();
    check_levels();
  }

 private:
  using place = std::pair<core::tenant_id, std::string>;  // tenant, name of the item

  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
  core::tenant_id any() { return tenants_[roll(tenants_.size())]; }

  void wire_up() {
    w_.s().to_shard = [this](auto request) { mail_.push_back(std::move(request)); };
  }

  void step() {
    const auto dice = roll(100);
    if (dice < 55) return report();
    if (dice < 63) return change_quota();
    if (dice < 68) return move();
    if (dice < 88) return commit();
    if (dice < 92) return sleep();
    if (dice < 95) return crash();
    tick();
  }

  void handle(std::shared_ptr<actors::entity_request> request) {
    auto& entity = awake_[request->stream];
    if (!entity) entity = actors::make_entity(w_.s(), request->stream);
    entity->handle(*request);
  }
  void deliver() {
    while (!mail_.empty()) {
      auto next = std::move(mail_.front());
      mail_.pop_front();
      handle(std::move(next));
    }
  }

  // What an answered call has taken counts; of others nobody knows.
  void report() {
    actors::tenant_usage_intake intake;
    auto told = std::make_shared<actors::tenant_usage_outcomes>();
    for (std::uint64_t n = 1 + roll(4); n > 0; --n) {
      const bool seconds = roll(3) == 0;
      const core::tenant_id t = any();
      const auto before = seconds ? newest_[{t, "hours"}] : 0;
      const auto value = before + static_cast<std::int64_t>(roll(seconds ? 9 : 60));
      intake.reports.push_back({t, seconds ? "hours" : "storage", {}, {}, {}, value});
    }
    intake.tell = [told](actors::tenant_usage_outcomes&& all) { *told = std::move(all); };
    auto request = world::request(actors::usage_ledger_stream, std::move(intake));
    request->reply = [this, told](core::result<actors::answer>&& a) {
      if (!a) return;
      for (const auto& one : *told) {
        if (one) {
          own_[{one->tenant, one->item.name}] = one->value;
        } else {
          ++seen_.refusals[one.failure().code];
          note_whose(one.failure());
        }
      }
    };
    handle(std::move(request));
    for (const auto& one : *told) {
      if (one && one->item.name == "hours") newest_[{one->tenant, "hours"}] = one->value;
    }
  }

  void note_whose(const core::error& refusal) {
    const std::string_view begins = "the quota of tenant ";
    if (!refusal.detail.starts_with(begins)) return;
    ++refused_[{std::stoull(refusal.detail.substr(begins.size()))}];
  }

  void set_quota(core::tenant_id t, core::offering_quota quota) {
    actors::offerings_change change;
    for (const char* name : {"storage", "hours"}) {
      core::offering_item item;
      item.application_id = "app";
      item.name = name;
      item.measurement_unit = item.name == "hours" ? "seconds" : "bytes";
      item.quota = quota;
      item.quota.version = versions_[{t, name}];
      change.items.push_back(std::move(item));
    }
    auto request = world::request(core::stream_of(t), std::move(change));
    const auto seen = watch(*request);
    handle(std::move(request));
    settle_here();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    const auto stored = w_.repo().offerings(t);
    for (const core::offering_item& item : *stored) versions_[{t, item.name}] = item.quota.version;
  }
  void change_quota() {
    if (orderly_) settle();
    core::offering_quota quota;
    if (roll(5) > 0) quota.value = static_cast<std::int64_t>(roll(150));
    if (quota.value && roll(2) == 0) quota.overage = static_cast<std::int64_t>(roll(30));
    set_quota(any(), quota);
  }
  // A change of a quota is awaited, as its versions are; what else is under way is not.
  void settle_here() {
    if (orderly_) return settle();
    w_.commit();
  }

  void move() {
    if (move_ && !move_->done()) return;
    if (orderly_) w_.commit();  // moves may still be unsettled
    const core::tenant_id t = tenants_[1 + roll(tenants_.size() - 1)];
    actors::tenant_change change;
    change.command.action = core::tenant_action::move;
    change.command.edit.parent = tenants_[roll(4)];
    auto request = world::request(core::stream_of(t), std::move(change));
    move_ = watch(*request);
    handle(std::move(request));
    if (orderly_) w_.commit();
    if (!move_->done()) return;
    ++(move_->ok() ? seen_.moves : seen_.moves_refused);
    if (!move_->ok()) ++seen_.refusals["move: " + move_->code()];
  }

  void commit() {
    const auto before = totals();
    if (!w_.commit_once()) return;
    if (orderly_ && !marked()) look_strictly(before, totals());
    deliver();
  }
  void sleep() {
    const auto one = awake_.begin();
    if (one != awake_.end() && one->second->idle()) awake_.erase(one);
  }
  void crash() {
    ++seen_.crashes;
    awake_.clear();
    mail_.clear();
    newest_ = own_;
    move_ = nullptr;
    w_.crash(roll(2) == 0);
    wire_up();
    w_.s().moves.fetch_add(1);
    newest_ = own_;
  }

  store::usages rows() const { return store::usages{w_.repo().db()}; }
  bool marked() {
    bool any = false;
    BOOST_REQUIRE(rows()
                      .marks([&any](store::usage_mark&&) {
                        any = true;
                        return false;
                      })
                      .ok());
    return any;
  }
  // What the ticker does each second.
  bool tick() {
    bool any = marked();
    if (any) handle(world::request(actors::usage_ledger_stream, actors::usage_marks{}));
    for (auto t = rows().next_noticed({}); t.ok() && *t; t = rows().next_noticed(**t)) {
      any = true;
      handle(world::request(core::stream_of(**t), actors::quota_notices{}));
    }
    deliver();
    return any;
  }
  void settle() {
    for (int round = 0; round < 1'000; ++round) {
      const bool written = w_.commit();
      deliver();
      if (!tick() && !written) return;
    }
    BOOST_FAIL("there is no end to it");
  }

  core::tenant_usage row(core::tenant_id t, const std::string& name) {
    const std::string id = store::usage_item_id({"app", name, "", ""});
    auto found = rows().find(t, id);
    BOOST_REQUIRE(found.ok());
    return *found ? **found : core::tenant_usage{};
  }
  core::offering_quota quota(core::tenant_id t, const std::string& name) {
    const auto items = w_.repo().offerings(t);
    return core::find_item(*items, {"app", name, "", ""})->quota;
  }
  std::map<place, std::int64_t> totals() {
    std::map<place, std::int64_t> out;
    for (const core::tenant_id t : tenants_) {
      for (const char* name : {"storage", "hours"}) out[{t, name}] = row(t, name).total.value();
    }
    return out;
  }
  void look_strictly(const std::map<place, std::int64_t>& before,
                     const std::map<place, std::int64_t>& after) {
    for (const auto& [where, total] : after) {
      if (total <= before.at(where)) continue;
      ++seen_.strict_looks;
      BOOST_TEST(!core::blocked(quota(where.first, where.second), total),
                 "tenant " << where.first.value << ' ' << where.second << ' ' << total);
    }
  }

  bool below(core::tenant_id inner, core::tenant_id outer) {
    for (; inner; inner = w_.tenant(inner).parent) {
      if (inner == outer) return true;
    }
    return false;
  }
  void check_sums() {
    for (const char* name : {"storage", "hours"}) {
      for (const core::tenant_id outer : tenants_) {
        std::int64_t sum = 0;
        for (const core::tenant_id inner : tenants_) {
          if (below(inner, outer)) sum += own_[{inner, name}];
        }
        const core::tenant_usage is = row(outer, name);
        BOOST_TEST(is.total.value() == sum, "total of " << outer.value << ' ' << name);
        const std::int64_t own = own_[{outer, name}];
        BOOST_TEST(is.own.value() == own, "own of " << outer.value << ' ' << name);
      }
    }
  }
  void check_levels() {
    for (const char* name : {"storage", "hours"}) {
      const std::string id = store::usage_item_id({"app", name, "", ""});
      for (const core::tenant_id t : tenants_) {
        const auto told = *rows().told(t, id);
        const auto now = core::told_after(quota(t, name), row(t, name).total.value(), told);
        // That somebody was refused is forgotten with the next change of what is used.
        BOOST_TEST((now.level == told.level), "level of " << t.value << ' ' << name);
      }
    }
    for (const core::tenant_id t : tenants_) {
      const bool told = count_events(t) > 0;
      BOOST_TEST((told || refused_[t] == 0 || !orderly_), "refusals of " << t.value);
    }
    BOOST_TEST(!marked());
    BOOST_TEST(!rows().next_noticed({})->has_value());
  }
  // Of them, those that say that somebody was refused.
  int count_events(core::tenant_id t) {
    int blocked = 0;
    BOOST_REQUIRE(w_.repo()
                      .stream_events(core::stream_of(t), 1,
                                     [&](core::event_id&& id) {
                                       const std::string name = (*w_.repo().find(id))->name;
                                       ++seen_.events[name];
                                       blocked += name == "quota.blocked" ? 1 : 0;
                                       return true;
                                     })
                      .ok());
    return blocked;
  }

  world& w_;
  std::mt19937_64 dice_;
  bool orderly_;
  tally& seen_;
  std::vector<core::tenant_id> tenants_;  // the provider, resellers, customers
  std::map<core::stream_id, std::unique_ptr<actors::entity>> awake_;
  std::deque<std::shared_ptr<actors::entity_request>> mail_;
  outcome_ptr move_;
  std::map<place, std::int64_t> own_;     // on disk
  std::map<place, std::int64_t> newest_;  // perhaps not yet
  std::map<place, std::uint64_t> versions_;
  std::map<core::tenant_id, int> refused_;  // by its quotas
};

BOOST_AUTO_TEST_SUITE(usage_ledger_lives)

BOOST_AUTO_TEST_CASE(sums_and_levels_are_right_whatever_happens) {
  tally seen;
  const char* only = std::getenv("SYNDICATED_SIM_SEED");
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::uint64_t life = only != nullptr ? std::strtoull(only, nullptr, 10) : seed;
    BOOST_TEST_CONTEXT("SYNDICATED_SIM_SEED=" << life) {
      world w;
      town(w, life, life % 2 == 0, seen).run();
    }
    if (only != nullptr) return;
  }
  for (const char* name : {"quota.reached", "quota.exceeded", "quota.blocked", "tenant.moved"}) {
    BOOST_TEST(seen.events[name] > 10, name << ' ' << seen.events[name]);
  }
  BOOST_TEST(seen.refusals["quota_blocked"] > 10);
  BOOST_TEST(seen.refusals["move: quota_exceeded"] > 3);
  BOOST_TEST(seen.crashes > 10);
  BOOST_TEST(seen.strict_looks > 100);
}

// One tenant, its ledger, and nobody in between.
struct desk : world {
  desk() : tenant(s(), core::stream_of(core::provider_tenant)), ledger(s(), stream) {
    ask(tenant, quota_of(100, 0));
    ask(ledger, actors::usage_marks{});
  }
  static actors::offerings_change quota_of(std::int64_t value, std::uint64_t version) {
    core::offering_item storage;
    storage.application_id = "app";
    storage.name = "storage";
    storage.quota = {value, {}, version};
    return {{storage}, {}};
  }
  static actors::tenant_usage_intake report(std::int64_t value) {
    actors::tenant_usage_intake intake;
    intake.reports.push_back({core::provider_tenant, "storage", {}, {}, {}, value});
    intake.tell = [](actors::tenant_usage_outcomes&& told) { BOOST_REQUIRE(told.front().ok()); };
    return intake;
  }
  // On its way to the disk.
  template <class Body>
  outcome_ptr post(actors::entity& whom, Body body) {
    auto request = world::request(stream, std::move(body));
    auto seen = watch(*request);
    whom.handle(*request);
    return seen;
  }
  template <class Body>
  void ask(actors::entity& whom, Body body) {
    const auto seen = post(whom, std::move(body));
    commit();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
  }
  // How many notices are there afterwards.
  int use(std::int64_t value) {
    ask(ledger, report(value));
    return notices();
  }
  int told(const std::string& name) {
    int count = 0;
    BOOST_REQUIRE(repo()
                      .stream_events(core::stream_of(core::provider_tenant), 1,
                                     [&](core::event_id&& id) {
                                       count += (*repo().find(id))->name == name ? 1 : 0;
                                       return true;
                                     })
                      .ok());
    return count;
  }
  int notices() {
    int count = 0;
    const store::usages rows{repo().db()};
    const auto one = [&count](store::quota_notice&&) { return ++count > 0; };
    BOOST_REQUIRE(rows.notices(core::provider_tenant, one).ok());
    return count;
  }

  const core::stream_id stream = actors::usage_ledger_stream;
  actors::tenant_entity tenant;
  actors::usage_ledger ledger;
};

BOOST_AUTO_TEST_CASE(a_tenant_is_bothered_when_a_level_has_changed_only) {
  desk d;
  BOOST_TEST(d.notices() == 0);
  BOOST_TEST(d.use(10) == 0);
  BOOST_TEST(d.use(79) == 0);
  BOOST_TEST(d.use(85) == 1);
  BOOST_TEST(d.use(86) == 1);  // in the place of the other one
  (void)d.post(d.tenant, actors::quota_notices{});
  d.ask(d.tenant, actors::quota_notices{});  // what it has told may not be on disk yet
  BOOST_TEST(d.notices() == 0);
  BOOST_TEST(d.use(87) == 0);
  BOOST_TEST(d.use(5) == 1);
  BOOST_TEST(d.told("quota.reached") == 1);
}

// Neither sees the other's change before it decides.
BOOST_AUTO_TEST_CASE(a_quota_that_is_set_while_usage_is_on_its_way_is_told_of) {
  desk d;
  const auto used = d.post(d.ledger, desk::report(60));
  const auto set = d.post(d.tenant, desk::quota_of(50, 1));
  d.commit();
  BOOST_TEST((used->ok() && set->ok()));
  BOOST_TEST(d.told("quota.exceeded") == 0);
  d.ask(d.ledger, actors::usage_marks{});
  d.ask(d.tenant, actors::quota_notices{});
  BOOST_TEST(d.told("quota.exceeded") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
