#include "net/interfaces.hpp"

#include <ifaddrs.h>

#include "net/socket_address.hpp"

namespace syndicated::net {

std::vector<core::ip_address> interface_addresses() {
  std::vector<core::ip_address> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (const auto read = read_socket_address(entry->ifa_addr)) out.push_back(read->address);
  }
  ::freeifaddrs(list);
  return out;
}

}  // namespace syndicated::net
