#include "core/lifecycle/first_order.hpp"

#include <algorithm>

namespace syndicated::core {

operation_state first_order_state(const subscription& s) noexcept {
  switch (s.status) {
    case subscription_status::requires_approval: return operation_state::requires_approval;
    case subscription_status::rejected: return operation_state::rejected;
    case subscription_status::postponed: return operation_state::scheduled;
    case subscription_status::waiting_payment: return operation_state::pending;
    case subscription_status::payment_expired: return operation_state::cancelled;
    case subscription_status::pending:
    case subscription_status::post_configuration: return operation_state::in_progress;
    case subscription_status::deployed:
    case subscription_status::stopped: return operation_state::succeeded;
    case subscription_status::failed: return operation_state::failed;
    case subscription_status::undeploy_sent:
    case subscription_status::undeployed:
    case subscription_status::purged: break;
  }
  // It has ended, or is about to: with the first use it had been carried out.
  return s.period_start ? operation_state::succeeded : operation_state::cancelled;
}

operation first_order_of(const subscription& s) {
  operation o;
  o.number = first_order;
  o.kind = s.type == subscription_type::normal ? operation_kind::first : operation_kind::trial;
  o.state = first_order_state(s);
  o.requested_at = s.created_at;
  if (o.state == operation_state::scheduled) o.due_at = s.start_date;
  if (o.state == operation_state::succeeded) o.ended_at = s.start_date;
  o.plan_to = s.plan;
  o.to = s.quantities;
  return o;
}

std::optional<operation> find_operation(const subscription& s, std::uint32_t number) {
  if (number == first_order) return first_order_of(s);
  const auto at = std::ranges::find(s.operations, number, &operation::number);
  return at == s.operations.end() ? std::nullopt : std::optional{*at};
}

}  // namespace syndicated::core
