// Drives the public API: suspends and resumes subscriptions in turn, each accepted call one event.
//
//   bench_load --port N --token-file F --ids F [--connections N] [--seconds S] [--rate R] [--log F]
//              [--batch N]
//
// With --batch each call publishes N events instead, as lines: of ten streams named after the
// connection's subscriptions, the same number of each, with 300 bytes of data.
// Without --rate every connection sends as fast as it is answered; with it requests start at a
// constant rate, and latency counts from the moment a request was due (so that waiting for a free
// connection shows). A subscription belongs to one connection: its calls never overlap.
// Lines of --ids are "id suspended(0 or 1)"; the file is rewritten at the end, since a repeated
// suspend would be answered 200 without an event. Prints JSON. --log gets a line "subscription
// version monotonic-ns" for each accepted event, at the moment its answer was read.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <deque>
#include <fstream>
#include <map>
#include <vector>

#include "bench/wire.hpp"

namespace syndicated::bench {
namespace {

struct subscription {
  std::uint64_t id = 0;
  bool suspended = false;
};

struct connection {
  int fd = -1;
  std::string in;
  std::vector<subscription> mine;
  std::size_t next = 0;
  std::int64_t due_ns = 0;
  bool busy = false;
  std::vector<std::uint64_t> batch;  // streams of the lines under way
};

struct acceptance {
  std::uint64_t subscription;
  std::uint64_t version;
  std::int64_t at_ns;
};

class load {
 public:
  explicit load(const arguments& given);
  void run();
  void print() const;
  void write_log(const std::string& path) const;
  void write_states(const std::string& path) const;

 private:
  void connect(connection& c);
  void begin(connection& c, std::int64_t due_ns);
  std::string change_call(connection& c) const;
  std::string batch_call(connection& c) const;
  void change_answered(connection& c, const message& answer, std::int64_t now);
  void batch_answered(const connection& c, const message& answer, std::int64_t now);
  bool read(connection& c);  // true: its request is answered
  void answered(connection& c, const message& answer);
  void start_due(std::int64_t now);
  bool over(std::int64_t now) const { return now >= end_ns_; }
  double percentile(double share) const;

  int port_;
  double rate_;
  int batch_;
  std::int64_t duration_ns_;
  std::string token_;
  int epoll_;
  std::vector<connection> connections_;
  std::deque<std::size_t> free_;
  std::map<int, std::size_t> by_fd_;
  std::size_t busy_ = 0;
  std::int64_t begun_ns_ = 0;
  std::int64_t end_ns_ = 0;
  std::int64_t finished_ns_ = 0;
  std::uint64_t started_ = 0;
  std::map<int, std::uint64_t> statuses_;
  std::vector<acceptance> accepted_;
  std::vector<std::int64_t> latencies_ns_;
};

load::load(const arguments& given)
    : port_(given.integer("--port", 0)),
      rate_(given.number("--rate", 0)),
      batch_(given.integer("--batch", 0)),
      duration_ns_(static_cast<std::int64_t>(given.number("--seconds", 10) * 1e9)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  std::ifstream{given.text("--token-file")} >> token_;
  if (token_.empty()) die("--token-file gives no token");
  connections_.resize(static_cast<std::size_t>(given.integer("--connections", 64)));
  std::ifstream ids{given.text("--ids")};
  std::size_t count = 0;
  bool suspended = false;
  for (std::uint64_t id = 0; ids >> id >> suspended; ++count) {
    connections_[count % connections_.size()].mine.push_back({id, suspended});
  }
  if (count < connections_.size()) die("fewer subscriptions than connections");
  accepted_.reserve(1'000'000);
  latencies_ns_.reserve(1'000'000);
}

void load::connect(connection& c) {
  c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port_);
  if (::connect(c.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("cannot connect to the daemon");
  }
  no_delay(c.fd);
  watch(epoll_, c.fd, EPOLLIN);
}

std::string load::change_call(connection& c) const {
  const auto& one = c.mine[c.next];
  return "POST /v1/subscriptions/" + std::to_string(one.id) +
         (one.suspended ? "/resume" : "/suspend") +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token_ +
         "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
}

std::string load::batch_call(connection& c) const {
  constexpr std::size_t streams = 10;
  static const std::string padding(240, 'x');
  c.batch.clear();
  std::string body;
  for (int i = 0; i < batch_; ++i) {
    const auto at = (c.next + static_cast<std::size_t>(i) % streams) % c.mine.size();
    const std::string id = std::to_string(c.mine[at].id);
    c.batch.push_back(c.mine[at].id);
    body += R"({"name":"bench.event","stream":"s)" + id + R"(","data":{"id":)" + id +
            R"(,"line":)" + std::to_string(i) + R"(,"text":")" + padding + "\"}}\n";
  }
  return "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token_ +
         "\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void load::begin(connection& c, std::int64_t due_ns) {
  const std::string request = batch_ > 0 ? batch_call(c) : change_call(c);
  c.due_ns = due_ns;
  c.busy = true;
  ++busy_;
  ++started_;
  if (::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    die("the daemon closed a connection");
  }
}

void load::change_answered(connection& c, const message& answer, std::int64_t now) {
  auto& one = c.mine[c.next];
  const int status = static_cast<int>(digits(answer.head.substr(9)));
  ++statuses_[status];
  if (status != 200) return;
  accepted_.push_back({one.id, number_after(answer.body, "\"version\":"), now});
  one.suspended = !one.suspended;
}

void load::batch_answered(const connection& c, const message& answer, std::int64_t now) {
  const int status = static_cast<int>(digits(answer.head.substr(9)));
  const bool whole = status == 202 && answer.body.find("\"error\"") == std::string_view::npos;
  // Each event counts like a call of its own.
  statuses_[whole || status != 202 ? status : 422] += c.batch.size();
  if (!whole) return;
  for (const std::uint64_t stream : c.batch) accepted_.push_back({stream, 0, now});
}

void load::answered(connection& c, const message& answer) {
  const auto now = monotonic_ns();
  latencies_ns_.push_back(now - c.due_ns);
  if (batch_ > 0) {
    batch_answered(c, answer, now);
    c.next = (c.next + 10) % c.mine.size();
  } else {
    change_answered(c, answer, now);
    c.next = (c.next + 1) % c.mine.size();
  }
  c.busy = false;
  --busy_;
  finished_ns_ = now;
}

bool load::read(connection& c) {
  std::array<char, 16 * 1024> chunk;
  const auto n = ::recv(c.fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) die("the daemon closed a connection");
  c.in.append(chunk.data(), static_cast<std::size_t>(n));
  message answer;
  if (!take_message(c.in, answer)) return false;
  const auto size = answer.size();
  answered(c, answer);
  c.in.erase(0, size);
  return true;
}

// Open loop: as many requests as were due by now, on free connections.
void load::start_due(std::int64_t now) {
  const auto last = std::min(now, end_ns_);
  while (!free_.empty()) {
    const auto due =
        begun_ns_ + static_cast<std::int64_t>(static_cast<double>(started_) / rate_ * 1e9);
    if (due > last) return;
    const auto index = free_.front();
    free_.pop_front();
    begin(connections_[index], due);
  }
}

void load::run() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    connect(connections_[i]);
    by_fd_[connections_[i].fd] = i;
    free_.push_back(i);
  }
  begun_ns_ = monotonic_ns();
  end_ns_ = begun_ns_ + duration_ns_;
  std::array<epoll_event, 256> events{};
  while (true) {
    auto now = monotonic_ns();
    if (rate_ > 0) {
      start_due(now);
    } else {
      for (; !free_.empty() && !over(now); free_.pop_front()) {
        begin(connections_[free_.front()], now);
      }
    }
    if (over(now) && busy_ == 0) return;
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < n; ++i) {
      const auto index = by_fd_[events[static_cast<std::size_t>(i)].data.fd];
      if (read(connections_[index])) free_.push_back(index);
    }
  }
}

double load::percentile(double share) const {
  if (latencies_ns_.empty()) return 0;
  auto sorted = latencies_ns_;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return static_cast<double>(sorted[static_cast<std::size_t>(at)]) / 1e6;
}

void load::print() const {
  std::uint64_t answered_count = 0;
  std::string statuses;
  for (const auto& [status, count] : statuses_) {
    answered_count += count;
    statuses +=
        (statuses.empty() ? "\"" : ",\"") + std::to_string(status) + "\":" + std::to_string(count);
  }
  const double seconds = static_cast<double>(finished_ns_ - begun_ns_) / 1e9;
  std::printf(
      "{\"sent\":%llu,\"ok\":%zu,\"errors\":%llu,\"statuses\":{%s},\"seconds\":%.3f,"
      "\"rate\":%.0f,\"begun_ns\":%lld,\"latency_ms\":{\"p50\":%.3f,\"p90\":%.3f,"
      "\"p99\":%.3f,\"max\":%.3f},\"cpu_seconds\":%.3f}\n",
      static_cast<unsigned long long>(started_), accepted_.size(),
      static_cast<unsigned long long>(answered_count - accepted_.size()), statuses.c_str(), seconds,
      static_cast<double>(accepted_.size()) / seconds, static_cast<long long>(begun_ns_),
      percentile(0.5), percentile(0.9), percentile(0.99), percentile(1.0), cpu_seconds());
}

void load::write_log(const std::string& path) const {
  std::ofstream out{path};
  for (const auto& a : accepted_)
    out << a.subscription << ' ' << a.version << ' ' << a.at_ns << '\n';
}

void load::write_states(const std::string& path) const {
  std::ofstream out{path};
  for (const auto& c : connections_) {
    for (const auto& one : c.mine) out << one.id << ' ' << one.suspended << '\n';
  }
}

}  // namespace
}  // namespace syndicated::bench

int main(int argc, char** argv) {
  const syndicated::bench::arguments given{argc, argv};
  syndicated::bench::load run{given};
  run.run();
  run.print();
  run.write_states(given.text("--ids"));
  if (given.has("--log")) run.write_log(given.text("--log"));
}
