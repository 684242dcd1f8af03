// Internal to store/: lets compaction drop idempotency rows whose time is over.
#pragma once

#include <functional>
#include <memory>

#include "core/base/time.hpp"

namespace rocksdb {
class CompactionFilterFactory;
}

namespace syndicated::store {

// `now` is asked on threads of the library; empty = the system's clock.
std::shared_ptr<rocksdb::CompactionFilterFactory> expired_answers_filter(
    std::function<core::timestamp()> now);

}  // namespace syndicated::store
