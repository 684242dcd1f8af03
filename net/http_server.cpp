#include "net/http_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <optional>
#include <unordered_map>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

#include "core/base/log.hpp"
#include "net/http_connection.hpp"
#include "net/listen_socket.hpp"
#include "net/socket_address.hpp"
#include "net/thread_signals.hpp"

namespace syndicated::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::generic::stream_protocol;
using executor = asio::io_context::executor_type;
using plain_socket = asio::basic_stream_socket<stream_protocol, executor>;
using tls_socket = asio::ssl::stream<plain_socket>;

constexpr int accepts_per_turn = 64;
constexpr std::size_t refusals_at_a_time = 64;
constexpr auto accept_pause = std::chrono::milliseconds{100};

// The connection's stream over asio; `Stream` is a plain or a TLS socket.
template <class Stream>
class stream_connection final : public connection {
 public:
  template <class... Args>
  stream_connection(connection_host& host, std::uint64_t id, std::string peer, Args&&... args)
      : connection(host, id, std::move(peer)), stream_(std::forward<Args>(args)...) {}

 private:
  static constexpr bool is_tls = std::is_same_v<Stream, tls_socket>;

  std::shared_ptr<stream_connection> self() {
    return std::static_pointer_cast<stream_connection>(shared_from_this());
  }

  void start_handshake() override {
    if constexpr (is_tls) {
      stream_.async_handshake(
          asio::ssl::stream_base::server,
          [me = self()](const boost::system::error_code& failed) { me->on_handshake(!failed); });
    } else {
      on_handshake(true);
    }
  }

  void start_read(asio::mutable_buffer to) override {
    stream_.async_read_some(to, [me = self()](const boost::system::error_code& failed,
                                              std::size_t n) { me->on_read(!failed, n); });
  }

  void start_interim(std::string_view bytes) override {
    asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), written());
  }

  void start_write(outgoing_serializer& response, bool head_only) override {
    if (head_only) {
      http::async_write_header(stream_, response, written());
    } else {
      http::async_write(stream_, response, written());
    }
  }

  auto written() {
    return [me = self()](const boost::system::error_code& failed, std::size_t) {
      me->on_write(!failed);
    };
  }

  bool end_output() override {
    if constexpr (is_tls) {
      // Sends close_notify and waits for the peer's; the end comes as a failed read.
      stream_.async_shutdown(
          [me = self()](const boost::system::error_code&) { me->on_read(false, 0); });
      return true;
    } else {
      boost::system::error_code ignored;
      stream_.shutdown(plain_socket::shutdown_send, ignored);
      return false;
    }
  }

  void close_socket() override {
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

  Stream stream_;
};

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const auto n = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), n};
}

std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

core::error tls_error(const std::string& file, const boost::system::error_code& why) {
  return {core::errc::invalid, "tls_files", file + ": " + why.message(), {}, {}};
}

bool is_exhaustion(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

}  // namespace

class http_server::impl final : public connection_host {
 public:
  explicit impl(http_server_options wanted, http_handler handle) {
    options = std::move(wanted);
    handler = std::move(handle);
    bodies = std::make_shared<body_budget>(options.bodies_bytes_max);
  }

  ~impl() override { stop(); }

  core::result<void> open();
  void start();
  void stop_accepting();
  bool drain(std::chrono::milliseconds limit);
  void stop();
  void ping(std::function<void()> done) { asio::post(io_, std::move(done)); }
  std::uint16_t port() const noexcept { return listener_.port(); }
  http_server_stats stats() const;

  void forget(std::uint64_t id) override;

 private:
  core::result<void> open_tls();
  void run();
  void wait_for_connections();
  void accept_some();
  void pause_accepting(int why);
  void adopt(int fd, const sockaddr* peer);
  void close_listener();
  void sweep();
  void arm_sweep();

  asio::io_context io_{1};
  listen_socket listener_;
  asio::posix::stream_descriptor acceptor_{io_};
  asio::steady_timer accept_timer_{io_};
  asio::steady_timer sweep_timer_{io_};
  std::optional<asio::ssl::context> tls_;
  std::unordered_map<std::uint64_t, std::shared_ptr<connection>> connections_;
  std::uint64_t next_id_ = 1;
  std::chrono::milliseconds sweep_every_{1'000};
  std::int64_t last_exhaustion_log_ms_ = 0;
  std::thread thread_;
  std::mutex drain_mutex_;
  std::condition_variable drained_;
  bool stopped_ = false;
};

core::result<void> http_server::impl::open() {
  auto made = options.listen_fd >= 0 ? listen_socket::inherited(options.listen_fd)
              : !options.unix_path.empty()
                  ? listen_socket::unix_path(options.unix_path, options.unix_mode)
                  : listen_socket::tcp(options.address);
  if (!made) return std::move(made).failure();
  listener_ = std::move(made).value();
  if (!options.tls_certificate_file.empty()) {
    if (auto ok = open_tls(); !ok) return ok;
  }
  const int shortest =
      std::min({options.head_timeout_ms, options.body_timeout_ms, options.idle_timeout_ms});
  sweep_every_ = std::chrono::milliseconds{std::clamp(shortest / 4, 20, 1'000)};
  now_ms = monotonic_ms();
  date = http_date();
  answers = std::make_shared<answer_queue>(
      [this] { asio::post(io_, [this] { answers->deliver_all(); }); },
      [this](answer_queue::answer&& item) {
        const auto found = connections_.find(item.connection);
        if (found == connections_.end()) return;
        const auto alive = found->second;
        alive->deliver(std::move(item));
      });
  boost::system::error_code failed;
  acceptor_.assign(listener_.fd(), failed);
  if (failed) {
    return core::error{core::errc::invalid, "listen_failed", failed.message(), {}, {}};
  }
  return {};
}

core::result<void> http_server::impl::open_tls() {
  boost::system::error_code failed;
  tls_.emplace(asio::ssl::context::tls_server);
  tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1,
                    failed);
  SSL_CTX_set_options(tls_->native_handle(), SSL_OP_NO_RENEGOTIATION);
  tls_->use_certificate_chain_file(options.tls_certificate_file, failed);
  if (failed) return tls_error(options.tls_certificate_file, failed);
  tls_->use_private_key_file(options.tls_key_file, asio::ssl::context::pem, failed);
  if (failed) return tls_error(options.tls_key_file, failed);
  if (SSL_CTX_check_private_key(tls_->native_handle()) != 1) {
    return core::error{core::errc::invalid,
                       "tls_files",
                       options.tls_key_file + " does not belong to the certificate",
                       {},
                       {}};
  }
  return {};
}

void http_server::impl::start() {
  if (thread_.joinable() || stopped_) return;
  thread_ = std::thread{[this] { run(); }};
  ::pthread_setname_np(thread_.native_handle(), options.name.substr(0, 15).c_str());
}

void http_server::impl::run() {
  block_signals();
  answers->run_on_this_thread();
  arm_sweep();
  wait_for_connections();
  const auto work = asio::make_work_guard(io_);
  io_.run();
}

void http_server::impl::wait_for_connections() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& failed) {
                         if (!failed) accept_some();
                       });
}

void http_server::impl::accept_some() {
  for (int i = 0; i < accepts_per_turn && acceptor_.is_open(); ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    auto* raw = reinterpret_cast<sockaddr*>(&peer);
    const int fd = ::accept4(listener_.fd(), raw, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      adopt(fd, raw);
    } else if (is_exhaustion(errno)) {
      pause_accepting(errno);
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      break;  // EAGAIN, or a fault of this one connection
    }
  }
  wait_for_connections();
}

// Without a free descriptor accept fails at once and for ever: waiting for "readable" would spin.
void http_server::impl::pause_accepting(int why) {
  constexpr std::int64_t log_every_ms = 10'000;
  if (now_ms - last_exhaustion_log_ms_ > log_every_ms) {
    last_exhaustion_log_ms_ = now_ms;
    core::log(core::log_level::error, options.name, "cannot accept connections for a while",
              {{"reason", std::strerror(why)}});
  }
  accept_timer_.expires_after(accept_pause);
  accept_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) accept_some();
  });
}

void http_server::impl::adopt(int fd, const sockaddr* peer) {
  const bool full = counters.open >= options.connections_max;
  // Over the cap a few are told so; beyond these, and under TLS, closing must do.
  if (full && (tls_ || counters.open >= options.connections_max + refusals_at_a_time)) {
    counters.refused.fetch_add(1, std::memory_order_relaxed);
    ::close(fd);
    return;
  }
  const int family = listener_.is_unix() ? AF_UNIX : peer->sa_family;
  const int on = 1;
  if (family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  plain_socket socket{io_};
  boost::system::error_code failed;
  socket.assign(stream_protocol{family, family == AF_UNIX ? 0 : IPPROTO_TCP}, fd, failed);
  if (failed) {
    ::close(fd);
    return;
  }
  const auto id = next_id_++;
  auto shown = listener_.is_unix() ? std::string{"unix"} : show_socket_address(peer);
  std::shared_ptr<connection> made;
  if (tls_) {
    made = std::make_shared<stream_connection<tls_socket>>(*this, id, std::move(shown),
                                                           std::move(socket), *tls_);
  } else {
    made = std::make_shared<stream_connection<plain_socket>>(*this, id, std::move(shown),
                                                             std::move(socket));
  }
  connections_.emplace(id, made);
  counters.open.fetch_add(1, std::memory_order_relaxed);
  if (full) {
    counters.refused.fetch_add(1, std::memory_order_relaxed);
    made->start_refused({503, "too_many_connections", "the server has no place for a connection"});
  } else {
    counters.accepted.fetch_add(1, std::memory_order_relaxed);
    made->start();
  }
}

void http_server::impl::forget(std::uint64_t id) {
  if (connections_.erase(id) == 0) return;
  const std::lock_guard lock{drain_mutex_};
  if (counters.open.fetch_sub(1) == 1) drained_.notify_all();
}

void http_server::impl::arm_sweep() {
  sweep_timer_.expires_after(sweep_every_);
  sweep_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    sweep();
    arm_sweep();
  });
}

void http_server::impl::sweep() {
  now_ms = monotonic_ms();
  date = http_date();
  std::vector<std::shared_ptr<connection>> all;
  all.reserve(connections_.size());
  for (const auto& [id, one] : connections_) all.push_back(one);
  for (const auto& one : all) one->sweep();
}

void http_server::impl::close_listener() {
  if (!acceptor_.is_open()) return;
  accept_timer_.cancel();
  acceptor_.release();  // the descriptor belongs to listener_
  listener_.close();
}

void http_server::impl::stop_accepting() {
  const auto work = [this] {
    close_listener();
    draining = true;
    std::vector<std::shared_ptr<connection>> all;
    for (const auto& [id, one] : connections_) all.push_back(one);
    for (const auto& one : all) one->close_if_idle();
  };
  if (thread_.joinable()) {
    asio::post(io_, work);
  } else {
    work();
  }
}

bool http_server::impl::drain(std::chrono::milliseconds limit) {
  stop_accepting();
  // The order is kept by the server's thread: when this runs, no new connection can appear.
  auto closed = std::make_shared<bool>(!thread_.joinable());
  asio::post(io_, [this, closed] {
    const std::lock_guard lock{drain_mutex_};
    *closed = true;
    drained_.notify_all();
  });
  std::unique_lock lock{drain_mutex_};
  return drained_.wait_for(lock, limit, [&] { return *closed && counters.open == 0; });
}

void http_server::impl::stop() {
  if (std::exchange(stopped_, true)) return;
  io_.stop();
  if (thread_.joinable()) thread_.join();
  if (answers) answers->close();
  close_listener();
  // Operations under way keep their connections until io_ itself is destroyed, which is last.
  connections_.clear();
  counters.open = 0;
}

http_server_stats http_server::impl::stats() const {
  return {counters.accepted, counters.refused,          counters.open,
          counters.requests, counters.requests_refused, bodies->held()};
}

core::result<std::unique_ptr<http_server>> http_server::bind(http_server_options options,
                                                             http_handler handler) {
  auto body = std::make_unique<impl>(std::move(options), std::move(handler));
  if (auto ok = body->open(); !ok) return std::move(ok).failure();
  return std::unique_ptr<http_server>{new http_server{std::move(body)}};
}

http_server::http_server(std::unique_ptr<impl> body) : impl_(std::move(body)) {}
http_server::~http_server() = default;

void http_server::start() { impl_->start(); }
std::uint16_t http_server::port() const noexcept { return impl_->port(); }
void http_server::stop_accepting() { impl_->stop_accepting(); }
bool http_server::drain(std::chrono::milliseconds limit) { return impl_->drain(limit); }
void http_server::stop() { impl_->stop(); }
void http_server::ping(std::function<void()> done) { impl_->ping(std::move(done)); }
http_server_stats http_server::stats() const { return impl_->stats(); }

}  // namespace syndicated::net
