// Synced commits: `plans` of them wait together, each of one event, one lane and its due time.
#include <benchmark/benchmark.h>

#include <atomic>

#include "bench/micro/place.hpp"
#include "bench/micro/samples.hpp"
#include "store/committer.hpp"
#include "store/repository.hpp"

namespace syndicated::bench {
namespace {

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

}  // namespace
}  // namespace syndicated::bench
