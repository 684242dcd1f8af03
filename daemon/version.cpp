#include "daemon/version.hpp"

namespace syndicated::daemon {

const char* version() noexcept { return SYNDICATED_VERSION; }

core::timestamp built_at() noexcept {
  return core::timestamp{std::chrono::hours{24LL * SYNDICATED_BUILT_DAY}};
}

}  // namespace syndicated::daemon
