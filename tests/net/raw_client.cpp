#include "tests/net/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace syndicated::net::test {
namespace {

void limit(int fd) {
  const timeval ten_seconds{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten_seconds, sizeof ten_seconds);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ten_seconds, sizeof ten_seconds);
}

}  // namespace

raw_client::raw_client(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  limit(fd_);
  connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

raw_client::raw_client(const std::string& unix_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, unix_path.c_str(), sizeof address.sun_path - 1);
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  limit(fd_);
  connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

raw_client::~raw_client() { ::close(fd_); }

bool raw_client::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

void raw_client::half_close() { ::shutdown(fd_, SHUT_WR); }

bool raw_client::readable_within(int ms) {
  pollfd entry{fd_, POLLIN, 0};
  return !in_.empty() || ::poll(&entry, 1, ms) > 0;
}

bool raw_client::receive() {
  std::array<char, 16 * 1024> chunk{};
  const auto n = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (n > 0) in_.append(chunk.data(), static_cast<std::size_t>(n));
  return n > 0;
}

std::string raw_client::read_answer() {
  while (true) {
    const auto end = in_.find("\r\n\r\n");
    if (end != std::string::npos) {
      std::size_t length = 0;
      const auto field = in_.find("Content-Length: ");
      if (field < end) length = std::strtoul(in_.c_str() + field + 16, nullptr, 10);
      if (in_.size() >= end + 4 + length) {
        std::string answer = in_.substr(0, end + 4 + length);
        in_.erase(0, end + 4 + length);
        return answer;
      }
    }
    if (!receive()) return {};
  }
}

std::string raw_client::read_all() {
  errno = 0;
  while (receive()) {
  }
  std::string all = std::move(in_);
  in_.clear();
  if (errno == EAGAIN) all += "<open>";
  return all;
}

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.c_str() + 9) : 0;
}

}  // namespace syndicated::net::test
