#include "net/listen_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/socket_address.hpp"

namespace syndicated::net {
namespace {

constexpr int backlog = 1024;

core::error invalid(const std::string& what, int code) {
  return {core::errc::invalid, "listen_failed", what + ": " + std::strerror(code), {}, {}};
}

// True when somebody answers on the socket file.
bool is_served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;
  const bool served =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN;  // its queue is full: very much alive
  ::close(probe);
  return served;
}

}  // namespace

listen_socket::listen_socket(listen_socket&& other) noexcept { *this = std::move(other); }

listen_socket& listen_socket::operator=(listen_socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    unix_ = other.unix_;
    port_ = other.port_;
    remove_path_ = std::exchange(other.remove_path_, {});
  }
  return *this;
}

listen_socket::~listen_socket() { close(); }

void listen_socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (!remove_path_.empty()) ::unlink(std::exchange(remove_path_, {}).c_str());
}

core::result<listen_socket> listen_socket::tcp(const std::string& address) {
  const auto target = parse_socket_address(address);
  if (!target) {
    return core::error{core::errc::invalid,
                       "listen_failed",
                       "'" + address + "' is not ADDRESS:PORT or [ADDRESS]:PORT",
                       {},
                       {}};
  }
  listen_socket made;
  const sockaddr* raw = reinterpret_cast<const sockaddr*>(&target->storage);
  made.fd_ = ::socket(raw->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (made.fd_ < 0) return invalid("socket for " + address, errno);
  const int on = 1;
  ::setsockopt(made.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (raw->sa_family == AF_INET6) {
    ::setsockopt(made.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(made.fd_, raw, target->length) != 0 || ::listen(made.fd_, backlog) != 0) {
    return invalid("listening on " + address, errno);
  }
  made.port_ = local_port(made.fd_);
  return made;
}

core::result<listen_socket> listen_socket::unix_path(const std::string& path, unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return invalid("socket path '" + path + "'", ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return invalid(path + " exists and is not a socket", EEXIST);
    if (is_served(address)) return invalid(path, EADDRINUSE);
    ::unlink(path.c_str());
  }
  listen_socket made;
  made.unix_ = true;
  made.fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made.fd_ < 0) return invalid("socket for " + path, errno);
  // No moment with wider rights than asked for: the file is made closed and opened by chmod.
  const mode_t before = ::umask(0777);
  const int bound = ::bind(made.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int why = errno;
  ::umask(before);
  if (bound != 0) return invalid("listening on " + path, why);
  made.remove_path_ = path;
  if (::listen(made.fd_, backlog) != 0 || ::chmod(path.c_str(), mode) != 0) {
    return invalid("listening on " + path, errno);
  }
  return made;
}

core::result<listen_socket> listen_socket::inherited(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return invalid("descriptor " + std::to_string(fd) + " is not a listening socket", EINVAL);
  }
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    return invalid("descriptor " + std::to_string(fd), errno);
  }
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  listen_socket made;
  made.fd_ = fd;
  made.unix_ = name.ss_family == AF_UNIX;
  made.port_ = local_port(fd);
  return made;
}

}  // namespace syndicated::net
