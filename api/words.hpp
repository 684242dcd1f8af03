// Words that are read in any case. Pure; any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace syndicated::api {

// ASCII letters only: what we compare with has no others.
inline std::string upper_case(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return out;
}

}  // namespace syndicated::api
