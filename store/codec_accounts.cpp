// Tenants, users and offering items <-> bytes.
#include <algorithm>

#include "store/codec.hpp"
#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

void put_contact(records::Contact& to, const core::contact& from) {
  to.set_email(from.email);
  to.set_first_name(from.first_name);
  to.set_last_name(from.last_name);
  to.set_phone(from.phone);
  for (const auto& [name, value] : from.more) {
    auto& text = *to.add_more();
    text.set_name(name);
    text.set_value(value);
  }
  for (const std::string& type : from.types) to.add_types(type);
}
core::contact get_contact(const records::Contact& from) {
  core::contact out{from.email(), from.first_name(), from.last_name(), from.phone()};
  for (const auto& text : from.more()) out.more[text.name()] = text.value();
  out.types.assign(from.types().begin(), from.types().end());
  return out;
}

}  // namespace

std::string encode(const core::tenant& t) {
  records::Tenant r;
  r.set_id(t.id.value);
  r.set_kind(number(t.kind));
  r.set_parent(t.parent.value);
  for (core::tenant_id id : t.path) r.add_path(id.value);
  r.set_name(t.name);
  r.set_external_ref(t.external_ref);
  put_contact(*r.mutable_contact(), t.contact);
  r.set_state(number(t.state));
  r.set_ancestors_disabled(!t.ancestors_enabled);
  r.set_epoch(t.epoch);
  r.set_version(t.version);
  r.set_seq(t.seq);
  r.set_created_at_ms(ms(t.created_at));
  r.set_updated_at_ms(ms(t.updated_at));
  if (t.deleted_at) r.set_deleted_at_ms(ms(*t.deleted_at));
  r.set_language(t.language);
  r.set_internal_tag(t.internal_tag);
  r.set_customer_type(t.customer_type);
  r.set_default_idp_id(t.default_idp_id);
  r.set_brand_id(t.brand_id);
  r.set_hidden_from_ancestors(!t.ancestral_access);
  r.set_locked(t.update_lock.enabled);
  r.set_lock_owner(t.update_lock.owner.value);
  r.set_pricing(number(t.pricing));
  if (t.trial_until) r.set_trial_until_ms(ms(*t.trial_until));
  if (t.purge_at) r.set_purge_at_ms(ms(*t.purge_at));
  r.set_purging(t.purging);
  if (t.look_at) r.set_look_at_ms(ms(*t.look_at));
  r.set_personal_of(t.personal_of.value);
  return framed(r);
}

core::result<core::tenant> decode_tenant(std::string_view value) {
  records::Tenant r;
  if (auto e = parse(r, value, "tenant")) return std::move(*e);
  core::tenant t;
  t.id = {r.id()};
  t.kind = static_cast<core::tenant_kind>(r.kind());
  t.parent = {r.parent()};
  for (std::uint64_t id : r.path()) t.path.push_back({id});
  t.name = r.name();
  t.external_ref = r.external_ref();
  t.contact = get_contact(r.contact());
  t.state = static_cast<core::tenant_state>(r.state());
  t.ancestors_enabled = !r.ancestors_disabled();
  t.epoch = r.epoch();
  t.version = r.version();
  t.seq = r.seq();
  t.created_at = at(r.created_at_ms());
  t.updated_at = at(r.updated_at_ms());
  if (r.has_deleted_at_ms()) t.deleted_at = at(r.deleted_at_ms());
  // Of before there were profiles and trials: as they are given to new ones, but in production.
  const bool older = r.pricing() == 0;
  if (!older) t.language = r.language();
  if (!older) t.customer_type = r.customer_type();
  t.internal_tag = r.internal_tag();
  t.default_idp_id = r.default_idp_id();
  t.brand_id = r.brand_id();
  t.ancestral_access = !r.hidden_from_ancestors();
  t.update_lock = {r.locked(), {r.lock_owner()}};
  t.pricing = older ? core::pricing_mode::production : static_cast<core::pricing_mode>(r.pricing());
  if (r.has_trial_until_ms()) t.trial_until = at(r.trial_until_ms());
  if (r.has_purge_at_ms()) t.purge_at = at(r.purge_at_ms());
  t.purging = r.purging();
  if (r.has_look_at_ms()) t.look_at = at(r.look_at_ms());
  t.personal_of = {r.personal_of()};
  return t;
}

std::string encode(const core::user& u) {
  records::User r;
  r.set_id(u.id.value);
  r.set_tenant(u.tenant.value);
  r.set_login(u.login);
  put_contact(*r.mutable_contact(), u.contact);
  r.set_language(u.language);
  for (const std::string& n : u.notifications) r.add_notifications(n);
  for (const std::string& b : u.business_types) r.add_business_types(b);
  r.set_personal_unit(u.personal_unit.value);
  r.set_activated(u.activated);
  r.set_disabled(!u.enabled);
  r.set_password_hash(u.password_hash);
  r.set_activation_hash(u.activation_hash);
  if (u.activation_until) r.set_activation_until_ms(ms(*u.activation_until));
  for (const core::role_assignment& a : u.roles) {
    records::Role* out = r.add_roles();
    out->set_id(a.id);
    out->set_tenant(a.tenant.value);
    out->set_role(a.role);
    out->set_issuer(a.issuer.value);
    out->set_version(a.version);
  }
  r.set_last_role(u.last_role);
  if (u.deleted_at) r.set_deleted_at_ms(ms(*u.deleted_at));
  if (u.purge_at) r.set_purge_at_ms(ms(*u.purge_at));
  r.set_purging(u.purging);
  if (u.look_at) r.set_look_at_ms(ms(*u.look_at));
  r.set_purged(u.purged);
  r.set_version(u.version);
  r.set_seq(u.seq);
  r.set_created_at_ms(ms(u.created_at));
  r.set_updated_at_ms(ms(u.updated_at));
  return framed(r);
}

core::result<core::user> decode_user(std::string_view value) {
  records::User r;
  if (auto e = parse(r, value, "user")) return std::move(*e);
  core::user u;
  u.id = {r.id()};
  u.tenant = {r.tenant()};
  u.login = r.login();
  u.contact = get_contact(r.contact());
  u.language = r.language();
  u.notifications.assign(r.notifications().begin(), r.notifications().end());
  u.business_types.assign(r.business_types().begin(), r.business_types().end());
  u.personal_unit = {r.personal_unit()};
  u.activated = r.activated();
  u.enabled = !r.disabled();
  u.password_hash = r.password_hash();
  u.activation_hash = r.activation_hash();
  if (r.has_activation_until_ms()) u.activation_until = at(r.activation_until_ms());
  for (const records::Role& a : r.roles()) {
    u.roles.push_back({a.id(), {a.tenant()}, a.role(), {a.issuer()}, a.version()});
  }
  u.last_role = r.last_role();
  if (r.has_deleted_at_ms()) u.deleted_at = at(r.deleted_at_ms());
  if (r.has_purge_at_ms()) u.purge_at = at(r.purge_at_ms());
  u.purging = r.purging();
  if (r.has_look_at_ms()) u.look_at = at(r.look_at_ms());
  u.purged = r.purged();
  u.version = r.version();
  u.seq = r.seq();
  u.created_at = at(r.created_at_ms());
  u.updated_at = at(r.updated_at_ms());
  return u;
}

std::string encode(const core::offering_list& items) {
  records::Offerings r;
  for (const core::offering_item& i : items) {
    records::OfferingItem* out = r.add_items();
    out->set_application_id(i.application_id);
    out->set_name(i.name);
    out->set_edition(i.edition);
    out->set_infra_id(i.infra_id);
    out->set_usage_name(i.usage_name);
    out->set_measurement_unit(i.measurement_unit);
    out->set_type(i.type);
    out->set_locked(i.locked);
    out->set_off(!i.on);
    if (i.quota.value) out->set_quota_value(*i.quota.value);
    if (i.quota.overage) out->set_quota_overage(*i.quota.overage);
    out->set_quota_version(i.quota.version);
  }
  return framed(r);
}

core::result<core::offering_list> decode_offerings(std::string_view value) {
  records::Offerings r;
  if (auto e = parse(r, value, "list of offering items")) return std::move(*e);
  core::offering_list out;
  for (const records::OfferingItem& i : r.items()) {
    core::offering_item item;
    item.application_id = i.application_id();
    item.name = i.name();
    item.edition = i.edition();
    item.infra_id = i.infra_id();
    item.usage_name = i.usage_name();
    item.measurement_unit = i.measurement_unit();
    item.type = i.type();
    item.locked = i.locked();
    item.on = !i.off();
    if (i.has_quota_value()) item.quota.value = i.quota_value();
    if (i.has_quota_overage()) item.quota.overage = i.quota_overage();
    item.quota.version = i.quota_version();
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace syndicated::store
