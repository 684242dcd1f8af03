#include "config/value_rules.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "config/units.hpp"
#include "core/delivery/egress_policy.hpp"

namespace syndicated::config {
namespace {

constexpr std::size_t text_bytes_max = 1'024;
constexpr std::size_t socket_path_bytes_max = 107;  // sockaddr_un.sun_path with its final zero
constexpr std::size_t schedule_steps_max = 10;      // reliability.md, R15
constexpr std::size_t days_max = 15;                // core::lifecycle_settings::expiring_days
constexpr std::size_t ports_max = 64;

std::optional<std::uint32_t> whole_number(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (text.empty() || status != std::errc{} || rest != end || number > most) return std::nullopt;
  return number;
}

// Splits "host:port" and "[v6]:port"; false when there is no such shape.
bool split_port(std::string_view text, std::string_view& host, std::string_view& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  host = text.substr(0, colon);
  port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return true;
  }
  return host.find(':') == std::string_view::npos;
}

const raw_value::list* list_of(const raw_value& raw) {
  return std::get_if<raw_value::list>(&raw.held);
}

}  // namespace

std::string any_text(std::string_view) { return {}; }

std::string check_plain_text(std::string_view text) {
  if (text.size() > text_bytes_max) return "is longer than 1024 bytes";
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return control ? "must not contain control characters" : "";
}

std::string path_rule(std::string_view text) {
  return text.empty() || text.front() == '/' ? "" : "must be an absolute path";
}

std::string needed_path_rule(std::string_view text) {
  return !text.empty() && text.front() == '/' ? "" : "must be an absolute path";
}

std::string socket_path_rule(std::string_view text) {
  if (text.size() > socket_path_bytes_max) return "is longer than 107 bytes";
  return needed_path_rule(text);
}

std::string listen_rule(std::string_view text) {
  static constexpr auto rule = "must be ADDRESS:PORT, like \"127.0.0.1:8080\" or \"[::]:8080\"";
  std::string_view host;
  std::string_view port;
  if (!split_port(text, host, port)) return rule;
  if (!whole_number(port, 65'535)) return rule;
  return core::ip_address::parse(host) ? "" : rule;
}

std::string maybe_listen_rule(std::string_view text) {
  return text.empty() ? "" : listen_rule(text);
}

std::string base_url_rule(std::string_view text) {
  if (text.empty()) return {};
  const bool http = text.starts_with("http://") || text.starts_with("https://");
  if (!http) return "must begin with http:// or https://";
  if (text.ends_with('/')) return "must not end with a slash";
  return text.find_first_of(" ?#") == std::string_view::npos ? "" : "must be a plain base address";
}

std::string dns_server_rule(std::string_view text) {
  if (core::ip_address::parse(text)) return {};
  return listen_rule(text).empty() ? "" : "must be an IP address, or one with a port";
}

std::string user_agent_rule(std::string_view text) {
  if (text.empty() || text.size() > 100) return "must have 1 to 100 characters";
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20; });
  return ascii ? "" : "must be printable ASCII";
}

std::string egress_allow_rule(std::string_view text) {
  return core::egress_exception::parse(text)
             ? ""
             : "must be RANGE:PORT, like \"10.1.2.0/24:8443\" or \"127.0.0.0/8:*\"";
}

std::string egress_deny_rule(std::string_view text) {
  return core::cidr::parse(text) ? "" : "must be a range, like \"198.51.100.0/24\"";
}

std::string log_target_rule(std::string_view text) {
  return text == "stderr" || text.starts_with('/') ? "" : "must be \"stderr\" or an absolute path";
}

std::optional<std::uint64_t> bytes_of(const raw_value& raw) {
  if (const auto* number = std::get_if<std::int64_t>(&raw.held)) {
    if (*number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
  }
  if (const auto* text = std::get_if<std::string>(&raw.held)) return parse_bytes(*text);
  return std::nullopt;
}

std::string texts_of(const raw_value& raw, std::size_t items_max, std::vector<std::string>& out) {
  const auto* list = list_of(raw);
  if (list == nullptr) return "must be a list of strings";
  if (list->size() > items_max) return "has more than " + std::to_string(items_max) + " items";
  for (const raw_value& item : *list) {
    const auto* text = std::get_if<std::string>(&item.held);
    if (text == nullptr) return "must be a list of strings";
    if (auto broken = check_plain_text(*text); !broken.empty())
      return "holds an item that " + broken;
    if (std::find(out.begin(), out.end(), *text) != out.end()) return "holds '" + *text + "' twice";
    out.push_back(*text);
  }
  return {};
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out.append(out.empty() ? "" : ", ").append(item);
  return out;
}

std::string read_ports(const raw_value& raw, std::vector<std::uint16_t>& out) {
  static constexpr auto rule = "must be a list of 1 to 64 different ports from 1 to 65535";
  const auto* list = list_of(raw);
  if (list == nullptr || list->empty() || list->size() > ports_max) return rule;
  std::vector<std::uint16_t> ports;
  for (const raw_value& item : *list) {
    const auto* number = std::get_if<std::int64_t>(&item.held);
    if (number == nullptr || *number < 1 || *number > 65'535) return rule;
    const auto port = static_cast<std::uint16_t>(*number);
    if (std::find(ports.begin(), ports.end(), port) != ports.end()) return rule;
    ports.push_back(port);
  }
  out = std::move(ports);
  return {};
}

std::string show_ports(const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> items;
  for (const auto port : ports) items.push_back(std::to_string(port));
  return joined(items);
}

std::string read_days(const raw_value& raw, std::vector<int>& out) {
  static constexpr auto rule = "must be a list of at most 15 falling numbers of days from 1 to 365";
  const auto* list = list_of(raw);
  if (list == nullptr || list->size() > days_max) return rule;
  std::vector<int> days;
  for (const raw_value& item : *list) {
    const auto* number = std::get_if<std::int64_t>(&item.held);
    if (number == nullptr || *number < 1 || *number > 365) return rule;
    const auto day = static_cast<int>(*number);
    if (!days.empty() && day >= days.back()) return rule;
    days.push_back(day);
  }
  out = std::move(days);
  return {};
}

std::string show_days(const std::vector<int>& days) {
  std::vector<std::string> items;
  for (const int day : days) items.push_back(std::to_string(day));
  return joined(items);
}

std::string read_schedule(const raw_value& raw, std::vector<milliseconds>& out) {
  static constexpr auto rule =
      "must be a list of 1 to 10 durations up to \"7d\", like [\"0s\", \"5m\"]";
  const auto* list = list_of(raw);
  if (list == nullptr || list->empty() || list->size() > schedule_steps_max) return rule;
  std::vector<milliseconds> steps;
  for (const raw_value& item : *list) {
    const auto* text = std::get_if<std::string>(&item.held);
    const auto step = text != nullptr ? parse_duration(*text) : std::nullopt;
    if (!step || *step > std::chrono::hours{7 * 24}) return rule;
    steps.push_back(*step);
  }
  out = std::move(steps);
  return {};
}

std::string show_schedule(const std::vector<milliseconds>& schedule) {
  std::vector<std::string> items;
  for (const auto step : schedule) items.push_back(format_duration(step));
  return joined(items);
}

std::string read_mode(const raw_value& raw, std::uint32_t& out) {
  static constexpr auto rule = "must be a file mode in quotes, from \"0600\" to \"0777\"";
  const auto* text = std::get_if<std::string>(&raw.held);
  if (text == nullptr || text->size() != 4 || text->front() != '0') return rule;
  std::uint32_t mode = 0;
  const char* end = text->data() + text->size();
  const auto [rest, status] = std::from_chars(text->data(), end, mode, 8);
  // The daemon itself must be able to use its socket.
  if (status != std::errc{} || rest != end || mode > 0777 || (mode & 0600U) != 0600U) return rule;
  out = mode;
  return {};
}

std::string show_mode(std::uint32_t mode) {
  std::string out = "0";
  for (const unsigned shift : {6U, 3U, 0U}) {
    out += static_cast<char>('0' + static_cast<int>((mode >> shift) & 7U));
  }
  return out;
}

std::string read_level(const raw_value& raw, core::log_level& out) {
  const auto* text = std::get_if<std::string>(&raw.held);
  using core::log_level;
  for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error,
                           log_level::critical}) {
    if (text == nullptr || core::to_string(level) != *text) continue;
    out = level;
    return {};
  }
  return "must be \"debug\", \"info\", \"warning\", \"error\" or \"critical\"";
}

}  // namespace syndicated::config
