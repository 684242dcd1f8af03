// What a reload (SIGHUP) may take over.
//
// The daemon reads the file again, compares it with the settings it runs with, takes over the
// reloadable keys ([R] in config/config.hpp) and says which others wait for a restart. A file with
// a mistake changes nothing. Pure but for reading the file.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "core/base/error.hpp"

namespace syndicated::config {

struct changes {
  std::vector<std::string> taken;         // reloadable keys that differ
  std::vector<std::string> need_restart;  // others that differ
  settings next;                          // the running settings with the reloadable keys changed
};

changes compare(const settings& running, const settings& wanted);
core::result<changes> load_and_diff(const std::string& path, const settings& running);

}  // namespace syndicated::config
