// The composition of the daemon: makes the parts in order, lets them run, ends them in order.
//
// Order: store and actors (engine), then the admin socket, the API and, when set, the port for
// metrics; the end is the reverse, with a bounded drain first. Everything that other folders decide
// stays there; this is only wiring.
// Threads: create, run and the destructor from main.
// Lifetime: one per process. A failing disk ends the process at once with exit_store_failed
// (reliability.md, R19).
#pragma once

#include <memory>
#include <string>

#include "config/config.hpp"
#include "config/master_key.hpp"
#include "core/base/error.hpp"
#include "daemon/service_manager.hpp"
#include "daemon/signals.hpp"

namespace syndicated::daemon {

// Exit codes besides 0. 70 and 78 are those of sysexits.h.
inline constexpr int exit_failed = 1;         // could not start: port taken, state directory in use
inline constexpr int exit_usage = 2;          // command line
inline constexpr int exit_store_failed = 70;  // the disk failed; systemd starts again
inline constexpr int exit_configuration = 78;  // settings, master key, handed over sockets

struct app_inputs {
  std::string config_path;
  config::settings settings{};
  config::master_key_set keys{};
  std::string credentials_directory{};  // of systemd; empty = none
  inherited sockets{};
};

class app {
 public:
  // Starts everything. Errors: what could not be opened, with its reason.
  static core::result<std::unique_ptr<app>> create(app_inputs inputs);
  ~app();
  app(const app&) = delete;
  app& operator=(const app&) = delete;

  // Runs until a signal asks for the end, drains, and gives the exit code.
  int run(signals& from);

 private:
  class impl;
  explicit app(std::unique_ptr<impl> body);
  std::unique_ptr<impl> impl_;
};

}  // namespace syndicated::daemon
