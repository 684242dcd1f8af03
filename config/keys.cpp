#include "config/keys.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "config/master_key.hpp"
#include "config/units.hpp"
#include "config/value_rules.hpp"
#include "core/base/limits.hpp"

namespace syndicated::config {
namespace {

// Each maker takes "where in the settings" as a function from settings to the member.

template <class Where>
key_spec text_key(std::string name, Where where, text_rule rule = any_text) {
  return {std::move(name), false,
          [where, rule](const raw_value& raw, settings& out) -> std::string {
            const auto* text = std::get_if<std::string>(&raw.held);
            if (text == nullptr) return "must be a string";
            if (auto broken = check_plain_text(*text); !broken.empty()) return broken;
            if (auto broken = rule(*text); !broken.empty()) return broken;
            where(out) = *text;
            return {};
          },
          [where](const settings& s) { return where(s); }};
}

template <class Where>
key_spec flag_key(std::string name, Where where) {
  return {std::move(name), false,
          [where](const raw_value& raw, settings& out) -> std::string {
            const auto* flag = std::get_if<bool>(&raw.held);
            if (flag == nullptr) return "must be true or false";
            where(out) = *flag;
            return {};
          },
          [where](const settings& s) { return std::string{where(s) ? "true" : "false"}; }};
}

template <class Where>
key_spec int_key(std::string name, Where where, int low, int high) {
  const std::string rule =
      "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  return {std::move(name), false,
          [where, low, high, rule](const raw_value& raw, settings& out) -> std::string {
            const auto* number = std::get_if<std::int64_t>(&raw.held);
            if (number == nullptr || *number < low || *number > high) return rule;
            where(out) = static_cast<int>(*number);
            return {};
          },
          [where](const settings& s) { return std::to_string(where(s)); }};
}

template <class Where>
key_spec bytes_key(std::string name, Where where, std::uint64_t low, std::uint64_t high) {
  const std::string rule = "must be a size from " + std::to_string(low) + " to " +
                           std::to_string(high) + " bytes, like 1048576 or \"64MiB\"";
  return {std::move(name), false,
          [where, low, high, rule](const raw_value& raw, settings& out) -> std::string {
            const auto value = bytes_of(raw);
            if (!value || *value < low || *value > high) return rule;
            where(out) = *value;
            return {};
          },
          [where](const settings& s) { return std::to_string(where(s)); }};
}

template <class Where>
key_spec duration_key(std::string name, Where where, std::string_view low, std::string_view high) {
  const milliseconds least = *parse_duration(low);
  const milliseconds most = *parse_duration(high);
  std::string rule = "must be a duration from \"";
  rule.append(low).append("\" to \"").append(high).append("\", like \"90s\" or \"2h\"");
  return {std::move(name), false,
          [where, least, most, rule](const raw_value& raw, settings& out) -> std::string {
            const auto* text = std::get_if<std::string>(&raw.held);
            const auto value = text != nullptr ? parse_duration(*text) : std::nullopt;
            if (!value || *value < least || *value > most) return rule;
            where(out) = *value;
            return {};
          },
          [where](const settings& s) { return format_duration(where(s)); }};
}

template <class Where>
key_spec list_key(std::string name, Where where, text_rule rule, std::size_t items_max) {
  return {std::move(name), false,
          [where, rule, items_max](const raw_value& raw, settings& out) -> std::string {
            std::vector<std::string> items;
            if (auto broken = texts_of(raw, items_max, items); !broken.empty()) return broken;
            for (const auto& item : items) {
              if (auto broken = rule(item); !broken.empty()) return "'" + item + "' " + broken;
            }
            where(out) = std::move(items);
            return {};
          },
          [where](const settings& s) { return joined(where(s)); }};
}

// Shorthand for "the member m of section s", usable for const and non-const settings.
#define SYNDICATED_AT(section, member) \
  [](auto& s) -> auto& { return s.section.member; }

key_spec reloadable(key_spec key) {
  key.reloadable = true;
  return key;
}

key_spec ports_key() {
  return {"egress.ports", true,
          [](const raw_value& raw, settings& out) { return read_ports(raw, out.egress.ports); },
          [](const settings& s) { return show_ports(s.egress.ports); }};
}

key_spec schedule_key() {
  return {
      "delivery.schedule", true,
      [](const raw_value& raw, settings& out) { return read_schedule(raw, out.delivery.schedule); },
      [](const settings& s) { return show_schedule(s.delivery.schedule); }};
}

key_spec days_key() {
  return {"lifecycle.expiring_days", false,
          [](const raw_value& raw, settings& out) {
            return read_days(raw, out.lifecycle.expiring_days);
          },
          [](const settings& s) { return show_days(s.lifecycle.expiring_days); }};
}

template <class Where>
key_spec share_key(std::string name, Where where, double high, std::string rule) {
  return {std::move(name), true,
          [where, high, rule](const raw_value& raw, settings& out) -> std::string {
            double value = -1;
            if (const auto* real = std::get_if<double>(&raw.held)) value = *real;
            if (const auto* whole = std::get_if<std::int64_t>(&raw.held)) {
              value = static_cast<double>(*whole);
            }
            if (!(value >= 0.0 && value <= high)) return rule;
            where(out) = value;
            return {};
          },
          [where](const settings& s) { return std::to_string(where(s)); }};
}

key_spec mode_key() {
  return {"admin.mode", false,
          [](const raw_value& raw, settings& out) { return read_mode(raw, out.admin.mode); },
          [](const settings& s) { return show_mode(s.admin.mode); }};
}

key_spec level_key() {
  return {"log.level", true,
          [](const raw_value& raw, settings& out) { return read_level(raw, out.log.level); },
          [](const settings& s) { return std::string{core::to_string(s.log.level)}; }};
}

key_spec format_key() {
  return {"log.format", false,
          [](const raw_value& raw, settings& out) -> std::string {
            const auto* text = std::get_if<std::string>(&raw.held);
            if (text == nullptr || (*text != "json" && *text != "text")) {
              return "must be \"json\" or \"text\"";
            }
            out.log.format = *text == "json" ? log_format::json : log_format::text;
            return {};
          },
          [](const settings& s) {
            return std::string{s.log.format == log_format::json ? "json" : "text"};
          }};
}

key_spec unknown_types_key() {
  return {"publish.unknown_types", false,
          [](const raw_value& raw, settings& out) -> std::string {
            const auto* text = std::get_if<std::string>(&raw.held);
            if (text == nullptr || (*text != "accept" && *text != "refuse")) {
              return "must be \"accept\" or \"refuse\"";
            }
            out.publish.refuse_unknown_types = *text == "refuse";
            return {};
          },
          [](const settings& s) {
            return std::string{s.publish.refuse_unknown_types ? "refuse" : "accept"};
          }};
}

void add_service_keys(std::vector<key_spec>& keys) {
  keys.push_back(text_key("api.listen", SYNDICATED_AT(api, listen), listen_rule));
  keys.push_back(text_key("api.tls_certificate", SYNDICATED_AT(api, tls_certificate), path_rule));
  keys.push_back(text_key("api.tls_key", SYNDICATED_AT(api, tls_key), path_rule));
  keys.push_back(text_key("api.public_url", SYNDICATED_AT(api, public_url), base_url_rule));
  keys.push_back(text_key("admin.socket", SYNDICATED_AT(admin, socket), socket_path_rule));
  keys.push_back(mode_key());
  keys.push_back(text_key("admin.group", SYNDICATED_AT(admin, group)));
  keys.push_back(text_key("metrics.listen", SYNDICATED_AT(metrics, listen), maybe_listen_rule));
  keys.push_back(text_key("store.directory", SYNDICATED_AT(store, directory), needed_path_rule));
  keys.push_back(bytes_key("store.wal_bytes_max", SYNDICATED_AT(store, wal_bytes_max), 1U << 20U,
                           1ULL << 34U));
  keys.push_back(bytes_key("store.block_cache_bytes", SYNDICATED_AT(store, block_cache_bytes),
                           1U << 20U, 1ULL << 38U));
  keys.push_back(
      bytes_key("store.free_bytes_min", SYNDICATED_AT(store, free_bytes_min), 0, 1ULL << 42U));
  keys.push_back(reloadable(
      text_key("secrets.master_key_file", SYNDICATED_AT(secrets, master_key_file), path_rule)));
  keys.push_back(reloadable(list_key("secrets.previous_master_key_files",
                                     SYNDICATED_AT(secrets, previous_master_key_files),
                                     needed_path_rule, previous_master_keys_max)));
}

void add_limit_keys(std::vector<key_spec>& keys) {
  constexpr int events_max = 2'000'000'000;
  keys.push_back(reloadable(int_key("limits.pending_events_max",
                                    SYNDICATED_AT(limits, pending_events_max), 1, events_max)));
  keys.push_back(
      reloadable(int_key("limits.pending_events_per_owner_max",
                         SYNDICATED_AT(limits, pending_events_per_owner_max), 1, events_max)));
  keys.push_back(reloadable(
      bytes_key("limits.memory_max", SYNDICATED_AT(limits, memory_max), 0, 1ULL << 42U)));
  keys.push_back(
      reloadable(int_key("limits.requests_per_token_per_s",
                         SYNDICATED_AT(limits, requests_per_token_per_s), 0, 1'000'000)));
}

void add_delivery_keys(std::vector<key_spec>& keys) {
  keys.push_back(int_key("delivery.curl_loops", SYNDICATED_AT(delivery, curl_loops), 1, 16));
  keys.push_back(int_key("delivery.sockets_max", SYNDICATED_AT(delivery, sockets_max), 1, 1'024));
  keys.push_back(int_key("delivery.attempt_timeout_ms", SYNDICATED_AT(delivery, attempt_timeout_ms),
                         1'000, 30'000));
  keys.push_back(schedule_key());
  keys.push_back(share_key("delivery.jitter", SYNDICATED_AT(delivery, jitter), 0.5,
                           "must be a number from 0 to 0.5"));
  keys.push_back(reloadable(
      duration_key("delivery.breaker_open", SYNDICATED_AT(delivery, breaker_open), "0s", "1h")));
  keys.push_back(reloadable(duration_key("delivery.breaker_open_max",
                                         SYNDICATED_AT(delivery, breaker_open_max), "1s", "1d")));
  keys.push_back(reloadable(
      duration_key("delivery.pause_after", SYNDICATED_AT(delivery, pause_after), "0s", "90d")));
  keys.push_back(int_key("delivery.platform_weight", SYNDICATED_AT(delivery, platform_weight), 1,
                         core::limits::owner_weight_max));
  keys.push_back(share_key("delivery.retry_share", SYNDICATED_AT(delivery, retry_share), 1.0,
                           "must be a number from 0 to 1"));
  keys.push_back(
      list_key("delivery.dns_servers", SYNDICATED_AT(delivery, dns_servers), dns_server_rule, 8));
  keys.push_back(text_key("delivery.ca_file", SYNDICATED_AT(delivery, ca_file), path_rule));
  keys.push_back(
      text_key("delivery.user_agent", SYNDICATED_AT(delivery, user_agent), user_agent_rule));
  keys.push_back(
      reloadable(list_key("egress.allow", SYNDICATED_AT(egress, allow), egress_allow_rule, 256)));
  keys.push_back(
      reloadable(list_key("egress.deny", SYNDICATED_AT(egress, deny), egress_deny_rule, 256)));
  keys.push_back(ports_key());
  keys.push_back(reloadable(flag_key("egress.allow_http", SYNDICATED_AT(egress, allow_http))));
  keys.push_back(
      reloadable(flag_key("egress.allow_ip_literals", SYNDICATED_AT(egress, allow_ip_literals))));
}

void add_lifecycle_keys(std::vector<key_spec>& keys) {
  const auto span = [&keys](const char* name, auto where, const char* least) {
    keys.push_back(duration_key(std::string{"lifecycle."} + name, where, least, "3650d"));
  };
  span("first_payment", SYNDICATED_AT(lifecycle, first_payment), "1s");
  span("provisioning_overdue", SYNDICATED_AT(lifecycle, provisioning_overdue), "1s");
  span("provisioning_fail", SYNDICATED_AT(lifecycle, provisioning_fail), "1s");
  span("unpaid_stop", SYNDICATED_AT(lifecycle, unpaid_stop), "0s");
  span("unpaid_cancel", SYNDICATED_AT(lifecycle, unpaid_cancel), "0s");
  span("grace", SYNDICATED_AT(lifecycle, grace), "0s");
  span("hold", SYNDICATED_AT(lifecycle, hold), "0s");
  keys.push_back(
      duration_key("lifecycle.cancel_grace", SYNDICATED_AT(lifecycle, cancel_grace), "0s", "365d"));
  keys.push_back(
      flag_key("lifecycle.tell_usage_records", SYNDICATED_AT(lifecycle, tell_usage_records)));
  keys.push_back(flag_key("lifecycle.order_events", SYNDICATED_AT(lifecycle, order_events)));
  keys.push_back(
      flag_key("lifecycle.destroy_on_cancel", SYNDICATED_AT(lifecycle, destroy_on_cancel)));
  span("deprovision_timeout", SYNDICATED_AT(lifecycle, deprovision_timeout), "1s");
  span("retention", SYNDICATED_AT(lifecycle, retention), "0s");
  span("tenant_recover", SYNDICATED_AT(lifecycle, tenant_recover), "0s");
  keys.push_back(days_key());
  keys.push_back(int_key("lifecycle.provisioning_max_attempts",
                         SYNDICATED_AT(lifecycle, provisioning_max_attempts), 1, 100));
}

void add_other_keys(std::vector<key_spec>& keys) {
  keys.push_back(unknown_types_key());
  add_lifecycle_keys(keys);
  keys.push_back(int_key("actors.threads", SYNDICATED_AT(actors, threads), 0, 256));
  keys.push_back(int_key("actors.shards", SYNDICATED_AT(actors, shards), 1, 256));
  keys.push_back(
      duration_key("actors.entity_idle", SYNDICATED_AT(actors, entity_idle), "100ms", "1d"));
  keys.push_back(level_key());
  keys.push_back(format_key());
  keys.push_back(text_key("log.target", SYNDICATED_AT(log, target), log_target_rule));
  keys.push_back(
      duration_key("retention.idempotency", SYNDICATED_AT(retention, idempotency), "24h", "365d"));
  keys.push_back(duration_key("retention.events", SYNDICATED_AT(retention, events), "1s", "3650d"));
  keys.push_back(
      duration_key("retention.attempts", SYNDICATED_AT(retention, attempts), "1s", "3650d"));
  keys.push_back(
      bytes_key("retention.events_max", SYNDICATED_AT(retention, events_max), 0, 1ULL << 50U));
  keys.push_back(
      bytes_key("retention.attempts_max", SYNDICATED_AT(retention, attempts_max), 0, 1ULL << 50U));
  keys.push_back(flag_key("testing.simulated_time", SYNDICATED_AT(testing, simulated_time)));
}

#undef SYNDICATED_AT

std::vector<key_spec> make_keys() {
  std::vector<key_spec> keys;
  add_service_keys(keys);
  add_delivery_keys(keys);
  add_limit_keys(keys);
  add_other_keys(keys);
  return keys;
}

}  // namespace

std::vector<milliseconds> delivery_section::default_schedule() {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  return {seconds{0}, seconds{5}, minutes{5}, minutes{30}, hours{2},
          hours{5},   hours{10},  hours{14},  hours{20},   hours{24}};
}

const std::vector<key_spec>& all_keys() {
  static const std::vector<key_spec> keys = make_keys();
  return keys;
}

const key_spec* find_key(std::string_view name) {
  const auto& keys = all_keys();
  const auto at = std::find_if(keys.begin(), keys.end(),
                               [name](const key_spec& key) { return key.name == name; });
  return at == keys.end() ? nullptr : &*at;
}

}  // namespace syndicated::config
