// Writes compact JSON into a string. core has no library to lean on, and the hot path renders each
// answer and each notification exactly once: this is only the writing half (RFC 8259).
//
// The caller keeps the nesting right; commas are placed here. Text must be UTF-8; invalid bytes are
// written as U+FFFD so that the output is always valid JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace syndicated::core {

class json_writer {
 public:
  json_writer& begin_object();
  json_writer& end_object();
  json_writer& begin_array();
  json_writer& end_array();
  json_writer& key(std::string_view name);

  json_writer& text(std::string_view value);
  json_writer& number(std::int64_t value);
  json_writer& number(std::uint64_t value);
  json_writer& number(int value) { return number(static_cast<std::int64_t>(value)); }
  json_writer& real(double value);
  json_writer& boolean(bool value);
  json_writer& null();
  json_writer& raw(std::string_view json);                // already JSON
  json_writer& time(timestamp at);                        // RFC 3339 with milliseconds
  json_writer& time(const std::optional<timestamp>& at);  // or null
  json_writer& map(const std::map<std::string, std::string>& values);

  const std::string& str() const& noexcept { return out_; }
  std::string str() && noexcept { return std::move(out_); }

 private:
  void separate();

  std::string out_;
  bool first_ = true;  // nothing stands before the next value in this container
};

void append_json_string(std::string& out, std::string_view text);  // with quotes

}  // namespace syndicated::core
