// From a caller to a subscription's actor and back: the command repeats what is done already, so
// nothing is written. `together`: so many are on their way at a time.
#include <benchmark/benchmark.h>

#include <atomic>
#include <future>

#include "actors/local_engine.hpp"
#include "bench/micro/place.hpp"

namespace syndicated::bench {
namespace {

using reply_to = std::function<void(actors::write_reply)>;

std::uint64_t id_of(const reply_to& ask) {
  std::promise<core::result<actors::answer>> promise;
  ask([&promise](core::result<actors::answer>&& a) { promise.set_value(std::move(a)); });
  const auto a = promise.get_future().get();
  return a ? std::stoull(a->body) : 0;
}

actors::write_options by_bench() {
  actors::write_options o;
  o.by.name = "bench";
  return o;
}

std::uint64_t create(actors::engine& engine, actors::catalog_command command) {
  return id_of([&](actors::write_reply reply) {
    engine.change_catalog(
        std::move(command), by_bench(),
        [](const actors::catalog_item& item, bool) {
          const auto id = std::visit([](const auto& r) { return r.id.value; }, item);
          return actors::answer{201, std::to_string(id)};
        },
        std::move(reply));
  });
}

actors::answer subscription_answer(const core::subscription& s, bool) {
  return {200, std::to_string(s.id.value)};
}

std::uint64_t act(actors::engine& engine, core::subscription_id id) {
  return id_of([&](actors::write_reply reply) {
    core::subscription_command c;
    c.action = core::subscription_action::report_deployed;
    engine.command(id, c, by_bench(), subscription_answer, std::move(reply));
  });
}

// A subscription of a new customer to a new plan, deployed; 0 when something was refused.
core::subscription_id deployed_subscription(actors::engine& engine) {
  const core::vendor_id vendor{create(engine, actors::create_vendor{"acme", {}})};
  core::plan plan;
  plan.product = {create(engine, actors::create_product{{{}, vendor, "backup", "sku"}})};
  plan.name = "monthly";
  core::new_subscription wanted;
  wanted.plan = {create(engine, actors::create_plan{plan})};
  wanted.paid = true;
  wanted.tenant = {id_of([&](actors::write_reply reply) {
    core::new_tenant customer;
    customer.parent = core::provider_tenant;
    customer.name = "customer";
    engine.create_tenant(
        customer, by_bench(),
        [](const core::tenant& t, bool) {
          return actors::answer{201, std::to_string(t.id.value)};
        },
        std::move(reply));
  })};
  const core::subscription_id id{id_of([&](actors::write_reply reply) {
    engine.create_subscription(wanted, by_bench(), subscription_answer, std::move(reply));
  })};
  return act(engine, id) == id.value ? id : core::subscription_id{};
}

void actor_round_trip(benchmark::State& state) {
  const place home;
  actors::engine_options options;
  options.directory = home.path();
  options.master_key = std::string(32, 'k');
  auto engine = actors::local_engine::create(options);
  if (!engine) return state.SkipWithError("the engine cannot be made");
  (*engine)->start();
  const auto id = deployed_subscription(**engine);
  if (!id) return state.SkipWithError("the subscription was refused");
  const auto together = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    std::atomic<std::size_t> open{together};
    for (std::size_t i = 0; i < together; ++i) {
      core::subscription_command c;
      c.action = core::subscription_action::report_deployed;
      (*engine)->command(id, c, by_bench(), subscription_answer,
                         [&open](core::result<actors::answer>&& a) {
                           if (!a) std::terminate();
                           if (open.fetch_sub(1) == 1) open.notify_one();
                         });
    }
    for (std::size_t left = open; left > 0; left = open) open.wait(left);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(together) * state.iterations());
  (*engine)->stop();
}
BENCHMARK(actor_round_trip)->ArgName("together")->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace syndicated::bench
