// Vendors, their endpoints, and a network that the test plays: for tests of what a dispatcher does.
#pragma once

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

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

  // Each at an origin of its own.
  stall open_stall(int concurrency_max = 64,
                   const std::function<void(core::endpoint&)>& change = {}) {
    auto e = endpoint_of({});
    e.concurrency_max = concurrency_max;
    if (change) change(e);
    return open_stall_with(std::move(e));
  }
  stall open_stall_at(std::string origin) {
    auto e = endpoint_of({});
    e.origin = std::move(origin);
    return open_with(std::move(e));
  }
  stall open_stall_with(core::endpoint e) {
    e.origin = "http://vendor-" + std::to_string(++origins_) + ".example:80";
    return open_with(std::move(e));
  }
  // One more endpoint of the same vendor, at an origin of its own.
  stall open_stall_of(const stall& other) {
    stall st = other;
    auto e = endpoint_of(other.vendor);
    e.origin = "http://vendor-" + std::to_string(++origins_) + ".example:80";
    st.endpoint = engine.new_endpoint(std::move(e));
    engine.settle();
    return st;
  }
  std::string origin_of(const stall& st) {
    return s().catalog.load()->find_any(st.endpoint)->origin;
  }
  std::uint64_t last_event() { return ids().last_event().value; }
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
        repo().due_lanes(st.endpoint, store::due_side::fresh, store::due_side::parked, {},
                         [&](const core::lane_key& key, std::string_view) {
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

 private:
  stall open_with(core::endpoint e) {
    stall st;
    st.vendor = new_vendor();
    st.plan = new_plan(st.vendor);
    e.scope_id = st.vendor.value;
    st.endpoint = engine.new_endpoint(std::move(e));
    st.customer = add_tenant();
    engine.settle();
    return st;
  }

  int origins_ = 0;
};

}  // namespace syndicated::tests
