// RocksDB behind a narrow door: open, read, scan, write a batch. The only user of rocksdb/*.h.
//
// Threads: every const member from any thread; write() from the committer's thread only.
// Lifetime: closes on destruction; the directory is locked against a second process meanwhile.
// Durability: WAL recovery is kTolerateCorruptedTailRecords, so a torn tail that was never
// acknowledged is dropped and damage in the middle refuses to open (reliability.md, R18).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "store/keys.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

struct database_options {
  std::string directory;
  std::uint64_t wal_bytes_max = 64ULL << 20U;  // bounds replay time at start
  std::uint64_t block_cache_bytes = 64ULL << 20U;
  std::uint64_t memtable_bytes_max = 96ULL << 20U;  // all families together
  // With less than this free, write() answers no_space by itself: once RocksDB has run into a full
  // disk, 7.8.3 may not take writes again, or stops at an assertion of its own.
  std::uint64_t reserve_bytes = 0;
  std::function<core::timestamp()> now{};  // for rows that expire; empty = the system's clock
};

struct write_report {
  commit_result result = commit_result::committed;
  std::string detail;  // the library's words when it was not committed
};

// What is no longer kept, unless somebody waits for it (store/retention_filter.hpp).
struct retention_cut {
  core::event_id events;              // events with an id below
  core::event_id attempts;            // attempts at events with an id below,
  core::timestamp attempts_before{};  // and attempts made before
};

// The lanes of one moment, against which rows behind a cut are judged; pins that state of the
// database, so it is kept for one round only, and gone before the database is.
class drop_view;
struct dropped_rows {
  std::uint64_t events = 0;
  std::uint64_t attempts = 0;
};

class database {
 public:
  // Errors (errc::io / corrupt / invalid): locked by another process, damaged, directory was
  // initialised before but its database is gone (a silent fresh start would be a loss).
  static core::result<std::unique_ptr<database>> open(const database_options& options);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  // Errors: errc::corrupt (checksum), errc::io.
  core::result<std::optional<std::string>> get(family where, std::string_view key) const;

  // Rows with begin <= key < end in key order (or from the end with `backward`), until the visitor
  // returns false. An empty `end` is the end of the family; give a bound wherever there is one.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;
  core::result<void> scan(family where, std::string_view begin, std::string_view end,
                          const visitor& visit, bool backward = false) const;

  // One atomic batch; `sync` waits for the disk.
  write_report write(const std::vector<const write_plan*>& plans,
                     const std::vector<write_op>& extra, bool sync);

  std::uint64_t free_bytes() const;    // of the file system
  std::uint64_t stored_bytes() const;  // SST and WAL files; up to five seconds old
  core::result<void> flush();

  // Of the rows with begin <= key < end, on disk and in memory; about, and without reading them.
  std::uint64_t bytes_between(family where, std::string_view begin, std::string_view end) const;
  // The SST files of each family, in the families' order. Cheap.
  std::array<std::uint64_t, family_count> family_bytes() const;

  // Retention, for the one thread that applies it. From drop_with() on, the compactions that
  // rewrite() starts drop what is behind the view's cut; drop_with(nullptr) ends that.
  std::shared_ptr<drop_view> view_for(const retention_cut& cut);
  void drop_with(std::shared_ptr<drop_view> view);
  static dropped_rows dropped(const drop_view& view);
  // Rewrites the files that hold such rows, down to the last level; two empty keys: all. Blocks;
  // other compactions and writes go on. Errors: errc::unavailable when `stop` became true.
  core::result<void> rewrite(family where, std::string_view begin, std::string_view end,
                             std::atomic<bool>& stop);
  // Ends them, for good; waits until they have ended.
  void cancel_rewrites();
  // Removes the files that nobody needs any more at once, and measures what is left.
  std::uint64_t stored_bytes_now();

 private:
  class impl;
  explicit database(std::unique_ptr<impl> body);
  core::result<void> scan_rows(family where, std::string_view begin, std::string_view end,
                               const visitor& visit, bool backward) const;
  std::unique_ptr<impl> impl_;
};

}  // namespace syndicated::store
