#include "net/resolver.hpp"

#include <ares.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "core/base/limits.hpp"
#include "net/socket_address.hpp"

namespace syndicated::net {
namespace {

namespace limits = core::limits;

constexpr int try_timeout_ms = 2'000;
constexpr int tries = 2;
constexpr std::int64_t failure_ms = 2'000;  // a name just created should not stay unknown for long
constexpr std::size_t answers_judged_max = 256;
constexpr std::size_t cache_names_max = 8'192;

core::error setup_error(int status) {
  return {core::errc::internal, "resolver", ares_strerror(status), {}, {}};
}

std::string join(const std::vector<std::string>& servers) {
  std::string list;
  for (const auto& server : servers) list += (list.empty() ? "" : ",") + server;
  return list;
}

// Asks the kernel's routes; nothing is sent.
bool has_route(const sockaddr_in6& to) {
  const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  const bool connected = ::connect(fd, address, sizeof to) == 0;
  ::close(fd);
  return connected;
}

// IPv6 first where there is a way to it, and as the server gave them otherwise. c-ares would ask
// the kernel about each of them (RFC 6724), which for an answer of 64 KiB stops the loop for some
// 50 ms: one tells as much about the others.
void order(std::vector<core::ip_address>& addresses, const ares_addrinfo_node* nodes) {
  while (nodes != nullptr && nodes->ai_family != AF_INET6) nodes = nodes->ai_next;
  if (nodes == nullptr) return;
  sockaddr_in6 first{};
  std::memcpy(&first, nodes->ai_addr, sizeof first);
  const bool v6_first = has_route(first);
  std::stable_partition(
      addresses.begin(), addresses.end(),
      [v6_first](const core::ip_address& address) { return address.is_v4() != v6_first; });
}

}  // namespace

class resolver::impl {
 public:
  explicit impl(start_bound lookups) : lookups_(std::move(lookups)) {}
  ~impl() {
    // ares_destroy calls every outstanding query back: these find the list of names empty.
    closing_ = true;
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  core::result<void> open(const std::vector<std::string>& servers, int epoll_fd, std::uint64_t tag);
  const dns_answer* cached(const std::string& host, std::int64_t now_ms);
  bool has_room(const std::string& host, std::int64_t now_ms);
  void resolve(const std::string& host, std::int64_t now_ms, callback done);
  void finish_ready();

  start_bound lookups_;
  ares_channel channel_ = nullptr;
  std::int64_t now_ms_ = 0;
  std::uint64_t queries_ = 0;
  std::size_t running_ = 0;
  bool has_ready() const noexcept { return !ready_.empty(); }

 private:
  struct name {
    dns_answer answer;
    std::int64_t expires_ms = 0;
    bool pending = false;
    std::uint64_t ticket = 0;  // of lookups_
    std::vector<callback> waiting;
  };
  struct query {
    impl* owner;
    std::string host;
  };

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
  static void on_answer(void* argument, int status, int timeouts, ares_addrinfo* found);
  void take_answer(const std::string& host, int status, const ares_addrinfo* found);
  void make_room();

  int epoll_fd_ = -1;
  std::uint64_t tag_ = 0;
  bool closing_ = false;
  std::unordered_map<std::string, name> names_;
  std::vector<std::string> ready_;  // names whose waiters are to be called
};

core::result<void> resolver::impl::open(const std::vector<std::string>& servers, int epoll_fd,
                                        std::uint64_t tag) {
  static std::once_flag once;
  static int library = ARES_SUCCESS;
  std::call_once(once, [] { library = ares_library_init(ARES_LIB_INIT_ALL); });
  if (library != ARES_SUCCESS) return setup_error(library);
  epoll_fd_ = epoll_fd;
  tag_ = tag;
  char dns_only[] = "b";
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = try_timeout_ms;
  options.tries = tries;
  options.lookups = dns_only;
  options.sock_state_cb = &impl::on_socket;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                   ARES_OPT_SOCK_STATE_CB;
  if (const int status = ares_init_options(&channel_, &options, mask); status != ARES_SUCCESS) {
    return setup_error(status);
  }
  if (servers.empty()) return {};
  const int status = ares_set_servers_ports_csv(channel_, join(servers).c_str());
  if (status == ARES_SUCCESS) return {};
  return core::error{core::errc::invalid,
                     "dns_servers",
                     "'" + join(servers) + "' is not a list of ADDRESS:PORT",
                     {},
                     {}};
}

void resolver::impl::on_socket(void* self, ares_socket_t fd, int readable, int writable) {
  const auto& me = *static_cast<impl*>(self);
  epoll_event event{};
  event.events = (readable != 0 ? static_cast<unsigned>(EPOLLIN) : 0U) |
                 (writable != 0 ? static_cast<unsigned>(EPOLLOUT) : 0U);
  event.data.u64 = me.tag_ | static_cast<std::uint32_t>(fd);
  if (event.events == 0) {
    ::epoll_ctl(me.epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  } else if (::epoll_ctl(me.epoll_fd_, EPOLL_CTL_MOD, fd, &event) != 0) {
    ::epoll_ctl(me.epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  }
}

const dns_answer* resolver::impl::cached(const std::string& host, std::int64_t now_ms) {
  const auto found = names_.find(host);
  if (found == names_.end() || found->second.pending || found->second.expires_ms <= now_ms) {
    return nullptr;
  }
  return &found->second.answer;
}

bool resolver::impl::has_room(const std::string& host, std::int64_t now_ms) {
  const auto found = names_.find(host);
  return (found != names_.end() && found->second.pending) || lookups_.has_room(now_ms * 1'000);
}

// Names nobody waits for are given up, expired ones first.
void resolver::impl::make_room() {
  if (names_.size() < cache_names_max) return;
  std::erase_if(names_, [this](const auto& entry) {
    return !entry.second.pending && entry.second.waiting.empty() &&
           entry.second.expires_ms <= now_ms_;
  });
  if (names_.size() < cache_names_max) return;
  std::erase_if(names_, [](const auto& entry) {
    return !entry.second.pending && entry.second.waiting.empty();
  });
}

void resolver::impl::resolve(const std::string& host, std::int64_t now_ms, callback done) {
  now_ms_ = now_ms;
  make_room();
  auto& entry = names_[host];
  entry.waiting.push_back(std::move(done));
  if (entry.pending) return;
  entry.pending = true;
  entry.ticket = lookups_.begin(now_ms * 1'000);
  ++queries_;
  ++running_;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  auto argument = std::make_unique<query>(query{this, host});
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &impl::on_answer, argument.release());
}

void resolver::impl::on_answer(void* argument, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<query> asked{static_cast<query*>(argument)};
  if (!asked->owner->closing_) asked->owner->take_answer(asked->host, status, found);
  if (found != nullptr) ares_freeaddrinfo(found);
}

void resolver::impl::take_answer(const std::string& host, int status, const ares_addrinfo* found) {
  auto& entry = names_[host];
  entry.pending = false;
  lookups_.end(entry.ticket);
  --running_;
  entry.answer = {};
  std::int64_t ttl_s = limits::dns_cache_s_max;
  for (auto* node = found == nullptr ? nullptr : found->nodes; node != nullptr;
       node = node->ai_next) {
    const auto read = read_socket_address(node->ai_addr);
    if (read && entry.answer.addresses.size() < answers_judged_max) {
      entry.answer.addresses.push_back(read->address);
    }
    ttl_s = std::min<std::int64_t>(ttl_s, node->ai_ttl);
  }
  if (found != nullptr) order(entry.answer.addresses, found->nodes);
  ttl_s = std::max<std::int64_t>(ttl_s, limits::dns_cache_s_min);
  const bool failed = entry.answer.addresses.empty();
  if (failed) {
    entry.answer.failure = status == ARES_SUCCESS ? "no addresses" : ares_strerror(status);
  }
  entry.expires_ms = now_ms_ + (failed ? failure_ms : ttl_s * 1'000);
  ready_.push_back(host);
}

// Waiters are called outside c-ares, since they may ask again.
void resolver::impl::finish_ready() {
  while (!ready_.empty()) {
    const std::string host = std::move(ready_.back());
    ready_.pop_back();
    auto& entry = names_[host];
    const auto waiting = std::exchange(entry.waiting, {});
    const dns_answer answer = entry.answer;
    for (const auto& call : waiting) call(answer);
  }
}

core::result<std::unique_ptr<resolver>> resolver::create(const std::vector<std::string>& servers,
                                                         int epoll_fd, std::uint64_t tag,
                                                         start_bound lookups) {
  auto body = std::make_unique<impl>(std::move(lookups));
  if (auto ok = body->open(servers, epoll_fd, tag); !ok) return std::move(ok).failure();
  return std::unique_ptr<resolver>{new resolver{std::move(body)}};
}

resolver::resolver(std::unique_ptr<impl> body) : impl_(std::move(body)) {}
resolver::~resolver() = default;

const dns_answer* resolver::cached(const std::string& host, std::int64_t now_ms) {
  return impl_->cached(host, now_ms);
}

bool resolver::has_room(const std::string& host, std::int64_t now_ms) {
  return impl_->has_room(host, now_ms);
}

std::int64_t resolver::next_room_ms() const { return impl_->lookups_.next_room_us() / 1'000 + 1; }

void resolver::resolve(const std::string& host, std::int64_t now_ms, callback done) {
  impl_->resolve(host, now_ms, std::move(done));
}

void resolver::process(int fd, bool readable, bool writable, std::int64_t now_ms) {
  impl_->now_ms_ = now_ms;
  ares_process_fd(impl_->channel_, readable ? fd : ARES_SOCKET_BAD,
                  writable ? fd : ARES_SOCKET_BAD);
  impl_->finish_ready();
}

void resolver::process_timeouts(std::int64_t now_ms) {
  impl_->now_ms_ = now_ms;
  if (impl_->running_ > 0) ares_process_fd(impl_->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  impl_->finish_ready();
}

int resolver::timeout_ms() const {
  if (impl_->has_ready()) return 0;
  if (impl_->running_ == 0) return -1;
  timeval at_most{1, 0};
  timeval next{};
  const timeval* wait = ares_timeout(impl_->channel_, &at_most, &next);
  return static_cast<int>(wait->tv_sec * 1'000 + wait->tv_usec / 1'000) + 1;
}

std::uint64_t resolver::queries() const noexcept { return impl_->queries_; }

}  // namespace syndicated::net
