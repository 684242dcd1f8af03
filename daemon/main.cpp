// syndicated: the webhook dispatch daemon.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "config/load.hpp"
#include "config/master_key.hpp"
#include "daemon/app.hpp"
#include "daemon/logging.hpp"
#include "daemon/version.hpp"

namespace {

using namespace syndicated;

struct command_line {
  std::string config_path;
  bool check_only = false;
  int exit_code = -1;  // set: there is nothing more to do
};

command_line read_command_line(int argc, char** argv) {
  command_line out;
  CLI::App cli{"Webhook dispatch daemon"};
  bool show_version = false;
  cli.add_flag("--version", show_version, "show the version");
  cli.add_option("--config", out.config_path, "configuration file (TOML)");
  cli.add_flag("--check-config", out.check_only, "check the configuration and end");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    out.exit_code = cli.exit(why) == 0 ? 0 : daemon::exit_usage;
    return out;
  }
  if (show_version) {
    std::printf("syndicated %s\n", daemon::version());
    out.exit_code = 0;
  } else if (out.config_path.empty()) {
    std::fprintf(stderr, "syndicated: --config is required; see --help\n");
    out.exit_code = daemon::exit_usage;
  }
  return out;
}

int refuse(const core::error& why, int code) {
  std::fprintf(stderr, "%s\n", why.detail.c_str());
  return code;
}

// No core file and no debugger sees the keys in memory (reliability.md, 5.2).
void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(0077);
}

// Started logging ends with the scope, after the last line of the parts inside it.
struct logging_scope {
  ~logging_scope() { daemon::stop_logging(); }
};

int serve(const command_line& line, config::settings settings) {
  const char* named = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string credentials = named != nullptr ? named : "";
  auto keys = config::read_master_keys(settings.secrets, credentials);
  if (!keys) return refuse(keys.failure(), daemon::exit_configuration);
  auto sockets = daemon::inherited_sockets();
  if (!sockets) return refuse(sockets.failure(), daemon::exit_configuration);
  auto signals = daemon::signals::create();
  if (!signals) return refuse(signals.failure(), daemon::exit_failed);
  if (auto logging = daemon::start_logging(settings.log); !logging) {
    return refuse(logging.failure(), daemon::exit_configuration);
  }
  const logging_scope scope;
  auto app = daemon::app::create(
      {line.config_path, std::move(settings), std::move(*keys), credentials, *sockets});
  if (!app) {
    const core::error& why = app.failure();
    core::log(core::log_level::critical, "daemon", "cannot start", {{"reason", why.detail}});
    const bool settings_are_wrong = why.kind == core::errc::invalid && why.code == "configuration";
    return settings_are_wrong ? daemon::exit_configuration : daemon::exit_failed;
  }
  return (*app)->run(*signals);
}

}  // namespace

int main(int argc, char** argv) {
  const command_line line = read_command_line(argc, argv);
  if (line.exit_code >= 0) return line.exit_code;
  protect_memory();
  ::unsetenv("SSLKEYLOGFILE");  // libcurl would write the keys of every TLS session to that file
  auto settings = config::load_file(line.config_path);
  if (!settings) return refuse(settings.failure(), daemon::exit_configuration);
  if (line.check_only) {
    std::printf("%s: ok\n", line.config_path.c_str());
    return 0;
  }
  return serve(line, std::move(*settings));
}
