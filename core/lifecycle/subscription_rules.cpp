#include "core/lifecycle/subscription_rules.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::core::rules {
namespace {

std::string_view word(party by) noexcept {
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

std::string joined(reason_set reasons) {
  std::string out;
  for (suspension_reason r : reasons.list()) {
    if (!out.empty()) out += ',';
    out += to_string(r);
  }
  return out;
}

}  // namespace

void draft::emit(std::string name, wire_type type, std::string change_json) {
  events_.push_back({std::move(name), type, {}, std::move(change_json)});
}

subscription_decision draft::done() && {
  ++next.version;
  next.updated_at = now_;
  for (event_draft& e : events_) {
    e.metadata["status"] = to_string(next.status);
    e.metadata["type"] = to_string(next.type);
    e.metadata["paid"] = next.paid ? "true" : "false";
    if (!next.reasons.empty()) e.metadata["reasons"] = joined(next.reasons);
  }
  return {std::move(next), std::move(events_), true};
}

subscription_decision unchanged(const subscription& present) { return {present, {}, false}; }

error refused(const subscription& present, subscription_action action) {
  return transition_not_allowed(to_string(present.status), to_string(action));
}

error not_yours(subscription_action action, party by) {
  std::string text = "'";
  text += to_string(action);
  text += "' is not for the ";
  text += word(by);
  return {errc::forbidden, "forbidden", std::move(text), {}, {}};
}

bool is_one_of(subscription_status status,
               std::initializer_list<subscription_status> set) noexcept {
  return std::find(set.begin(), set.end(), status) != set.end();
}

bool may(party by, subscription_action action) noexcept {
  if (by == party::provider) return action != subscription_action::timer;
  if (by == party::system) return true;
  const bool seller = by == party::reseller;
  const bool buyer = by == party::customer;
  const bool vendor = by == party::vendor;
  switch (action) {
    case subscription_action::pay: return by == party::billing;
    case subscription_action::approve:
    case subscription_action::reject: return seller || vendor;
    case subscription_action::suspend:
    case subscription_action::resume: return seller || vendor || by == party::billing;
    case subscription_action::renew:
    case subscription_action::cancel:
    case subscription_action::reinstate: return seller || buyer;
    case subscription_action::change:
    case subscription_action::convert: return seller || buyer || vendor;
    case subscription_action::terminate: return false;
    case subscription_action::redeploy: return seller || vendor;
    case subscription_action::report_deployed:
    case subscription_action::report_post_configuration:
    case subscription_action::report_failed:
    case subscription_action::report_stopped:
    case subscription_action::report_undeployed:
    case subscription_action::set_endpoints:
    case subscription_action::set_instructions:
    case subscription_action::set_credentials:
    case subscription_action::set_vendor_metadata: return vendor;
    case subscription_action::edit: return seller || buyer || vendor;
    case subscription_action::timer: return false;
  }
  return false;
}

bool may_set(party by, suspension_reason reason) noexcept {
  switch (reason) {
    case suspension_reason::unpaid: return by == party::billing || by == party::provider;
    case suspension_reason::admin_hold: return by == party::provider || by == party::reseller;
    case suspension_reason::vendor_hold: return by == party::vendor || by == party::provider;
    case suspension_reason::expired: return by == party::provider || by == party::system;
    case suspension_reason::tenant_disabled: return by == party::system;
    case suspension_reason::cancelled: return false;  // `cancel` and `reinstate` do that
  }
  return false;
}

bool may_remove(party by, suspension_reason reason) noexcept { return may_set(by, reason); }

result<quantities> checked_quantities(const quantities& wanted, const plan& p) {
  quantities out;
  for (const plan_resource& r : p.resources) out[r.name] = std::max(r.min, r.included);
  for (const auto& [name, count] : wanted) {
    const auto rule = std::find_if(p.resources.begin(), p.resources.end(),
                                   [&n = name](const plan_resource& r) { return r.name == n; });
    const std::string pointer = "/quantities/" + name;
    if (rule == p.resources.end()) return invalid_field(pointer, "the plan has no such resource");
    if (count < rule->min) {
      return invalid_field(pointer, "at least " + std::to_string(rule->min));
    }
    if (rule->max >= 0 && count > rule->max) {
      return invalid_field(pointer, "at most " + std::to_string(rule->max));
    }
    if (rule->step > 1 && (count - rule->min) % rule->step != 0) {
      return invalid_field(pointer, "in steps of " + std::to_string(rule->step) + " from " +
                                        std::to_string(rule->min));
    }
    out[name] = count;
  }
  return out;
}

void request_deprovisioning(draft& d, const circumstances& c) {
  d.next.status = subscription_status::undeploy_sent;
  d.next.reasons = {};
  d.next.purge_at.reset();
  d.next.deadline = c.now + c.settings.deprovision_timeout;
  json_writer change;
  change.begin_object().key("deadline").time(*d.next.deadline).end_object();
  d.emit("subscription.deprovision_requested", wire_type::modified, std::move(change).str());
}

}  // namespace syndicated::core::rules
