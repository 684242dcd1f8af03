// Errors as values.
//
// Purpose: every refusal carries a class (decides the HTTP status and the exit code), a stable
// snake_case word (`code` of problem details, api.md 2) and a sentence for people. Exceptions are
// never thrown by this project; those of libraries are caught at the border of the folder that
// owns the library. Plain values: any thread may use them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace syndicated::core {

// Zero is "no error" and never stored.
enum class errc : std::uint8_t {
  invalid = 1,   // 422 on /v1: the input breaks a rule; see `fields`
  malformed,     // 400: the input cannot be read at all
  unauthorized,  // 401
  forbidden,     // 403
  not_found,     // 404; also another owner's object
  gone,          // 410: existed, was purged
  conflict,      // 409: not possible in the present state
  precondition,  // 412: If-Match is stale
  too_large,     // 413
  too_many,      // 429: this caller should slow down
  unavailable,   // 503: try again later; nothing was changed
  io,            // the disk failed; the outcome is unknown and the process ends
  corrupt,       // stored bytes are damaged
  internal,      // 500: a defect of ours
};

std::string_view to_string(errc code) noexcept;

struct field_error {
  std::string pointer;  // RFC 6901 pointer into the request body, or "?name" for a query field
  std::string detail;
};

struct error {
  errc kind = errc::internal;
  std::string code;    // stable word, e.g. "transition_not_allowed"
  std::string detail;  // a sentence
  std::vector<field_error> fields{};
  std::string status{};  // the entity's present status, for refused transitions

  // "saving the plan: no space left": context is added on the way up.
  error prefixed(std::string_view context) &&;
};

// The everyday constructors.
error invalid_field(std::string pointer, std::string detail);
error not_found(std::string detail);
error transition_not_allowed(std::string_view status, std::string_view action);

// A value or an error. Reading the side that is not there ends the process: that is a defect.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : content_(std::in_place_index<0>, std::move(value)) {}  // NOLINT implicit
  result(error why) : content_(std::in_place_index<1>, std::move(why)) {}  // NOLINT implicit

  bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return *checked<0>(content_); }
  const T& value() const& { return *checked<0>(content_); }
  T&& value() && { return std::move(*checked<0>(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return checked<0>(content_); }
  const T* operator->() const { return checked<0>(content_); }

  const error& failure() const& { return *checked<1>(content_); }
  error&& failure() && { return std::move(*checked<1>(content_)); }

 private:
  template <std::size_t I, class V>
  static auto checked(V& v) {
    auto* p = std::get_if<I>(&v);
    if (p == nullptr) __builtin_trap();
    return p;
  }

  std::variant<T, error> content_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  result() = default;
  result(error why) : why_(std::move(why)) {}  // NOLINT implicit

  bool ok() const noexcept { return !why_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const error& failure() const& { return checked(why_); }
  error&& failure() && {
    checked(why_);
    return std::move(*why_);
  }

 private:
  static const error& checked(const std::optional<error>& why) {
    if (!why) __builtin_trap();
    return *why;
  }

  std::optional<error> why_;
};

}  // namespace syndicated::core
