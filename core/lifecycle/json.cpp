#include "core/lifecycle/json.hpp"

namespace syndicated::core {
namespace {

void write_quantities(json_writer& out, const quantities& values) {
  out.begin_object();
  for (const auto& [name, count] : values) out.given_key(name).number(count);
  out.end_object();
}

void write_access_points(json_writer& out, const std::vector<access_point>& points) {
  out.begin_array();
  for (const access_point& p : points) {
    out.begin_object()
        .key("endpoint")
        .text(p.endpoint)
        .key("description")
        .text(p.description)
        .key("category")
        .text(p.category)
        .end_object();
  }
  out.end_array();
}

void write_open(json_writer& out, const operation* o, subscription_id owner) {
  if (o == nullptr) {
    out.null();
  } else {
    write_operation(out, *o, owner);
  }
}

template <class Entity, class Body>
std::string object(const Entity& e, Body&& members) {
  json_writer out;
  out.begin_object();
  members(out, e);
  out.end_object();
  return std::move(out).str();
}

}  // namespace

void write_members(json_writer& out, const operation& o, subscription_id owner) {
  const auto plan = [&out](json_name name, const std::optional<plan_id>& id) {
    if (id) out.key(name).number(id->value);
  };
  out.key("id").number(operation_of(owner, o.number).value);
  out.key("subscription_id").number(owner.value);
  out.key("kind").text(to_string(o.kind));
  out.key("state").text(to_string(o.state));
  out.key("requested_by");
  if (o.number == first_order) {
    out.null();  // it is not known any more
  } else {
    out.text(to_string(o.requested_by));
  }
  out.key("requested_at").time(o.requested_at);
  if (o.state == operation_state::scheduled) out.key("effective_at").time(o.due_at);
  if (o.state == operation_state::in_progress) out.key("deadline").time(o.due_at);
  if (o.ended_at) out.key("ended_at").time(*o.ended_at);
  plan("plan_from", o.plan_from);
  plan("plan_to", o.plan_to);
  out.key("quantities_from");
  write_quantities(out, o.from);
  out.key("quantities_to");
  write_quantities(out, o.to);
  out.key("message").text(o.message);
}

void write_operation(json_writer& out, const operation& o, subscription_id owner) {
  out.begin_object();
  write_members(out, o, owner);
  out.end_object();
}

void write_members(json_writer& out, const subscription& s) {
  out.key("id").number(s.id.value);
  out.key("tenant_id").number(s.tenant.value);
  out.key("reseller_id").number(s.reseller.value);
  out.key("plan_id").number(s.plan.value);
  out.key("product_id").number(s.product.value);
  out.key("vendor_id").number(s.vendor.value);
  out.key("name").text(s.name);
  out.key("type").text(to_string(s.type));
  out.key("status").text(to_string(s.status));
  out.key("suspension_reasons").begin_array();
  for (suspension_reason r : s.reasons.list()) out.text(to_string(r));
  out.end_array();
  out.key("paid").boolean(s.paid);
  out.key("auto_renew").boolean(s.auto_renew);
  out.key("quantities");
  write_quantities(out, s.quantities);
  out.key("config").map(s.config);
  out.key("start_date").time(s.start_date);
  out.key("period_start").time(s.period_start);
  out.key("period_end").time(s.period_end);
  out.key("end_date").time(s.end_date);
  out.key("grace_until").time(s.grace_until);
  out.key("purge_at").time(s.purge_at);
  out.key("provisioning_attempt").number(static_cast<std::uint64_t>(s.attempt));
  write_open(out.key("scheduled_change"), s.scheduled(), s.id);
  write_open(out.key("operation"), s.in_progress(), s.id);
  out.key("commitment");
  if (s.commitment) {
    write_commitment(out, *s.commitment);
  } else {
    out.null();
  }
  out.key("metadata").map(s.metadata);
  out.key("vendor_metadata").map(s.vendor_metadata);
  out.key("endpoints");
  write_access_points(out, s.endpoints);
  out.key("instructions").map(s.instructions);
  out.key("version").number(s.version);
  out.key("created_at").time(s.created_at);
  out.key("updated_at").time(s.updated_at);
}

namespace {

void write_texts(json_writer& out, const std::vector<std::string>& values) {
  out.begin_array();
  for (const std::string& value : values) out.text(value);
  out.end_array();
}

void write_contact(json_writer& out, const contact& c) {
  out.begin_object();
  out.key("email").text(c.email);
  out.key("first_name").text(c.first_name);
  out.key("last_name").text(c.last_name);
  out.key("phone").text(c.phone);
  write_contact_texts(out, c);
  out.end_object();
}

void write_id(json_writer& out, std::uint64_t id) {
  if (id == 0) {
    out.null();
  } else {
    out.number(id);
  }
}

}  // namespace

void write_contact_texts(json_writer& out, const contact& c) {
  for (const auto& [name, text] : c.more) out.given_key(name).text(text);
  if (!c.types.empty()) write_texts(out.key("types"), c.types);
}

void write_members(json_writer& out, const tenant& t) {
  out.key("id").number(t.id.value);
  out.key("kind").text(to_string(t.kind));
  write_id(out.key("parent_id"), t.parent.value);
  out.key("path").begin_array();
  for (const tenant_id id : t.path) out.number(id.value);
  out.end_array();
  out.key("name").text(t.name);
  out.key("external_ref").text(t.external_ref);
  write_contact(out.key("contact"), t.contact);
  out.key("language").text(t.language);
  out.key("internal_tag").text(t.internal_tag);
  out.key("customer_type").text(t.customer_type);
  out.key("default_idp_id").text(t.default_idp_id);
  out.key("brand_id").number(t.brand_id);
  out.key("ancestral_access").boolean(t.ancestral_access);
  out.key("update_lock").begin_object().key("enabled").boolean(t.update_lock.enabled);
  write_id(out.key("owner_id"), t.update_lock.owner.value);
  out.end_object();
  out.key("pricing_mode").text(to_string(t.pricing));
  out.key("trial_until").time(t.trial_until);
  if (t.personal_of) out.key("personal_user_id").number(t.personal_of.value);
  out.key("status").text(to_string(t.state));
  out.key("epoch").number(t.epoch);
  out.key("version").number(t.version);
  out.key("created_at").time(t.created_at);
  out.key("updated_at").time(t.updated_at);
  if (t.deleted_at) out.key("deleted_at").time(*t.deleted_at);
  if (t.purge_at) out.key("purge_at").time(*t.purge_at);
}

void write_members(json_writer& out, const user& u) {
  out.key("id").number(u.id.value);
  out.key("tenant_id").number(u.tenant.value);
  out.key("login").text(u.login);
  write_contact(out.key("contact"), u.contact);
  out.key("language").text(u.language);
  write_texts(out.key("notifications"), u.notifications);
  write_texts(out.key("business_types"), u.business_types);
  write_id(out.key("personal_tenant_id"), u.personal_unit.value);
  out.key("status").text(to_string(status_of(u)));
  out.key("activated").boolean(u.activated);
  out.key("enabled").boolean(u.enabled);
  out.key("roles").begin_array();
  for (const role_assignment& r : u.roles) {
    out.begin_object();
    out.key("id").number(r.id);
    out.key("role").text(r.role);
    out.key("tenant_id").number(r.tenant.value);
    write_id(out.key("issuer_id"), r.issuer.value);
    out.key("version").number(r.version);
    out.end_object();
  }
  out.end_array();
  out.key("version").number(u.version);
  out.key("created_at").time(u.created_at);
  out.key("updated_at").time(u.updated_at);
  if (u.deleted_at) out.key("deleted_at").time(*u.deleted_at);
  if (u.purge_at) out.key("purge_at").time(*u.purge_at);
}

std::string to_json(const subscription& s) {
  return object(s, [](json_writer& out, const subscription& e) { write_members(out, e); });
}
std::string to_json(const tenant& t) {
  return object(t, [](json_writer& out, const tenant& e) { write_members(out, e); });
}

std::string to_json(const user& u) {
  return object(u, [](json_writer& out, const user& e) { write_members(out, e); });
}

std::string to_json(const event_type& t) {
  json_writer out;
  const auto raw_or_null = [&out](std::string_view json) {
    if (json.empty()) {
      out.null();
    } else {
      out.raw(json);
    }
  };
  out.begin_object();
  out.key("name").text(t.name);
  out.key("source").text("declared");
  out.key("description").text(t.description);
  out.key("schema");
  raw_or_null(t.schema);
  out.key("example");
  raw_or_null(t.example);
  out.key("version").number(t.version);
  out.key("created_at").time(t.created_at);
  out.key("updated_at").time(t.updated_at);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::core
