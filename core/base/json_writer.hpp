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

// The name of a member in this program's own texts: known to the compiler, and without anything to
// escape.
class json_name {
 public:
  consteval json_name(const char* text) : text_(text) {  // NOLINT(*-explicit-*) reads as a literal
    for (const char c : text_) {
      if (c < 0x20 || c > 0x7E || c == '"' || c == '\\') throw "a name that needs escapes";
    }
    if (text_.size() > size_max) throw "a name that is too long";
  }
  static constexpr std::size_t size_max = 40;
  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

class json_writer {
 public:
  json_writer& begin_object();
  json_writer& end_object();
  json_writer& begin_array();
  json_writer& end_array();
  json_writer& key(json_name name);
  json_writer& given_key(std::string_view name);  // of any characters

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
