// The codec of what is sold: vendors, products with their instances, plans. Records of before a
// field existed have its default: enumerations are stored as 0 for that, flags as their exception.
#include "store/codec.hpp"
#include "store/codec_commitment.hpp"
#include "store/records.pb.h"
#include "store/strongbox.hpp"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

template <class E>
E word_or(std::uint32_t stored, E fallback) {
  return stored == 0 ? fallback : static_cast<E>(stored);
}

// `field` of a record, when it has it.
template <class Set>
void put_span(const core::optional_span& value, Set set) {
  if (value) set(value->count());
}
core::optional_span span(bool given, std::int64_t value) {
  if (!given) return std::nullopt;
  return std::chrono::milliseconds{value};
}

void put_types(records::Product& r, const core::product& p) {
  for (const core::resource_type& t : p.resource_types) {
    records::ResourceType* out = r.add_resource_types();
    out->set_name(t.name);
    out->set_kind(number(t.kind));
    out->set_unit(t.unit);
    out->set_context(number(t.context));
    out->set_parent_type(t.parent_type);
    out->set_link(number(t.link));
  }
  for (const core::config_parameter& c : p.config_parameters) {
    records::ConfigParameter* out = r.add_config_parameters();
    out->set_id(c.id.value);
    out->set_code(c.code);
    out->set_name(c.name);
    out->set_description(c.description);
    out->set_required(c.required);
    out->set_external_values(c.external_values);
  }
}

void get_types(core::product& p, const records::Product& r) {
  for (const records::ResourceType& t : r.resource_types()) {
    p.resource_types.push_back({t.name(), static_cast<core::resource_class>(t.kind()), t.unit(),
                                static_cast<core::resource_context>(t.context()), t.parent_type(),
                                static_cast<core::link_strength>(t.link())});
  }
  for (const records::ConfigParameter& c : r.config_parameters()) {
    p.config_parameters.push_back(
        {{c.id()}, c.code(), c.name(), c.description(), c.required(), c.external_values()});
  }
}

void put_metrics(records::Product& r, const core::product& p, const strongbox& box) {
  for (const core::metric& m : p.metrics) {
    records::Metric* out = r.add_metrics();
    out->set_name(m.name);
    out->set_kind(number(m.kind));
    out->set_unit(m.unit);
    out->set_url(m.url);
    for (const core::secret_header& h : m.headers) {
      records::EndpointHeader* header = out->add_headers();
      header->set_name(h.name);
      header->set_sealed_value(box.seal(h.value, metric_place));
    }
    out->set_frequency_s(m.frequency.count());
    out->set_function(number(m.function));
  }
}

void get_metrics(core::product& p, const records::Product& r, strongbox& box) {
  for (const records::Metric& m : r.metrics()) {
    core::metric out;
    out.name = m.name();
    out.kind = static_cast<core::metric_kind>(m.kind());
    out.unit = m.unit();
    out.url = m.url();
    for (const records::EndpointHeader& h : m.headers()) {
      out.headers.push_back({h.name(), box.open(h.sealed_value(), metric_place)});
    }
    out.frequency = std::chrono::seconds{m.frequency_s()};
    out.function = static_cast<core::metric_function>(m.function());
    p.metrics.push_back(std::move(out));
  }
}

void put_policies(records::Product& r, const core::product& p) {
  put_span(p.provisioning.overdue_after, [&](auto v) { r.set_overdue_after_ms(v); });
  put_span(p.provisioning.fail_after, [&](auto v) { r.set_fail_after_ms(v); });
  if (p.provisioning.max_attempts) r.set_max_attempts(*p.provisioning.max_attempts);
  put_span(p.deprovision.timeout, [&](auto v) { r.set_deprovision_timeout_ms(v); });
  r.set_deprovision_waits(!p.deprovision.force);
  r.set_change_mode(number(p.changes.mode));
  r.set_change_deadline_ms(p.changes.deadline.count());
  r.set_on_silence(number(p.changes.on_silence));
  const core::lifecycle_policy& l = p.lifecycle;
  r.set_profile(number(l.profile));
  put_span(l.first_payment, [&](auto v) { r.set_first_payment_ms(v); });
  put_span(l.unpaid_stop_after, [&](auto v) { r.set_unpaid_stop_after_ms(v); });
  put_span(l.unpaid_cancel_after, [&](auto v) { r.set_unpaid_cancel_after_ms(v); });
  put_span(l.grace, [&](auto v) { r.set_grace_ms(v); });
  put_span(l.hold, [&](auto v) { r.set_hold_ms(v); });
  put_span(l.cancel_grace, [&](auto v) { r.set_cancel_grace_ms(v); });
  put_span(l.retention, [&](auto v) { r.set_retention_ms(v); });
  r.set_destroy_on_cancel(l.destroy_on_cancel);
  r.set_mode(number(p.mode));
}

void get_policies(core::product& p, const records::Product& r) {
  p.provisioning.overdue_after = span(r.has_overdue_after_ms(), r.overdue_after_ms());
  p.provisioning.fail_after = span(r.has_fail_after_ms(), r.fail_after_ms());
  if (r.has_max_attempts()) p.provisioning.max_attempts = r.max_attempts();
  p.deprovision.timeout = span(r.has_deprovision_timeout_ms(), r.deprovision_timeout_ms());
  p.deprovision.force = !r.deprovision_waits();
  p.changes.mode = word_or(r.change_mode(), p.changes.mode);
  if (r.has_change_deadline_ms()) {
    p.changes.deadline = std::chrono::milliseconds{r.change_deadline_ms()};
  }
  p.changes.on_silence = word_or(r.on_silence(), p.changes.on_silence);
  core::lifecycle_policy& l = p.lifecycle;
  l.profile = word_or(r.profile(), l.profile);
  l.first_payment = span(r.has_first_payment_ms(), r.first_payment_ms());
  l.unpaid_stop_after = span(r.has_unpaid_stop_after_ms(), r.unpaid_stop_after_ms());
  l.unpaid_cancel_after = span(r.has_unpaid_cancel_after_ms(), r.unpaid_cancel_after_ms());
  l.grace = span(r.has_grace_ms(), r.grace_ms());
  l.hold = span(r.has_hold_ms(), r.hold_ms());
  l.cancel_grace = span(r.has_cancel_grace_ms(), r.cancel_grace_ms());
  l.retention = span(r.has_retention_ms(), r.retention_ms());
  l.destroy_on_cancel = r.destroy_on_cancel();
  p.mode = word_or(r.mode(), p.mode);
}

void put_resource(records::PlanResource& out, const core::plan_resource& x) {
  out.set_name(x.name);
  out.set_min(x.min);
  out.set_max(x.max);
  out.set_step(x.step);
  out.set_included(x.included);
  out.set_limit(x.limit);
  if (x.overage) out.set_overage(*x.overage);
  out.set_auto_provide(x.auto_provide);
  out.set_value_type(number(x.value_type));
  out.set_presence(number(x.presence));
  out.set_not_downgradable(!x.downgradable);
  if (!x.rate) return;
  records::ResourceRate& rate = *out.mutable_rate();
  rate.set_scheme(number(x.rate->scheme));
  for (const core::price_range& range : x.rate->ranges) {
    records::PriceRange* row = rate.add_ranges();
    row->set_from(range.from);
    if (range.to) row->set_to(*range.to);
    row->set_unit_price(range.unit_price);
    row->set_setup(range.setup);
  }
  rate.set_setup(x.rate->setup);
  rate.set_currency(x.rate->currency);
}

core::plan_resource get_resource(const records::PlanResource& x) {
  core::plan_resource out{x.name(), x.min(), x.max(), x.step(), x.included()};
  if (x.has_limit()) out.limit = x.limit();
  if (x.has_overage()) out.overage = x.overage();
  out.auto_provide = x.auto_provide();
  out.value_type = word_or(x.value_type(), out.value_type);
  out.presence = word_or(x.presence(), out.presence);
  out.downgradable = !x.not_downgradable();
  if (!x.has_rate()) return out;
  core::resource_rate& rate = out.rate.emplace();
  rate.scheme = word_or(x.rate().scheme(), rate.scheme);
  for (const records::PriceRange& range : x.rate().ranges()) {
    const auto to = range.has_to() ? std::optional{range.to()} : std::nullopt;
    rate.ranges.push_back({range.from(), to, range.unit_price(), range.setup()});
  }
  rate.setup = x.rate().setup();
  rate.currency = x.rate().currency();
  return out;
}

}  // namespace

std::string encode(const core::vendor& v) {
  records::Vendor r;
  r.set_id(v.id.value);
  r.set_name(v.name);
  put_map(*r.mutable_metadata(), v.metadata);
  r.set_version(v.version);
  r.set_created_at_ms(ms(v.created_at));
  r.set_updated_at_ms(ms(v.updated_at));
  if (v.weight != 1) r.set_weight(v.weight);
  return framed(r);
}

core::result<core::vendor> decode_vendor(std::string_view value) {
  records::Vendor r;
  if (auto e = parse(r, value, "vendor")) return std::move(*e);
  return core::vendor{{r.id()},
                      r.name(),
                      get_map(r.metadata()),
                      r.version(),
                      at(r.created_at_ms()),
                      at(r.updated_at_ms()),
                      r.weight() == 0 ? 1 : r.weight()};
}

std::string encode(const core::product& p, const vault& secrets) {
  const strongbox box{secrets, stream_of(p.id)};
  records::Product r;
  r.set_id(p.id.value);
  r.set_vendor(p.vendor.value);
  r.set_name(p.name);
  r.set_sku(p.sku);
  put_map(*r.mutable_metadata(), p.metadata);
  r.set_version(p.version);
  r.set_created_at_ms(ms(p.created_at));
  r.set_updated_at_ms(ms(p.updated_at));
  r.set_state(number(p.state));
  r.set_type(number(p.type));
  put_types(r, p);
  put_metrics(r, p, box);
  r.set_approval_required(p.approval_required);
  r.set_per_customer(number(p.per_customer));
  for (const std::string& url : p.order_validation_urls) r.add_order_validation_urls(url);
  r.set_parameter_value_url(p.parameter_value_url);
  put_policies(r, p);
  return framed(r);
}

core::result<core::product> decode_product(std::string_view value, const vault& secrets) {
  records::Product r;
  if (auto e = parse(r, value, "product")) return std::move(*e);
  core::product p;
  p.id = {r.id()};
  strongbox box{secrets, stream_of(p.id)};
  p.vendor = {r.vendor()};
  p.name = r.name();
  p.sku = r.sku();
  p.metadata = get_map(r.metadata());
  p.version = r.version();
  p.created_at = at(r.created_at_ms());
  p.updated_at = at(r.updated_at_ms());
  p.state = word_or(r.state(), p.state);
  p.type = word_or(r.type(), p.type);
  get_types(p, r);
  get_metrics(p, r, box);
  p.approval_required = r.approval_required();
  p.per_customer = word_or(r.per_customer(), p.per_customer);
  p.order_validation_urls = {r.order_validation_urls().begin(), r.order_validation_urls().end()};
  p.parameter_value_url = r.parameter_value_url();
  get_policies(p, r);
  if (box.failure()) return std::move(*box.failure());
  return p;
}

std::string encode(const core::product_instance& i, const vault& secrets) {
  const strongbox box{secrets, stream_of(i.id)};
  records::Instance r;
  r.set_id(i.id.value);
  r.set_product(i.product.value);
  r.set_vendor(i.vendor.value);
  r.set_name(i.name);
  r.set_tenant(i.tenant.value);
  for (const auto& [name, setting] : i.settings) {
    records::EndpointHeader* out = r.add_settings();
    out->set_name(name);
    out->set_sealed_value(box.seal(setting, setting_place));
  }
  r.set_deleted(i.deleted);
  r.set_version(i.version);
  r.set_created_at_ms(ms(i.created_at));
  r.set_updated_at_ms(ms(i.updated_at));
  return framed(r);
}

core::result<core::product_instance> decode_instance(std::string_view value, const vault& secrets) {
  records::Instance r;
  if (auto e = parse(r, value, "instance")) return std::move(*e);
  core::product_instance i;
  i.id = {r.id()};
  strongbox box{secrets, stream_of(i.id)};
  i.product = {r.product()};
  i.vendor = {r.vendor()};
  i.name = r.name();
  i.tenant = {r.tenant()};
  for (const records::EndpointHeader& s : r.settings()) {
    i.settings[s.name()] = box.open(s.sealed_value(), setting_place);
  }
  i.deleted = r.deleted();
  i.version = r.version();
  i.created_at = at(r.created_at_ms());
  i.updated_at = at(r.updated_at_ms());
  if (box.failure()) return std::move(*box.failure());
  return i;
}

std::string encode(const core::plan& p) {
  records::Plan r;
  r.set_id(p.id.value);
  r.set_product(p.product.value);
  r.set_vendor(p.vendor.value);
  r.set_name(p.name);
  r.set_external_id(p.external_id);
  r.set_billing_period_months(p.billing_period_months);
  r.set_trial_days(p.trial_days);
  for (const core::plan_resource& x : p.resources) put_resource(*r.add_resources(), x);
  put_map(*r.mutable_metadata(), p.metadata);
  r.set_version(p.version);
  r.set_created_at_ms(ms(p.created_at));
  r.set_updated_at_ms(ms(p.updated_at));
  r.set_state(number(p.state));
  r.set_trial_wo_payment_method(p.trial_wo_payment_method);
  r.set_minimum_duration_months(p.minimum_duration_months);
  r.set_lifespan_hours(p.lifespan_hours);
  r.set_not_renewable(!p.auto_renewable);
  r.set_not_upgradable(!p.upgradable);
  r.set_unkillable(p.unkillable);
  r.set_needs_approval(p.needs_approval);
  r.set_post_configuration(p.post_configuration);
  r.set_free(p.free);
  for (const core::commitment_option& o : p.commitment_options) {
    put_option(*r.add_commitment_options(), o);
  }
  return framed(r);
}

core::result<core::plan> decode_plan(std::string_view value) {
  records::Plan r;
  if (auto e = parse(r, value, "plan")) return std::move(*e);
  core::plan p;
  p.id = {r.id()};
  p.product = {r.product()};
  p.vendor = {r.vendor()};
  p.name = r.name();
  p.external_id = r.external_id();
  p.billing_period_months = r.billing_period_months();
  p.trial_days = r.trial_days();
  for (const records::PlanResource& x : r.resources()) p.resources.push_back(get_resource(x));
  p.metadata = get_map(r.metadata());
  p.version = r.version();
  p.created_at = at(r.created_at_ms());
  p.updated_at = at(r.updated_at_ms());
  p.state = word_or(r.state(), p.state);
  p.trial_wo_payment_method = r.trial_wo_payment_method();
  p.minimum_duration_months = r.minimum_duration_months();
  p.lifespan_hours = r.lifespan_hours();
  p.auto_renewable = !r.not_renewable();
  p.upgradable = !r.not_upgradable();
  p.unkillable = r.unkillable();
  p.needs_approval = r.needs_approval();
  p.post_configuration = r.post_configuration();
  p.free = r.free();
  for (const records::CommitmentOption& o : r.commitment_options()) {
    p.commitment_options.push_back(get_option(o));
  }
  return p;
}

}  // namespace syndicated::store
