// The rules single values must obey, and readers for the kinds only one key has. Pure.
//
// Internal to config/. A rule answers with an empty string, or with what is wrong ("must be ...").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/keys.hpp"

namespace syndicated::config {

using text_rule = std::string (*)(std::string_view text);

std::string any_text(std::string_view text);
std::string check_plain_text(std::string_view text);   // length and control characters
std::string path_rule(std::string_view text);          // empty or absolute
std::string needed_path_rule(std::string_view text);   // absolute
std::string socket_path_rule(std::string_view text);   // absolute, fits into sockaddr_un
std::string listen_rule(std::string_view text);        // "127.0.0.1:8080", "[::1]:0"
std::string maybe_listen_rule(std::string_view text);  // the same, or empty
std::string base_url_rule(std::string_view text);      // empty, or http(s)://host without a slash
std::string dns_server_rule(std::string_view text);    // address, or address:port
std::string user_agent_rule(std::string_view text);
std::string egress_allow_rule(std::string_view text);
std::string egress_deny_rule(std::string_view text);
std::string log_target_rule(std::string_view text);

std::optional<std::uint64_t> bytes_of(const raw_value& raw);
std::string texts_of(const raw_value& raw, std::size_t items_max, std::vector<std::string>& out);
std::string joined(const std::vector<std::string>& items);

std::string read_ports(const raw_value& raw, std::vector<std::uint16_t>& out);
std::string show_ports(const std::vector<std::uint16_t>& ports);
std::string read_days(const raw_value& raw, std::vector<int>& out);
std::string show_days(const std::vector<int>& days);
std::string read_schedule(const raw_value& raw, std::vector<milliseconds>& out);
std::string show_schedule(const std::vector<milliseconds>& schedule);
std::string read_mode(const raw_value& raw, std::uint32_t& out);
std::string show_mode(std::uint32_t mode);
std::string read_level(const raw_value& raw, core::log_level& out);

}  // namespace syndicated::config
