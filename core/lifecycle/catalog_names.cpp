// The words of the catalogue's enumerations. A switch without default lets the compiler find gaps.
#include <array>
#include <utility>

#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/name_search.hpp"

namespace syndicated::core {

std::string_view to_string(publication_state state) noexcept {
  switch (state) {
    case publication_state::draft: return "draft";
    case publication_state::published: return "published";
    case publication_state::withdrawn: return "withdrawn";
    case publication_state::deleted: return "deleted";
  }
  return "";
}
std::optional<publication_state> parse_publication_state(std::string_view text) noexcept {
  return parse_by_name<publication_state>(text, 4);
}

std::string_view to_string(product_type type) noexcept {
  switch (type) {
    case product_type::syndicated: return "SYNDICATED";
    case product_type::service: return "SERVICE";
    case product_type::cloud_service: return "CLOUD_SERVICE";
    case product_type::csp: return "CSP";
    case product_type::api: return "API";
  }
  return "";
}
std::optional<product_type> parse_product_type(std::string_view text) noexcept {
  return parse_by_name<product_type>(text, 5);
}

std::string_view to_string(resource_class kind) noexcept {
  switch (kind) {
    case resource_class::reference: return "reference";
    case resource_class::service: return "service";
    case resource_class::counter: return "counter";
    case resource_class::feature: return "feature";
  }
  return "";
}
std::optional<resource_class> parse_resource_class(std::string_view text) noexcept {
  return parse_by_name<resource_class>(text, 4);
}

std::string_view to_string(resource_context context) noexcept {
  switch (context) {
    case resource_context::provider: return "provider";
    case resource_context::reseller: return "reseller";
    case resource_context::customer: return "customer";
  }
  return "";
}
std::optional<resource_context> parse_resource_context(std::string_view text) noexcept {
  return parse_by_name<resource_context>(text, 3);
}

std::string_view to_string(link_strength link) noexcept {
  switch (link) {
    case link_strength::weak: return "weak";
    case link_strength::strong: return "strong";
  }
  return "";
}
std::optional<link_strength> parse_link_strength(std::string_view text) noexcept {
  return parse_by_name<link_strength>(text, 2);
}

std::string_view to_string(metric_kind kind) noexcept {
  switch (kind) {
    case metric_kind::gauge: return "gauge";
    case metric_kind::counter: return "counter";
  }
  return "";
}
std::optional<metric_kind> parse_metric_kind(std::string_view text) noexcept {
  return parse_by_name<metric_kind>(text, 2);
}

std::string_view to_string(metric_function function) noexcept {
  switch (function) {
    case metric_function::average: return "average";
    case metric_function::peak: return "peak";
  }
  return "";
}
std::optional<metric_function> parse_metric_function(std::string_view text) noexcept {
  return parse_by_name<metric_function>(text, 2);
}

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
constexpr std::array<std::pair<std::string_view, seconds>, 9> metric_frequencies{{
    {"30s", seconds{30}},
    {"1m", minutes{1}},
    {"2m", minutes{2}},
    {"5m", minutes{5}},
    {"30m", minutes{30}},
    {"1h", hours{1}},
    {"24h", hours{24}},
    {"48h", hours{48}},
    {"1w", hours{168}},
}};

}  // namespace

std::optional<seconds> parse_metric_frequency(std::string_view text) noexcept {
  for (const auto& [name, every] : metric_frequencies) {
    if (name == text) return every;
  }
  return std::nullopt;
}
std::string_view metric_frequency_text(seconds every) noexcept {
  for (const auto& [name, value] : metric_frequencies) {
    if (value == every) return name;
  }
  return "";
}

std::string_view to_string(per_customer policy) noexcept {
  switch (policy) {
    case per_customer::unlimited: return "UNLIMITED";
    case per_customer::one_per_user: return "ONE_PER_USER";
    case per_customer::one_per_company: return "ONE_PER_COMPANY";
    case per_customer::one_per_company_group: return "ONE_PER_COMPANY_GROUP";
    case per_customer::trial: return "TRIAL";
  }
  return "";
}
std::optional<per_customer> parse_per_customer(std::string_view text) noexcept {
  return parse_by_name<per_customer>(text, 5);
}

std::string_view to_string(change_mode mode) noexcept {
  switch (mode) {
    case change_mode::notify: return "notify";
    case change_mode::confirm: return "confirm";
  }
  return "";
}
std::optional<change_mode> parse_change_mode(std::string_view text) noexcept {
  return parse_by_name<change_mode>(text, 2);
}

std::string_view to_string(silence_policy policy) noexcept {
  switch (policy) {
    case silence_policy::accept: return "accept";
    case silence_policy::reject: return "reject";
    case silence_policy::wait: return "wait";
  }
  return "";
}
std::optional<silence_policy> parse_silence_policy(std::string_view text) noexcept {
  return parse_by_name<silence_policy>(text, 3);
}

std::string_view to_string(fulfilment_mode mode) noexcept {
  switch (mode) {
    case fulfilment_mode::vendor_confirms: return "vendor_confirms";
    case fulfilment_mode::resource_driven: return "resource_driven";
  }
  return "";
}
std::optional<fulfilment_mode> parse_fulfilment_mode(std::string_view text) noexcept {
  return parse_by_name<fulfilment_mode>(text, 2);
}

std::string_view to_string(lifecycle_profile profile) noexcept {
  switch (profile) {
    case lifecycle_profile::standard: return "default";
    case lifecycle_profile::csp: return "csp";
    case lifecycle_profile::ms_saas: return "ms_saas";
  }
  return "";
}
std::optional<lifecycle_profile> parse_lifecycle_profile(std::string_view text) noexcept {
  return parse_by_name<lifecycle_profile>(text, 3);
}

std::string_view to_string(rate_scheme scheme) noexcept {
  switch (scheme) {
    case rate_scheme::flat: return "flat";
    case rate_scheme::per_unit: return "per_unit";
    case rate_scheme::tiered: return "tiered";
    case rate_scheme::volume: return "volume";
    case rate_scheme::stairstep: return "stairstep";
  }
  return "";
}
std::optional<rate_scheme> parse_rate_scheme(std::string_view text) noexcept {
  return parse_by_name<rate_scheme>(text, 5);
}

std::string_view to_string(value_type type) noexcept {
  switch (type) {
    case value_type::prepaid: return "prepaid";
    case value_type::postpaid: return "postpaid";
    case value_type::payg: return "payg";
  }
  return "";
}
std::optional<value_type> parse_value_type(std::string_view text) noexcept {
  return parse_by_name<value_type>(text, 3);
}

std::string_view to_string(resource_presence presence) noexcept {
  switch (presence) {
    case resource_presence::optional: return "optional";
    case resource_presence::recommended: return "recommended";
    case resource_presence::required: return "required";
  }
  return "";
}
std::optional<resource_presence> parse_resource_presence(std::string_view text) noexcept {
  return parse_by_name<resource_presence>(text, 3);
}

std::string_view to_string(trial_mode mode) noexcept {
  switch (mode) {
    case trial_mode::not_allowed: return "NOT_ALLOWED";
    case trial_mode::allowed: return "ALLOWED";
    case trial_mode::allowed_wo_payment_method: return "ALLOWED_WO_PAYMENT_METHOD";
  }
  return "";
}
std::optional<trial_mode> parse_trial_mode(std::string_view text) noexcept {
  return parse_by_name<trial_mode>(text, 3);
}

}  // namespace syndicated::core
