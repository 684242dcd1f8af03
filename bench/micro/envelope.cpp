// The bytes of one notification.
#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "core/delivery/envelope.hpp"

namespace syndicated::bench {
namespace {

void render(benchmark::State& state, core::wire_form form) {
  const auto endpoint = sample_endpoint(form);
  const core::event event = sample_event();
  for (auto _ : state) benchmark::DoNotOptimize(core::render(event, endpoint));
}
BENCHMARK_CAPTURE(render, cloudesire, core::wire_form::cloudesire);
BENCHMARK_CAPTURE(render, standard, core::wire_form::standard);

}  // namespace
}  // namespace syndicated::bench
