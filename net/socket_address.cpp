#include "net/socket_address.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace syndicated::net {

std::optional<socket_address> parse_socket_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
    return {};
  }
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = core::ip_address::parse(host);
  if (!address || bracketed != (host.find(':') != std::string_view::npos)) return {};
  socket_address out;
  if (!bracketed) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address->bytes.data() + 12, 4);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address->bytes.data(), 16);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.length = sizeof v6;
  }
  return out;
}

std::optional<address_and_port> read_socket_address(const sockaddr* address) {
  address_and_port out;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    out.address = core::ip_address::v4(ntohl(v4.sin_addr.s_addr));
    out.port = ntohs(v4.sin_port);
    return out;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(out.address.bytes.data(), &v6.sin6_addr, 16);
    out.port = ntohs(v6.sin6_port);
    return out;
  }
  return {};
}

std::string show_socket_address(const sockaddr* address) {
  const auto read = read_socket_address(address);
  if (!read) return "unix";
  const auto host = core::to_string(read->address);
  return (read->address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(read->port);
}

std::uint16_t local_port(int fd) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  auto* raw = reinterpret_cast<sockaddr*>(&name);
  if (::getsockname(fd, raw, &length) != 0) return 0;
  const auto read = read_socket_address(raw);
  return read ? read->port : std::uint16_t{0};
}

}  // namespace syndicated::net
