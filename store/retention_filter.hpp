// Internal to store/: lets compactions drop events, their places in streams, and attempts that are
// no longer kept. Nothing is scanned for it and no row is deleted one by one.
//
// A row behind the cut stays while somebody waits for its event, as of the view's snapshot:
//   - a lane of the event's stream has not come to it yet (the endpoint need not be a recipient: a
//     lane reads every event on its way), or is a replay of it;
//   - it was given up somewhere and its lane went on (the mark 's' in `index`).
// The newest record of an event's own attempts stays with it. The index of attempts by endpoint
// goes by age and size alone. What cannot be read is kept.
//
// Only compactions that are asked for drop anything, and only while a view is set; so nothing is
// dropped while the database opens or closes. Reading inside a filter is safe: a compaction holds
// no lock while it works through rows, and the snapshot is released after the last filter is gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "store/database.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class CompactionFilterFactory;
class DB;
class Snapshot;
}  // namespace rocksdb

namespace syndicated::store {

// What the filters of one round look at.
class drop_view {
 public:
  // The handles are those of lanes, index and events.
  drop_view(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* lanes, rocksdb::ColumnFamilyHandle* index,
            rocksdb::ColumnFamilyHandle* events, const retention_cut& cut);
  ~drop_view();
  drop_view(const drop_view&) = delete;
  drop_view& operator=(const drop_view&) = delete;

  rocksdb::DB& db;
  rocksdb::ColumnFamilyHandle* const lanes;
  rocksdb::ColumnFamilyHandle* const index;
  rocksdb::ColumnFamilyHandle* const events;
  const rocksdb::Snapshot* const snapshot;
  const retention_cut cut;
  std::atomic<std::uint64_t> events_dropped{0};
  std::atomic<std::uint64_t> attempts_dropped{0};
};

// Where filters find the view of the present round; none: everything is kept. Any thread.
class drop_board {
 public:
  void set(std::shared_ptr<drop_view> view) {
    const std::lock_guard lock(mutex_);
    view_.swap(view);
  }
  std::shared_ptr<drop_view> get() const {
    const std::lock_guard lock(mutex_);
    return view_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<drop_view> view_;
};

// Null for families whose rows do not go with time.
std::shared_ptr<rocksdb::CompactionFilterFactory> retention_filter(
    family f, std::shared_ptr<const drop_board> board);

}  // namespace syndicated::store
