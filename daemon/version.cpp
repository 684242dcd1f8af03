#include "daemon/version.hpp"

namespace syndicated::daemon {

const char* version() noexcept { return SYNDICATED_VERSION; }

}  // namespace syndicated::daemon
