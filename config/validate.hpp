// Rules that concern several keys at once. Pure. Internal to config/.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace syndicated::config {

struct broken_rule {
  std::string key;
  std::string rule;
};

std::vector<broken_rule> check_together(const settings& s);

}  // namespace syndicated::config
