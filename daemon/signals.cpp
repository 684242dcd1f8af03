#include "daemon/signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace syndicated::daemon {

core::result<signals> signals::create() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, number);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  int fd = -1;
  if (::pthread_sigmask(SIG_BLOCK, &wanted, nullptr) == 0 &&
      ::sigaction(SIGPIPE, &ignore, nullptr) == 0) {
    fd = ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  if (fd < 0) {
    return core::error{core::errc::internal, "signals", std::strerror(errno), {}, {}};
  }
  return signals{fd};
}

signals::signals(signals&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

signals::~signals() {
  if (fd_ >= 0) ::close(fd_);
}

signal_kind signals::wait(std::chrono::milliseconds limit) {
  pollfd waiting{fd_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return signal_kind::none;
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return signal_kind::none;
  }
  return info.ssi_signo == SIGHUP ? signal_kind::reload : signal_kind::stop;
}

}  // namespace syndicated::daemon
