// The conversation with systemd: sd_notify(3) and socket activation. Does nothing elsewhere.
//
// Threads: any for the notices; inherited_sockets() once, from main, before threads start.
// Source: reliability.md 5.5 (systemd 252: no notify-reload).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace syndicated::daemon {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
void notify_reloading();
void notify_stopping(std::string_view status);
void notify_watchdog();
void notify_extend_timeout(std::chrono::seconds more);

// How often systemd wants to hear from us, 0 when it does not.
std::chrono::milliseconds watchdog_period();

// Listening sockets handed over by systemd, -1 when not. Named "api" and "admin" in the socket
// units (FileDescriptorName=); others are closed with an error, since nobody would serve them.
struct inherited {
  int api = -1;
  int admin = -1;
};
core::result<inherited> inherited_sockets();

}  // namespace syndicated::daemon
