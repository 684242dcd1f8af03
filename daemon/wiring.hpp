// Translations from settings to what the parts want. Pure but for the host's own addresses.
// Threads: any. Internal to daemon/.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "core/base/error.hpp"
#include "core/delivery/egress_policy.hpp"
#include "net/http_server.hpp"

namespace syndicated::daemon {

// With the addresses of this host's interfaces. The texts were checked by the loader.
core::egress_rules egress_rules_of(const config::egress_section& from);

// "fd" is an inherited socket or -1.
net::http_server_options api_server_options(const config::settings& s, int fd);
net::http_server_options admin_server_options(const config::settings& s, int fd);
net::http_server_options metrics_server_options(const config::settings& s);

// Base of absolute links: the setting, or what `listen` says; empty when neither tells.
std::string public_url(const config::settings& s);

// Gives the socket to the configured group. Errors: errc::invalid, "configuration".
core::result<void> give_to_group(const std::string& path, const std::string& group);

// "127.0.0.1:8080" of a listening descriptor, empty for other kinds.
std::string bound_address(int fd);

}  // namespace syndicated::daemon
