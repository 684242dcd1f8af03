#include "net/unix_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "net/text.hpp"

namespace syndicated::net {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::size_t answer_bytes_max = 64 * 1024 * 1024;

core::error problem(core::errc kind, std::string code, std::string detail) {
  return {kind, std::move(code), std::move(detail), {}, {}};
}

core::error bad_answer(const char* what) {
  return problem(core::errc::malformed, "bad_answer", what);
}

core::error connect_problem(const std::string& path, int why) {
  if (why == EACCES || why == EPERM) {
    return problem(core::errc::forbidden, "permission_denied",
                   "no permission for the socket " + path);
  }
  return problem(core::errc::unavailable, "daemon_not_running",
                 "cannot connect to " + path + ": " + std::strerror(why));
}

class client {
 public:
  client(int fd, steady::time_point deadline) : fd_(fd), deadline_(deadline) {}
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { ::close(fd_); }

  core::result<void> connect(const std::string& path);
  core::result<void> send(std::string_view bytes);
  core::result<http_response> receive();

 private:
  core::result<void> wait(short events);
  core::result<bool> read_more();  // false: the other side closed
  core::result<void> read_head(http_response& out);
  core::result<void> read_body(http_response& out);
  core::result<std::string> read_chunks();
  core::result<std::string> take_line();

  int fd_;
  steady::time_point deadline_;
  std::string in_;
  std::optional<std::size_t> length_;
  bool chunked_ = false;
};

core::result<void> client::wait(short events) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady::now());
    pollfd entry{fd_, events, 0};
    const int n = left.count() <= 0 ? 0 : ::poll(&entry, 1, static_cast<int>(left.count()));
    if (n > 0) return {};
    if (n == 0) {
      return problem(core::errc::unavailable, "timeout", "the daemon did not answer in time");
    }
    if (errno != EINTR) return problem(core::errc::internal, "poll", std::strerror(errno));
  }
}

core::result<void> client::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return connect_problem(path, ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  while (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return connect_problem(path, errno);
    // The daemon's queue of connections is full: try again shortly, within the time.
    if (steady::now() >= deadline_) {
      return problem(core::errc::unavailable, "timeout", "the daemon accepts no connection");
    }
    ::poll(nullptr, 0, 10);
  }
  return {};
}

core::result<void> client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT); !ready) return ready;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};  // refused early: the answer may be waiting already
    } else if (errno != EINTR) {
      return problem(core::errc::unavailable, "daemon_not_running", std::strerror(errno));
    }
  }
  return {};
}

core::result<bool> client::read_more() {
  std::array<char, 64 * 1024> chunk;
  while (true) {
    const auto n = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n > 0) {
      in_.append(chunk.data(), static_cast<std::size_t>(n));
      return true;
    }
    if (n == 0 || errno == ECONNRESET) return false;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      return problem(core::errc::unavailable, "daemon_not_running", std::strerror(errno));
    }
    if (auto ready = wait(POLLIN); !ready) return std::move(ready).failure();
  }
}

core::result<void> client::read_head(http_response& out) {
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (in_.size() > head_bytes_max) return bad_answer("the head of the answer is too large");
    const auto more = read_more();
    if (!more) return more.failure();
    if (!*more) return bad_answer("the daemon closed the connection without an answer");
  }
  const std::string head = in_.substr(0, end + 2);
  in_.erase(0, end + 4);
  const auto digits = head.find(' ') + 1;
  if (!head.starts_with("HTTP/1.") || head.size() < digits + 3 ||
      std::from_chars(head.data() + digits, head.data() + digits + 3, out.status).ptr !=
          head.data() + digits + 3) {
    return bad_answer("the answer is not HTTP");
  }
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const auto stop = head.find("\r\n", at);
    const std::string_view line{head.data() + at, stop - at};
    at = stop + 2;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return bad_answer("a header line without ':'");
    const auto name = line.substr(0, colon);
    const auto value = trim_blanks(line.substr(colon + 1));
    if (same_word(name, "content-length")) {
      std::size_t n = 0;
      const auto read = std::from_chars(value.data(), value.data() + value.size(), n);
      if (read.ptr != value.data() + value.size() || n > answer_bytes_max) {
        return bad_answer("the answer is too large");
      }
      length_ = n;
    } else if (same_word(name, "transfer-encoding")) {
      chunked_ = true;
    } else if (same_word(name, "content-type")) {
      out.content_type = value;
    } else {
      out.headers.push_back({std::string{name}, std::string{value}});
    }
  }
  return {};
}

core::result<std::string> client::take_line() {
  std::size_t end = 0;
  while ((end = in_.find("\r\n")) == std::string::npos) {
    const auto more = read_more();
    if (!more) return more.failure();
    if (!*more || in_.size() > answer_bytes_max) return bad_answer("the answer was cut off");
  }
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return line;
}

core::result<std::string> client::read_chunks() {
  std::string body;
  while (true) {
    const auto line = take_line();
    if (!line) return line.failure();
    std::size_t size = 0;
    const auto read = std::from_chars(line->data(), line->data() + line->size(), size, 16);
    if (read.ptr == line->data() || size > answer_bytes_max - body.size()) {
      return bad_answer("a chunk of the answer has no valid size");
    }
    if (size == 0) return body;
    while (in_.size() < size + 2) {
      const auto more = read_more();
      if (!more) return more.failure();
      if (!*more) return bad_answer("the answer was cut off");
    }
    body.append(in_, 0, size);
    in_.erase(0, size + 2);
  }
}

core::result<void> client::read_body(http_response& out) {
  if (chunked_) {
    auto body = read_chunks();
    if (!body) return std::move(body).failure();
    out.body = std::move(body).value();
    return {};
  }
  while (!length_ || in_.size() < *length_) {
    const auto more = read_more();
    if (!more) return more.failure();
    if (in_.size() > answer_bytes_max) return bad_answer("the answer is too large");
    if (!*more) {
      if (length_) return bad_answer("the answer was cut off");
      break;
    }
  }
  out.body = std::move(in_);
  if (length_) out.body.resize(*length_);
  return {};
}

core::result<http_response> client::receive() {
  http_response out;
  out.content_type.clear();
  do {
    out.headers.clear();
    if (auto ok = read_head(out); !ok) return std::move(ok).failure();
  } while (out.status < 200);
  if (out.status == 204 || out.status == 304) return out;
  if (auto ok = read_body(out); !ok) return std::move(ok).failure();
  return out;
}

}  // namespace

core::result<http_response> unix_request(const std::string& socket_path, std::string_view method,
                                         std::string_view target, std::string_view body,
                                         const std::vector<http_header>& headers,
                                         std::chrono::milliseconds timeout) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return problem(core::errc::internal, "socket", std::strerror(errno));
  client one{fd, steady::now() + timeout};
  if (auto ok = one.connect(socket_path); !ok) return std::move(ok).failure();
  std::string request{method};
  request += ' ';
  request += target;
  request += " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (!body.empty() || method != "GET") {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  for (const auto& header : headers) {
    if (!is_token(header.name) || !is_field_value(header.value)) {
      return problem(core::errc::invalid, "bad_header", "a header has a line end or is no word");
    }
    request += header.name + ": " + header.value + "\r\n";
  }
  request += "\r\n";
  request += body;
  if (auto ok = one.send(request); !ok) return std::move(ok).failure();
  return one.receive();
}

}  // namespace syndicated::net
