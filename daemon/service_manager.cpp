#include "daemon/service_manager.hpp"

#include <sys/socket.h>

#include <systemd/sd-daemon.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace syndicated::daemon {
namespace {

// Status lines come from our own words, but a line end in them would start a new assignment.
std::string one_line(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

void notify(const std::string& state) { ::sd_notify(0, state.c_str()); }

core::error refusal(std::string detail) {
  return {core::errc::invalid, "socket_activation", std::move(detail), {}, {}};
}

}  // namespace

void notify_ready(std::string_view status) { notify("READY=1\nSTATUS=" + one_line(status)); }

void notify_status(std::string_view status) { notify("STATUS=" + one_line(status)); }

void notify_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto us = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
                  static_cast<std::uint64_t>(now.tv_nsec) / 1'000U;
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us));
}

void notify_stopping(std::string_view status) { notify("STOPPING=1\nSTATUS=" + one_line(status)); }

void notify_watchdog() { notify("WATCHDOG=1"); }

void notify_extend_timeout(std::chrono::seconds more) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(more).count();
  notify("EXTEND_TIMEOUT_USEC=" + std::to_string(us));
}

std::chrono::milliseconds watchdog_period() {
  std::uint64_t us = 0;
  if (::sd_watchdog_enabled(0, &us) <= 0) return std::chrono::milliseconds{0};
  return std::chrono::milliseconds{static_cast<std::int64_t>(us / 1'000U)};
}

core::result<inherited> inherited_sockets() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) return refusal(std::string{"LISTEN_FDS: "} + std::strerror(-count));
  inherited out;
  std::string broken;
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    const std::string name = names != nullptr && names[i] != nullptr ? names[i] : "";
    int* place = name == "api" ? &out.api : name == "admin" ? &out.admin : nullptr;
    if (place == nullptr || *place >= 0) {
      broken = "socket '" + name + "' is not known or comes twice; the names are api and admin";
    } else if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
      broken = "socket '" + name + "' is not a listening stream socket";
    } else {
      *place = fd;
    }
  }
  for (int i = 0; names != nullptr && i < count; ++i) ::free(names[i]);
  ::free(static_cast<void*>(names));
  if (!broken.empty()) return refusal(std::move(broken));
  return out;
}

}  // namespace syndicated::daemon
