// Addresses of this host's own interfaces, for egress_rules::own (reliability.md, 5.1 rule 3).
// Blocking system calls; read at start and when the configuration is read again. Any thread.
#pragma once

#include <vector>

#include "core/delivery/egress_policy.hpp"

namespace syndicated::net {

std::vector<core::ip_address> interface_addresses();

}  // namespace syndicated::net
