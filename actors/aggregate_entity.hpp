// An aggregate commitment while it is awake. See entity.hpp for the contract.
//
// Who changes a subscription only says which one: what it counts for is read from what is
// committed, and kept in a row with the subscription's version. So a word that is repeated, late or
// lost does no harm: each (subscription, version) counts once, and what a crash lost is found when
// all are counted anew, at the start and every day (invariant 18 of domain.md, 10.14).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "actors/entity.hpp"
#include "core/lifecycle/aggregate.hpp"
#include "store/aggregates.hpp"

namespace syndicated::actors {

class aggregate_entity final : public entity {
 public:
  aggregate_entity(services& s, core::stream_id stream) : entity(s, stream), rows_(s.repo.db()) {}

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;

  void create(entity_request& request, aggregate_creation& creation);
  void apply(entity_request& request, const core::aggregate_command& command,
             const renderer<core::aggregate>& render);
  void timer(entity_request& request);
  void count_one(entity_request& request, core::subscription_id subscription);
  // A page of all that may count; then the next.
  void count_all(entity_request& request, core::subscription_id after);
  // Into `next` and the plan what the subscription counts for now.
  struct look {
    std::int64_t units = 0;  // it counts for
    std::int64_t more = 0;   // than before
    bool is_new = false;     // there is something to write
  };
  core::result<look> look_at(store::write_plan& plan, core::aggregate& next,
                             core::subscription_id subscription);
  void write(entity_request& request, core::aggregate_decision decided,
             const renderer<core::aggregate>& render, std::function<void()> after = {});

  std::optional<core::aggregate> record_;
  store::aggregates rows_;
  // Of the count that goes on: up to where, and the sum so far.
  struct recount {
    core::subscription_id at;
    std::int64_t sum = 0;
  };
  std::optional<recount> recount_;
  // Written, and perhaps not yet on disk.
  std::unordered_map<core::subscription_id, store::counted_row> recent_;
};

}  // namespace syndicated::actors
