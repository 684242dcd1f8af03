// Internal to store/: lets compaction drop idempotency rows whose time is over.
#pragma once

#include <memory>

namespace rocksdb {
class CompactionFilterFactory;
}

namespace syndicated::store {

std::shared_ptr<rocksdb::CompactionFilterFactory> expired_answers_filter();

}  // namespace syndicated::store
