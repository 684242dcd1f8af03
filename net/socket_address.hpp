// Between socket addresses of the system and our own values. Internal to net.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/delivery/egress_policy.hpp"

namespace syndicated::net {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

struct address_and_port {
  core::ip_address address;
  std::uint16_t port = 0;
};

// "192.0.2.1:80" or "[::1]:80".
std::optional<socket_address> parse_socket_address(std::string_view text);
// Nothing for other families than IPv4 and IPv6.
std::optional<address_and_port> read_socket_address(const sockaddr* address);
// "192.0.2.1:4711", "[::1]:4711" or "unix".
std::string show_socket_address(const sockaddr* address);
// 0 when the socket is not an IP socket.
std::uint16_t local_port(int fd);

}  // namespace syndicated::net
