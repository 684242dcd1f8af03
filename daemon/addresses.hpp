// Tells people and programs on this host where the daemon listens.
//
// Purpose: addresses.json beside the admin socket, written after everything is ready and removed at
// an orderly end: {"pid":..,"api":"http://127.0.0.1:8080","metrics":..,"admin":"/run/..."}. With
// port 0 in the configuration it is the only place where the port can be learnt.
// Threads: main only. The file is replaced as a whole; a reader never sees half of it.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.hpp"

namespace syndicated::daemon {

struct addresses {
  std::string api;      // base address
  std::string metrics;  // base address of the port of its own, or empty
  std::string admin;    // path of the socket
};

// Errors: errc::io with the system's words.
core::result<void> write_addresses(const std::string& path, const addresses& told);

// "addresses.json" in the directory of the admin socket.
std::string addresses_path(const std::string& admin_socket);

// "http://127.0.0.1:41234" for a listener asked for as "127.0.0.1:0" that got port 41234.
std::string base_address(const std::string& listen, std::uint16_t port, bool tls);

}  // namespace syndicated::daemon
