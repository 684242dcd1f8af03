// Internal to core/lifecycle: from the word of a small enumeration to its value.
#pragma once

#include <optional>
#include <string_view>

namespace syndicated::core {

// Tries every persisted value from 1 to `last`.
template <class E>
std::optional<E> parse_by_name(std::string_view text, int last) noexcept {
  for (int i = 1; i <= last; ++i) {
    const auto value = static_cast<E>(i);
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace syndicated::core
