#include "api/v1/offer_fields.hpp"
#include "core/base/limits.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "core/delivery/url.hpp"

namespace syndicated::api::v1 {
namespace {

using namespace core::limits;

std::string read_name(object_reader& in, std::string_view field = "name") {
  return in.required(field, in.text(field, map_key_bytes_max, 1));
}

// "" is none.
std::optional<std::string> checked_url(const call& c, object_reader& in, std::string_view name,
                                       const std::optional<std::string>& given) {
  if (!given || given->empty()) return given;
  const auto url = core::check_endpoint_url(*given, *c.engine().egress());
  if (url) return url->text;
  in.refuse(name, url.failure().detail);
  return std::nullopt;
}

std::optional<std::string> read_url(const call& c, object_reader& in, std::string_view name) {
  return checked_url(c, in, name, in.text(name, url_bytes_max));
}

core::resource_type read_type(object_reader& in) {
  core::resource_type t;
  t.name = read_name(in);
  t.kind = in.word("class", core::parse_resource_class, "reference, service, counter, feature")
               .value_or(t.kind);
  t.unit = in.text("unit", map_key_bytes_max).value_or(t.unit);
  t.context = in.word("context", core::parse_resource_context, "provider, reseller, customer")
                  .value_or(t.context);
  t.parent_type = in.text("parent_type", map_key_bytes_max).value_or(t.parent_type);
  t.link = in.word("link", core::parse_link_strength, "weak, strong").value_or(t.link);
  return t;
}

core::config_parameter read_parameter(object_reader& in) {
  core::config_parameter p;
  (void)in.value("id");  // a product that was read may be sent back; codes keep their ids
  p.code = read_name(in, "code");
  p.name = in.text("name", name_bytes_max).value_or(p.code);
  p.description = in.text("description", text_bytes_max).value_or(p.description);
  p.required = in.boolean("required").value_or(p.required);
  p.external_values = in.boolean("external_values").value_or(p.external_values);
  return p;
}

struct given_metric {
  core::metric metric;
  bool with_headers = false;
};

// What stands in place of a secret's value when it is read.
constexpr std::string_view mask = "********";

given_metric read_metric(const call& c, object_reader& in) {
  given_metric out;
  core::metric& m = out.metric;
  m.name = read_name(in);
  m.kind = in.word("kind", core::parse_metric_kind, "gauge, counter").value_or(m.kind);
  m.unit = in.text("unit", map_key_bytes_max).value_or(m.unit);
  m.url = read_url(c, in, "url").value_or(m.url);
  m.frequency =
      in.word("frequency", core::parse_metric_frequency, "30s, 1m, 2m, 5m, 30m, 1h, 24h, 48h, 1w")
          .value_or(m.frequency);
  m.function =
      in.word("function", core::parse_metric_function, "average, peak").value_or(m.function);
  const auto headers = in.string_map("headers");
  out.with_headers = headers.has_value();
  if (!headers) return out;
  for (const auto& [name, value] : *headers) {
    const std::string place = pointer_to("headers", name);
    if (const auto wrong = core::header_name_mistake(name)) in.refuse(place, *wrong);
    if (const auto wrong = core::header_value_mistake(value)) in.refuse(place, *wrong);
    if (value == mask) in.refuse(place, "is the mask of a value, not a value");
    m.headers.push_back({name, core::secret_bytes{value}});
  }
  return out;
}

// A metric that comes without headers keeps those it has.
void put_metrics(core::product& p, const std::vector<given_metric>& given) {
  std::vector<core::metric> next;
  for (const given_metric& g : given) {
    next.push_back(g.metric);
    if (g.with_headers) continue;
    for (const core::metric& before : p.metrics) {
      if (before.name == g.metric.name) next.back().headers = before.headers;
    }
  }
  p.metrics = std::move(next);
}

// Reads the members of a nested object; nothing happens when it was not given.
template <class Read>
void nested(object_reader& in, std::string_view name, Read read) {
  const json* given = in.value(name);
  if (given == nullptr) return;
  object_reader inner{*given, pointer_to({}, name)};
  read(inner);
  in.absorb(std::move(inner));
}

// Seconds; null: the profile's.
std::optional<core::optional_span> read_span(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return core::optional_span{};
  const auto s = in.integer(name, 0, policy_span_s_max);
  if (!s) return std::nullopt;
  return core::optional_span{std::chrono::seconds{*s}};
}

template <class Policy, class Field, class Value>
void edit(record_edits<core::product>& out, Policy core::product::*policy, Field Policy::*field,
          std::optional<Value> value) {
  if (!value) return;
  out.add(
      [=, v = std::move(*value)](core::product& p) { (p.*policy).*field = static_cast<Field>(v); });
}

void read_policies(object_reader& in, record_edits<core::product>& out) {
  using core::product;
  nested(in, "provisioning", [&](object_reader& o) {
    using policy = core::provisioning_policy;
    edit(out, &product::provisioning, &policy::overdue_after, read_span(o, "overdue_after_s"));
    edit(out, &product::provisioning, &policy::fail_after, read_span(o, "fail_after_s"));
    if (const json* none = o.value("max_attempts"); none != nullptr && none->is_null()) {
      out.add([](product& p) { p.provisioning.max_attempts.reset(); });
    } else {
      edit(out, &product::provisioning, &policy::max_attempts, o.integer("max_attempts", 1, 100));
    }
  });
  nested(in, "deprovision", [&](object_reader& o) {
    using policy = core::deprovision_policy;
    edit(out, &product::deprovision, &policy::timeout, read_span(o, "timeout_s"));
    edit(out, &product::deprovision, &policy::force, o.boolean("force"));
  });
  edit(out, &product::changes, &core::change_policy::mode,
       in.word("change_mode", core::parse_change_mode, "notify, confirm"));
  nested(in, "confirmation", [&](object_reader& o) {
    using policy = core::change_policy;
    const auto deadline = o.integer("deadline_s", 1, policy_span_s_max);
    edit(out, &product::changes, &policy::deadline,
         deadline ? std::optional{std::chrono::milliseconds{*deadline * 1000}} : std::nullopt);
    edit(out, &product::changes, &policy::on_silence,
         o.word("on_silence", core::parse_silence_policy, "accept, reject, wait"));
  });
  nested(in, "lifecycle", [&](object_reader& o) {
    using policy = core::lifecycle_policy;
    const auto span = [&](core::optional_span policy::*field, std::string_view name) {
      edit(out, &product::lifecycle, field, read_span(o, name));
    };
    edit(out, &product::lifecycle, &policy::profile,
         o.word("profile", core::parse_lifecycle_profile, "default, csp, ms_saas"));
    span(&policy::first_payment, "first_payment_s");
    span(&policy::unpaid_stop_after, "unpaid_stop_after_s");
    span(&policy::unpaid_cancel_after, "unpaid_cancel_after_s");
    span(&policy::grace, "grace_s");
    span(&policy::hold, "hold_s");
    span(&policy::cancel_grace, "cancel_grace_s");
    span(&policy::retention, "retention_s");
    edit(out, &product::lifecycle, &policy::destroy_on_cancel, o.boolean("destroy_on_cancel"));
  });
}

std::optional<std::vector<std::string>> read_urls(const call& c, object_reader& in,
                                                  std::string_view name) {
  auto given = in.texts(name, product_urls_max, url_bytes_max);
  if (!given) return std::nullopt;
  for (std::size_t i = 0; i < given->size(); ++i) {
    const std::string place = std::string{name} + '/' + std::to_string(i);
    if ((*given)[i].empty()) in.refuse(place, "must not be empty");
    const auto url = checked_url(c, in, place, (*given)[i]);
    if (url) (*given)[i] = *url;
  }
  return given;
}

}  // namespace

std::optional<core::publication_state> read_first_state(object_reader& in) {
  return in.word(
      "state",
      [](std::string_view text) -> std::optional<core::publication_state> {
        const auto state = core::parse_publication_state(text);
        const bool first =
            state == core::publication_state::draft || state == core::publication_state::published;
        return first ? state : std::nullopt;
      },
      "draft, published");
}

product_fields read_product(const call& c, object_reader& in) {
  using core::product;
  product_fields out;
  out.edits.set(&product::name, in.text("name", name_bytes_max, 1));
  out.edits.set(&product::sku, in.text("sku", name_bytes_max));
  out.edits.set(&product::metadata, in.string_map("metadata"));
  out.edits.set(&product::type, in.word("type", core::parse_product_type,
                                        "SYNDICATED, SERVICE, CLOUD_SERVICE, CSP, API"));
  out.edits.set(&product::resource_types,
                in.objects("resource_types", product_parts_max, read_type));
  out.edits.set(&product::config_parameters,
                in.objects("config_parameters", product_parts_max, read_parameter));
  const auto metrics = in.objects("metrics", product_parts_max,
                                  [&c](object_reader& m) { return read_metric(c, m); });
  if (metrics) {
    out.edits.add([m = *metrics](product& p) { put_metrics(p, m); });
    for (const given_metric& m : *metrics) out.secrets_given = out.secrets_given || m.with_headers;
  }
  out.edits.set(&product::approval_required, in.boolean("approval_required"));
  out.edits.set(&product::per_customer,
                in.word("per_customer", core::parse_per_customer,
                        "UNLIMITED, ONE_PER_USER, ONE_PER_COMPANY, ONE_PER_COMPANY_GROUP, TRIAL"));
  out.edits.set(&product::order_validation_urls, read_urls(c, in, "order_validation_urls"));
  out.edits.set(&product::parameter_value_url, read_url(c, in, "parameter_value_url"));
  out.edits.set(&product::mode,
                in.word("mode", core::parse_fulfilment_mode, "vendor_confirms, resource_driven"));
  read_policies(in, out.edits);
  return out;
}

}  // namespace syndicated::api::v1
