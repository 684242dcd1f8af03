// What is sold, in the native form. Secrets are never written, only that they are there.
#include "core/lifecycle/json.hpp"
#include "core/lifecycle/money.hpp"

namespace syndicated::core {
namespace {

constexpr std::string_view masked = "********";

template <class Record>
void write_times(json_writer& out, const Record& r) {
  out.key("version").number(r.version);
  out.key("created_at").time(r.created_at);
  out.key("updated_at").time(r.updated_at);
}

void number_or_null(json_writer& out, const std::optional<std::int64_t>& value) {
  if (value) {
    out.number(*value);
  } else {
    out.null();
  }
}

void seconds_or_null(json_writer& out, const optional_span& value) {
  number_or_null(out, value ? std::optional{value->count() / 1000} : std::nullopt);
}

void write_resource_types(json_writer& out, const std::vector<resource_type>& types) {
  out.begin_array();
  for (const resource_type& t : types) {
    out.begin_object();
    out.key("name").text(t.name);
    out.key("class").text(to_string(t.kind));
    out.key("unit").text(t.unit);
    out.key("context").text(to_string(t.context));
    out.key("parent_type").text(t.parent_type);
    out.key("link").text(to_string(t.link));
    out.end_object();
  }
  out.end_array();
}

void write_parameters(json_writer& out, const std::vector<config_parameter>& parameters) {
  out.begin_array();
  for (const config_parameter& c : parameters) {
    out.begin_object();
    out.key("id").number(c.id.value);
    out.key("code").text(c.code);
    out.key("name").text(c.name);
    out.key("description").text(c.description);
    out.key("required").boolean(c.required);
    out.key("external_values").boolean(c.external_values);
    out.end_object();
  }
  out.end_array();
}

void write_metrics(json_writer& out, const std::vector<metric>& metrics) {
  out.begin_array();
  for (const metric& m : metrics) {
    out.begin_object();
    out.key("name").text(m.name);
    out.key("kind").text(to_string(m.kind));
    out.key("unit").text(m.unit);
    out.key("url").text(m.url);
    out.key("headers").begin_object();
    for (const secret_header& h : m.headers) out.given_key(h.name).text(masked);
    out.end_object();
    out.key("frequency").text(metric_frequency_text(m.frequency));
    out.key("function").text(to_string(m.function));
    out.end_object();
  }
  out.end_array();
}

void write_policies(json_writer& out, const product& p) {
  out.key("provisioning").begin_object();
  out.key("overdue_after_s");
  seconds_or_null(out, p.provisioning.overdue_after);
  out.key("fail_after_s");
  seconds_or_null(out, p.provisioning.fail_after);
  out.key("max_attempts");
  number_or_null(out, p.provisioning.max_attempts);
  out.end_object();
  out.key("deprovision").begin_object();
  out.key("timeout_s");
  seconds_or_null(out, p.deprovision.timeout);
  out.key("force").boolean(p.deprovision.force);
  out.end_object();
  out.key("change_mode").text(to_string(p.changes.mode));
  out.key("confirmation").begin_object();
  out.key("deadline_s").number(p.changes.deadline.count() / 1000);
  out.key("on_silence").text(to_string(p.changes.on_silence));
  out.end_object();
  const lifecycle_policy& l = p.lifecycle;
  out.key("lifecycle").begin_object();
  out.key("profile").text(to_string(l.profile));
  out.key("first_payment_s");
  seconds_or_null(out, l.first_payment);
  out.key("unpaid_stop_after_s");
  seconds_or_null(out, l.unpaid_stop_after);
  out.key("unpaid_cancel_after_s");
  seconds_or_null(out, l.unpaid_cancel_after);
  out.key("grace_s");
  seconds_or_null(out, l.grace);
  out.key("hold_s");
  seconds_or_null(out, l.hold);
  out.key("cancel_grace_s");
  seconds_or_null(out, l.cancel_grace);
  out.key("retention_s");
  seconds_or_null(out, l.retention);
  out.key("destroy_on_cancel").boolean(l.destroy_on_cancel);
  out.end_object();
  out.key("mode").text(to_string(p.mode));
}

void write_rate(json_writer& out, const std::optional<resource_rate>& rate) {
  if (!rate) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("scheme").text(to_string(rate->scheme));
  out.key("ranges").begin_array();
  for (const price_range& r : rate->ranges) {
    out.begin_object().key("from").number(r.from).key("to");
    number_or_null(out, r.to);
    out.key("unit_price").text(money_text(r.unit_price));
    out.key("setup").text(money_text(r.setup));
    out.end_object();
  }
  out.end_array();
  out.key("setup").text(money_text(rate->setup));
  out.key("currency").text(rate->currency);
  out.end_object();
}

void write_resources(json_writer& out, const std::vector<plan_resource>& resources) {
  out.begin_array();
  for (const plan_resource& r : resources) {
    out.begin_object();
    out.key("name").text(r.name);
    out.key("min").number(r.min);
    out.key("max").number(r.max);
    out.key("step").number(r.step);
    out.key("included").number(r.included);
    out.key("limit").number(r.limit);
    out.key("overage");
    number_or_null(out, r.overage);
    out.key("auto_provide").number(r.auto_provide);
    out.key("value_type").text(to_string(r.value_type));
    out.key("presence").text(to_string(r.presence));
    out.key("downgradable").boolean(r.downgradable);
    out.key("rate");
    write_rate(out, r.rate);
    out.end_object();
  }
  out.end_array();
}

void write_options(json_writer& out, const std::vector<commitment_option>& options) {
  out.begin_array();
  for (const commitment_option& o : options) {
    out.begin_object();
    write_members(out, o);
    out.end_object();
  }
  out.end_array();
}

template <class Record>
std::string object_of(const Record& r) {
  json_writer out;
  out.begin_object();
  write_members(out, r);
  out.end_object();
  return std::move(out).str();
}

}  // namespace

void write_members(json_writer& out, const commitment_option& o) {
  out.key("term_months").number(o.term_months);
  out.key("auto_renew").boolean(o.auto_renew);
  out.key("renewal_window").begin_object();
  out.key("before_days").number(o.window_before_days);
  out.key("after_days").number(o.window_after_days);
  out.end_object();
  out.key("allow_increase").boolean(o.allow_increase);
  out.key("allow_decrease").boolean(o.allow_decrease);
  out.key("decrease_window_hours").number(o.decrease_window_hours);
  out.key("allow_early_cancel").boolean(o.allow_early_cancel);
  out.key("cancel_fee").boolean(o.cancel_fee);
  out.key("transferable").boolean(o.transferable);
  out.key("volume").begin_object();
  out.key("min").number(o.volume_min);
  out.key("max").number(o.volume_max);
  out.key("unit").text(o.volume_unit);
  out.end_object();
}

std::string to_json(const vendor& v) {
  json_writer out;
  out.begin_object();
  out.key("id").number(v.id.value);
  out.key("name").text(v.name);
  out.key("metadata").map(v.metadata);
  out.key("weight").number(v.weight);
  write_times(out, v);
  out.end_object();
  return std::move(out).str();
}

void write_members(json_writer& out, const product& p) {
  out.key("id").number(p.id.value);
  out.key("vendor_id").number(p.vendor.value);
  out.key("name").text(p.name);
  out.key("sku").text(p.sku);
  out.key("state").text(to_string(p.state));
  out.key("type").text(to_string(p.type));
  out.key("resource_types");
  write_resource_types(out, p.resource_types);
  out.key("config_parameters");
  write_parameters(out, p.config_parameters);
  out.key("metrics");
  write_metrics(out, p.metrics);
  out.key("approval_required").boolean(p.approval_required);
  out.key("per_customer").text(to_string(p.per_customer));
  out.key("order_validation_urls").begin_array();
  for (const std::string& url : p.order_validation_urls) out.text(url);
  out.end_array();
  out.key("parameter_value_url").text(p.parameter_value_url);
  write_policies(out, p);
  out.key("metadata").map(p.metadata);
  write_times(out, p);
}

std::string to_json(const product& p) { return object_of(p); }

std::string to_json(const product_instance& i) {
  json_writer out;
  out.begin_object();
  out.key("id").number(i.id.value);
  out.key("product_id").number(i.product.value);
  out.key("name").text(i.name);
  out.key("tenant_id").number(i.tenant.value);
  out.key("settings").begin_object();
  for (const auto& [name, setting] : i.settings) out.given_key(name).text(masked);
  out.end_object();
  write_times(out, i);
  out.end_object();
  return std::move(out).str();
}

void write_members(json_writer& out, const plan& p) {
  out.key("id").number(p.id.value);
  out.key("product_id").number(p.product.value);
  out.key("vendor_id").number(p.vendor.value);
  out.key("name").text(p.name);
  out.key("external_id").text(p.external_id);
  out.key("state").text(to_string(p.state));
  out.key("billing_period_months").number(p.billing_period_months);
  out.key("minimum_duration_months").number(p.minimum_duration_months);
  out.key("lifespan_hours");
  number_or_null(
      out, p.lifespan_hours > 0 ? std::optional<std::int64_t>{p.lifespan_hours} : std::nullopt);
  out.key("trial_days").number(p.trial_days);
  out.key("trial").begin_object();
  out.key("mode").text(to_string(p.trial_mode()));
  out.key("days").number(p.trial_days);
  out.end_object();
  out.key("auto_renewable").boolean(p.auto_renewable);
  out.key("upgradable").boolean(p.upgradable);
  out.key("unkillable").boolean(p.unkillable);
  out.key("needs_approval").boolean(p.needs_approval);
  out.key("post_configuration").boolean(p.post_configuration);
  out.key("free").boolean(p.free);
  out.key("resources");
  write_resources(out, p.resources);
  out.key("commitment_options");
  write_options(out, p.commitment_options);
  out.key("metadata").map(p.metadata);
  write_times(out, p);
}

std::string to_json(const plan& p) { return object_of(p); }

}  // namespace syndicated::core
