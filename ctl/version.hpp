// The version that was built.
#pragma once

namespace syndicated::ctl {

const char* version() noexcept;

}  // namespace syndicated::ctl
