#include "daemon/wiring.hpp"

#include <grp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "api/router.hpp"
#include "net/interfaces.hpp"

namespace syndicated::daemon {

core::egress_rules egress_rules_of(const config::egress_section& from) {
  core::egress_rules rules;
  for (const auto& text : from.allow) {
    if (auto parsed = core::egress_exception::parse(text)) rules.allow.push_back(*parsed);
  }
  for (const auto& text : from.deny) {
    if (auto parsed = core::cidr::parse(text)) rules.deny.push_back(*parsed);
  }
  rules.own = net::interface_addresses();
  rules.ports = from.ports;
  rules.allow_http = from.allow_http;
  rules.allow_ip_literals = from.allow_ip_literals;
  return rules;
}

net::http_server_options api_server_options(const config::settings& s, int fd) {
  net::http_server_options out;
  out.name = "api";
  if (fd >= 0) {
    out.listen_fd = fd;
  } else {
    out.address = s.api.listen;
  }
  out.tls_certificate_file = s.api.tls_certificate;
  out.tls_key_file = s.api.tls_key;
  out.larger_body_path = api::publish_path;
  out.larger_body_bytes_max = core::limits::publish_body_bytes_max;
  out.refusal = api::refusal;
  return out;
}

net::http_server_options admin_server_options(const config::settings& s, int fd) {
  net::http_server_options out;
  out.name = "admin";
  if (fd >= 0) {
    out.listen_fd = fd;
  } else {
    out.unix_path = s.admin.socket;
    out.unix_mode = s.admin.mode;
  }
  out.connections_max = core::limits::admin_connections_max;
  out.larger_body_path = api::publish_path;
  out.larger_body_bytes_max = core::limits::publish_body_bytes_max;
  out.refusal = api::refusal;
  return out;
}

net::http_server_options metrics_server_options(const config::settings& s) {
  net::http_server_options out;
  out.name = "metrics";
  out.address = s.metrics.listen;
  out.connections_max = core::limits::admin_connections_max;
  out.body_bytes_max = 0;  // nobody shows a token there
  out.refusal = api::refusal;
  return out;
}

std::string public_url(const config::settings& s) {
  if (!s.api.public_url.empty()) return s.api.public_url;
  if (s.api.listen.ends_with(":0")) return {};
  return (s.api.tls_key.empty() ? "http://" : "https://") + s.api.listen;
}

core::result<void> give_to_group(const std::string& path, const std::string& group) {
  if (group.empty()) return {};
  std::array<char, 16 * 1024> room{};
  struct group entry {};
  struct group* found = nullptr;
  ::getgrnam_r(group.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    return core::error{core::errc::invalid,
                       "configuration",
                       "key 'admin.group': there is no group '" + group + "'",
                       {},
                       {}};
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
    return core::error{core::errc::invalid,
                       "configuration",
                       "key 'admin.group': " + path + ": " + std::strerror(errno),
                       {},
                       {}};
  }
  return {};
}

std::string bound_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return {};
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host.data(), host.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const std::string name = host.data();
  const bool v6 = name.find(':') != std::string::npos;
  return (v6 ? "[" + name + "]" : name) + ":" + port.data();
}

}  // namespace syndicated::daemon
