// Text for tired operators: aligned columns, ages, grouped numbers, sizes. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace syndicated::ctl {

std::string human_age(std::chrono::milliseconds age);  // "0.4s", "12s", "3m12s", "5h04m", "3d07h"
std::string human_count(std::uint64_t value);          // "1,234,567"
std::string human_bytes(std::uint64_t bytes);          // "1.5 GiB"
// A past instant as its age, a future one as "in 3m12s"; none as "-".
std::string human_when(const std::optional<core::timestamp>& at, core::timestamp now);
// "90s", "30m", "2h", "7d", or an RFC 3339 time; durations count back from now.
std::optional<core::timestamp> parse_when(std::string_view text, core::timestamp now);
// Control characters of foreign text must not reach the terminal.
std::string printable(std::string_view text, std::size_t width_max = 80);

class table {
 public:
  enum class align { left, right };
  struct column {
    std::string title;
    align side = align::left;
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const noexcept { return rows_.empty(); }
  void print(std::ostream& out) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name   value" pairs, one a line.
class facts {
 public:
  void add(std::string name, std::string value) {
    lines_.emplace_back(std::move(name), std::move(value));
  }
  void print(std::ostream& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace syndicated::ctl
