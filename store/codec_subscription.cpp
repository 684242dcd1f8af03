// The codec of subscriptions.
#include "core/lifecycle/subscription_machine.hpp"
#include "store/codec.hpp"
#include "store/codec_commitment.hpp"
#include "store/codec_invoice.hpp"
#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

void put_times(records::Subscription& r, const core::subscription& s) {
  if (s.start_date) r.set_start_date_ms(ms(*s.start_date));
  if (s.period_start) r.set_period_start_ms(ms(*s.period_start));
  if (s.period_end) r.set_period_end_ms(ms(*s.period_end));
  if (s.end_date) r.set_end_date_ms(ms(*s.end_date));
  if (s.purge_at) r.set_purge_at_ms(ms(*s.purge_at));
  if (s.grace_until) r.set_grace_until_ms(ms(*s.grace_until));
  r.set_created_at_ms(ms(s.created_at));
  r.set_updated_at_ms(ms(s.updated_at));
}

void get_times(core::subscription& s, const records::Subscription& r) {
  if (r.has_start_date_ms()) s.start_date = at(r.start_date_ms());
  if (r.has_period_start_ms()) s.period_start = at(r.period_start_ms());
  if (r.has_period_end_ms()) s.period_end = at(r.period_end_ms());
  if (r.has_end_date_ms()) s.end_date = at(r.end_date_ms());
  if (r.has_purge_at_ms()) s.purge_at = at(r.purge_at_ms());
  if (r.has_grace_until_ms()) s.grace_until = at(r.grace_until_ms());
  s.created_at = at(r.created_at_ms());
  s.updated_at = at(r.updated_at_ms());
}

void put_vendor_part(records::Subscription& r, const core::subscription& s) {
  put_map(*r.mutable_vendor_metadata(), s.vendor_metadata);
  for (const core::access_point& p : s.endpoints) {
    records::AccessPoint* out = r.add_endpoints();
    out->set_endpoint(p.endpoint);
    out->set_description(p.description);
    out->set_category(p.category);
  }
  put_map(*r.mutable_instructions(), s.instructions);
  for (const core::credential& c : s.credentials) {
    records::Credential* out = r.add_credentials();
    out->set_key(c.key);
    out->set_sealed_value(c.sealed_value);
    put_map(*out->mutable_description(), c.description);
    out->set_weight(c.weight);
  }
}

void get_vendor_part(core::subscription& s, const records::Subscription& r) {
  s.vendor_metadata = get_map(r.vendor_metadata());
  for (const records::AccessPoint& p : r.endpoints()) {
    s.endpoints.push_back({p.endpoint(), p.description(), p.category()});
  }
  s.instructions = get_map(r.instructions());
  for (const records::Credential& c : r.credentials()) {
    s.credentials.push_back({c.key(), c.sealed_value(), get_map(c.description()), c.weight()});
  }
}

void put_operation(records::Operation& r, const core::operation& o) {
  r.set_number(o.number);
  r.set_kind(number(o.kind));
  r.set_state(number(o.state));
  r.set_requested_by(number(o.requested_by));
  r.set_requested_at_ms(ms(o.requested_at));
  if (o.due_at) r.set_due_at_ms(ms(*o.due_at));
  if (o.ended_at) r.set_ended_at_ms(ms(*o.ended_at));
  if (o.plan_from) r.set_plan_from(o.plan_from->value);
  if (o.plan_to) r.set_plan_to(o.plan_to->value);
  r.mutable_from()->insert(o.from.begin(), o.from.end());
  r.mutable_to()->insert(o.to.begin(), o.to.end());
  r.set_message(o.message);
}

core::operation get_operation(const records::Operation& r) {
  core::operation o;
  o.number = r.number();
  o.kind = static_cast<core::operation_kind>(r.kind());
  o.state = static_cast<core::operation_state>(r.state());
  o.requested_by = static_cast<core::party>(r.requested_by());
  o.requested_at = at(r.requested_at_ms());
  if (r.has_due_at_ms()) o.due_at = at(r.due_at_ms());
  if (r.has_ended_at_ms()) o.ended_at = at(r.ended_at_ms());
  if (r.plan_from() != 0) o.plan_from = core::plan_id{r.plan_from()};
  if (r.plan_to() != 0) o.plan_to = core::plan_id{r.plan_to()};
  o.from = {r.from().begin(), r.from().end()};
  o.to = {r.to().begin(), r.to().end()};
  o.message = r.message();
  return o;
}

void put_invoices(records::Subscription& r, const core::subscription& s) {
  for (const core::open_invoice& i : s.open_invoices) {
    records::OpenInvoice* out = r.add_open_invoices();
    out->set_number(i.number);
    out->set_state(number(i.state));
    if (i.due_at) out->set_due_ms(ms(*i.due_at));
    out->set_overdue(i.overdue);
  }
  r.set_last_invoice(s.last_invoice);
  if (s.last_invoice_at) r.set_last_invoice_at_ms(ms(*s.last_invoice_at));
  r.set_owes_besides(s.owes_besides);
  put_lines(*r.mutable_oneshot_costs(), s.oneshot_costs);
  put_lines(*r.mutable_recurring_costs(), s.recurring_costs);
}

void get_invoices(core::subscription& s, const records::Subscription& r) {
  for (const records::OpenInvoice& i : r.open_invoices()) {
    core::open_invoice& out = s.open_invoices.emplace_back();
    out.number = i.number();
    out.state = static_cast<core::invoice_state>(i.state());
    if (i.has_due_ms()) out.due_at = at(i.due_ms());
    out.overdue = i.overdue();
  }
  s.last_invoice = r.last_invoice();
  if (r.has_last_invoice_at_ms()) s.last_invoice_at = at(r.last_invoice_at_ms());
  s.owes_besides = r.owes_besides();
  s.oneshot_costs = get_lines(r.oneshot_costs());
  s.recurring_costs = get_lines(r.recurring_costs());
}

void put_waits(records::Subscription& r, const core::subscription& s) {
  for (const core::armed_timer& t : s.timers.all()) {
    records::Timer* out = r.add_timers();
    out->set_kind(number(t.kind));
    out->set_due_ms(ms(t.due));
    out->set_version(t.version);
  }
  r.set_overdue_told(s.overdue_told);
  for (const core::operation& o : s.operations) put_operation(*r.add_operations(), o);
  r.set_last_operation(s.last_operation);
  if (s.commitment) put_commitment(*r.mutable_commitment(), *s.commitment);
}

void get_waits(core::subscription& s, const records::Subscription& r) {
  s.overdue_told = r.overdue_told();
  if (r.has_commitment()) s.commitment = get_commitment(r.commitment());
  for (const records::Operation& o : r.operations()) s.operations.push_back(get_operation(o));
  for (const records::Timer& t : r.timers()) {
    s.timers.arm(static_cast<core::timer_kind>(t.kind()), at(t.due_ms()), t.version());
  }
  if (r.last_operation() != 0) {
    s.last_operation = r.last_operation();
    return;
  }
  // Written by a version that kept one deadline and no timers (schema 2).
  if (r.has_deadline_ms()) {
    const bool payment = s.status == core::subscription_status::waiting_payment;
    s.timers.arm(payment ? core::timer_kind::first_payment : core::timer_kind::deprovision,
                 at(r.deadline_ms()), s.version);
  }
  core::settle_timers(s, {}, s.updated_at);
}

}  // namespace

std::string encode(const core::subscription& s) {
  records::Subscription r;
  r.set_id(s.id.value);
  r.set_tenant(s.tenant.value);
  r.set_reseller(s.reseller.value);
  for (core::tenant_id id : s.path) r.add_path(id.value);
  r.set_plan(s.plan.value);
  r.set_product(s.product.value);
  r.set_vendor(s.vendor.value);
  r.set_name(s.name);
  r.set_type(number(s.type));
  r.set_status(number(s.status));
  r.set_reasons(s.reasons.bits);
  r.set_paid(s.paid);
  put_map(*r.mutable_quantities(), s.quantities);
  put_map(*r.mutable_config(), s.config);
  r.set_auto_renew(s.auto_renew);
  r.set_attempt(s.attempt);
  put_map(*r.mutable_metadata(), s.metadata);
  r.set_version(s.version);
  r.set_seq(s.seq);
  put_times(r, s);
  put_waits(r, s);
  put_invoices(r, s);
  put_vendor_part(r, s);
  return framed(r);
}

core::result<core::subscription> decode_subscription(std::string_view value) {
  records::Subscription r;
  if (auto e = parse(r, value, "subscription")) return std::move(*e);
  core::subscription s;
  s.id = {r.id()};
  s.tenant = {r.tenant()};
  s.reseller = {r.reseller()};
  for (std::uint64_t id : r.path()) s.path.push_back({id});
  s.plan = {r.plan()};
  s.product = {r.product()};
  s.vendor = {r.vendor()};
  s.name = r.name();
  s.type = static_cast<core::subscription_type>(r.type());
  s.status = static_cast<core::subscription_status>(r.status());
  s.reasons.bits = static_cast<std::uint8_t>(r.reasons());
  s.paid = r.paid();
  s.quantities = {r.quantities().begin(), r.quantities().end()};
  s.config = get_map(r.config());
  s.auto_renew = r.auto_renew();
  s.attempt = r.attempt();
  s.metadata = get_map(r.metadata());
  s.version = r.version();
  s.seq = r.seq();
  get_times(s, r);
  get_invoices(s, r);
  get_waits(s, r);
  get_vendor_part(s, r);
  return s;
}

}  // namespace syndicated::store
