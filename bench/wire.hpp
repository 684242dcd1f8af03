// What the bench programs share: the clock, command line, sockets and the framing of HTTP messages.
// Small and trusting on purpose: both ends are ours.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace syndicated::bench {

inline std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

[[noreturn]] inline void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}

// "--name value" pairs, and "--flag" alone.
class arguments {
 public:
  arguments(int count, char** values) {
    for (int i = 1; i < count; ++i) {
      const std::string name = values[i];
      const bool has_value = i + 1 < count && !std::string_view{values[i + 1]}.starts_with("--");
      all_[name] = has_value ? values[++i] : "";
    }
  }
  bool has(const std::string& name) const { return all_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = all_.find(name);
    return found == all_.end() ? otherwise : found->second;
  }
  double number(const std::string& name, double otherwise) const {
    return has(name) ? std::strtod(text(name).c_str(), nullptr) : otherwise;
  }
  int integer(const std::string& name, int otherwise) const {
    return static_cast<int>(number(name, otherwise));
  }

 private:
  std::map<std::string, std::string> all_;
};

inline void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

inline void watch(int epoll, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl failed");
}

// The value of a header field (given as "\r\nName: "), or nothing.
inline std::string_view field(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  const auto from = at + name.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

inline std::uint64_t digits(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The number behind `key` (given as "\"name\":"), 0 when there is none.
inline std::uint64_t number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  return at == std::string_view::npos ? 0 : digits(text.substr(at + key.size()));
}

struct message {
  std::string_view head;  // with the empty line
  std::string_view body;
  std::size_t size() const { return head.size() + body.size(); }
};

// False: not complete yet.
inline bool take_message(std::string_view bytes, message& out) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  out.head = bytes.substr(0, end + 4);
  auto told = field(out.head, "\r\nContent-Length: ");
  if (told.empty()) told = field(out.head, "\r\ncontent-length: ");  // as others write it
  const auto length = digits(told);
  if (bytes.size() < out.head.size() + length) return false;
  out.body = bytes.substr(out.head.size(), length);
  return true;
}

}  // namespace syndicated::bench
