// Internal to core/lifecycle: a decision about resources under construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/lifecycle/resource.hpp"

namespace syndicated::core::rules {

class resource_work {
 public:
  resource_work(const resource_set& present, const resource_circumstances& c)
      : present_(present), c_(c) {
    out_.told = present.told;
  }

  const resource_circumstances& at() const noexcept { return c_; }
  // As it is by now.
  const resource* look(resource_id id) const;
  // To be changed: the version grows once.
  resource& change(resource_id id);
  resource& add(resource&& fresh);
  void emit(resource_id id, std::string_view name, resource_status from);
  // Living ones with a strong link to it, as they are by now.
  std::vector<resource_id> strong_dependents(resource_id id) const;
  std::int64_t count(std::string_view type) const;
  std::vector<resource_id> of_type(std::string_view type) const;
  // `id` and everything that hangs on it, the outermost first.
  std::vector<resource_id> children_first(resource_id id) const;
  // Every living one, each after those that hang on it.
  std::vector<resource_id> all_children_first() const;

  void become(resource_id id, resource_status to, std::string_view event);
  void hold(resource_id id, bool by_suspension);
  void release(resource_id id, bool by_suspension);
  // Weak links do not outlive what they lead to.
  void unlink_all_from(resource_id id);
  // What is still to be disabled or enabled because of who holds it.
  void settle(resource_id id);
  // A prototype whose strong links lead to ready ones goes on.
  void wake_prototypes();
  // The levels of the plan's limits.
  void tell_levels();

  resource_decision done(resource_id subject) &&;

 private:
  const resource_set& present_;
  const resource_circumstances& c_;
  resource_decision out_;
};

bool links_are_ready(const resource_work& w, const resource& r);

// A new one with its links, its id and the status that it begins with.
result<resource> assemble(const resource_work& w, const new_resource& wanted,
                          const resource_rule& rule);

}  // namespace syndicated::core::rules
