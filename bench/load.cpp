// Drives the public API. Each accepted call is one change of one subscription; or sends one event a
// call to any webhook server.
//
//   bench_load --port N --token-file F --ids F [--call WHAT] [--connections N] [--log F]
//     --call toggle   suspends and resumes in turn, each an event   [--seconds S] [--rate R]
//            create   makes subscriptions, appends them to --ids    --count N --plan P --tenant T
//            publish  lines of events: of ten streams named after the connection's subscriptions,
//                     the same number of each, 300 bytes of data  [--batch N] [--seconds S]
//            deploy   reports each subscription of --ids as deployed, with a vendor's token
//            send     the HTTP request in --request, as it stands, where ten @ are the place of the
//                     event's number (from 1000000000 on)  [--seconds S] [--rate R]
//
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
#include <iterator>
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
  std::uint64_t number = 0;          // of the event under way
};

struct acceptance {
  std::uint64_t subscription;
  std::uint64_t version;
  std::int64_t at_ns;
};

enum class call { toggle, create, deploy, publish, send };

constexpr std::size_t streams_per_batch = 10;
constexpr std::string_view number_mark = "@@@@@@@@@@";
constexpr std::uint64_t first_number = 1'000'000'000;  // as many digits as the mark

call call_named(const std::string& name) {
  if (name == "toggle") return call::toggle;
  if (name == "create") return call::create;
  if (name == "deploy") return call::deploy;
  if (name == "publish") return call::publish;
  if (name == "send") return call::send;
  die("--call is toggle, create, deploy, publish or send");
}

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
  bool read(connection& c);  // true: its request is answered
  void answered(connection& c, const message& answer);
  void start_due(std::int64_t now);
  std::string request_of(connection& c) const;
  std::string lines_of(connection& c) const;
  std::string numbered(connection& c) const;
  bool has_work(const connection& c) const;
  bool over(std::int64_t now) const;
  double percentile(double share) const;

  int port_;
  call call_;
  std::uint64_t count_;  // of calls; 0 = until the time is over
  std::string creation_;
  double rate_;
  std::size_t batch_;  // lines a call
  std::int64_t duration_ns_;
  std::string token_;
  std::string request_;  // of call::send
  std::size_t number_at_ = 0;
  int epoll_;
  std::vector<connection> connections_;
  std::deque<std::size_t> free_;
  std::map<int, std::size_t> by_fd_;
  std::size_t busy_ = 0;
  std::int64_t begun_ns_ = 0;
  std::int64_t end_ns_ = 0;
  std::int64_t finished_ns_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t ok_ = 0;
  bool keep_log_;
  std::map<int, std::uint64_t> statuses_;
  std::vector<acceptance> accepted_;
  std::vector<std::int64_t> latencies_ns_;
};

load::load(const arguments& given)
    : port_(given.integer("--port", 0)),
      call_(call_named(given.text("--call", "toggle"))),
      count_(static_cast<std::uint64_t>(given.integer("--count", 0))),
      creation_(R"({"paid":true,"tenant_id":)" + given.text("--tenant", "1") + R"(,"plan_id":)" +
                given.text("--plan", "1") + "}"),
      rate_(given.number("--rate", 0)),
      batch_(static_cast<std::size_t>(given.integer("--batch", 100))),
      duration_ns_(static_cast<std::int64_t>(given.number("--seconds", 10) * 1e9)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      keep_log_(given.has("--log")) {
  if (call_ == call::send) {
    std::ifstream in{given.text("--request"), std::ios::binary};
    request_.assign(std::istreambuf_iterator<char>{in}, {});
    number_at_ = request_.find(number_mark);
    if (number_at_ == std::string::npos) die("--request gives no request with ten @");
  } else {
    std::ifstream{given.text("--token-file")} >> token_;
    if (token_.empty()) die("--token-file gives no token");
  }
  connections_.resize(static_cast<std::size_t>(given.integer("--connections", 64)));
  std::ifstream ids{given.text("--ids")};
  std::size_t count = 0;
  bool suspended = false;
  for (std::uint64_t id = 0; ids >> id >> suspended; ++count) {
    connections_[count % connections_.size()].mine.push_back({id, suspended});
  }
  if (call_ == call::deploy) count_ = count;
  if (call_ == call::create && count_ == 0) die("--count is missing");
  if (call_ == call::toggle && count < connections_.size()) {
    die("fewer subscriptions than connections");
  }
  if (keep_log_) accepted_.reserve(1'000'000);
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

std::string load::numbered(connection& c) const {
  std::string text = request_;
  c.number = first_number + started_;
  text.replace(number_at_, number_mark.size(), std::to_string(c.number));
  return text;
}

std::string load::request_of(connection& c) const {
  std::string target = "POST /v1/subscriptions";
  std::string type = "json";
  std::string body = "{}";
  switch (call_) {
    case call::send: return numbered(c);
    case call::create: body = creation_; break;
    case call::deploy:
      target = "PATCH /api/subscription/" + std::to_string(c.mine[c.next].id);
      body = R"({"deploymentStatus":"DEPLOYED"})";
      break;
    case call::publish:
      target = "POST /v1/events";
      type = "x-ndjson";
      body = lines_of(c);
      break;
    case call::toggle: {
      const auto& one = c.mine[c.next];
      target += '/' + std::to_string(one.id) + (one.suspended ? "/resume" : "/suspend");
      break;
    }
  }
  return target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token_ +
         "\r\nContent-Type: application/" + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string load::lines_of(connection& c) const {
  static const std::string padding(240, 'x');
  c.batch.clear();
  std::string body;
  for (std::size_t i = 0; i < batch_; ++i) {
    const auto at = (c.next + i % streams_per_batch) % c.mine.size();
    const std::string id = std::to_string(c.mine[at].id);
    c.batch.push_back(c.mine[at].id);
    body += R"({"name":"bench.event","stream":"s)" + id + R"(","data":{"id":)" + id +
            R"(,"line":)" + std::to_string(i) + R"(,"text":")" + padding + "\"}}\n";
  }
  return body;
}

bool load::has_work(const connection& c) const {
  return call_ != call::deploy || c.next < c.mine.size();
}

bool load::over(std::int64_t now) const { return count_ > 0 ? started_ >= count_ : now >= end_ns_; }

void load::begin(connection& c, std::int64_t due_ns) {
  const std::string request = request_of(c);
  c.due_ns = due_ns;
  c.busy = true;
  ++busy_;
  ++started_;
  if (::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    die("the daemon closed a connection");
  }
}

void load::answered(connection& c, const message& answer) {
  const auto now = monotonic_ns();
  latencies_ns_.push_back(now - c.due_ns);
  int status = static_cast<int>(digits(answer.head.substr(9)));
  if (status == 202 && answer.body.find("\"error\"") != std::string_view::npos) status = 422;
  const bool ok = status >= 200 && status < 300;
  // Each event of a batch counts like a call of its own.
  const std::uint64_t events = call_ == call::publish ? c.batch.size() : 1;
  statuses_[status] += events;
  if (ok) ok_ += events;
  switch (call_) {
    case call::create:
      if (ok) c.mine.push_back({number_after(answer.body, "\"id\":"), false});
      break;
    case call::deploy: ++c.next; break;
    case call::send:
      if (ok && keep_log_) accepted_.push_back({c.number, 0, now});
      break;
    case call::publish:
      if (ok && keep_log_) {
        for (const std::uint64_t stream : c.batch) accepted_.push_back({stream, 0, now});
      }
      c.next = (c.next + streams_per_batch) % c.mine.size();
      break;
    case call::toggle: {
      auto& one = c.mine[c.next];
      if (ok) {
        if (keep_log_) {
          accepted_.push_back({one.id, number_after(answer.body, "\"version\":"), now});
        }
        one.suspended = !one.suspended;
      }
      c.next = (c.next + 1) % c.mine.size();
      break;
    }
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
  if (answer.head.find("chunked") != std::string_view::npos) {
    die("the server answers in chunks, which are not read here: its answers would be miscounted");
  }
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
        connection& c = connections_[free_.front()];
        if (has_work(c)) begin(c, now);
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
      "{\"sent\":%llu,\"ok\":%llu,\"errors\":%llu,\"statuses\":{%s},\"seconds\":%.3f,"
      "\"rate\":%.0f,\"begun_ns\":%lld,\"latency_ms\":{\"p50\":%.3f,\"p90\":%.3f,"
      "\"p99\":%.3f,\"max\":%.3f},\"cpu_seconds\":%.3f}\n",
      static_cast<unsigned long long>(started_), static_cast<unsigned long long>(ok_),
      static_cast<unsigned long long>(answered_count - ok_), statuses.c_str(), seconds,
      static_cast<double>(ok_) / seconds, static_cast<long long>(begun_ns_), percentile(0.5),
      percentile(0.9), percentile(0.99), percentile(1.0), cpu_seconds());
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
  if (given.has("--ids")) run.write_states(given.text("--ids"));
  if (given.has("--log")) run.write_log(given.text("--log"));
}
