// Where the first row of a queue can be. Rows that were taken from a queue's front stay in RocksDB
// as tombstones until a compaction meets them; a scan that begins at the mark does not step over
// them again and again.
//
// Threads: every member from any thread; scans wait for each other, writers wait for none.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace syndicated::store {

class front_mark {
 public:
  // One scan, from before its snapshot of the database until its rows have been visited.
  class scan {
   public:
    explicit scan(front_mark& mark);
    // No row lies before; a scan that was asked to begin earlier begins here.
    const std::string& first() const { return first_; }
    // The scan, which began no later than first(), met no row before `key`.
    void none_before(std::string_view key);

   private:
    front_mark& mark_;
    std::lock_guard<std::mutex> turn_;
    std::string first_;
  };

  // A row was put that scans can see from now on. (If this were said before the row can be seen, a
  // scan in between would pass it by.)
  void put(std::string_view key);

 private:
  std::mutex turn_;   // of scans
  std::mutex mutex_;  // of what follows
  std::string first_;
  std::optional<std::string> lowest_put_;  // since the last scan began
};

}  // namespace syndicated::store
