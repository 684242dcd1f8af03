// The content filter of an endpoint, as JSON (docs/filters.md).
#pragma once

#include <optional>
#include <string_view>

#include "api/input.hpp"
#include "core/delivery/content_filter.hpp"

namespace syndicated::api::v1 {

// Absent: nothing. null: an empty filter. Mistakes are noted with their place.
std::optional<core::content_filter> read_filter(object_reader& in, std::string_view name);

}  // namespace syndicated::api::v1
