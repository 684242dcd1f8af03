// The write path: synced commits that wait together, and the rows of whole deliveries.
#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "bench/micro/place.hpp"
#include "bench/micro/samples.hpp"
#include "store/committer.hpp"
#include "store/repository.hpp"

namespace syndicated::bench {
namespace {

struct new_store {
  bool usable() {
    if (!db || !vault) return false;
    repo.emplace(**db, *vault);
    auto made = store::committer::create(**db, ids, [](const std::string&) {});
    if (made) committer = std::move(*made);
    return committer != nullptr;
  }

  const place home;
  core::result<std::unique_ptr<store::database>> db = store::database::open({home.path()});
  core::result<store::vault> vault = store::vault::with_key(std::string(32, 'k'));
  std::optional<store::repository> repo;
  store::id_source ids;
  std::unique_ptr<store::committer> committer;
};

// The event waits at the head of its stream's lane.
core::lane lane_of(const core::event& event) {
  core::lane lane;
  lane.key = {event.stream, {3}, {}};
  lane.head = event.id;
  lane.next_seq = event.seq;
  lane.backlog = 1;
  lane.due = event.at;
  return lane;
}

// `plans` commits wait together, each of one event, one lane and its due time.
void commit(benchmark::State& state) {
  new_store in;
  if (!in.usable()) return state.SkipWithError("the store cannot be opened");
  in.committer->start();
  const auto plans = static_cast<std::size_t>(state.range(0));
  core::event event = sample_event();
  for (auto _ : state) {
    std::atomic<std::size_t> open{plans};
    for (std::size_t i = 0; i < plans; ++i) {
      store::write_plan plan;
      event.id = in.ids.next_event();
      event.stream.entity = event.id.value;
      const core::lane lane = lane_of(event);
      in.repo->put(plan, event);
      in.repo->put(plan, lane, nullptr);
      plan.done = [&open](store::commit_result result) {
        if (result != store::commit_result::committed) std::terminate();
        if (open.fetch_sub(1) == 1) open.notify_one();
      };
      in.committer->submit(std::move(plan));
    }
    for (std::size_t left = open; left > 0; left = open) open.wait(left);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(plans) * state.iterations());
  in.committer->stop();
}
BENCHMARK(commit)->ArgName("plans")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

// A change of a subscription and the outcome of its delivery, as the daemon writes them: some of
// each in a batch, not synced, on this thread. The subscriptions come in no order.
void write_delivery(benchmark::State& state) {
  constexpr std::size_t together = 7;  // as at full load
  new_store in;
  if (!in.usable()) return state.SkipWithError("the store cannot be opened");
  core::event event = sample_event();
  core::subscription subscription;
  std::mt19937_64 random;
  std::vector<std::uint64_t> seqs(static_cast<std::size_t>(state.range(0)));
  std::vector<store::write_plan> outcomes;
  std::int64_t now_ms = core::to_unix_ms(event.at);
  for (auto _ : state) {
    for (store::write_plan& plan : outcomes) in.committer->submit(std::move(plan));
    outcomes.clear();
    for (std::size_t i = 0; i < together; ++i) {
      const std::uint64_t entity = random() % seqs.size();
      const core::subscription before = subscription;
      subscription.id = {entity + 1};
      event.id = in.ids.next_event();
      event.stream.entity = entity + 1;
      event.seq = ++seqs[entity];
      event.at = core::from_unix_ms(++now_ms / 10);
      const core::lane lane = lane_of(event);
      store::write_plan plan;
      plan.durable = false;
      in.repo->put(plan, event);
      in.repo->put(plan, lane, nullptr);
      in.repo->put(plan, subscription, &before);
      plan.deltas = {{.endpoint = {3}, .accepted = 1}};
      in.committer->submit(std::move(plan));
      store::write_plan& outcome = outcomes.emplace_back();
      outcome.durable = false;
      in.repo->erase(outcome, lane);
      store::attempt_row row;
      row.event = event.id;
      row.endpoint = {3};
      row.at = event.at;
      row.status = 204;
      row.end = store::delivery_end::delivered;
      in.repo->put(outcome, row);
      outcome.deltas = {{.endpoint = {3}, .delivered = 1}};
    }
    in.committer->run_once();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(together) * state.iterations());
}
BENCHMARK(write_delivery)->ArgName("subscriptions")->Arg(2'000)->Arg(1'000'000);

}  // namespace
}  // namespace syndicated::bench
