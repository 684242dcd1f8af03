#include "ctl/version.hpp"

namespace syndicated::ctl {

const char* version() noexcept { return SYNDICATED_VERSION; }

}  // namespace syndicated::ctl
