// What holds of a whole tree of tenants, subscriptions and commitments (domain.md, 10.8, 10.14): at
// any instant, and when nothing moves any more. Numbers of invariants stand where they are checked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/lineage.hpp"
#include "core/base/limits.hpp"
#include "core/lifecycle/aggregate.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "store/aggregates.hpp"
#include "tests/actors/world.hpp"

namespace syndicated::tests {

class tree_invariants {
 public:
  // Counts the names of the events that it meets.
  tree_invariants(world& w, std::map<std::string, int>& events) : w_(w), events_(events) {}

  // Of what is on disk now, whatever is still on its way.
  void at_any_instant() {
    for (const core::subscription& s : subscriptions()) {
      BOOST_TEST_CONTEXT("subscription " << s.id.value) { check_terms(s); }
    }
    for (const core::aggregate& a : commitments()) {
      BOOST_TEST_CONTEXT("commitment " << a.id.value) { check_tier(a); }
    }
  }

  void at_rest() {
    at_any_instant();
    read_timers();
    BOOST_REQUIRE(w_.repo()
                      .tenants(0,
                               [this](core::tenant&& t) {
                                 check_tenant(t);
                                 return true;
                               })
                      .ok());
    for (const core::subscription& s : subscriptions()) {
      BOOST_TEST_CONTEXT("subscription " << s.id.value << " is " << to_string(s.status)) {
        check_subscription(s);
        check_timer(core::stream_of(s.id), core::next_timer(s));
        check_stream(s);
      }
    }
    for (const core::aggregate& a : commitments()) {
      BOOST_TEST_CONTEXT("commitment " << a.id.value << " is " << to_string(a.state)) {
        check_counter(a);
        check_timer(core::stream_of(a.id), core::next_timer(a));
        check_stream(a);
      }
    }
  }

 private:
  std::vector<core::subscription> subscriptions() const {
    std::vector<core::subscription> out;
    BOOST_REQUIRE(w_.repo()
                      .subscriptions(0,
                                     [&out](core::subscription&& s) {
                                       out.push_back(std::move(s));
                                       return true;
                                     })
                      .ok());
    return out;
  }
  std::vector<core::aggregate> commitments() const {
    std::vector<core::aggregate> out;
    BOOST_REQUIRE(store::aggregates(w_.repo().db())
                      .all({},
                           [&out](core::aggregate&& a) {
                             out.push_back(std::move(a));
                             return true;
                           })
                      .ok());
    return out;
  }

  // ---- 10.8: the term of a subscription, and the tier of a reseller

  void check_terms(const core::subscription& s) const {
    BOOST_TEST((s.status != core::subscription_status::waiting_payment || !s.paid));  // 22
    std::size_t scheduled = 0, asked = 0;
    for (const core::operation& o : s.operations) {
      scheduled += o.state == core::operation_state::scheduled ? 1 : 0;
      asked += o.state == core::operation_state::in_progress ? 1 : 0;
    }
    BOOST_TEST((scheduled <= 1 && asked <= 1));  // 15
    if (!s.commitment) return;
    const core::commitment& c = *s.commitment;
    const bool closing =
        core::ended(s.status) || s.status == core::subscription_status::undeploy_sent;
    if (closing) BOOST_TEST((!c.in_force() && c.state != core::commitment_state::pending));
    if (!c.in_force()) {
      BOOST_TEST(c.lots.empty());
      return;
    }
    BOOST_TEST(c.term >= 1U);
    BOOST_TEST((c.starts_at < c.ends_at));
    BOOST_TEST(c.lots.size() <= core::limits::commitment_lots_max);
    std::map<std::string, std::int64_t> young;
    for (const core::unit_lot& lot : c.lots) {
      BOOST_TEST(lot.units > 0);
      BOOST_TEST((lot.added_at >= c.starts_at && lot.added_at <= w_.now));
      young[lot.resource] += lot.units;
    }
    for (const auto& [name, units] : young) {
      const auto has = s.quantities.find(name);
      BOOST_TEST((has != s.quantities.end() && units <= has->second), name);
    }
  }

  void check_tier(const core::aggregate& a) const {
    BOOST_TEST((a.tier >= 1 && a.tier <= a.tiers.size()));
    BOOST_TEST((a.committed != 0) == a.ends_at.has_value());
    if (a.committed != 0) BOOST_TEST(a.tier == a.committed);
    if (a.wanted) BOOST_TEST((*a.wanted >= 1 && *a.wanted < a.committed));
    BOOST_TEST(a.shortfall >= 0);
    if (a.ends_at) BOOST_TEST((a.starts_at < *a.ends_at));
    BOOST_TEST(a.counter >= 0);
  }

  // Each subscription counts once, as it is now.
  void check_counter(const core::aggregate& a) const {
    if (!a.in_force()) return;
    BOOST_TEST((a.next_snapshot > w_.now));            // 20
    if (a.ends_at) BOOST_TEST((*a.ends_at > w_.now));  // 20
    const store::aggregates rows{w_.repo().db()};
    std::int64_t sum = 0, counted = 0;
    for (const core::subscription& s : subscriptions()) {
      const std::int64_t units = core::counted_units(s, a.group);
      const auto row = rows.counted(a.id, s.id);
      BOOST_REQUIRE(row.ok());
      if (*row) BOOST_TEST((*row)->version <= s.version);                    // 18
      BOOST_TEST((*row ? (*row)->units : 0) == units, "of " << s.id.value);  // 18
      sum += units;
      counted += *row ? (*row)->units : 0;
    }
    BOOST_TEST(a.counter == sum);  // 18
    BOOST_TEST(counted == sum);    // 18
  }

  // ---- at rest

  void read_timers() {
    timers_.clear();
    BOOST_REQUIRE(w_.repo()
                      .timers(core::timestamp::max(), {},
                              [this](store::timer_row&& row) {
                                BOOST_TEST(timers_.emplace(row.stream, row.due).second);
                                return true;
                              })
                      .ok());
  }
  void check_timer(core::stream_id stream, std::optional<core::timestamp> due) const {
    const auto row = timers_.find(stream);
    BOOST_TEST((row != timers_.end()) == due.has_value());               // 17
    if (row != timers_.end() && due) BOOST_TEST((row->second == *due));  // 17
  }

  void check_tenant(const core::tenant& t) const {
    if (t.kind == core::tenant_kind::provider) return;
    auto path = actors::path_to(w_.repo(), t.parent);
    BOOST_REQUIRE(path.ok());       // it has an end: no circle
    BOOST_TEST((t.path == *path));  // 13
    const auto above = actors::all_enabled(w_.repo(), t.parent);
    const bool alive =
        t.state == core::tenant_state::enabled || t.state == core::tenant_state::disabled;
    if (alive) BOOST_TEST(t.ancestors_enabled == *above);  // 12
  }

  void check_subscription(const core::subscription& s) const {
    using core::subscription_status;
    const bool provisioned =
        s.status == subscription_status::deployed || s.status == subscription_status::stopped;
    if (provisioned) {
      BOOST_TEST((s.status == subscription_status::stopped) == !s.reasons.empty());  // 7
    }
    const auto effective = actors::all_enabled(w_.repo(), s.tenant);
    BOOST_REQUIRE(effective.ok());
    const bool open = !core::ended(s.status) && s.status != subscription_status::undeploy_sent;
    if (open) {
      BOOST_TEST(s.reasons.has(core::suspension_reason::tenant_disabled) == !*effective);  // 12
    }
    if (s.usable()) BOOST_TEST(*effective);  // 8, 9
    auto path = actors::path_to(w_.repo(), s.tenant);
    BOOST_REQUIRE(path.ok());
    if (open) BOOST_TEST((s.path == *path));
    const bool waits = s.status == subscription_status::pending ||
                       s.status == subscription_status::undeploy_sent || s.in_progress() != nullptr;
    if (waits) BOOST_TEST(core::next_timer(s).has_value());  // 20
  }

  // ---- streams

  template <class Visit>
  std::uint64_t read_stream(core::stream_id stream, Visit&& visit) {
    std::uint64_t seq = 0;
    BOOST_REQUIRE(w_.repo()
                      .stream_events(stream, 1,
                                     [&](core::event_id&& id) {
                                       const auto e = w_.repo().find(id);
                                       BOOST_REQUIRE((e.ok() && e->has_value()));
                                       BOOST_TEST((*e)->seq == ++seq);  // 2
                                       ++events_[(*e)->name];
                                       visit(**e);
                                       return true;
                                     })
                      .ok());
    return seq;
  }

  static bool going(const std::string& status) {
    return status == "UNDEPLOY_SENT" || status == "UNDEPLOYED" || status == "REJECTED" ||
           status == "PAYMENT_EXPIRED" || status == "PURGED";
  }
  void check_stream(const core::subscription& s) {
    bool deleted = false;
    std::string status;
    const std::uint64_t seq = read_stream(core::stream_of(s.id), [&](const core::event& e) {
      BOOST_TEST((e.type == core::wire_type::created) == (e.seq == 1));  // 2
      BOOST_TEST(!(deleted && e.type != core::wire_type::none));         // 2
      deleted = deleted || e.type == core::wire_type::deleted;
      BOOST_TEST(e.entity_version <= s.version);  // 6
      const auto next = e.metadata.find("status");
      if (next == e.metadata.end()) return;
      if (going(status)) BOOST_TEST(going(next->second));            // 10, 23
      if (status == "PURGED") BOOST_TEST(next->second == "PURGED");  // 10
      if (next->second == "UNDEPLOY_SENT") {
        BOOST_TEST((!going(status) || status == "UNDEPLOY_SENT"));  // 10
      }
      status = next->second;
    });
    BOOST_TEST(seq == s.seq);                      // 1
    BOOST_TEST(deleted == core::ended(s.status));  // 1, 10
    BOOST_TEST(status == to_string(s.status));     // 1
  }
  void check_stream(const core::aggregate& a) {
    bool over = false;
    const std::uint64_t seq = read_stream(core::stream_of(a.id), [&](const core::event& e) {
      BOOST_TEST((e.name == "commitment.created") == (e.seq == 1));  // 2
      BOOST_TEST(!over);                                             // 10.8
      over = e.name == "commitment.ended";
      BOOST_TEST(e.entity_version <= a.version);  // 6
    });
    BOOST_TEST(seq == a.seq);           // 1
    BOOST_TEST(over == !a.in_force());  // 1
  }

  world& w_;
  std::map<std::string, int>& events_;
  std::map<core::stream_id, core::timestamp> timers_;
};

}  // namespace syndicated::tests
