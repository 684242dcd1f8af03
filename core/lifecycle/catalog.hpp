// Vendors, products, plans: what is sold, and by whom. Plain records (domain.md, 1.13, 1.15, 10.2).
// What their fields may be together is checked by catalog_rules.hpp, prices are computed by
// pricing.hpp. Enumerations are persisted: never renumber.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"

namespace syndicated::core {

using string_map = std::map<std::string, std::string>;

// Of products and plans. Only what is published can be ordered; what was ordered goes on.
enum class publication_state : std::uint8_t {
  draft = 1,
  published = 2,
  withdrawn = 3,
  deleted = 4
};
std::string_view to_string(publication_state state) noexcept;  // "draft" ...
std::optional<publication_state> parse_publication_state(std::string_view text) noexcept;

struct vendor {
  vendor_id id;
  std::string name;
  string_map metadata;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
  int weight = 1;  // requests that its endpoints are granted in a turn (delivery.md, 1)
};

// ---- products ------------------------------------------------------------------------------

// Cloudesire's words, of those types that are sold through a vendor (domain.md, 1.15).
enum class product_type : std::uint8_t { syndicated = 1, service, cloud_service, csp, api };
std::string_view to_string(product_type type) noexcept;  // "SYNDICATED" ...
std::optional<product_type> parse_product_type(std::string_view text) noexcept;

// What an APS template sells (domain.md, 2.1, 10.2).
enum class resource_class : std::uint8_t { reference = 1, service, counter, feature };
std::string_view to_string(resource_class kind) noexcept;
std::optional<resource_class> parse_resource_class(std::string_view text) noexcept;

enum class resource_context : std::uint8_t { provider = 1, reseller, customer };
std::string_view to_string(resource_context context) noexcept;
std::optional<resource_context> parse_resource_context(std::string_view text) noexcept;

enum class link_strength : std::uint8_t { weak = 1, strong };
std::string_view to_string(link_strength link) noexcept;
std::optional<link_strength> parse_link_strength(std::string_view text) noexcept;

struct resource_type {
  std::string name;
  resource_class kind = resource_class::service;
  std::string unit;
  resource_context context = resource_context::customer;
  std::string parent_type;                   // another type of the product; empty: none
  link_strength link = link_strength::weak;  // to the parent: a strong one must exist
};

// What a customer is asked for when he orders; `code` is its name in `config`.
struct config_parameter {
  parameter_id id;  // configurationParameter/{id}
  std::string code;
  std::string name;
  std::string description;
  bool required = false;
  bool external_values = false;  // what it may be is asked of parameter_value_url
};

enum class metric_kind : std::uint8_t { gauge = 1, counter };
std::string_view to_string(metric_kind kind) noexcept;
std::optional<metric_kind> parse_metric_kind(std::string_view text) noexcept;

enum class metric_function : std::uint8_t { average = 1, peak };
std::string_view to_string(metric_function function) noexcept;
std::optional<metric_function> parse_metric_function(std::string_view text) noexcept;

// The frequencies a metric endpoint may be asked with (domain.md, 1.12): "30s", "1m" ... "1w".
std::optional<std::chrono::seconds> parse_metric_frequency(std::string_view text) noexcept;
std::string_view metric_frequency_text(std::chrono::seconds every) noexcept;

struct metric {
  std::string name;
  metric_kind kind = metric_kind::gauge;
  std::string unit;
  std::string url;  // empty: it is not asked for, the vendor tells it
  std::vector<secret_header> headers;
  std::chrono::seconds frequency = std::chrono::hours{1};
  metric_function function = metric_function::average;
};

enum class per_customer : std::uint8_t {
  unlimited = 1,
  one_per_user,
  one_per_company,
  one_per_company_group,
  trial,  // one trial
};
std::string_view to_string(per_customer policy) noexcept;  // "UNLIMITED", "ONE_PER_USER" ...
std::optional<per_customer> parse_per_customer(std::string_view text) noexcept;

enum class change_mode : std::uint8_t { notify = 1, confirm };
std::string_view to_string(change_mode mode) noexcept;
std::optional<change_mode> parse_change_mode(std::string_view text) noexcept;

enum class silence_policy : std::uint8_t { accept = 1, reject, wait };
std::string_view to_string(silence_policy policy) noexcept;
std::optional<silence_policy> parse_silence_policy(std::string_view text) noexcept;

// What makes a subscription DEPLOYED (domain.md, 10.7).
enum class fulfilment_mode : std::uint8_t { vendor_confirms = 1, resource_driven };
std::string_view to_string(fulfilment_mode mode) noexcept;
std::optional<fulfilment_mode> parse_fulfilment_mode(std::string_view text) noexcept;

// Which defaults of domain.md 10.5 ("Default timers") count.
enum class lifecycle_profile : std::uint8_t { standard = 1, csp, ms_saas };
std::string_view to_string(lifecycle_profile profile) noexcept;  // "default", "csp", "ms_saas"
std::optional<lifecycle_profile> parse_lifecycle_profile(std::string_view text) noexcept;

// None: the profile's.
using optional_span = std::optional<std::chrono::milliseconds>;

struct provisioning_policy {
  optional_span overdue_after, fail_after;
  std::optional<std::uint32_t> max_attempts{};
};

struct deprovision_policy {
  optional_span timeout;
  bool force = true;  // at its end; false: it waits for the vendor, and the platform is told
};

struct change_policy {
  change_mode mode = change_mode::notify;
  std::chrono::milliseconds deadline = std::chrono::seconds{10};  // of confirm (domain.md, 7.1)
  silence_policy on_silence = silence_policy::accept;
};

struct lifecycle_policy {
  lifecycle_profile profile = lifecycle_profile::standard;
  optional_span first_payment;        // WAITING_PAYMENT -> PAYMENT_EXPIRED
  optional_span unpaid_stop_after;    // overdue invoice -> STOPPED(UNPAID)
  optional_span unpaid_cancel_after;  // STOPPED(UNPAID) -> cancelled
  optional_span grace;                // after expiry: the service runs
  optional_span hold;                 // after that: stopped, may be renewed
  optional_span cancel_grace;         // data is kept
  optional_span retention;            // before PURGED
  bool destroy_on_cancel = false;     // cancel_grace may be below 7 days
};

struct product {
  product_id id;
  vendor_id vendor;
  std::string name;
  std::string sku;
  string_map metadata{};  // integration metadata, too (domain.md, 1.13)
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
  publication_state state = publication_state::published;
  product_type type = product_type::syndicated;
  std::vector<resource_type> resource_types{};
  std::vector<config_parameter> config_parameters{};
  std::vector<metric> metrics{};
  bool approval_required = false;
  core::per_customer per_customer = core::per_customer::unlimited;
  std::vector<std::string> order_validation_urls{};
  std::string parameter_value_url{};
  provisioning_policy provisioning{};
  deprovision_policy deprovision{};
  change_policy changes{};
  lifecycle_policy lifecycle{};
  fulfilment_mode mode = fulfilment_mode::vendor_confirms;
};

// The root resource of an APS application: one for each installation of it, with what is needed to
// reach it. Plans use it by reference.
struct product_instance {
  instance_id id;
  product_id product;
  vendor_id vendor;
  std::string name;
  tenant_id tenant;  // that provides it
  std::map<std::string, secret_bytes> settings;
  bool deleted = false;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

// ---- plans ---------------------------------------------------------------------------------

// Money: millionths of the currency's unit. Never a floating-point number.
using micros = std::int64_t;

enum class rate_scheme : std::uint8_t {
  flat = 1,   // one price, however many
  per_unit,   // each the same
  tiered,     // each unit at the price of its own range
  volume,     // all units at the price of the range that is reached
  stairstep,  // one price for the range that is reached
};
std::string_view to_string(rate_scheme scheme) noexcept;
std::optional<rate_scheme> parse_rate_scheme(std::string_view text) noexcept;

struct price_range {
  std::int64_t from = 1;
  std::optional<std::int64_t> to;  // inclusive; none: open
  micros unit_price = 0;           // of stairstep and flat: of the range
  micros setup = 0;                // one-off, for those who are in it first
  friend bool operator==(const price_range&, const price_range&) = default;
};

struct resource_rate {
  rate_scheme scheme = rate_scheme::per_unit;
  std::vector<price_range> ranges;
  micros setup = 0;      // one-off, with the order
  std::string currency;  // ISO 4217
  friend bool operator==(const resource_rate&, const resource_rate&) = default;
};

enum class value_type : std::uint8_t { prepaid = 1, postpaid, payg };
std::string_view to_string(value_type type) noexcept;
std::optional<value_type> parse_value_type(std::string_view text) noexcept;

enum class resource_presence : std::uint8_t { optional = 1, recommended, required };
std::string_view to_string(resource_presence presence) noexcept;
std::optional<resource_presence> parse_resource_presence(std::string_view text) noexcept;

struct plan_resource {
  std::string name;  // of a resource type of the product, where it declares some
  std::int64_t min = 0;
  std::int64_t max = -1;  // -1 = unlimited
  std::int64_t step = 1;
  std::int64_t included = 0;              // without a price of their own
  std::int64_t limit = -1;                // -1 = unlimited, 0 = not sold
  std::optional<std::int64_t> overage{};  // none: the limit is soft; k: hard at limit + k
  std::int64_t auto_provide = 0;
  core::value_type value_type = core::value_type::prepaid;
  resource_presence presence = resource_presence::optional;
  bool downgradable = true;
  std::optional<resource_rate> rate{};
};

enum class trial_mode : std::uint8_t { not_allowed = 1, allowed, allowed_wo_payment_method };
std::string_view to_string(trial_mode mode) noexcept;  // "NOT_ALLOWED" ...
std::optional<trial_mode> parse_trial_mode(std::string_view text) noexcept;

// Domain.md, 10.2 and 10.8; volume.max -1 = unlimited.
struct commitment_option {
  int term_months = 12;
  bool auto_renew = true;
  int window_before_days = 0, window_after_days = 0;  // of the renewal
  bool allow_increase = true;
  bool allow_decrease = false;
  int decrease_window_hours = 168;
  bool allow_early_cancel = false;
  bool cancel_fee = false;
  bool transferable = false;
  std::int64_t volume_min = 0, volume_max = -1;
  std::string volume_unit;
};

struct plan {
  plan_id id;
  product_id product;
  vendor_id vendor;  // of the product, kept here so that routing needs no second look-up
  std::string name;
  std::string external_id;
  int billing_period_months = 1;
  int trial_days = 0;  // 0 = no trial is sold
  std::vector<plan_resource> resources;
  string_map metadata;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
  publication_state state = publication_state::published;
  bool trial_wo_payment_method = false;
  int minimum_duration_months = 0;
  int lifespan_hours = 0;  // 0: none; else short, and not renewable
  bool auto_renewable = true;
  bool upgradable = true;
  bool unkillable = false;  // no early end by the customer inside the minimum duration
  bool needs_approval = false;
  bool post_configuration = false;  // the step of that name follows provisioning
  bool free = false;                // nothing is charged in advance
  std::vector<commitment_option> commitment_options{};

  core::trial_mode trial_mode() const noexcept {
    if (trial_days <= 0) return core::trial_mode::not_allowed;
    return trial_wo_payment_method ? core::trial_mode::allowed_wo_payment_method
                                   : core::trial_mode::allowed;
  }
};

// A declared name of published events (api.md, 3). Its id is that of the name: type_id_of().
struct event_type {
  event_type_id id;
  std::string name;
  std::string description;
  std::string schema;   // JSON Schema, draft 7, as given; empty: any object
  std::string example;  // JSON object as given, or empty
  bool deleted = false;
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};
};

}  // namespace syndicated::core
