// A listening socket: TCP, Unix, or inherited. Internal to net; used by the server's owner thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.hpp"

namespace syndicated::net {

class listen_socket {
 public:
  // "127.0.0.1:0", "[::1]:8080": an address, not a name. Errors: errc::invalid with the reason.
  static core::result<listen_socket> tcp(const std::string& address);
  // A socket file that nobody accepts on is replaced; a living one is "address in use".
  static core::result<listen_socket> unix_path(const std::string& path, unsigned mode);
  // Takes over an inherited descriptor; its file is not removed at the end.
  static core::result<listen_socket> inherited(int fd);

  listen_socket() = default;
  listen_socket(listen_socket&& other) noexcept;
  listen_socket& operator=(listen_socket&& other) noexcept;
  ~listen_socket();  // closes and removes the socket file it made

  int fd() const noexcept { return fd_; }
  bool is_unix() const noexcept { return unix_; }
  std::uint16_t port() const noexcept { return port_; }
  void close();

 private:
  int fd_ = -1;
  bool unix_ = false;
  std::uint16_t port_ = 0;
  std::string remove_path_;
};

}  // namespace syndicated::net
