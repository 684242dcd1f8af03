// The sub-resources and the usage of one subscription while it is awake: what a change of the
// subscription does to them, and what is asked of them (domain.md, 10.7 and 10.9).
//
// Owned by the subscription's entity and used on its thread only; read from the store when they are
// needed first. Nothing changes before write(): so a plan that is refused leaves no trace.
// Errors: the store's, and those of core/lifecycle/resource.hpp and usage.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/parts.hpp"
#include "actors/services.hpp"
#include "store/subscription_parts.hpp"

namespace syndicated::actors {

struct part_changes {
  core::resource_decision resources;
  std::optional<core::usage_work> usage;
  std::optional<core::metric_polls> polls;  // as they are from now on
  std::vector<std::string> asked;           // metrics that are due, once this is on disk
  bool purge = false;  // what was personal goes: the resources, with their properties
  // What is told before, and after, the events of the subscription itself.
  std::vector<core::event_draft> first, then;

  bool any() const noexcept {
    return purge || polls || resources.changed || (usage && usage->changed());
  }
};

class part_keeper {
 public:
  part_keeper(services& s, core::subscription_id id) : s_(s), id_(id), stored_(s.repo.db()) {}

  // What is on disk counts again.
  void forget() noexcept { loaded_ = false; }

  // The subscription went from `before` (none: it is new) to `after`.
  core::result<part_changes> follow(const core::subscription* before,
                                    const core::subscription& after);
  // The subject of the order is named in the decision.
  core::result<part_changes> decide(const core::subscription& owner, const resource_order& order,
                                    const std::optional<std::uint64_t>& if_match);
  const core::resource* find(core::resource_id id) const { return resources_.find(id); }
  // All that the plan provides of its own accord will be ready, and that makes it DEPLOYED.
  bool completes(const core::subscription& owner, const part_changes& changes) const;

  // The same as follow() on top of changes that are not written yet.
  core::result<part_changes> follow_with(part_changes changes, const core::subscription& before,
                                         const core::subscription& after);

  core::result<part_changes> take(const core::subscription& owner,
                                  const std::vector<core::usage_report>& reports,
                                  usage_outcomes& outcomes);
  // What came of asking for a metric.
  void note(const core::subscription& owner, const poll_answer& answer, part_changes& changes);
  // Windows that close and metrics that are due. None: nothing is due now.
  core::result<std::optional<part_changes>> timer(const core::subscription& owner);

  void write(store::write_plan& plan, part_changes&& changes);

 private:
  core::result<void> load();
  core::resource_rules rules(const core::subscription& owner) const;
  core::resource_circumstances at(const core::subscription& owner,
                                  const core::resource_rules& rules);
  core::usage_work work(const core::subscription& owner) const;
  core::metric_polls polls(const core::subscription& owner) const;
  static std::optional<core::timestamp> next_timer(const core::usage_book& usage,
                                                   const core::metric_polls& polls);
  void write_resources(store::write_plan& plan, const core::resource_decision& d);
  void write_usage(store::write_plan& plan, core::usage_work& w);
  void drop_oldest_deleted(store::write_plan& plan);

  services& s_;
  core::subscription_id id_;
  store::subscription_parts stored_;
  bool loaded_ = false;
  core::resource_set resources_;
  core::usage_book usage_;
  core::metric_polls polls_;
};

}  // namespace syndicated::actors
