// Internal to core/lifecycle: the small pieces that the subscription machine is put together from.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core::rules {

// A decision under construction: the copy that will become the next state, and its events.
class draft {
 public:
  draft(const subscription& present, timestamp now) : next(present), now_(now) {}

  void emit(std::string name, wire_type type, std::string change_json = {});
  // Bumps the version. `changed` is true even when no event was emitted.
  subscription_decision done() &&;

  subscription next;

 private:
  timestamp now_;
  std::vector<event_draft> events_;
};

subscription_decision unchanged(const subscription& present);
error refused(const subscription& present, subscription_action action);
error not_yours(subscription_action action, party by);

bool is_one_of(subscription_status status, std::initializer_list<subscription_status> set) noexcept;

// Who may ask for it at all (domain.md 10.5, column "who").
bool may(party by, subscription_action action) noexcept;
// Which reasons a party may set and remove.
bool may_set(party by, suspension_reason reason) noexcept;
bool may_remove(party by, suspension_reason reason) noexcept;

// Every quantity must name a resource of the plan and obey min, max, step; missing ones are filled.
result<quantities> checked_quantities(const quantities& wanted, const plan& p);

// Moves to UNDEPLOY_SENT (S14).
void request_deprovisioning(draft& d, const circumstances& c);

}  // namespace syndicated::core::rules
