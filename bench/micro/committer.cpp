// The write path: synced commits that wait together, and the rows of whole deliveries.
#include <benchmark/benchmark.h>

#include <atomic>
#include <random>
#include <vector>

#include "bench/micro/place.hpp"
#include "bench/micro/samples.hpp"
#include "store/committer.hpp"
#include "store/repository.hpp"

namespace syndicated::bench {
namespace {

// `plans` commits wait together, each of one event, one lane and its due time.
void commit(benchmark::State& state) {
  const place home;
  store::database_options options;
  options.directory = home.path();
  auto db = store::database::open(options);
  auto vault = store::vault::with_key(std::string(32, 'k'));
  if (!db || !vault) return state.SkipWithError("the store cannot be opened");
  const store::repository repo(**db, *vault);
  store::id_source ids;
  auto committer = store::committer::create(**db, ids, [](const std::string&) {});
  if (!committer) return state.SkipWithError("the counters cannot be read");
  (*committer)->start();
  const auto plans = static_cast<std::size_t>(state.range(0));
  core::event event = sample_event();
  for (auto _ : state) {
    std::atomic<std::size_t> open{plans};
    for (std::size_t i = 0; i < plans; ++i) {
      store::write_plan plan;
      event.id = ids.next_event();
      event.stream.entity = event.id.value;
      core::lane lane;
      lane.key = {event.stream, {3}, {}};
      lane.head = event.id;
      lane.next_seq = event.seq;
      lane.backlog = 1;
      lane.due = event.at;
      repo.put(plan, event);
      repo.put(plan, lane, nullptr);
      plan.done = [&open](store::commit_result result) {
        if (result != store::commit_result::committed) std::terminate();
        if (open.fetch_sub(1) == 1) open.notify_one();
      };
      (*committer)->submit(std::move(plan));
    }
    for (std::size_t left = open; left > 0; left = open) open.wait(left);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(plans) * state.iterations());
  (*committer)->stop();
}
BENCHMARK(commit)->ArgName("plans")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

// A change of a subscription and the outcome of its delivery, as the daemon writes them: some of
// each in a batch, not synced, on this thread. The subscriptions come in no order.
void write_delivery(benchmark::State& state) {
  constexpr std::size_t together = 7;  // as at full load
  const place home;
  store::database_options options;
  options.directory = home.path();
  auto db = store::database::open(options);
  auto vault = store::vault::with_key(std::string(32, 'k'));
  if (!db || !vault) return state.SkipWithError("the store cannot be opened");
  const store::repository repo(**db, *vault);
  store::id_source ids;
  auto committer = store::committer::create(**db, ids, [](const std::string&) {});
  if (!committer) return state.SkipWithError("the counters cannot be read");
  core::event event = sample_event();
  core::subscription subscription;
  std::mt19937_64 random;
  std::vector<std::uint64_t> seqs(static_cast<std::size_t>(state.range(0)));
  std::vector<store::write_plan> outcomes;
  std::int64_t now_ms = core::to_unix_ms(event.at);
  for (auto _ : state) {
    for (store::write_plan& plan : outcomes) (*committer)->submit(std::move(plan));
    outcomes.clear();
    for (std::size_t i = 0; i < together; ++i) {
      const std::uint64_t entity = random() % seqs.size();
      const core::subscription before = subscription;
      subscription.id = {entity + 1};
      event.id = ids.next_event();
      event.stream.entity = entity + 1;
      event.seq = ++seqs[entity];
      event.at = core::from_unix_ms(++now_ms / 10);
      core::lane lane;
      lane.key = {event.stream, {3}, {}};
      lane.head = event.id;
      lane.next_seq = event.seq;
      lane.backlog = 1;
      lane.due = event.at;
      store::write_plan plan;
      plan.durable = false;
      repo.put(plan, event);
      repo.put(plan, lane, nullptr);
      repo.put(plan, subscription, &before);
      plan.deltas = {{.endpoint = {3}, .accepted = 1}};
      (*committer)->submit(std::move(plan));
      store::write_plan& outcome = outcomes.emplace_back();
      outcome.durable = false;
      repo.erase(outcome, lane);
      store::attempt_row row;
      row.event = event.id;
      row.endpoint = {3};
      row.at = event.at;
      row.status = 204;
      row.end = store::delivery_end::delivered;
      repo.put(outcome, row);
      outcome.deltas = {{.endpoint = {3}, .delivered = 1}};
    }
    (*committer)->run_once();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(together) * state.iterations());
}
BENCHMARK(write_delivery)->ArgName("subscriptions")->Arg(2'000)->Arg(1'000'000);

}  // namespace
}  // namespace syndicated::bench
