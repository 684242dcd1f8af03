// Where a member's value stands in a JSON text, so that it can be passed on byte for byte.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace syndicated::api {

// The value of the object's member number `index`, as written. The text must be a JSON object that
// parse_json() has accepted and have that member; of other texts the result is some part of it.
std::string_view raw_member(std::string_view object, std::size_t index) noexcept;

}  // namespace syndicated::api
