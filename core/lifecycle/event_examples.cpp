// What an envelope of each name looks like. The members are those of real events: an end-to-end
// test holds them against what is sent, and golden files keep the bytes.
#include "core/lifecycle/aggregate.hpp"
#include "core/lifecycle/event_catalog.hpp"
#include "core/lifecycle/json.hpp"
#include "core/lifecycle/resource.hpp"
#include "core/lifecycle/usage.hpp"

namespace syndicated::core {
namespace {

const timestamp example_time = from_unix_ms(1'767'225'600'000);  // 2026-01-01

product example_product() {
  product e;
  e.id = {3};
  e.vendor = {2};
  e.name = "Backup";
  e.sku = "backup";
  e.version = 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

plan example_plan() {
  plan e;
  e.id = {4};
  e.product = {3};
  e.vendor = {2};
  e.name = "Small";
  e.trial_days = 14;
  e.resources.resize(1);
  e.resources[0].name = "seats";
  e.resources[0].rate = resource_rate{
      rate_scheme::tiered, {{1, 9, 5'000'000, 0}, {10, std::nullopt, 3'000'000, 0}}, 0, "EUR"};
  e.version = 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

tenant example_tenant() {
  tenant e;
  e.id = {7};
  e.kind = tenant_kind::customer;
  e.parent = provider_tenant;
  e.path = {provider_tenant};
  e.name = "Ada Ltd";
  e.version = 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

subscription example_subscription() {
  subscription e;
  e.id = {2388};
  e.tenant = {7};
  e.reseller = provider_tenant;
  e.path = {provider_tenant, {7}};
  e.plan = {4};
  e.product = {3};
  e.vendor = {2};
  e.name = "Small";
  e.status = subscription_status::deployed;
  e.paid = true;
  e.quantities = {{"seats", 5}};
  e.version = 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

aggregate example_aggregate() {
  aggregate e;
  e.id = {9};
  e.group = {{5}, entity_kind::product, 3, "seats"};
  e.vendor = {2};
  e.tiers = {0, 100, 500};
  e.committed = e.tier = 3;
  e.term_months = 12;
  e.counter = 110;
  e.shortfall = 390;
  e.starts_at = e.created_at = e.updated_at = example_time;
  e.ends_at = add_months(example_time, e.term_months);
  e.next_snapshot = add_months(example_time, 1);
  e.version = 2;
  return e;
}

user example_user() {
  user u;
  u.id = {17};
  u.tenant = example_tenant().id;
  u.login = "jane@example.org";
  u.contact.email = "jane@example.org";
  u.contact.first_name = "Jane";
  u.contact.last_name = "Doe";
  u.version = 3;
  u.created_at = example_tenant().created_at;
  u.updated_at = example_tenant().updated_at;
  return u;
}

resource example_resource(std::string_view name) {
  resource e;
  e.id = {9};
  e.subscription = {2388};
  e.type = "vps";
  e.status = resource_status::ready;
  if (name == "resource.created") e.status = resource_status::provisioning;
  if (name == "resource.changed") e.status = resource_status::configuring;
  if (name == "resource.disabled") e.status = resource_status::disabled;
  if (name == "resource.failed") e.status = resource_status::failed;
  if (name == "resource.removed") e.status = resource_status::deleted;
  e.held_by_suspension = e.status == resource_status::disabled;
  if (e.status == resource_status::failed) e.problem = "no space";
  const bool linked = name == "resource.linked";
  if (linked) e.links = {{"network", link_target::resource, 8, link_strength::weak, false}};
  e.properties = {{"cpu", "2"}};
  if (e.status == resource_status::configuring) e.wanted = string_map{{"cpu", "4"}};
  e.serial = e.version = 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

// Where an event of the name is a change of status: from which.
std::string_view status_before(std::string_view name) {
  if (name == "resource.ready" || name == "resource.failed") return "provisioning";
  if (name == "resource.disabled" || name == "resource.changed") return "ready";
  if (name == "resource.enabled") return "disabled";
  return name == "resource.removed" ? "unprovisioning" : "";
}

operation example_operation(std::string_view name) {
  operation e;
  e.number = 2;
  e.kind = operation_kind::quantity_change;
  e.requested_by = party::reseller;
  e.requested_at = example_time;
  e.state = operation_state::cancelled;
  if (name == "subscription.change_scheduled") e.state = operation_state::scheduled;
  if (name == "operation.requested") e.state = operation_state::in_progress;
  if (name == "operation.succeeded") e.state = operation_state::succeeded;
  if (name == "operation.failed") e.state = operation_state::failed;
  if (e.state == operation_state::scheduled) e.due_at = add_months(example_time, 1);
  if (e.state == operation_state::in_progress) e.due_at = example_time + std::chrono::seconds{10};
  if (!e.open()) e.ended_at = example_time;
  if (e.state == operation_state::failed) e.message = "no more licences";
  if (e.state == operation_state::cancelled) e.message = "it was taken back";
  e.from = {{"seats", 5}};
  e.to = {{"seats", 3}};
  return e;
}

// An order in a stream of its own.
operation example_order() { return example_operation("operation.succeeded"); }

invoice example_invoice(std::string_view name) {
  invoice e;
  e.subscription = example_subscription().id;
  e.id = invoice_of(e.subscription, 1);
  e.tenant = example_subscription().tenant;
  e.kind = invoice_kind::upsell;
  e.due_at = example_time + std::chrono::days{14};
  e.reference = "2026-0001";
  if (name == "invoice.changed") e.state = invoice_state::pending;
  if (name == "invoice.paid") e.state = invoice_state::paid;
  if (name == "invoice.expired") e.state = invoice_state::expired;
  e.overdue = name == "invoice.overdue";
  invoice_line& line = e.lines.emplace_back();
  line.description = "Set-up";
  line.price = 25'000'000;
  line.currency = "EUR";
  e.version = name == "invoice.issued" ? 1 : 2;
  e.created_at = e.updated_at = example_time;
  return e;
}

usage_record example_usage(std::string_view name) {
  usage_record e;
  e.subscription = {2388};
  e.key = {example_time, "storage", "vendor"};
  e.value = {120'000'000};
  e.window_end = example_time + std::chrono::hours{1};
  if (name == "usage.window_closed") e.state = usage_state::closed;
  e.received_at = e.updated_at = example_time;
  return e;
}

// The subscription as it is when that has happened to it.
subscription subscription_after(std::string_view name) {
  subscription e = example_subscription();
  const auto stands = [&](std::string_view event, subscription_status status) {
    if (name == event) e.status = status;
  };
  using enum subscription_status;
  stands("subscription.created", pending);
  stands("subscription.approved", pending);
  stands("subscription.started", pending);
  stands("subscription.provisioning_requested", pending);
  stands("subscription.provisioning_overdue", pending);
  stands("subscription.configuration_required", post_configuration);
  stands("subscription.provisioning_failed", failed);
  stands("subscription.rejected", rejected);
  stands("subscription.payment_expired", payment_expired);
  stands("subscription.deprovision_requested", undeploy_sent);
  stands("subscription.terminated", undeployed);
  stands("subscription.purged", purged);
  stands("subscription.suspended", stopped);
  stands("subscription.suspension_changed", stopped);
  stands("subscription.cancelled", stopped);
  if (e.status == stopped) e.reasons.add(suspension_reason::unpaid);
  if (name == "subscription.suspension_changed") e.reasons.add(suspension_reason::admin_hold);
  if (name == "subscription.cancelled") {
    e.reasons = {};
    e.reasons.add(suspension_reason::cancelled);
    e.purge_at = add_months(example_time, 1);
  }
  e.paid = !e.reasons.has(suspension_reason::unpaid) && e.status != payment_expired;
  if (name == "subscription.purged") e.name.clear();
  return e;
}

tenant tenant_after(std::string_view name) {
  tenant e = example_tenant();
  using enum tenant_state;
  if (name == "tenant.disabled" || name == "tenant.recovered") e.state = disabled;
  if (name == "tenant.disabled") e.epoch = 1;
  if (name == "tenant.enabled") e.epoch = 2;
  if (name == "tenant.converted") e.pricing = pricing_mode::production;
  if (name == "tenant.deleted") e.state = deleted;
  if (name == "tenant.purged") {
    static_cast<tenant_profile&>(e) = {};
    e.language.clear();
    e.state = purged;
  }
  if (e.state == deleted || e.state == purged) {
    e.deleted_at = example_time;
    e.purge_at = example_time + std::chrono::days{30};
  }
  return e;
}

user user_after(std::string_view name) {
  user e = example_user();
  e.activated = name != "user.created" && name != "user.activation_requested";
  e.enabled = name != "user.disabled" && name != "user.deleted";
  if (name == "user.role_granted") e.roles = {{1, e.tenant, "backup_user", provider_tenant, 1}};
  if (name == "user.deleted") {
    e.deleted_at = example_time;
    e.purge_at = example_time + std::chrono::days{30};
  }
  return e;
}

std::string change_of(const built_in_event& kind) {
  json_writer out;
  if (kind.name.starts_with("resource.")) {
    const resource r = example_resource(kind.name);
    out.begin_object().key("resource").raw(to_json(r));
    const std::string_view before = status_before(kind.name);
    if (!before.empty()) {
      out.key("status").begin_object().key("from").text(before);
      out.key("to").text(to_string(r.status)).end_object();
    }
    out.end_object();
    return std::move(out).str();
  }
  const bool asked = kind.name.starts_with("operation.") || kind.name.ends_with("scheduled");
  if (asked) {
    write_operation(out, example_operation(kind.name), example_subscription().id);
    return std::move(out).str();
  }
  if (kind.name.starts_with("usage.")) {
    out.begin_object().key("usage").raw(to_json(example_usage(kind.name))).end_object();
    return std::move(out).str();
  }
  return std::string{kind.change};
}

// An endpoint is shown by what finds it, and with what is told of it.
void write_endpoint(json_writer& out, std::string_view name, std::uint64_t id, std::uint64_t seq) {
  out.key("endpoint_id").number(id);
  out.key("scope").text("vendor").key("scope_id").number(std::uint64_t{2});
  out.key("origin").text("https://hooks.example.com:443");
  out.key("state").text(name == "endpoint.paused"     ? "paused"
                        : name == "endpoint.disabled" ? "disabled"
                                                      : "active");
  out.key("version").number(std::uint64_t{3});
  out.key("seq").number(seq);
  if (name == "delivery.exhausted") {
    out.key("event_id").number(std::uint64_t{16}).key("event_name").text("subscription.created");
    out.key("stream").text("subscription/2388").key("event_seq").number(std::uint64_t{1});
    out.key("reason").text("exhausted").key("attempts").number(std::uint64_t{8});
    out.key("last_status").number(503).key("last_error").text("");
  } else if (name == "quota.recovered") {
    out.key("owner_scope").text("vendor").key("owner_id").number(std::uint64_t{2});
    out.key("metric").text("pending_events").key("value").number(std::uint64_t{600'000});
    out.key("limit").number(std::uint64_t{1'000'000});
  } else {
    const bool failing = name != "endpoint.recovered";
    out.key("reason").text(name == "endpoint.paused" ? "maintenance" : failing ? "http_503" : "");
    out.key("failing_since").time(failing ? std::optional{example_time} : std::nullopt);
  }
}

void write_entity(json_writer& out, const built_in_event& kind) {
  switch (kind.stream) {
    case entity_kind::tenant: return write_members(out, tenant_after(kind.name));
    case entity_kind::product: return write_members(out, example_product());
    case entity_kind::plan: return write_members(out, example_plan());
    case entity_kind::subscription: return write_members(out, subscription_after(kind.name));
    case entity_kind::user: return write_members(out, user_after(kind.name));
    case entity_kind::commitment: return write_members(out, example_aggregate());
    case entity_kind::invoice: return write_members(out, example_invoice(kind.name));
    case entity_kind::operation:
      write_members(out, example_order(), example_subscription().id);
      out.key("version").number(example_subscription().version);
      return;
    default: return;  // they have no events, or not such
  }
}

std::string data_of(const built_in_event& kind, const event& e) {
  if (kind.name == "test.ping") return R"({"test":true,"endpoint_id":9})";
  json_writer out;
  out.begin_object();
  if (kind.stream == entity_kind::endpoint) {
    write_endpoint(out, kind.name, e.stream.entity, e.seq);
  } else {
    write_entity(out, kind);
    out.key("seq").number(e.seq);
    const std::string change = change_of(kind);
    if (!change.empty()) out.key("change").raw(change);
  }
  out.end_object();
  return std::move(out).str();
}

std::uint64_t id_of(const built_in_event& kind) {
  if (kind.name == "test.ping") return 0;
  switch (kind.stream) {
    case entity_kind::tenant: return example_tenant().id.value;
    case entity_kind::product: return example_product().id.value;
    case entity_kind::plan: return example_plan().id.value;
    case entity_kind::subscription: return example_subscription().id.value;
    case entity_kind::user: return example_user().id.value;
    case entity_kind::invoice: return example_invoice(kind.name).id.value;
    case entity_kind::operation:
      return operation_of(example_subscription().id, example_order().number).value;
    default: return 9;
  }
}

string_map metadata_of(const built_in_event& kind) {
  if (kind.name == "test.ping") return {{"test", "true"}};
  if (kind.name.starts_with("resource.")) {
    const resource r = example_resource(kind.name);
    return {{"resource_id", std::to_string(r.id.value)},
            {"resource_type", r.type},
            {"resource_status", std::string{to_string(r.status)}},
            {"serial", std::to_string(r.serial)}};
  }
  if (kind.name.starts_with("usage.")) {
    const usage_record r = example_usage(kind.name);
    return {{"metric", r.key.metric},
            {"value", to_string(r.value)},
            {"window_start", format_rfc3339_ms(r.key.window_start)}};
  }
  if (kind.stream == entity_kind::invoice) {
    return event_of(example_invoice(kind.name), kind.name).metadata;
  }
  if (kind.stream == entity_kind::operation) {
    return {{"state", std::string{to_string(example_order().state)}},
            {"subscription", std::to_string(example_subscription().id.value)}};
  }
  if (kind.stream == entity_kind::commitment) {
    const aggregate a = example_aggregate();
    return {{"tier", std::to_string(a.tier)}, {"counter", std::to_string(a.counter)}};
  }
  if (kind.name.starts_with("quota.") || kind.stream == entity_kind::endpoint) return {};
  if (kind.stream == entity_kind::subscription) {
    const subscription s = subscription_after(kind.name);
    string_map out{{"status", std::string{to_string(s.status)}},
                   {"type", std::string{to_string(s.type)}},
                   {"paid", s.paid ? "true" : "false"}};
    for (const suspension_reason r : s.reasons.list()) {
      std::string& all = out["reasons"];
      all += (all.empty() ? "" : ",") + std::string{to_string(r)};
    }
    return out;
  }
  const bool sold = kind.stream == entity_kind::plan || kind.stream == entity_kind::product;
  if (sold) return {{"published", "true"}, {"approved", "true"}};
  return {};
}

}  // namespace

event example_of(const built_in_event& kind) {
  event e;
  e.id = {17};
  e.stream = {kind.stream, id_of(kind)};
  // What stands first in its stream is the first version of it.
  e.seq = kind.type == wire_type::created && kind.name != "tenant.recovered" ? 1 : 2;
  e.name = kind.name;
  e.type = kind.type;
  e.at = example_time;
  e.entity_version = e.seq;
  e.data = data_of(kind, e);
  e.metadata = metadata_of(kind);
  return e;
}

}  // namespace syndicated::core
