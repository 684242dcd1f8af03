// Reading the daemon's JSON answers without fuss: absent or odd values become empty ones. Texts
// come back safe for a terminal. Values share the document they came from; cheap to copy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"

namespace syndicated::ctl {

class document {
 public:
  document() = default;
  static document parse(std::string_view text);  // an empty one when it is not JSON

  std::string text(std::string_view key) const;
  std::string raw_text(std::string_view key) const;  // as it came: not for terminals
  std::int64_t number(std::string_view key) const;   // numbers are cut to integers
  std::string figure(std::string_view key) const;    // with its decimals: "3", "31.67"
  std::string count(std::string_view key) const;     // grouped: "1,234"
  std::string id(std::string_view key) const;  // not grouped, so that it can be copied; 0 is "-"
  std::string milliseconds(std::string_view key) const;  // "0.9ms", "1,250ms"
  bool flag(std::string_view key) const;
  bool has(std::string_view key) const;  // and it is not null
  std::optional<core::timestamp> time(std::string_view key) const;
  document object(std::string_view key) const;
  std::vector<document> items(std::string_view key) const;
  std::string words(std::string_view key) const;  // an array of strings, separated by spaces

  bool is_object() const;
  bool is_list() const;  // {"items":[...]}
  std::vector<std::pair<std::string, std::string>> members() const;
  std::string serialized() const;

 private:
  explicit document(std::shared_ptr<const void> value) : value_(std::move(value)) {}

  std::shared_ptr<const void> value_;
};

core::timestamp current_time();

}  // namespace syndicated::ctl
