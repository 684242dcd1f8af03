// Signatures of one notification: keys are prepared once for each endpoint.
#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "core/delivery/ed25519.hpp"
#include "core/delivery/envelope.hpp"
#include "core/delivery/signer.hpp"

namespace syndicated::bench {
namespace {

void sign_cloudesire(benchmark::State& state) {
  const auto endpoint = sample_endpoint(core::wire_form::cloudesire);
  const std::string body = core::render(sample_event(), endpoint);
  core::signer signer(endpoint);
  for (auto _ : state) benchmark::DoNotOptimize(signer.cloudesire(body));
}
BENCHMARK(sign_cloudesire);

void sign_standard(benchmark::State& state, bool with_key_pair) {
  auto endpoint = sample_endpoint(core::wire_form::standard);
  if (with_key_pair) {
    endpoint.signing_key = core::secret_bytes{*core::make_signing_key(std::string(32, 's'))};
  }
  const core::event event = sample_event();
  const std::string body = core::render(event, endpoint);
  const std::string id = core::webhook_id(event.id);
  core::signer signer(endpoint);
  if (!signer.usable()) state.SkipWithError("the sample's keys cannot be used");
  for (auto _ : state) benchmark::DoNotOptimize(signer.standard(id, event.at, body));
}
BENCHMARK_CAPTURE(sign_standard, v1, false);
BENCHMARK_CAPTURE(sign_standard, v1_and_v1a, true);

}  // namespace
}  // namespace syndicated::bench
