// The table of all keys: name, reloadable or not, how to read and how to show the value. Pure.
//
// Internal to config/. The values come from the TOML reader in a neutral form, so that this table
// needs no third-party type.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace syndicated::config {

struct raw_value {
  using list = std::vector<raw_value>;
  // monostate: a kind of TOML value that no key takes (a date, a table inside a list).
  std::variant<std::monostate, bool, std::int64_t, double, std::string, list> held;
};

struct key_spec {
  std::string name;  // "delivery.curl_loops"
  bool reloadable = false;
  // Empty = taken; otherwise the rule that is broken, e.g. "must be from 1 to 16".
  std::function<std::string(const raw_value&, settings&)> read;
  std::function<std::string(const settings&)> show;  // canonical text, for comparing
};

const std::vector<key_spec>& all_keys();
const key_spec* find_key(std::string_view name);

}  // namespace syndicated::config
