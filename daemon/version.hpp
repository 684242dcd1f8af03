// What the build knows of itself.
#pragma once

#include "core/base/time.hpp"

namespace syndicated::daemon {

const char* version() noexcept;  // "0.1.0"
// The begin of the day on which it was built (UTC), or of the day that SOURCE_DATE_EPOCH said.
core::timestamp built_at() noexcept;

}  // namespace syndicated::daemon
