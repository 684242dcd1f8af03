#include "net/curl_loop.hpp"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/base/limits.hpp"
#include "core/delivery/url.hpp"
#include "net/resolver.hpp"
#include "net/socket_table.hpp"
#include "net/start_bound.hpp"
#include "net/target_cache.hpp"
#include "net/thread_signals.hpp"
#include "net/transfer.hpp"

namespace syndicated::net {
namespace {

using core::attempt_error;
using core::attempt_result;

constexpr std::uint64_t doorbell_tag = std::uint64_t{1} << 32U;
constexpr std::uint64_t dns_tag = std::uint64_t{2} << 32U;
constexpr std::size_t events_per_turn = 256;
constexpr std::int64_t dns_wait_check_ms = 100;
constexpr std::int64_t never = INT64_MAX;

std::int64_t monotonic_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

attempt_result failed(attempt_error error, std::string detail) {
  attempt_result out;
  out.error = error;
  out.detail = std::move(detail);
  return out;
}

transfer* carrier_of(CURL* easy) {
  char* owner = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
  return static_cast<transfer*>(static_cast<void*>(owner));
}

attempt_result stopped() { return failed(attempt_error::local, "stopped"); }

}  // namespace

class curl_loop::impl {
 public:
  impl(curl_loop_options options, std::shared_ptr<const core::egress_policy> policy)
      : options_(std::move(options)),
        handshakes_(options_.tls_handshakes_max, options_.start_patience_ms) {
    context_.options = &options_;
    context_.policy = std::move(policy);
    context_.loop = this;
    context_.connected = [](void* self, std::uint64_t ticket) {
      static_cast<impl*>(self)->handshakes_.end(ticket);
    };
    context_.opened = [](void* self, int fd) { static_cast<impl*>(self)->socket_opened(fd); };
    context_.close = [](void* self, int fd) {
      return static_cast<impl*>(self)->sockets_.close(fd);
    };
  }
  ~impl();

  core::result<void> open();
  void start();
  void stop();
  void submit(attempt_request&& request);
  void set_policy(std::shared_ptr<const core::egress_policy> policy);
  void ping(std::function<void()> done);
  curl_loop_stats stats() const;

 private:
  // What other threads leave for the loop.
  struct mail {
    std::vector<attempt_request> requests;
    std::vector<std::function<void()>> pings;
    std::shared_ptr<const core::egress_policy> policy;
  };
  struct dns_waiter {
    attempt_request request;
    std::int64_t since_us = 0;
    std::int64_t deadline_us = 0;
  };

  // What may not begin yet; its time starts when it does.
  struct waiting {
    attempt_request request;
    std::int64_t spent_us = 0;  // on the look-up
  };

  void ring(std::unique_lock<std::mutex> lock);
  void run();
  int wait_ms() const;
  void handle(const epoll_event& event);
  void take_mail();
  void adopt_policy(std::shared_ptr<const core::egress_policy> policy);
  void begin(attempt_request&& request, std::int64_t spent_us = 0);
  void begin_waiting();
  const target& target_of(const std::string& url) { return targets_.of(url, *context_.policy); }
  void wait_for_dns(attempt_request&& request, const std::string& host, std::int64_t since_us);
  void dns_answered(std::uint64_t waiter, const dns_answer& answer);
  void expire_dns_waiters();
  void judge_and_launch(attempt_request&& request, const core::endpoint_url& url,
                        const dns_answer& answer, std::int64_t since_us);
  void launch(attempt_request&& request, const std::string& pin, std::int64_t spent_us);
  transfer* take_transfer();
  void collect();
  void hurry();
  void report(attempt_request&& request, attempt_result&& result);
  void abandon_all();

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  void socket_opened(int fd);

  curl_loop_options options_;
  transfer_context context_;
  CURLM* multi_ = nullptr;
  CURLSH* share_ = nullptr;
  int epoll_ = -1;
  int doorbell_ = -1;
  std::unique_ptr<resolver> resolver_;
  std::vector<std::unique_ptr<transfer>> transfers_;
  std::vector<transfer*> free_;
  std::vector<transfer*> unwatched_;  // a socket of theirs is no longer watched, in this turn
  socket_table sockets_;
  target_cache targets_;
  std::unordered_map<std::uint64_t, dns_waiter> dns_waiters_;
  start_bound handshakes_;
  std::deque<waiting> for_lookup_;
  std::deque<waiting> for_handshake_;
  std::uint64_t next_waiter_ = 1;
  std::int64_t next_dns_check_us_ = 0;
  std::int64_t now_us_ = 0;
  std::int64_t curl_due_us_ = never;
  mail inbox_;  // the loop's side of the swap

  std::mutex mutex_;
  mail mail_;
  bool rung_ = false;
  bool stopping_ = false;
  std::thread thread_;

  std::atomic<std::uint64_t> attempts_{0}, opened_{0}, in_flight_{0}, dns_queries_{0}, dns_hits_{0},
      blocked_{0}, waiting_{0};
};

core::result<void> curl_loop::impl::open() {
  static std::once_flag once;
  static CURLcode global = CURLE_OK;
  std::call_once(once, [] { global = curl_global_init(CURL_GLOBAL_DEFAULT); });
  const auto broken = [](const char* what) {
    return core::error{core::errc::internal, "curl_loop", what, {}, {}};
  };
  if (global != CURLE_OK) return broken("libcurl cannot be initialised");
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  sockets_ = socket_table{epoll_};
  doorbell_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  multi_ = curl_multi_init();
  share_ = curl_share_init();
  if (epoll_ < 0 || doorbell_ < 0 || multi_ == nullptr || share_ == nullptr) {
    return broken("no descriptors or memory for a loop");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = doorbell_tag;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, doorbell_, &event);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  context_.share = share_;
  const bool ok =
      curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &impl::on_socket) == CURLM_OK &&
      curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this) == CURLM_OK &&
      curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &impl::on_timer) == CURLM_OK &&
      curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this) == CURLM_OK &&
      curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
      curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                        static_cast<long>(options_.connections_max)) == CURLM_OK;
  if (!ok) return broken("libcurl refused an option");
  auto made = resolver::create(options_.dns_servers, epoll_, dns_tag,
                               {options_.dns_lookups_max, options_.start_patience_ms});
  if (!made) return std::move(made).failure();
  resolver_ = std::move(made).value();
  return {};
}

curl_loop::impl::~impl() {
  stop();
  resolver_.reset();
  transfers_.clear();
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (share_ != nullptr) curl_share_cleanup(share_);
  if (doorbell_ >= 0) ::close(doorbell_);
  if (epoll_ >= 0) ::close(epoll_);
}

void curl_loop::impl::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread{[this] { run(); }};
  ::pthread_setname_np(thread_.native_handle(), options_.name.substr(0, 15).c_str());
}

void curl_loop::impl::stop() {
  {
    std::unique_lock lock{mutex_};
    if (stopping_) return;
    stopping_ = true;
    ring(std::move(lock));
  }
  if (thread_.joinable()) {
    thread_.join();
  } else {
    abandon_all();  // never started: what was left is reported from here
  }
}

// One wake-up for all that is left until the loop looks.
void curl_loop::impl::ring(std::unique_lock<std::mutex> lock) {
  if (std::exchange(rung_, true)) return;
  lock.unlock();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(doorbell_, &one, sizeof one);
}

void curl_loop::impl::submit(attempt_request&& request) {
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  std::unique_lock lock{mutex_};
  if (stopping_) {
    lock.unlock();
    report(std::move(request), stopped());
    return;
  }
  mail_.requests.push_back(std::move(request));
  ring(std::move(lock));
}

void curl_loop::impl::set_policy(std::shared_ptr<const core::egress_policy> policy) {
  std::unique_lock lock{mutex_};
  mail_.policy = std::move(policy);
  ring(std::move(lock));
}

void curl_loop::impl::ping(std::function<void()> done) {
  std::unique_lock lock{mutex_};
  mail_.pings.push_back(std::move(done));
  ring(std::move(lock));
}

curl_loop_stats curl_loop::impl::stats() const {
  return {attempts_, opened_, in_flight_, dns_queries_, dns_hits_, blocked_, waiting_};
}

void curl_loop::impl::run() {
  block_signals();
  std::array<epoll_event, events_per_turn> events{};
  now_us_ = monotonic_us();
  while (true) {
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
    now_us_ = monotonic_us();
    for (int i = 0; i < n; ++i) handle(events[static_cast<std::size_t>(i)]);
    begin_waiting();
    take_mail();
    if (!dns_waiters_.empty()) {
      resolver_->process_timeouts(now_us_ / 1'000);
      expire_dns_waiters();
    }
    if (now_us_ >= curl_due_us_) {
      curl_due_us_ = never;  // on_timer sets the next one from inside the call
      int running = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect();
    hurry();
    begin_waiting();
    const std::lock_guard lock{mutex_};
    if (stopping_ && mail_.requests.empty()) break;
  }
  abandon_all();
}

int curl_loop::impl::wait_ms() const {
  std::int64_t wait = never;
  if (curl_due_us_ != never)
    wait = (std::max<std::int64_t>(curl_due_us_ - now_us_, 0) + 999) / 1'000;
  if (!dns_waiters_.empty()) {
    const int dns = resolver_->timeout_ms();
    wait = std::min<std::int64_t>(wait, dns < 0 ? dns_wait_check_ms : dns);
    wait = std::min(wait, dns_wait_check_ms);
  }
  const auto until = [this](std::int64_t ms) {
    return std::max<std::int64_t>(ms - now_us_ / 1'000, 0);
  };
  if (!for_lookup_.empty()) wait = std::min(wait, until(resolver_->next_room_ms()));
  if (!for_handshake_.empty()) wait = std::min(wait, until(handshakes_.next_room_us() / 1'000 + 1));
  return wait == never ? -1 : static_cast<int>(std::min<std::int64_t>(wait, 60'000));
}

void curl_loop::impl::handle(const epoll_event& event) {
  const auto fd = static_cast<int>(event.data.u64 & 0xffffffffU);
  const bool error = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool readable = (event.events & EPOLLIN) != 0;
  const bool writable = (event.events & EPOLLOUT) != 0;
  if (event.data.u64 == doorbell_tag) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = ::read(doorbell_, &count, sizeof count);
    return;
  }
  if ((event.data.u64 & dns_tag) != 0) {
    resolver_->process(fd, readable || error, writable || error, now_us_ / 1'000);
    return;
  }
  // An idle connection that the peer closed is noticed by libcurl when it would be reused.
  if (!sockets_.is_wanted(fd)) return;
  const int mask = (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0) |
                   (error ? CURL_CSELECT_ERR : 0);
  int running = 0;
  curl_multi_socket_action(multi_, fd, mask, &running);
}

void curl_loop::impl::take_mail() {
  {
    const std::lock_guard lock{mutex_};
    rung_ = false;
    std::swap(inbox_, mail_);
  }
  if (inbox_.policy) adopt_policy(std::exchange(inbox_.policy, nullptr));
  for (auto& request : inbox_.requests) begin(std::move(request));
  for (auto& done : inbox_.pings) done();
  inbox_.requests.clear();
  inbox_.pings.clear();
}

void curl_loop::impl::adopt_policy(std::shared_ptr<const core::egress_policy> policy) {
  context_.policy = std::move(policy);
  targets_.clear();
  sockets_.retire_all();
}

void curl_loop::impl::begin_waiting() {
  const auto begin_first = [this](std::deque<waiting>& of) {
    waiting first = std::move(of.front());
    of.pop_front();
    begin(std::move(first.request), first.spent_us);
  };
  while (
      !for_lookup_.empty() &&
      resolver_->has_room(target_of(for_lookup_.front().request.url).url.host, now_us_ / 1'000)) {
    begin_first(for_lookup_);
  }
  while (!for_handshake_.empty() && handshakes_.has_room(now_us_)) begin_first(for_handshake_);
  waiting_.store(for_lookup_.size() + for_handshake_.size(), std::memory_order_relaxed);
}

void curl_loop::impl::begin(attempt_request&& request, std::int64_t spent_us) {
  const auto& found = target_of(request.url);
  if (!found.refusal.empty()) {
    report(std::move(request), failed(attempt_error::blocked_destination, found.refusal));
    return;
  }
  if (request.url != found.url.text) request.url = found.url.text;
  if (found.url.ip_literal) {
    launch(std::move(request), {}, 0);
  } else if (const auto* answer = resolver_->cached(found.url.host, now_us_ / 1'000)) {
    if (spent_us == 0) dns_hits_.fetch_add(1, std::memory_order_relaxed);
    judge_and_launch(std::move(request), found.url, *answer, now_us_ - spent_us);
  } else if (resolver_->has_room(found.url.host, now_us_ / 1'000)) {
    wait_for_dns(std::move(request), found.url.host, now_us_ - spent_us);
  } else {
    for_lookup_.push_back({std::move(request), spent_us});
  }
}

void curl_loop::impl::wait_for_dns(attempt_request&& request, const std::string& host,
                                   std::int64_t since_us) {
  const auto id = next_waiter_++;
  const auto deadline = since_us + std::int64_t{request.timeout_ms} * 1'000;
  dns_waiters_.emplace(id, dns_waiter{std::move(request), since_us, deadline});
  resolver_->resolve(host, now_us_ / 1'000,
                     [this, id](const dns_answer& answer) { dns_answered(id, answer); });
  dns_queries_.store(resolver_->queries(), std::memory_order_relaxed);
}

void curl_loop::impl::dns_answered(std::uint64_t waiter, const dns_answer& answer) {
  auto found = dns_waiters_.extract(waiter);
  if (found.empty()) return;  // its time ran out before
  auto& waited = found.mapped();
  const core::endpoint_url url = target_of(waited.request.url).url;
  if (url.host.empty()) {  // the policy changed meanwhile and refuses the URL
    begin(std::move(waited.request));
    return;
  }
  judge_and_launch(std::move(waited.request), url, answer, waited.since_us);
}

void curl_loop::impl::expire_dns_waiters() {
  if (now_us_ < next_dns_check_us_) return;
  next_dns_check_us_ = now_us_ + dns_wait_check_ms * 1'000;
  std::vector<dns_waiter> late;
  std::erase_if(dns_waiters_, [&](auto& entry) {
    if (entry.second.deadline_us > now_us_) return false;
    late.push_back(std::move(entry.second));
    return true;
  });
  for (auto& one : late) {
    auto result = failed(attempt_error::dns, "no answer in time");
    result.timing.total_us = static_cast<std::uint32_t>(now_us_ - one.since_us);
    report(std::move(one.request), std::move(result));
  }
}

// Every answer must be allowed: one bad address among good ones is an attack, not a choice.
void curl_loop::impl::judge_and_launch(attempt_request&& request, const core::endpoint_url& url,
                                       const dns_answer& answer, std::int64_t since_us) {
  if (answer.addresses.empty()) {
    auto result = failed(attempt_error::dns, answer.failure);
    result.timing.dns_us = result.timing.total_us = static_cast<std::uint32_t>(now_us_ - since_us);
    report(std::move(request), std::move(result));
    return;
  }
  std::string pin = "+" + url.host + ":" + std::to_string(url.port) + ":";
  std::size_t pinned = 0;
  for (const auto& address : answer.addresses) {
    if (!context_.policy->allows(address, url.port)) {
      report(std::move(request), failed(attempt_error::blocked_destination,
                                        url.host + " has the address " + to_string(address)));
      return;
    }
    if (++pinned > core::limits::dns_answers_max) continue;
    if (pinned > 1) pin += ',';
    pin += address.is_v4() ? to_string(address) : "[" + to_string(address) + "]";
  }
  launch(std::move(request), pin, now_us_ - since_us);
}

void curl_loop::impl::launch(attempt_request&& request, const std::string& pin,
                             std::int64_t spent_us) {
  const auto left_ms = request.timeout_ms - spent_us / 1'000;
  if (left_ms <= 0) {
    report(std::move(request), failed(attempt_error::timeout, "no time left after DNS"));
    return;
  }
  const bool tls = request.url.starts_with("https:");
  if (tls && !handshakes_.has_room(now_us_)) {
    for_handshake_.push_back({std::move(request), spent_us});
    return;
  }
  transfer* const carrier = take_transfer();
  if (carrier == nullptr) {
    report(std::move(request), failed(attempt_error::local, "out of memory"));
    return;
  }
  const bool ok = carrier->prepare(std::move(request), pin, static_cast<int>(left_ms),
                                   static_cast<std::uint32_t>(spent_us));
  carrier->set_ticket(tls ? handshakes_.begin(now_us_) : 0);
  if (ok && curl_multi_add_handle(multi_, carrier->easy()) == CURLM_OK) return;
  handshakes_.end(carrier->ticket());
  auto back = std::move(carrier->request());
  carrier->finish(CURLE_FAILED_INIT);
  free_.push_back(carrier);
  report(std::move(back), failed(attempt_error::local, "libcurl refused the request"));
}

transfer* curl_loop::impl::take_transfer() {
  if (free_.empty()) {
    auto made = transfer::create(context_);
    if (!made) return nullptr;
    transfers_.push_back(std::move(made));
    return transfers_.back().get();
  }
  transfer* const reused = free_.back();
  free_.pop_back();
  return reused;
}

void curl_loop::impl::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    auto* const carrier = carrier_of(easy);
    curl_multi_remove_handle(multi_, easy);  // ends `message`
    handshakes_.end(carrier->ticket());
    auto done = std::move(carrier->request().done);
    auto result = carrier->finish(code);
    free_.push_back(carrier);
    attempt_request ended;
    ended.done = std::move(done);
    report(std::move(ended), std::move(result));
  }
}

// What is left of them after collect() has lost a socket, but not its last address.
void curl_loop::impl::hurry() {
  for (auto* carrier : unwatched_) carrier->try_next_address();
  unwatched_.clear();
}

void curl_loop::impl::report(attempt_request&& request, attempt_result&& result) {
  attempts_.fetch_add(1, std::memory_order_relaxed);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  if (result.error == attempt_error::blocked_destination) {
    blocked_.fetch_add(1, std::memory_order_relaxed);
  }
  const auto done = std::move(request.done);
  if (done) done(std::move(result));
}

void curl_loop::impl::abandon_all() {
  std::vector<attempt_request> left;
  for (const auto& carrier : transfers_) {
    if (!carrier->busy()) continue;
    curl_multi_remove_handle(multi_, carrier->easy());
    left.push_back(std::move(carrier->request()));
    carrier->finish(CURLE_ABORTED_BY_CALLBACK);
    free_.push_back(carrier.get());
  }
  for (auto* queue : {&for_lookup_, &for_handshake_}) {
    for (auto& one : *queue) left.push_back(std::move(one.request));
    queue->clear();
  }
  for (auto& [id, waiter] : dns_waiters_) left.push_back(std::move(waiter.request));
  dns_waiters_.clear();
  {
    const std::lock_guard lock{mutex_};
    for (auto& request : mail_.requests) left.push_back(std::move(request));
    mail_ = {};
  }
  for (auto& request : left) report(std::move(request), stopped());
}

int curl_loop::impl::on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  auto& me = *static_cast<impl*>(self);
  const std::uint32_t events = what == CURL_POLL_IN      ? static_cast<std::uint32_t>(EPOLLIN)
                               : what == CURL_POLL_OUT   ? static_cast<std::uint32_t>(EPOLLOUT)
                               : what == CURL_POLL_INOUT ? std::uint32_t{EPOLLIN | EPOLLOUT}
                                                         : 0U;
  me.sockets_.want(fd, events);
  if (what == CURL_POLL_REMOVE) {
    if (auto* const carrier = carrier_of(easy)) me.unwatched_.push_back(carrier);
  }
  return 0;
}

void curl_loop::impl::socket_opened(int fd) {
  sockets_.opened(fd);
  opened_.fetch_add(1, std::memory_order_relaxed);
}

// Only remembers the time: calling libcurl from here would recurse (library-notes.md 2.1, 2).
int curl_loop::impl::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& me = *static_cast<impl*>(self);
  me.curl_due_us_ = timeout_ms < 0    ? never
                    : timeout_ms == 0 ? 0
                                      : monotonic_us() + std::int64_t{timeout_ms} * 1'000;
  return 0;
}

core::result<std::unique_ptr<curl_loop>> curl_loop::create(
    curl_loop_options options, std::shared_ptr<const core::egress_policy> policy) {
  auto body = std::make_unique<impl>(std::move(options), std::move(policy));
  if (auto ok = body->open(); !ok) return std::move(ok).failure();
  return std::unique_ptr<curl_loop>{new curl_loop{std::move(body)}};
}

curl_loop::curl_loop(std::unique_ptr<impl> body) : impl_(std::move(body)) {}
curl_loop::~curl_loop() = default;

void curl_loop::start() { impl_->start(); }
void curl_loop::submit(attempt_request request) { impl_->submit(std::move(request)); }
void curl_loop::set_policy(std::shared_ptr<const core::egress_policy> policy) {
  impl_->set_policy(std::move(policy));
}
void curl_loop::ping(std::function<void()> done) { impl_->ping(std::move(done)); }
curl_loop_stats curl_loop::stats() const { return impl_->stats(); }
void curl_loop::stop() { impl_->stop(); }

}  // namespace syndicated::net
