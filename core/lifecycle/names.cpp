// The words of the lifecycle's enumerations. A switch without default lets the compiler find gaps.
#include <algorithm>
#include <array>

#include "core/base/limits.hpp"
#include "core/lifecycle/access.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/name_search.hpp"
#include "core/lifecycle/subscription_machine.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core {
std::string_view to_string(role r) noexcept {
  switch (r) {
    case role::operator_: return "operator";
    case role::marketplace: return "marketplace";
    case role::vendor: return "vendor";
    case role::tenant: return "tenant";
  }
  return "";
}
std::optional<role> parse_role(std::string_view text) noexcept {
  return parse_by_name<role>(text, 4);
}

std::string_view to_string(wire_type type) noexcept {
  switch (type) {
    case wire_type::none: return "";
    case wire_type::created: return "CREATED";
    case wire_type::modified: return "MODIFIED";
    case wire_type::deleted: return "DELETED";
  }
  return "";
}

std::string_view to_string(tenant_kind kind) noexcept {
  switch (kind) {
    case tenant_kind::provider: return "provider";
    case tenant_kind::reseller: return "reseller";
    case tenant_kind::customer: return "customer";
    case tenant_kind::unit: return "unit";
  }
  return "";
}
std::optional<tenant_kind> parse_tenant_kind(std::string_view text) noexcept {
  return parse_by_name<tenant_kind>(text, 4);
}

std::string_view to_string(tenant_state state) noexcept {
  switch (state) {
    case tenant_state::enabled: return "ENABLED";
    case tenant_state::disabled: return "DISABLED";
    case tenant_state::deleted: return "DELETED";
    case tenant_state::purged: return "PURGED";
  }
  return "";
}

std::string_view to_string(pricing_mode mode) noexcept {
  return mode == pricing_mode::trial ? "trial" : "production";
}

std::string_view to_string(tenant_action action) noexcept {
  switch (action) {
    case tenant_action::update: return "update";
    case tenant_action::disable: return "disable";
    case tenant_action::enable: return "enable";
    case tenant_action::erase: return "delete";
    case tenant_action::move: return "move";
    case tenant_action::recover: return "recover";
    case tenant_action::convert: return "convert";
    case tenant_action::timer: return "timer";
    case tenant_action::condemn: return "condemn";
    case tenant_action::purge: return "purge";
  }
  return "";
}

std::string_view to_string(subscription_status status) noexcept {
  switch (status) {
    case subscription_status::requires_approval: return "REQUIRES_APPROVAL";
    case subscription_status::rejected: return "REJECTED";
    case subscription_status::postponed: return "POSTPONED";
    case subscription_status::waiting_payment: return "WAITING_PAYMENT";
    case subscription_status::payment_expired: return "PAYMENT_EXPIRED";
    case subscription_status::pending: return "PENDING";
    case subscription_status::post_configuration: return "POST_CONFIGURATION";
    case subscription_status::deployed: return "DEPLOYED";
    case subscription_status::stopped: return "STOPPED";
    case subscription_status::failed: return "FAILED";
    case subscription_status::undeploy_sent: return "UNDEPLOY_SENT";
    case subscription_status::undeployed: return "UNDEPLOYED";
    case subscription_status::purged: return "PURGED";
  }
  return "";
}
std::optional<subscription_status> parse_subscription_status(std::string_view text) noexcept {
  return parse_by_name<subscription_status>(text, subscription_status_count);
}

std::string_view to_string(suspension_reason reason) noexcept {
  switch (reason) {
    case suspension_reason::unpaid: return "UNPAID";
    case suspension_reason::admin_hold: return "ADMIN_HOLD";
    case suspension_reason::vendor_hold: return "VENDOR_HOLD";
    case suspension_reason::tenant_disabled: return "TENANT_DISABLED";
    case suspension_reason::expired: return "EXPIRED";
    case suspension_reason::cancelled: return "CANCELLED";
  }
  return "";
}
std::optional<suspension_reason> parse_suspension_reason(std::string_view text) noexcept {
  for (unsigned bit = 1; bit <= 32; bit <<= 1U) {
    const auto reason = static_cast<suspension_reason>(bit);
    if (to_string(reason) == text) return reason;
  }
  return std::nullopt;
}
std::vector<suspension_reason> reason_set::list() const {
  std::vector<suspension_reason> out;
  for (unsigned bit = 1; bit <= 32; bit <<= 1U) {
    if ((bits & bit) != 0) out.push_back(static_cast<suspension_reason>(bit));
  }
  return out;
}

std::string_view to_string(subscription_type type) noexcept {
  switch (type) {
    case subscription_type::normal: return "NORMAL";
    case subscription_type::trial: return "TRIAL";
    case subscription_type::sandbox: return "SANDBOX";
  }
  return "";
}
std::optional<subscription_type> parse_subscription_type(std::string_view text) noexcept {
  return parse_by_name<subscription_type>(text, 3);
}

std::string_view to_string(party by) noexcept {
  switch (by) {
    case party::customer: return "customer";
    case party::reseller: return "reseller";
    case party::provider: return "provider";
    case party::vendor: return "vendor";
    case party::billing: return "billing";
    case party::system: return "system";
  }
  return "";
}

std::string_view to_string(operation_kind kind) noexcept {
  switch (kind) {
    case operation_kind::first: return "NEW";
    case operation_kind::renewal: return "RENEWAL";
    case operation_kind::plan_change: return "PLAN_CHANGE";
    case operation_kind::quantity_change: return "QUANTITY_CHANGE";
    case operation_kind::conversion: return "CONVERSION";
    case operation_kind::unsubscribe: return "UNSUBSCRIBE";
    case operation_kind::termination: return "TERMINATION";
    case operation_kind::transfer: return "TRANSFER";
    case operation_kind::trial: return "TRIAL";
  }
  return "";
}

std::string_view to_string(operation_state state) noexcept {
  switch (state) {
    case operation_state::scheduled: return "SCHEDULED";
    case operation_state::in_progress: return "IN_PROGRESS";
    case operation_state::succeeded: return "SUCCEEDED";
    case operation_state::failed: return "FAILED";
    case operation_state::cancelled: return "CANCELLED";
    case operation_state::requires_approval: return "REQUIRES_APPROVAL";
    case operation_state::pending: return "PENDING";
    case operation_state::rejected: return "REJECTED";
  }
  return "";
}

std::string why_not_publishable(std::string_view name) {
  constexpr std::size_t words_max = 8;
  constexpr std::array<std::string_view, 15> kept{
      "tenant",       "user",     "product",   "plan",       "order",
      "subscription", "resource", "operation", "commitment", "quota",
      "usage",        "invoice",  "endpoint",  "delivery",   "test"};
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto dots = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
  const bool dotted = dots >= 1 && dots < words_max && name.front() != '.' && name.back() != '.' &&
                      name.find("..") == std::string_view::npos;
  if (!dotted || name.size() > limits::map_key_bytes_max ||
      !std::all_of(name.begin(), name.end(), [&](char c) { return c == '.' || in_word(c); })) {
    return "must be 2 to 8 words of a-z, 0-9 and _ with dots between, at most 128 bytes";
  }
  const std::string_view first = name.substr(0, name.find('.'));
  if (std::find(kept.begin(), kept.end(), first) == kept.end()) return {};
  return "begins with '" + std::string{first} + "', which is kept for the daemon's own events";
}

std::string_view to_string(subscription_action action) noexcept {
  switch (action) {
    case subscription_action::pay: return "pay";
    case subscription_action::approve: return "approve";
    case subscription_action::reject: return "reject";
    case subscription_action::suspend: return "suspend";
    case subscription_action::resume: return "resume";
    case subscription_action::overdue: return "mark as overdue";
    case subscription_action::renew: return "renew";
    case subscription_action::change: return "change";
    case subscription_action::unschedule: return "unschedule";
    case subscription_action::convert: return "convert";
    case subscription_action::cancel: return "cancel";
    case subscription_action::reinstate: return "reinstate";
    case subscription_action::terminate: return "terminate";
    case subscription_action::redeploy: return "redeploy";
    case subscription_action::report_deployed: return "report DEPLOYED";
    case subscription_action::report_post_configuration: return "report POST_CONFIGURATION";
    case subscription_action::report_failed: return "report FAILED";
    case subscription_action::report_stopped: return "report STOPPED";
    case subscription_action::report_undeployed: return "report UNDEPLOYED";
    case subscription_action::transfer: return "transfer";
    case subscription_action::edit: return "edit";
    case subscription_action::answer_operation: return "answer the operation";
    case subscription_action::cancel_operation: return "cancel the operation";
    case subscription_action::set_endpoints: return "set endpoints";
    case subscription_action::set_instructions: return "set instructions";
    case subscription_action::set_credentials: return "set credentials";
    case subscription_action::set_vendor_metadata: return "set metadata";
    case subscription_action::issue_invoice: return "issue an invoice";
    case subscription_action::edit_invoice: return "change an invoice";
    case subscription_action::set_costs: return "set costs";
    case subscription_action::relocate: return "relocate";
    case subscription_action::timer: return "timer";
  }
  return "";
}

}  // namespace syndicated::core
