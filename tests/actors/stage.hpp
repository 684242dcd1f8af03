// A shard, its entities and a ticker under CAF's testing scheduler, on a real store: one thread, no
// real time, and the test decides when the disk writes.
#pragma once

#include <boost/test/unit_test.hpp>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/replayer.hpp"
#include "actors/shard.hpp"
#include "actors/ticker.hpp"
#include "tests/actors/world.hpp"

namespace syndicated::tests {

class stage : public world {
 public:
  explicit stage(actors::shard_settings settings = {30s, 4'096}) {
    settings_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(settings_);
    shard_ = system_->spawn(actors::shard, &s(), settings);
    s().to_shard = [this](auto request) { caf::anon_send(shard_, std::move(request)); };
    s().report_to_shard = [this](auto report) { caf::anon_send(shard_, std::move(report)); };
    s().lane_is_ready = [this](auto work) { ready.push_back(std::move(work)); };
    s().lane_is_resting = [this](const core::lane_key& lane, auto due) {
      rests.emplace_back(lane, due);
    };
    s().lane_is_barred = [this](const core::lane_key& lane, auto until) {
      barred.emplace_back(lane, until);
    };
    vendor = new_vendor();
    plan = new_plan(vendor);
  }
  ~stage() {
    caf::anon_send_exit(shard_, caf::exit_reason::user_shutdown);
    if (ticker_) caf::anon_send_exit(ticker_, caf::exit_reason::user_shutdown);
    shard_ = actors::shard_actor{};
    ticker_ = actors::ticker_actor{};
    run();
    system_.reset();
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  // Lets the actors work; nothing is written.
  void run() {
    while (scheduler().try_run_once()) {
    }
  }
  void settle() {
    do {
      run();
    } while (commit());
  }
  outcome_ptr send(std::shared_ptr<actors::entity_request> request) {
    auto seen = watch(*request);
    s().to_shard(std::move(request));
    return seen;
  }
  outcome_ptr done(std::shared_ptr<actors::entity_request> request) {
    auto seen = send(std::move(request));
    settle();
    BOOST_REQUIRE_MESSAGE(seen->ok(), seen->code());
    return seen;
  }
  core::subscription_id ordered(core::tenant_id tenant, bool paid = true) {
    return {done(order(tenant, plan, paid))->number()};
  }
  core::subscription_id deployed(core::tenant_id tenant) {
    const auto id = ordered(tenant);
    done(act(id, core::subscription_action::report_deployed));
    return id;
  }
  // What a dispatcher says of a first attempt that was taken.
  std::shared_ptr<const actors::lane_report> delivered(const core::lane_key& lane,
                                                       core::event_id head) {
    auto report = std::make_shared<actors::lane_report>();
    report->lane = lane;
    report->head = head;
    report->outcome.step = core::lane_step::advance;
    report->row.event = head;
    report->row.endpoint = lane.endpoint;
    report->row.at = now;
    report->row.number = 1;
    return report;
  }
  void tick_shard() { caf::anon_send(shard_, actors::tick{now}); }
  std::uint64_t awake() { return s().awake.load(); }
  // Actors of any kind that have not ended.
  std::size_t actors_running() { return system_->registry().running(); }

  void start_ticker() {
    ticker_ = system_->spawn(
        actors::ticker, &s(), actors::ticker_settings{}, std::vector<actors::shard_actor>{shard_},
        std::vector<actors::dispatcher_actor>{}, system_->spawn(actors::replayer, &s()));
    s().start_cascade = [this](core::tenant_id t) {
      caf::anon_send(ticker_, actors::start_cascade{t});
    };
    settle();
  }
  // Moves both clocks; the ticker beats once.
  void pass(std::chrono::milliseconds by) {
    now += by;
    scheduler().advance_time(100ms);
    settle();
  }
  void jump_to(core::timestamp t) { pass(t - now); }

  core::vendor_id vendor;
  core::plan_id plan;
  std::vector<std::shared_ptr<const actors::lane_work>> ready;
  std::vector<std::pair<core::lane_key, std::optional<core::timestamp>>> rests;
  std::vector<std::pair<core::lane_key, core::timestamp>> barred;

 protected:
  caf::actor_system_config settings_;
  std::unique_ptr<caf::actor_system> system_;
  actors::shard_actor shard_;
  actors::ticker_actor ticker_;
};

// The names of the stream's events; fails on a gap.
inline std::vector<std::string> names_of(const stage& st, core::stream_id stream) {
  std::vector<std::string> names;
  std::uint64_t seq = 0;
  const auto scanned = st.repo().stream_events(stream, 1, [&](core::event_id&& id) {
    const auto e = st.repo().find(id);
    BOOST_REQUIRE(e.ok() && e->has_value());
    BOOST_TEST((*e)->seq == ++seq);
    names.push_back((*e)->name);
    return true;
  });
  BOOST_REQUIRE(scanned.ok());
  return names;
}

}  // namespace syndicated::tests
