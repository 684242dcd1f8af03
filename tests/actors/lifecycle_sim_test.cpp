// Random lives of a whole tree by seed: tenants that are disabled, moved, deleted and recovered,
// their subscriptions with every command and every timer, crashes and power cuts at any point, in
// any order of the mailboxes. Cascades and timers are those that are on disk. At the end, when
// nothing moves any more, the tree holds the invariants of domain.md, 10.14.
//
// SYNDICATED_SIM_SEED=17 in the environment lives that life alone.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <random>

#include "actors/lineage.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "tests/actors/flat_engine.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::subscription_action;
using core::subscription_status;
using core::suspension_reason;
using core::tenant_action;

constexpr int seeds = 60;
constexpr int steps = 250;

// What happened in many lives: a simulation without it would prove nothing.
struct tally {
  std::map<std::string, int> events;
  int crashes = 0;
};

class tree_life {
 public:
  tree_life(world& w, std::uint64_t seed, tally& seen) : w_(w), dice_(seed), seen_(seen) {
    engine_ = std::make_unique<flat_engine>(w_);
    wire_up();
    for (int v = 0; v < 2; ++v) {
      const auto vendor = w_.new_vendor();
      plans_.push_back(w_.new_plan(vendor));
      core::endpoint e = world::endpoint_of(vendor);
      e.origin = "http://tree-" + std::to_string(vendor.value) + ".example:80";
      vendor_of_[engine_->new_endpoint(std::move(e))] = vendor;
    }
    for (int r = 0; r < 2; ++r) {
      resellers_.push_back(w_.add_tenant(core::provider_tenant, core::tenant_kind::reseller));
      for (int c = 0; c < 2; ++c) customers_.push_back(w_.add_tenant(resellers_.back()));
    }
    engine_->settle();
  }

  void run() {
    for (int i = 0; i < steps; ++i) step();
    for (const core::tenant_id t : resellers_) tell(t, tenant_action::enable);
    settle();
    check();
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[roll(from.size())];
  }

  void wire_up() {
    w_.s().start_cascade = [this](core::tenant_id t) { cascades_.push_back(t); };
    cascades_.clear();
    BOOST_REQUIRE(w_.repo()
                      .cascades([this](core::tenant_id&& t) {
                        cascades_.push_back(t);
                        return true;
                      })
                      .ok());
    if (!cascades_.empty()) w_.s().moves.fetch_add(1);
    engine_->dispatch_turn();
  }

  void step() {
    const auto dice = roll(100);
    if (dice < 12) return order();
    if (dice < 50) return command();
    if (dice < 60) return switch_tenant();
    if (dice < 63) return move_tenant();
    if (dice < 75) return answer();
    if (dice < 85) return turn();
    if (dice < 88) return crash();
    pass();
  }

  void order() {
    auto request = w_.order(pick(customers_), pick(plans_), roll(3) > 0);
    const core::subscription_id id{request->stream.entity};
    auto& wanted = std::get<actors::subscription_creation>(request->body).wanted;
    wanted.auto_renew = roll(2) == 0;
    if (roll(4) == 0) wanted.start_date = w_.now + 48h;
    subscriptions_.push_back(id);
    engine_->ask(std::move(request));
  }

  void command() {
    if (subscriptions_.empty()) return;
    const auto id = pick(subscriptions_);
    auto request =
        world::act(id, static_cast<subscription_action>(roll(core::subscription_action_count)));
    auto& c = std::get<actors::subscription_change>(request->body).command;
    const bool system_only =
        c.action == subscription_action::relocate || c.action == subscription_action::timer;
    if (system_only) return;
    c.by = static_cast<core::party>(roll(5));  // everybody but the daemon itself
    const auto now = w_.repo().find(id);
    if (now.ok() && *now && (*now)->purge_at && roll(2) == 0) {
      c.action = subscription_action::reinstate;
      c.by = core::party::provider;
    }
    if (roll(2) == 0) c.reason = static_cast<suspension_reason>(1U << roll(6));
    if (roll(2) == 0) c.new_plan = pick(plans_);
    c.new_quantities = core::quantities{};
    c.when = static_cast<core::change_time>(roll(3));
    c.name = "n" + std::to_string(roll(9));
    c.auto_renew = roll(2) == 0;
    c.new_tenant = pick(customers_);
    engine_->ask(std::move(request));
  }

  void tell(core::tenant_id t, tenant_action action) { engine_->ask(world::act(t, action)); }

  void switch_tenant() {
    const bool reseller = roll(2) == 0;
    const core::tenant_id t = reseller ? pick(resellers_) : pick(customers_);
    const auto dice = roll(8);
    if (dice < 4) return tell(t, tenant_action::disable);
    if (dice < 7) return tell(t, tenant_action::enable);
    if (!reseller) tell(t, roll(2) == 0 ? tenant_action::erase : tenant_action::recover);
  }

  void move_tenant() {
    auto request = world::act(pick(customers_), tenant_action::move);
    std::get<actors::tenant_change>(request->body).command.edit.parent = pick(resellers_);
    engine_->ask(std::move(request));
  }

  void turn() {
    if (roll(2) == 0) engine_->entity_turn();
    if (roll(2) == 0) w_.commit_once();
    if (roll(3) == 0) engine_->dispatch_turn();
    if (roll(3) == 0) engine_->settle();
    if (roll(4) == 0) walk_one();
  }

  void answer() {
    if (!engine_->wire.empty()) note_and_answer(roll(engine_->wire.size()));
  }

  void note_and_answer(std::size_t index) {
    const on_the_wire& sent = engine_->wire[index];
    const auto e = w_.repo().find(sent.event);
    BOOST_REQUIRE((e.ok() && e->has_value()));
    BOOST_REQUIRE(((*e)->vendor == vendor_of_.at(sent.endpoint)));  // 21
    engine_->answer(index, 204);
  }

  void crash() {
    ++seen_.crashes;
    engine_->begin_again({}, roll(2) == 0);
    wire_up();
  }

  void pass() {
    w_.now += std::chrono::hours{roll(24 * 12)};
    engine_->dispatch->tick(w_.now);
    fire();
  }

  // What is due, once.
  bool fire() {
    std::vector<core::stream_id> due;
    BOOST_REQUIRE(w_.repo()
                      .timers(w_.now, {},
                              [&due](store::timer_row&& row) {
                                due.push_back(row.stream);
                                return true;
                              })
                      .ok());
    for (core::stream_id stream : due) {
      if (stream.kind == core::entity_kind::resource) {
        stream.kind = core::entity_kind::subscription;
      }
      engine_->ask(world::request(stream, actors::timer_due{}));
    }
    return !due.empty();
  }

  void look(core::stream_id stream) {
    engine_->ask(world::request(stream, actors::reconsider_access{}));
  }

  // Visits all below a tenant that was switched or moved, then forgets the cascade, as the ticker
  // does it.
  void walk_one() {
    if (cascades_.empty()) return;
    const core::tenant_id root = cascades_.front();
    cascades_.erase(cascades_.begin());
    std::vector<core::tenant_id> below{root};
    for (std::size_t i = 0; i < below.size(); ++i) {
      const core::tenant_id t = below[i];
      look(core::stream_of(t));
      BOOST_REQUIRE(w_.repo()
                        .subscriptions_of_tenant(t, 0,
                                                 [this](core::subscription_id&& id) {
                                                   look(core::stream_of(id));
                                                   return true;
                                                 })
                        .ok());
      BOOST_REQUIRE(w_.repo()
                        .children_of(t, 0,
                                     [&below](core::tenant_id&& child) {
                                       below.push_back(child);
                                       return true;
                                     })
                        .ok());
    }
    engine_->settle();
    if (std::find(cascades_.begin(), cascades_.end(), root) != cascades_.end()) return;
    store::write_plan done;
    w_.repo().erase_cascade(done, root);
    w_.committer().submit(std::move(done));
  }

  // Until nothing moves: all is answered, all cascades have passed, nothing is due.
  void settle() {
    for (int round = 0; round < 400; ++round) {
      engine_->settle();
      while (!engine_->wire.empty()) {
        note_and_answer(0);
        engine_->settle();
      }
      if (!cascades_.empty()) {
        walk_one();
        continue;
      }
      if (!fire()) return;
      w_.now += 1h;  // what waits for an hour because of something else
      engine_->dispatch->tick(w_.now);
    }
    BOOST_FAIL("it does not come to rest");
  }

  // ---- the invariants

  void check() {
    for (const core::tenant_id t : customers_) check_tenant(t);
    std::map<core::stream_id, core::timestamp> timers;
    BOOST_REQUIRE(w_.repo()
                      .timers(core::timestamp::max(), {},
                              [&timers](store::timer_row&& row) {
                                BOOST_TEST(timers.emplace(row.stream, row.due).second);
                                return true;
                              })
                      .ok());
    for (const core::subscription_id id : subscriptions_) {
      const auto found = w_.repo().find(id);
      BOOST_REQUIRE(found.ok());
      if (!*found) continue;  // refused, or lost with a crash before it was answered
      BOOST_TEST_CONTEXT("subscription " << id.value << " is " << to_string((*found)->status)) {
        check_subscription(**found);
        const auto row = timers.find(core::stream_of(id));
        const auto due = core::next_timer(**found);
        BOOST_TEST((row != timers.end()) == due.has_value());               // 17
        if (row != timers.end() && due) BOOST_TEST((row->second == *due));  // 17
        check_stream(**found);
      }
    }
  }

  void check_tenant(core::tenant_id id) {
    const core::tenant t = w_.tenant(id);
    auto path = actors::path_to(w_.repo(), t.parent);
    BOOST_REQUIRE(path.ok());       // it has an end: no circle
    BOOST_TEST((t.path == *path));  // 13
    const auto above = actors::all_enabled(w_.repo(), t.parent);
    const bool alive =
        t.state == core::tenant_state::enabled || t.state == core::tenant_state::disabled;
    if (alive) BOOST_TEST(t.ancestors_enabled == *above);  // 12
  }

  void check_subscription(const core::subscription& s) {
    const bool provisioned =
        s.status == subscription_status::deployed || s.status == subscription_status::stopped;
    if (provisioned) {
      BOOST_TEST((s.status == subscription_status::stopped) == !s.reasons.empty());  // 7
    }
    const auto effective = actors::all_enabled(w_.repo(), s.tenant);
    BOOST_REQUIRE(effective.ok());
    const bool open = !core::ended(s.status) && s.status != subscription_status::undeploy_sent;
    if (open) BOOST_TEST(s.reasons.has(suspension_reason::tenant_disabled) == !*effective);  // 12
    if (s.usable()) BOOST_TEST(*effective);                                                  // 8, 9
    auto path = actors::path_to(w_.repo(), s.tenant);
    BOOST_REQUIRE(path.ok());
    if (open) BOOST_TEST((s.path == *path));
    BOOST_TEST((s.status != subscription_status::waiting_payment || !s.paid));  // 22
  }

  void check_stream(const core::subscription& s) {
    std::uint64_t seq = 0;
    bool deleted = false;
    const auto scanned =
        w_.repo().stream_events(core::stream_of(s.id), 1, [&](core::event_id&& id) {
          const auto e = w_.repo().find(id);
          BOOST_REQUIRE((e.ok() && e->has_value()));
          BOOST_TEST((*e)->seq == ++seq);                                      // 2
          BOOST_TEST(((*e)->type == core::wire_type::created) == (seq == 1));  // 2
          BOOST_TEST(!(deleted && (*e)->type != core::wire_type::none));       // 2
          deleted = deleted || (*e)->type == core::wire_type::deleted;
          BOOST_TEST((*e)->entity_version <= s.version);  // 6
          ++seen_.events[(*e)->name];
          return true;
        });
    BOOST_REQUIRE(scanned.ok());
    BOOST_TEST(seq == s.seq);                      // 1
    BOOST_TEST(deleted == core::ended(s.status));  // 1, 10
  }

  world& w_;
  std::mt19937_64 dice_;
  tally& seen_;
  std::unique_ptr<flat_engine> engine_;
  std::vector<core::plan_id> plans_;
  std::map<core::endpoint_id, core::vendor_id> vendor_of_;
  std::vector<core::tenant_id> resellers_, customers_;
  std::vector<core::subscription_id> subscriptions_;
  std::vector<core::tenant_id> cascades_;
};

BOOST_AUTO_TEST_SUITE(lifecycle_sim)

BOOST_AUTO_TEST_CASE(whole_trees_hold_the_invariants) {
  const char* only = std::getenv("SYNDICATED_SIM_SEED");
  tally seen;
  const int last = only != nullptr ? std::atoi(only) : seeds;
  for (int seed = only != nullptr ? last : 1; seed <= last; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      world w;
      tree_life{w, static_cast<std::uint64_t>(seed), seen}.run();
    }
  }
  if (only != nullptr) return;
  BOOST_TEST(seen.crashes > 50);
  for (const char* name :
       {"subscription.created", "subscription.started", "subscription.payment_expired",
        "subscription.activated", "subscription.provisioning_overdue",
        "subscription.provisioning_failed", "subscription.suspended", "subscription.resumed",
        "subscription.suspension_changed", "subscription.renewed", "subscription.expiring",
        "subscription.cancelled", "subscription.reinstated", "subscription.transferred",
        "subscription.deprovision_requested", "subscription.terminated", "subscription.purged"}) {
    BOOST_TEST(seen.events[name] > 0, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
