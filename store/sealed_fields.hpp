// Which fields of stored rows are sealed, and for what: for changing the key they are sealed with.
// Internal to store/.
//
// Errors: errc::corrupt for rows that cannot be read.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "store/keys.hpp"

namespace syndicated::store {

// May replace the field. `context` is what it is sealed for.
using sealed_visitor = std::function<void(std::string& sealed, const std::string& context)>;

// The row as `visit` left it. Everything else in it stays, also what a newer version wrote.
using sealed_row_visit = core::result<std::string> (*)(std::string_view row,
                                                       const sealed_visitor& visit);

// All rows that can have sealed fields: those of a family with begin <= key < end.
struct sealed_area {
  family where{};
  std::string begin, end;  // both empty: the whole family
  sealed_row_visit visit = nullptr;
};
const std::vector<sealed_area>& sealed_areas();

}  // namespace syndicated::store
