// A parsed request body: a small immutable tree, and the strict reader that makes it.
//
// Purpose: no JSON library is visible beyond json.cpp, and everything the faces must refuse is
// refused in one place (reliability.md, 3): malformed text, a byte order mark, invalid UTF-8,
// duplicate keys, more than limits::json_depth_max levels, integers of 2^63 and more, numbers that
// do not fit a double, NUL inside a string.
// Errors: errc::malformed, "malformed_json"; the detail names line, column and byte where the text
// cannot be read, or the pointer of the value that is refused.
// Threads: values are immutable; parse() may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::api {

class json {
 public:
  struct member;
  using array_type = std::vector<json>;
  using object_type = std::vector<member>;

  // Out of the class: making the variant needs `member` complete.
  json();
  explicit json(bool value);
  explicit json(std::int64_t value);
  explicit json(double value);
  explicit json(std::string value);
  explicit json(array_type items);
  explicit json(object_type members);
  explicit json(const char*) = delete;  // would become a truth value

  bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(content_); }
  const bool* boolean() const noexcept { return std::get_if<bool>(&content_); }
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&content_); }
  const double* real() const noexcept { return std::get_if<double>(&content_); }
  const std::string* text() const noexcept { return std::get_if<std::string>(&content_); }
  const array_type* array() const noexcept { return std::get_if<array_type>(&content_); }
  const object_type* object() const noexcept { return std::get_if<object_type>(&content_); }

  const json* find(std::string_view name) const noexcept;  // nullptr: absent, or not an object
  std::string_view type_name() const noexcept;             // "a string", "an object" ...

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, array_type, object_type>
      content_;
};

struct json::member {
  std::string name;
  json value;
};

inline json::json() = default;
inline json::json(bool value) : content_(value) {}
inline json::json(std::int64_t value) : content_(value) {}
inline json::json(double value) : content_(value) {}
inline json::json(std::string value) : content_(std::move(value)) {}

core::result<json> parse_json(std::string_view text);

// Appends "/name" with the escapes of RFC 6901.
std::string pointer_to(std::string_view base, std::string_view name);

}  // namespace syndicated::api
