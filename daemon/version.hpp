// The version, from the build.
#pragma once

namespace syndicated::daemon {

const char* version() noexcept;  // "0.1.0"

}  // namespace syndicated::daemon
