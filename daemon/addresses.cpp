#include "daemon/addresses.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/base/json_writer.hpp"

namespace syndicated::daemon {
namespace {

core::error failure(const std::string& path) {
  return {core::errc::io, "addresses", path + ": " + std::strerror(errno), {}, {}};
}

}  // namespace

core::result<void> write_addresses(const std::string& path, const addresses& told) {
  core::json_writer out;
  out.begin_object();
  out.key("pid").number(static_cast<std::uint64_t>(::getpid()));
  out.key("api").text(told.api);
  if (!told.metrics.empty()) out.key("metrics").text(told.metrics);
  out.key("admin").text(told.admin);
  out.end_object();
  const std::string temporary = path + ".new";
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << std::move(out).str() << '\n';
    file.flush();
    if (!file) return failure(temporary);
  }
  // Where the daemon listens is no secret, and the process's umask would make it one.
  if (::chmod(temporary.c_str(), 0644) != 0) return failure(temporary);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failure(path);
  return {};
}

std::string addresses_path(const std::string& admin_socket) {
  return admin_socket.substr(0, admin_socket.rfind('/')) + "/addresses.json";
}

std::string base_address(const std::string& listen, std::uint16_t port, bool tls) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

}  // namespace syndicated::daemon
