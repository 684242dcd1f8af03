#include "core/lifecycle/event_catalog.hpp"

#include <algorithm>
#include <array>

#include "core/delivery/endpoint.hpp"

namespace syndicated::core {
namespace {

constexpr audience p{};
constexpr audience pt{hears::always, hears::never, hears::always};
constexpr audience pv{hears::always, hears::always, hears::never};
constexpr audience pvt{hears::always, hears::always, hears::always};
constexpr audience pt_v_by_name{hears::always, hears::by_name, hears::always};
constexpr audience pt_tenant{hears::always, hears::never, hears::always, hears::by_pattern};
constexpr audience by_name{hears::by_name, hears::by_name, hears::by_name};

using of = entity_kind;
using enum wire_type;

constexpr std::array kinds = {
    built_in_event{
        "commitment.committed", of::commitment, none, pt,
        "A reseller whose licences were only counted has committed to a tier.",
        R"({"committed_tier":3,"term_months":12,)"
        R"("starts_at":"2026-01-01T00:00:00.000Z","ends_at":"2027-01-01T00:00:00.000Z"})"},
    built_in_event{"commitment.created", of::commitment, none, pt,
                   "A commitment was made; or one that was ordered with a subscription has begun."},
    built_in_event{
        "commitment.ended", of::commitment, none, pt, "The commitment has ended.",
        R"({"state":"LAPSED","fee":false,"proration":{"unit":"day","remaining":0,"total":365}})"},
    built_in_event{"commitment.renewed", of::commitment, none, pt, "The term was renewed.",
                   R"({"term":2,"starts_at":"2026-01-01T00:00:00.000Z",)"
                   R"("ends_at":"2027-01-01T00:00:00.000Z","committed_tier":3})"},
    built_in_event{"commitment.shortfall", of::commitment, none, pt,
                   "Fewer licences than committed.",
                   R"({"minimum":500,"counter":110,"shortfall":390})"},
    built_in_event{"commitment.tier_changed", of::commitment, none, pt,
                   "The sum of licences has reached another tier.",
                   R"({"from":1,"to":2,"tier":2,"counter":110})"},
    built_in_event{"delivery.exhausted", of::endpoint, none, p,
                   "An event was given up at an endpoint; it is kept for replay."},
    built_in_event{"endpoint.degraded", of::endpoint, none, p, "Nothing but failures lately."},
    built_in_event{"endpoint.disabled", of::endpoint, none, p, "It answered that it is gone."},
    built_in_event{"endpoint.paused", of::endpoint, none, p,
                   "Nothing is sent until it is resumed."},
    built_in_event{"endpoint.recovered", of::endpoint, none, p, "It takes events again."},
    built_in_event{"invoice.changed", of::invoice, modified, p,
                   "An invoice has another state or due date, and is as little paid as before."},
    built_in_event{"invoice.expired", of::invoice, modified, p,
                   "Nobody waits for the payment any more."},
    built_in_event{"invoice.issued", of::invoice, created, p,
                   "An invoice was emitted for a subscription."},
    built_in_event{"invoice.overdue", of::invoice, modified, p,
                   "The due date has passed; a suspension follows unless it is paid."},
    built_in_event{"invoice.paid", of::invoice, modified, p, "An invoice counts as paid."},
    built_in_event{"operation.cancelled", of::subscription, none, pv,
                   "The change was taken back before it was answered."},
    built_in_event{"operation.failed", of::subscription, none, pv,
                   "The change was refused; nothing was changed."},
    built_in_event{"operation.requested", of::subscription, none, pv,
                   "The vendor is asked whether a change may be made."},
    built_in_event{"operation.succeeded", of::subscription, none, pv,
                   "The change was accepted and made."},
    built_in_event{"order.changed", of::operation, modified, p,
                   "What was ordered has another state (with lifecycle.order_events)."},
    built_in_event{"order.created", of::operation, created, p,
                   "Something was ordered of a subscription (with lifecycle.order_events)."},
    built_in_event{"plan.created", of::plan, created, p, "A plan was made."},
    built_in_event{"plan.deleted", of::plan, deleted, p,
                   "A plan that was not published was deleted."},
    built_in_event{"plan.published", of::plan, modified, p, "A plan can be ordered."},
    built_in_event{"plan.updated", of::plan, modified, p,
                   "A plan was changed; subscriptions see it when they renew or change."},
    built_in_event{"plan.withdrawn", of::plan, modified, p,
                   "A plan can no longer be ordered; subscriptions go on."},
    built_in_event{"product.published", of::product, modified, p, "A product can be sold."},
    built_in_event{"product.updated", of::product, modified, p,
                   "What is known of a product was changed."},
    built_in_event{"product.withdrawn", of::product, modified, p,
                   "A product is no longer sold; what was sold goes on."},
    built_in_event{"quota.blocked", of::subscription, none, pvt,
                   "Usage, or what waits for an endpoint's owner, is at its hard limit.",
                   R"({"metric":"storage","value":110,"limit":100,"overage":10})"},
    built_in_event{"quota.exceeded", of::subscription, none, pvt, "Usage is above its limit.",
                   R"({"metric":"storage","value":101,"limit":100,"overage":null})"},
    built_in_event{"quota.reached", of::subscription, none, pvt,
                   "Usage, or what waits for an endpoint's owner, comes near its limit.",
                   R"({"metric":"storage","value":100,"limit":100,"overage":null})"},
    built_in_event{"quota.recovered", of::endpoint, none, pvt,
                   "What waits for an endpoint's owner is below its limit again."},
    built_in_event{"resource.changed", of::subscription, none, pv, "A sub-resource was changed."},
    built_in_event{"resource.created", of::subscription, none, pv, "A sub-resource was made."},
    built_in_event{"resource.disabled", of::subscription, none, pv, "A sub-resource was disabled."},
    built_in_event{"resource.enabled", of::subscription, none, pv,
                   "A sub-resource was enabled again."},
    built_in_event{"resource.failed", of::subscription, none, pv,
                   "A sub-resource could not be provisioned."},
    built_in_event{"resource.linked", of::subscription, none, pv, "Two sub-resources were linked."},
    built_in_event{"resource.ready", of::subscription, none, pv, "A sub-resource can be used."},
    built_in_event{"resource.removed", of::subscription, none, pv, "A sub-resource is gone."},
    built_in_event{"resource.unlinked", of::subscription, none, pv,
                   "A link between sub-resources was removed."},
    built_in_event{"subscription.activated", of::subscription, modified, pvt,
                   "The customer can use the subscription."},
    built_in_event{"subscription.approved", of::subscription, modified, pvt,
                   "The order was approved."},
    built_in_event{"subscription.auto_renew_changed", of::subscription, modified, pvt,
                   "Automatic renewal was switched."},
    built_in_event{"subscription.cancelled", of::subscription, modified, pvt,
                   "Cancelled: access is off, data is kept for a while.",
                   R"({"purge_at":"2026-02-01T00:00:00.000Z"})"},
    built_in_event{"subscription.change_scheduled", of::subscription, none, pt_v_by_name,
                   "A change will be made later."},
    built_in_event{"subscription.change_unscheduled", of::subscription, none, pt_v_by_name,
                   "A scheduled change was taken back."},
    built_in_event{"subscription.configuration_required", of::subscription, modified, pvt,
                   "Provisioned; a further step of configuration is needed.", R"({"attempt":1})"},
    built_in_event{
        "subscription.converted", of::subscription, modified, pvt,
        "The trial became a paid subscription.",
        R"({"period_start":"2026-01-01T00:00:00.000Z",)"
        R"("period_end":"2026-02-01T00:00:00.000Z","end_date":"2026-02-01T00:00:00.000Z"})"},
    built_in_event{
        "subscription.costs_changed", of::subscription, none, p,
        "The vendor wants other costs on the next invoice, or on each.",
        R"({"kind":"ONESHOT","lines":[{"description":"Set-up","identifier":null,"price":"25.00",)"
        R"("currency":"EUR","vat":22,"quantity":1,"unit":null,"purchased_at":null}]})"},
    built_in_event{"subscription.created", of::subscription, created, pvt,
                   "A subscription was ordered."},
    built_in_event{"subscription.deprovision_requested", of::subscription, modified, pvt,
                   "The vendor is to release everything.",
                   R"({"deadline":"2026-01-09T00:00:00.000Z"})"},
    built_in_event{"subscription.expiring", of::subscription, none, pt,
                   "The subscription will end soon.",
                   R"({"days":7,"end_date":"2026-01-08T00:00:00.000Z"})"},
    built_in_event{"subscription.grace_started", of::subscription, modified, pvt,
                   "The end date has passed; the service runs on for the grace period.",
                   R"({"grace_until":"2026-02-01T00:00:00.000Z"})"},
    built_in_event{"subscription.parameters_changed", of::subscription, modified, pvt,
                   "Parameters of the order were changed."},
    built_in_event{"subscription.payment_expired", of::subscription, deleted, pvt,
                   "The first invoice was not paid in time; the subscription has ended."},
    built_in_event{"subscription.plan_changed", of::subscription, modified, pvt,
                   "The subscription has another plan.",
                   R"({"from":4,"to":5,"proration":{"unit":"hour","remaining":480,"total":744}})"},
    built_in_event{"subscription.provisioning_failed", of::subscription, modified, pvt,
                   "Provisioning failed.", R"({"attempt":1})"},
    built_in_event{"subscription.provisioning_overdue", of::subscription, none, pt,
                   "The vendor has not confirmed the provisioning in time.",
                   R"({"deadline":"2026-01-02T00:00:00.000Z","attempt":1})"},
    built_in_event{"subscription.provisioning_requested", of::subscription, modified, pvt,
                   "The vendor is to provision the subscription."},
    built_in_event{"subscription.purged", of::subscription, none, p,
                   "Credentials, parameters and personal data are erased."},
    built_in_event{
        "subscription.quantity_changed", of::subscription, modified, pvt, "A quantity was changed.",
        R"({"seats":{"from":5,"to":8,"proration":{"unit":"hour","remaining":480,"total":744}}})"},
    built_in_event{"subscription.reinstated", of::subscription, modified, pvt,
                   "The cancellation was taken back.", R"({"from":["CANCELLED"],"to":[]})"},
    built_in_event{"subscription.rejected", of::subscription, deleted, pvt,
                   "The order was refused; the subscription has ended."},
    built_in_event{"subscription.renamed", of::subscription, modified, pvt,
                   "The subscription has another name."},
    built_in_event{
        "subscription.renewed", of::subscription, modified, pvt, "A new period has begun.",
        R"({"order":"RENEWAL","period_start":"2026-01-01T00:00:00.000Z",)"
        R"("period_end":"2026-02-01T00:00:00.000Z","end_date":"2026-02-01T00:00:00.000Z"})"},
    built_in_event{"subscription.resumed", of::subscription, modified, pvt,
                   "The last reason of the suspension is gone: access is on.",
                   R"({"from":["UNPAID"],"to":[]})"},
    built_in_event{"subscription.started", of::subscription, modified, pvt,
                   "The start date of a postponed subscription has come."},
    built_in_event{"subscription.suspended", of::subscription, modified, pvt,
                   "Access is off, data is kept.", R"({"from":[],"to":["UNPAID"]})"},
    built_in_event{"subscription.suspension_changed", of::subscription, modified, pvt,
                   "Still suspended, for other reasons.",
                   R"({"from":["UNPAID"],"to":["UNPAID","ADMIN_HOLD"]})"},
    built_in_event{"subscription.terminated", of::subscription, deleted, pvt,
                   "The subscription has ended.", R"({"forced":false,"never_provisioned":false})"},
    built_in_event{
        "subscription.transferred", of::subscription, modified, pvt,
        "The subscription has another owner or reseller.",
        R"({"from":{"tenant_id":4,"reseller_id":1},"to":{"tenant_id":7,"reseller_id":1}})"},
    built_in_event{"tenant.access_restored", of::tenant, none, pt,
                   "A tenant has access again: all above it are enabled."},
    built_in_event{"tenant.access_suspended", of::tenant, none, pt,
                   "A tenant lost access because one above it was disabled."},
    built_in_event{"tenant.converted", of::tenant, modified, pt_tenant,
                   "A tenant went from trial to production, for good.",
                   R"({"pricing_mode":"production"})"},
    built_in_event{"tenant.created", of::tenant, created, pt_tenant, "A tenant was made.",
                   R"({"kind":"customer","parent_id":1})"},
    built_in_event{"tenant.deleted", of::tenant, deleted, pt_tenant,
                   "A disabled tenant was deleted; it can be recovered for a while.",
                   R"({"purge_at":"2026-01-31T00:00:00.000Z"})"},
    built_in_event{"tenant.disabled", of::tenant, modified, pt_tenant,
                   "A tenant was disabled: it and all below lose access.", R"({"epoch":1})"},
    built_in_event{"tenant.enabled", of::tenant, modified, pt_tenant, "A tenant was enabled again.",
                   R"({"epoch":2})"},
    built_in_event{"tenant.moved", of::tenant, modified, pt_tenant, "A tenant has another parent.",
                   R"({"from":2,"to":3})"},
    built_in_event{"tenant.purged", of::tenant, none, p,
                   "What was kept of a deleted tenant is gone."},
    built_in_event{"tenant.recovered", of::tenant, created, pt_tenant,
                   "A deleted tenant was recovered; it is disabled."},
    built_in_event{"tenant.updated", of::tenant, modified, pt_tenant,
                   "Fields of a tenant were changed.", R"({"changed":["name"]})"},
    built_in_event{"test.ping", of::subscription, created, pvt, "A test: nothing has happened."},
    built_in_event{"usage.recorded", of::subscription, none, by_name,
                   "A usage record was accepted."},
    built_in_event{"usage.window_closed", of::subscription, none, pvt,
                   "Usage of a window is final."},
    built_in_event{"user.activated", of::user, modified, pt,
                   "A user has a password and may log in."},
    built_in_event{"user.activation_requested", of::user, none, pt,
                   "Somebody wants a link to activate the user: fetch it and send it."},
    built_in_event{"user.created", of::user, created, pt, "A user was made, not yet activated."},
    built_in_event{"user.deleted", of::user, deleted, pt, "A disabled user was deleted.",
                   R"({"purge_at":"2026-01-31T00:00:00.000Z"})"},
    built_in_event{"user.disabled", of::user, modified, pt, "A user was disabled."},
    built_in_event{"user.enabled", of::user, modified, pt, "A user was enabled again."},
    built_in_event{"user.role_granted", of::user, modified, pt, "A user got a role in a tenant.",
                   R"({"role_id":1,"role":"backup_user","tenant_id":7})"},
    built_in_event{"user.role_revoked", of::user, modified, pt, "A user lost a role in a tenant.",
                   R"({"role_id":1,"role":"backup_user","tenant_id":7})"},
    built_in_event{"user.updated", of::user, modified, pt, "Fields of a user were changed.",
                   R"({"changed":["contact"]})"},
};

constexpr bool in_order() { return std::ranges::is_sorted(kinds, {}, &built_in_event::name); }
static_assert(in_order());

}  // namespace

std::span<const built_in_event> built_in_events() noexcept { return kinds; }

std::string_view to_string(hears how) noexcept {
  switch (how) {
    case hears::never: return "never";
    case hears::always: return "always";
    case hears::by_name: return "by_name";
    case hears::by_pattern: return "by_pattern";
  }
  return "";
}

const built_in_event* find_built_in(std::string_view name) noexcept {
  const auto at = std::ranges::lower_bound(kinds, name, {}, &built_in_event::name);
  return at != kinds.end() && at->name == name ? &*at : nullptr;
}

audience audience_of(const event& e) noexcept {
  const bool theirs =
      e.stream.kind == entity_kind::published || e.stream.kind == entity_kind::unordered;
  if (theirs) return pvt;
  const built_in_event* known = find_built_in(e.name);
  return known != nullptr ? known->told : p;
}

bool asks_for(const std::vector<std::string>& patterns, std::string_view name, hears how) noexcept {
  switch (how) {
    case hears::never: return false;
    case hears::always: return matches(patterns, name);
    case hears::by_name: return std::ranges::find(patterns, name) != patterns.end();
    case hears::by_pattern:
      return std::ranges::any_of(patterns, [name](const std::string& pattern) {
        return pattern != "*" && matches_one(pattern, name);
      });
  }
  return false;
}

}  // namespace syndicated::core
