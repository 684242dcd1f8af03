// A vendor made for measuring: takes notifications in both forms as fast as it can, checks them,
// and remembers when each one came. --secret is the key of both forms; in the standard form's own
// writing it is whsec_ and its base64.
//
//   bench_sink [--secret S] [--numbered] [--hang] [--status N] [--delay-ms N] [--spread N]
//
// Listens on 127.0.0.1, with --spread also on N addresses from 127.0.1.1 on, 250 of each 127.0.x;
// prints "port N". With --numbered an event is known by the number after "bench_number": in its
// body, whatever else is there, and is not checked otherwise. POST anything: a notification. GET
// /stats: counts as JSON. GET /arrivals: a line "entity event monotonic-ns" for each first arrival.
// GET /reset: forgets everything.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <deque>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "bench/wire.hpp"

namespace syndicated::bench {
namespace {

struct arrival {
  std::uint64_t entity;
  std::uint64_t event;
  std::int64_t at_ns;
};

struct peer {
  int fd = -1;
  std::string in;
  std::string out;
};

struct delayed {
  std::int64_t due_ns;
  int fd;
};

class sink {
 public:
  explicit sink(const arguments& given)
      : secret_(given.text("--secret")),
        numbered_(given.has("--numbered")),
        hang_(given.has("--hang")),
        spread_(given.integer("--spread", 0)),
        delay_ms_(given.integer("--delay-ms", 0)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    const int status = given.integer("--status", 204);
    answer_ = "HTTP/1.1 " + std::to_string(status) + " X\r\n" +
              (status == 204 ? "" : "Content-Length: 0\r\n") + "\r\n";
  }

  void run();

 private:
  int listen_at(std::uint32_t host, int port);  // 0 = any port; returns it
  void accept_all(int listener);
  void read(peer& from);
  void take(peer& from, const message& request);
  void record(std::string_view head, std::string_view body);
  void take_number(std::uint64_t number);
  bool signature_ok(std::string_view head, std::string_view body) const;
  bool standard_ok(std::string_view head, std::string_view body) const;
  std::string report(std::string_view target);
  void flush(peer& to);
  void send_due();
  void forget(int fd);

  std::string secret_;
  bool numbered_;
  bool hang_;
  int spread_;
  int delay_ms_;
  std::string answer_;
  int epoll_;
  std::set<int> listeners_;
  std::unordered_map<int, std::unique_ptr<peer>> peers_;
  std::deque<delayed> delayed_;

  std::vector<arrival> arrivals_;
  std::unordered_map<std::uint64_t, std::uint32_t> seen_;        // by event
  std::unordered_map<std::uint64_t, std::uint64_t> last_event_;  // by entity
  std::uint64_t received_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t order_violations_ = 0;
  std::uint64_t bad_signatures_ = 0;
};

int sink::listen_at(std::uint32_t host, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  address.sin_addr.s_addr = htonl(host);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, raw, length) != 0 || ::listen(fd, 1024) != 0 ||
      ::getsockname(fd, raw, &length) != 0) {
    die("the sink cannot listen");
  }
  watch(epoll_, fd, EPOLLIN);
  listeners_.insert(fd);
  return ntohs(address.sin_port);
}

void sink::run() {
  const int port = listen_at(INADDR_LOOPBACK, 0);
  for (int n = 0; n < spread_; ++n) {
    const auto place = static_cast<std::uint32_t>((n / 250 + 1) * 256 + n % 250 + 1);
    listen_at((127U << 24U) + place, port);
  }
  std::printf("port %d\n", port);
  std::fflush(stdout);
  std::array<epoll_event, 256> events{};
  while (true) {
    const int wait = delayed_.empty() ? -1 : 1;
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (listeners_.contains(fd)) {
        accept_all(fd);
      } else if (const auto found = peers_.find(fd); found != peers_.end()) {
        read(*found->second);
      }
    }
    send_due();
  }
}

void sink::accept_all(int listener) {
  while (true) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    no_delay(fd);
    auto made = std::make_unique<peer>();
    made->fd = fd;
    peers_.emplace(fd, std::move(made));
    watch(epoll_, fd, EPOLLIN);
  }
}

void sink::forget(int fd) {
  ::close(fd);
  peers_.erase(fd);
}

void sink::read(peer& from) {
  std::array<char, 16 * 1024> chunk;
  const auto n = ::recv(from.fd, chunk.data(), chunk.size(), 0);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) forget(from.fd);
    return;
  }
  from.in.append(chunk.data(), static_cast<std::size_t>(n));
  std::size_t used = 0;
  message request;
  while (take_message(std::string_view{from.in}.substr(used), request)) {
    take(from, request);
    used += request.size();
  }
  from.in.erase(0, used);
  flush(from);
}

void sink::take(peer& from, const message& request) {
  if (request.head.starts_with("GET ")) {
    const auto body = report(request.head.substr(4, request.head.find(' ', 4) - 4));
    from.out += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    from.out += body;
    return;
  }
  record(request.head, request.body);
  if (hang_) return;
  if (delay_ms_ > 0) {
    delayed_.push_back({monotonic_ns() + std::int64_t{delay_ms_} * 1'000'000, from.fd});
  } else {
    from.out += answer_;
  }
}

void sink::take_number(std::uint64_t number) {
  if (seen_[number]++ > 0) {
    ++duplicates_;
  } else {
    arrivals_.push_back({number, 0, monotonic_ns()});
  }
}

void sink::record(std::string_view head, std::string_view body) {
  ++received_;
  if (numbered_) return take_number(number_after(body, "\"bench_number\":"));
  if (!secret_.empty() && !signature_ok(head, body)) ++bad_signatures_;
  const auto id = field(head, "\r\nwebhook-id: evt_");
  const auto event = id.empty() ? number_after(body, "\"eventId\":") : digits(id);
  const auto entity = number_after(body, "\"id\":");
  if (event == 0) return;
  if (seen_[event]++ > 0) {
    ++duplicates_;
    return;
  }
  auto& last = last_event_[entity];
  if (event < last) ++order_violations_;
  last = event;
  arrivals_.push_back({entity, event, monotonic_ns()});
}

std::string base64(const unsigned char* bytes, int count) {
  std::array<unsigned char, 64> text{};
  const int size = EVP_EncodeBlock(text.data(), bytes, count);
  return {text.begin(), text.begin() + size};
}

bool sink::standard_ok(std::string_view head, std::string_view body) const {
  std::string text{field(head, "\r\nwebhook-id: ")};
  text += '.';
  text += field(head, "\r\nwebhook-timestamp: ");
  text += '.';
  text += body;
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return field(head, "\r\nwebhook-signature: ") == "v1," + base64(digest.data(), 32);
}

bool sink::signature_ok(std::string_view head, std::string_view body) const {
  if (!field(head, "\r\nwebhook-id: ").empty()) return standard_ok(head, body);
  std::array<unsigned char, 20> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  std::string expected = "sha1=";
  for (const unsigned char byte : digest) {
    expected += "0123456789abcdef"[byte >> 4U];
    expected += "0123456789abcdef"[byte & 15U];
  }
  return field(head, "\r\nCMW-Event-Signature: ") == expected;
}

std::string sink::report(std::string_view target) {
  if (target == "/arrivals") {
    std::string lines;
    for (const auto& a : arrivals_) {
      lines += std::to_string(a.entity) + ' ' + std::to_string(a.event) + ' ' +
               std::to_string(a.at_ns) + '\n';
    }
    return lines;
  }
  if (target == "/reset") {
    arrivals_.clear();
    seen_.clear();
    last_event_.clear();
    received_ = duplicates_ = order_violations_ = bad_signatures_ = 0;
  }
  std::string text = "{\"received\":" + std::to_string(received_);
  text += ",\"duplicates\":" + std::to_string(duplicates_);
  text += ",\"order_violations\":" + std::to_string(order_violations_);
  text += ",\"bad_signatures\":" + std::to_string(bad_signatures_);
  text += ",\"connections\":" + std::to_string(peers_.size());
  return text + "}\n";
}

// A peer that does not take its answer at once is polled again with the next request; only the
// large /arrivals report needs the loop.
void sink::flush(peer& to) {
  while (!to.out.empty()) {
    const auto n = ::send(to.fd, to.out.data(), to.out.size(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) break;
      ::poll(nullptr, 0, 1);
      continue;
    }
    to.out.erase(0, static_cast<std::size_t>(n));
  }
}

void sink::send_due() {
  while (!delayed_.empty() && delayed_.front().due_ns <= monotonic_ns()) {
    const auto found = peers_.find(delayed_.front().fd);
    delayed_.pop_front();
    if (found == peers_.end()) continue;
    found->second->out += answer_;
    flush(*found->second);
  }
}

}  // namespace
}  // namespace syndicated::bench

int main(int argc, char** argv) {
  syndicated::bench::sink{syndicated::bench::arguments{argc, argv}}.run();
}
