// Random lives of a whole tree by seed: tenants that are disabled, moved, deleted and recovered,
// their subscriptions with every command and every timer, with terms that they are committed to,
// resellers' commitments that count them, crashes and power cuts at any point, in any order of the
// mailboxes. Cascades and timers are those that are on disk. After each crash what is on disk is
// looked at, and at the end, when nothing moves any more, the tree holds the invariants of
// domain.md, 10.14 (tree_invariants.hpp; the numbers stand at the checks).
//
// Where each of them is held by seeded walks ("here": this file and tree_invariants.hpp), and where
// not by a walk, by which test:
//   1 subscription_walk, here            13 here; tenant_machine, accounts (purge)
//   2 subscription_walk, here            14 subscription_walk, usage_ledger_lives, offerings
//   3 conservation_sim                   15 subscription_walk, here
//   4 conservation_sim                   16 subscription_walk
//   5 subscription_walk                  17 subscription_walk, here
//   6 here                               18 here; aggregates (in an engine, with pages)
//   7 subscription_walk, here            19 e2e/test_secrets
//   8 here                               20 subscription_walk, here
//   9 here                               21 here
//  10 subscription_walk, here            22 subscription_walk, here
//  11 subscription_walk                  23 here
//  12 here                               24 conservation_sim; e2e/test_kill
//
// SYNDICATED_SIM_SEED=17 in the environment lives that life alone.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <random>
#include <set>

#include "tests/actors/flat_engine.hpp"
#include "tests/actors/tree_invariants.hpp"

namespace syndicated {
namespace {

using namespace tests;
using core::aggregate_action;
using core::subscription_action;
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
  tree_life(world& w, std::uint64_t seed, tally& seen)
      : w_(w), dice_(seed), seen_(seen), invariants_(w, seen.events) {
    engine_ = std::make_unique<flat_engine>(w_);
    wire_up();
    for (int v = 0; v < 2; ++v) open_shop();
    for (int r = 0; r < 2; ++r) {
      resellers_.push_back(w_.add_tenant(core::provider_tenant, core::tenant_kind::reseller));
      listen_below(resellers_.back());
      for (int c = 0; c < 2; ++c) {
        customers_.push_back(w_.add_tenant(resellers_.back()));
        homes_[customers_.back()] = {resellers_.back()};
      }
      restless_.push_back(customers_.back());
    }
    engine_->settle();
  }

  void run() {
    for (int i = 0; i < steps; ++i) step();
    for (const core::tenant_id t : resellers_) tell(t, tenant_action::enable);
    settle();
    invariants_.at_rest();
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[roll(from.size())];
  }

  // A vendor with a product of two plans, of whose changes one vendor is asked first.
  void open_shop() {
    const auto vendor = w_.new_vendor();
    core::product product;
    product.vendor = vendor;
    product.name = "backup";
    product.sku = "sku";
    if (!vendors_.empty()) product.changes.mode = core::change_mode::confirm;
    products_.push_back({w_.catalog(actors::create_product{product})});
    vendors_.push_back(vendor);
    for (int i = 0; i < 2; ++i) {
      core::plan plan;
      plan.product = products_.back();
      plan.name = "monthly";
      plan.resources.resize(2);
      plan.resources[0].name = "seats";
      plan.resources[0].value_type = core::value_type::postpaid;
      plan.resources[1].name = "packs";
      core::commitment_option& o = plan.commitment_options.emplace_back();
      o.term_months = 3;
      o.auto_renew = roll(2) == 0;
      o.window_before_days = static_cast<int>(roll(2) * 14);
      o.window_after_days = static_cast<int>(roll(2) * 14);
      o.allow_increase = roll(4) != 0;
      o.allow_decrease = roll(4) == 0;
      o.allow_early_cancel = roll(2) == 0;
      o.cancel_fee = roll(2) == 0;
      o.transferable = roll(2) == 0;
      plans_.push_back({w_.catalog(actors::create_plan{plan})});
    }
    core::endpoint e = world::endpoint_of(vendor);
    e.origin = "http://tree-" + std::to_string(vendor.value) + ".example:80";
    vendor_of_[engine_->new_endpoint(std::move(e))] = vendor;
  }
  void listen_below(core::tenant_id reseller) {
    core::endpoint e = world::endpoint_of({});
    e.scope = core::endpoint_scope::tenant;
    e.scope_id = reseller.value;
    e.form = core::wire_form::standard;
    e.secret = core::secret_bytes{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    e.origin = "http://reseller-" + std::to_string(reseller.value) + ".example:80";
    seller_of_[engine_->new_endpoint(std::move(e))] = reseller;
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
    // As the engine does when it starts: what was counted may have been lost.
    BOOST_REQUIRE(store::aggregates(w_.repo().db())
                      .all({},
                           [this](core::aggregate&& a) {
                             if (!a.in_force()) return true;
                             w_.s().aggregates.take(a.id, a.group);
                             count_anew(a.id);
                             return true;
                           })
                      .ok());
    engine_->dispatch_turn();
  }
  void count_anew(core::commitment_id id) {
    engine_->ask(world::request(core::stream_of(id), actors::aggregate_recount{}));
  }

  void step() {
    const auto dice = roll(100);
    if (dice < 10) return order();
    if (dice < 48) return command();
    if (dice < 55) return commit_reseller();
    if (dice < 59) return switch_tenant();
    if (dice < 63) return move_tenant();
    if (dice < 74) return answer();
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
    wanted.quantities = some_counts();
    if (roll(2) == 0) wanted.commitment_months = 3;
    subscriptions_.push_back(id);
    engine_->ask(std::move(request));
  }

  core::quantities some_counts() {
    return {{"seats", static_cast<std::int64_t>(1 + roll(20))},
            {"packs", static_cast<std::int64_t>(roll(5))}};
  }

  // Mostly one that has not ended.
  core::subscription_id some_subscription() {
    for (int i = 0; i < 4; ++i) {
      const auto id = pick(subscriptions_);
      const auto found = w_.repo().find(id);
      if (found.ok() && *found && !core::ended((*found)->status)) return id;
    }
    return pick(subscriptions_);
  }

  void command() {
    if (subscriptions_.empty()) return;
    const auto id = some_subscription();
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
    c.new_quantities = some_counts();
    if (now.ok() && *now && roll(2) == 0) help_on(c, **now);
    c.when = static_cast<core::change_time>(roll(3));
    c.name = "n" + std::to_string(roll(9));
    c.auto_renew = roll(2) == 0;
    c.new_tenant = pick(customers_);
    engine_->ask(std::move(request));
  }

  // What everybody waits for, so that lives do not end before they have begun.
  void help_on(core::subscription_command& c, const core::subscription& s) {
    using core::subscription_status;
    const auto next = [&c](core::party by, subscription_action what) {
      c.by = by;
      c.action = what;
    };
    switch (s.status) {
      case subscription_status::waiting_payment:
        return next(core::party::billing, subscription_action::pay);
      case subscription_status::pending:
      case subscription_status::failed:
        return next(core::party::vendor, subscription_action::report_deployed);
      case subscription_status::deployed:
        if (roll(4) == 0) return next(core::party::provider, subscription_action::transfer);
        if (s.in_progress() == nullptr) {
          return next(core::party::reseller, subscription_action::change);
        }
        c.operation = s.in_progress()->number;
        c.success = roll(2) == 0;
        return next(core::party::vendor, subscription_action::answer_operation);
      case subscription_status::undeploy_sent:
        return next(core::party::vendor, subscription_action::report_undeployed);
      default: return;
    }
  }

  // A new commitment of a reseller, or a command for one that there is.
  void commit_reseller() {
    if (commitments_.size() < 3 || roll(5) == 0) return commit_anew();
    const core::commitment_id id = pick(commitments_);
    if (roll(4) == 0) return count_anew(id);
    actors::aggregate_change change;
    constexpr std::array actions{aggregate_action::edit, aggregate_action::edit,
                                 aggregate_action::step_down, aggregate_action::snapshot,
                                 aggregate_action::cancel};
    change.command.action = actions[roll(actions.size())];
    change.command.auto_renew = roll(2) == 0;
    change.command.tier = static_cast<std::uint32_t>(1 + roll(3));
    if (roll(2) == 0) change.command.committed = static_cast<std::uint32_t>(1 + roll(3));
    if (roll(3) == 0) change.command.term_months = static_cast<int>(1 + roll(4));
    engine_->ask(world::request(core::stream_of(id), std::move(change)));
  }
  void commit_anew() {
    actors::aggregate_creation creation;
    core::new_aggregate& wanted = creation.wanted;
    const std::size_t shop = roll(vendors_.size());
    wanted.vendor = vendors_[shop];
    wanted.group.reseller = roll(4) == 0 ? core::provider_tenant : pick(resellers_);
    const bool product = roll(2) == 0;
    wanted.group.kind = product ? core::entity_kind::product : core::entity_kind::vendor;
    wanted.group.of = product ? products_[shop].value : wanted.vendor.value;
    if (roll(2) == 0) wanted.group.resource = "seats";
    wanted.tiers = {0, 20, 60};
    wanted.committed = static_cast<std::uint32_t>(roll(4));
    wanted.term_months = wanted.committed == 0 ? 0 : static_cast<int>(1 + roll(4));
    wanted.auto_renew = roll(2) == 0;
    wanted.allow_early_cancel = roll(2) == 0;
    wanted.cancel_fee = roll(2) == 0;
    commitments_.push_back(w_.ids().next_commitment());
    engine_->ask(world::request(core::stream_of(commitments_.back()), std::move(creation)));
  }

  void tell(core::tenant_id t, tenant_action action) { engine_->ask(world::act(t, action)); }

  void switch_tenant() {
    const bool reseller = roll(2) == 0;
    const core::tenant_id t = reseller ? pick(resellers_) : pick(customers_);
    const auto dice = roll(8);
    if (dice < 3) return tell(t, tenant_action::disable);
    if (dice < 7) return tell(t, tenant_action::enable);
    if (!reseller) tell(t, roll(2) == 0 ? tenant_action::erase : tenant_action::recover);
  }

  void move_tenant() {
    const core::tenant_id customer = pick(restless_);
    const core::tenant_id parent = pick(resellers_);
    homes_[customer].insert(parent);
    auto request = world::act(customer, tenant_action::move);
    std::get<actors::tenant_change>(request->body).command.edit.parent = parent;
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
    if (const auto seller = seller_of_.find(sent.endpoint); seller != seller_of_.end()) {
      const core::tenant_id of = (*e)->tenant;
      BOOST_REQUIRE((of == seller->second || homes_[of].contains(seller->second)));  // 21
    } else {
      BOOST_REQUIRE(((*e)->vendor == vendor_of_.at(sent.endpoint)));  // 21
    }
    engine_->answer(index, 204);
  }

  void crash() {
    ++seen_.crashes;
    engine_->begin_again({}, roll(2) == 0);
    invariants_.at_any_instant();
    wire_up();
  }

  void pass() {
    w_.now += std::chrono::hours{roll(24 * 10)};
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

  world& w_;
  std::mt19937_64 dice_;
  tally& seen_;
  tree_invariants invariants_;
  std::unique_ptr<flat_engine> engine_;
  std::vector<core::vendor_id> vendors_;
  std::vector<core::product_id> products_;
  std::vector<core::plan_id> plans_;
  std::map<core::endpoint_id, core::vendor_id> vendor_of_;
  std::map<core::endpoint_id, core::tenant_id> seller_of_;
  std::vector<core::tenant_id> resellers_, customers_;
  std::vector<core::tenant_id> restless_;                       // customers that are moved
  std::map<core::tenant_id, std::set<core::tenant_id>> homes_;  // of each, all that it may have had
  std::vector<core::subscription_id> subscriptions_;
  std::vector<core::commitment_id> commitments_;
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
  for (const char* name : {"subscription.created",
                           "subscription.started",
                           "subscription.payment_expired",
                           "subscription.activated",
                           "subscription.provisioning_overdue",
                           "subscription.provisioning_failed",
                           "subscription.suspended",
                           "subscription.resumed",
                           "subscription.suspension_changed",
                           "subscription.renewed",
                           "subscription.expiring",
                           "subscription.cancelled",
                           "subscription.reinstated",
                           "subscription.transferred",
                           "subscription.deprovision_requested",
                           "subscription.terminated",
                           "subscription.purged",
                           "subscription.plan_changed",
                           "subscription.quantity_changed",
                           "operation.succeeded",
                           "commitment.created",
                           "commitment.renewed",
                           "commitment.ended",
                           "commitment.tier_changed",
                           "commitment.shortfall"}) {
    BOOST_TEST(seen.events[name] > 0, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace syndicated
