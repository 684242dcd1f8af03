// Vendors, their endpoints, and a network that the test plays: for tests of what a dispatcher does.
#pragma once

#include <functional>

#include "store/keys.hpp"
#include "tests/actors/flat_engine.hpp"

namespace syndicated::tests {

// A vendor with one plan, one endpoint and one customer.
struct stall {
  core::vendor_id vendor;
  core::plan_id plan;
  core::endpoint_id endpoint;
  core::tenant_id customer;
};

class room : public world {
 public:
  explicit room(actors::dispatch_settings settings = {}) : engine(*this, settings) {}

  stall open_stall(int concurrency_max = 64,
                   const std::function<void(core::endpoint&)>& change = {}) {
    stall st;
    st.vendor = new_vendor();
    st.plan = new_plan(st.vendor);
    auto e = endpoint_of(st.vendor);
    e.concurrency_max = concurrency_max;
    if (change) change(e);
    st.endpoint = engine.new_endpoint(std::move(e));
    st.customer = add_tenant();
    engine.settle();
    return st;
  }
  // Orders `count` subscriptions a millisecond apart: as many lanes, one event in each.
  void sell(const stall& st, int count) {
    for (int i = 0; i < count; ++i) {
      now += 1ms;
      engine.ask(order(st.customer, st.plan));
      while (engine.entity_turn()) {
      }
    }
    engine.settle();
  }
  std::size_t under_way(const stall& st) const { return engine.under_way(st.endpoint); }
  void answer_first(const stall& st, int status, std::string retry_after = {}) {
    const auto index = engine.first_of(st.endpoint);
    BOOST_REQUIRE(index.has_value());
    engine.answer(*index, status, std::move(retry_after));
    engine.settle();
  }
  int limit(const stall& st) { return s().gauges.get(st.endpoint).concurrency_limit; }
  store::counters counted(const stall& st) { return committer().counters_of(st.endpoint); }
  core::lane only_lane(const stall& st) {
    std::vector<core::lane> found;
    const auto scanned =
        repo().due_lanes(st.endpoint, 0, store::parked_due_ms + 1, {},
                         [&](const core::lane_key& key, std::uint64_t, std::string_view) {
                           found.push_back(**repo().find(key));
                           return true;
                         });
    BOOST_REQUIRE(scanned.ok());
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    return found.front();
  }
  // Answers 204 to everything of the endpoint; the events in the order they were sent.
  std::vector<std::uint64_t> drain_all(const stall& st) {
    std::vector<std::uint64_t> order;
    while (const auto index = engine.first_of(st.endpoint)) {
      order.push_back(engine.wire[*index].event.value);
      engine.answer(*index, 204);
      engine.settle();
    }
    return order;
  }

  flat_engine engine;
};

}  // namespace syndicated::tests
