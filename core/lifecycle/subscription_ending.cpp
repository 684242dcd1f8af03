// The end, and other owners: S14 to S18 of domain.md, 10.5.
#include "core/base/json_writer.hpp"
#include "core/lifecycle/subscription_rules.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::core::rules {
namespace {

using status = subscription_status;

// S17: nothing was ever sent to be provisioned, so nothing has to be released.
bool never_provisioned(status s) {
  return is_one_of(s, {status::requires_approval, status::postponed, status::waiting_payment});
}

subscription_decision end_unprovisioned(const subscription& s, party by, const circumstances& c) {
  draft d(s, c);
  d.next.status = status::undeployed;
  end_commitment(d, commitment_state::cancelled, c);
  d.next.reasons = {};
  d.note(operation_kind::termination, operation_state::succeeded, by);
  d.emit("subscription.terminated", wire_type::deleted,
         R"({"forced":false,"never_provisioned":true})");
  return std::move(d).done();
}

void request_deprovisioning(draft& d, const circumstances& c) {
  d.next.status = status::undeploy_sent;
  d.next.reasons = {};
  d.next.purge_at.reset();
  d.next.grace_until.reset();
  json_writer change;
  change.begin_object().key("deadline").time(c.now + c.settings.deprovision_timeout).end_object();
  d.emit("subscription.deprovision_requested", wire_type::modified, std::move(change).str());
}

subscription_decision close(const subscription& s, const circumstances& c, bool forced) {
  draft d(s, c);
  d.next.status = status::undeployed;
  d.emit("subscription.terminated", wire_type::deleted,
         forced ? R"({"forced":true,"never_provisioned":false})"
                : R"({"forced":false,"never_provisioned":false})");
  return std::move(d).done();
}

}  // namespace

decision terminate(const subscription& s, party by, const circumstances& c,
                   subscription_action asked) {
  if (s.status == status::undeploy_sent || s.status == status::undeployed) return unchanged(s);
  if (ended(s.status)) return refused(s, asked);
  if (never_provisioned(s.status)) return end_unprovisioned(s, by, c);
  draft d(s, c);
  drop_open_operations(d, "the subscription ends");
  d.note(operation_kind::termination, operation_state::succeeded, by);
  end_commitment(d, commitment_state::cancelled, c);
  request_deprovisioning(d, c);
  return std::move(d).done();
}

decision report_undeployed(const subscription& s, const circumstances& c) {
  if (ended(s.status)) return unchanged(s);  // templates answer DELETED so: never an error
  if (s.status != status::undeploy_sent) return refused(s, subscription_action::report_undeployed);
  return close(s, c, false);
}

decision deprovision_overdue(const subscription& s, const circumstances& c) {
  if (c.settings.deprovision_force) return close(s, c, true);
  draft d(s, c);
  d.next.timers.disarm(timer_kind::deprovision);
  request_deprovisioning(d, c);
  return std::move(d).done();
}

// S16. Ids, dates and the events stay; what a person or a vendor has written goes.
decision purge(const subscription& s, const circumstances& c) {
  draft d(s, c);
  subscription& n = d.next;
  n.status = status::purged;
  n.name.clear();
  n.config.clear();
  n.metadata.clear();
  n.vendor_metadata.clear();
  n.endpoints.clear();
  n.instructions.clear();
  n.credentials.clear();
  n.operations.clear();
  n.oneshot_costs.clear();
  n.recurring_costs.clear();
  d.emit("subscription.purged", wire_type::none);
  return std::move(d).done();
}

void belong_to(subscription& s, const tenant& owner) {
  s.tenant = owner.id;
  s.path = owner.path;
  s.path.push_back(owner.id);
  // A unit's customer stands in the path too; the seller is the last one above the customer.
  s.reseller = owner.kind == tenant_kind::unit && owner.path.size() >= 2
                   ? owner.path[owner.path.size() - 2]
                   : owner.parent;
}

decision transfer(const subscription& s, party by, const circumstances& c) {
  if (closing(s)) return refused(s, subscription_action::transfer);
  if (c.new_owner == nullptr || c.new_owner->state == tenant_state::deleted) {
    return invalid_field("/tenant_id", "no such tenant");
  }
  const tenant& owner = *c.new_owner;
  if (owner.id == s.tenant) return unchanged(s);
  if (owner.kind != tenant_kind::customer && owner.kind != tenant_kind::unit) {
    return invalid_field("/tenant_id", "only customers and their units hold subscriptions");
  }
  if (!c.tenant_effective) {
    return conflict(s, "tenant_disabled", "the tenant or one of its ancestors is disabled");
  }
  if (auto ok = may_transfer(s, c); !ok) return std::move(ok).failure();
  draft d(s, c);
  belong_to(d.next, owner);
  d.note(operation_kind::transfer, operation_state::succeeded, by);
  json_writer change;
  const auto place = [&change](json_name name, const subscription& of) {
    change.key(name)
        .begin_object()
        .key("tenant_id")
        .number(of.tenant.value)
        .key("reseller_id")
        .number(of.reseller.value)
        .end_object();
  };
  change.begin_object();
  place("from", s);
  place("to", d.next);
  change.end_object();
  d.emit("subscription.transferred", wire_type::modified, std::move(change).str());
  return std::move(d).done();
}

// Nothing happened to the subscription: no event.
decision relocate(const subscription& s, const circumstances& c) {
  if (c.new_owner == nullptr || c.new_owner->id != s.tenant) return unchanged(s);
  draft d(s, c);
  belong_to(d.next, *c.new_owner);
  if (d.next.path == s.path && d.next.reseller == s.reseller) return unchanged(s);
  return std::move(d).done();
}

}  // namespace syndicated::core::rules
