#include "store/database.hpp"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <mutex>

#include "core/base/log.hpp"
#include "store/expiry_filter.hpp"
#include "store/front_mark.hpp"
#include "store/retention_filter.hpp"

namespace syndicated::store {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view marker_name = "INITIALISED";

// RocksDB's own assertions want a pointer even for nothing.
rocksdb::Slice slice(std::string_view text) {
  return {text.empty() ? "" : text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

// RocksDB counts each comparison of keys for its thread, and nobody asks for it.
void count_nothing() { rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable); }

bool no_space(const rocksdb::Status& s) {
  return s.IsNoSpace() || (s.IsIOError() && s.subcode() == rocksdb::Status::kNoSpace);
}

core::error converted(const rocksdb::Status& s) {
  const bool damage = s.IsCorruption();
  return {damage ? core::errc::corrupt : core::errc::io,
          damage ? "store_corrupt" : "store_io",
          s.ToString(),
          {},
          {}};
}

// Full disks are recovered from by RocksDB itself; everything is written to the log once.
class error_listener : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    core::log(core::log_level::error, "store", "background error: " + status->ToString());
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    core::log(core::log_level::warning, "store",
              "background error recovery ended: " + info.new_bg_error.ToString());
  }
};

// Families whose rows come and go like a queue: files full of tombstones are compacted at once.
bool queue_like(family f) { return f == family::lanes || f == family::due; }

// Rows that wait for long, and are taken from the front of the family: its scans remember where
// that is. (Compacting files full of tombstones at once would rewrite all that wait.)
bool taken_from_front(family f) { return f == family::timers; }

// Families that are asked for what is there: no filters for their largest level.
bool looked_up_by_id(family f) {
  return f == family::events || f == family::attempts || f == family::subscriptions;
}

// Families whose writes of a minute are spread over all that they hold. Each compaction of new
// files rewrites the whole family, so it takes more of them at a time. And each insert looks for
// its place all over the memtable, so that is a small one, which the processor's cache holds;
// several of them become one file.
bool written_all_over(family f) {
  return f == family::subscriptions || f == family::streams || f == family::timers;
}
// Written with every attempt and read by people only. While an old backlog drains, or many
// endpoints are sent to, a compaction of new files rewrites most of what is there, too: seldom, as
// well.
bool read_by_people(family f) { return f == family::attempts || f == family::attempt_index; }

constexpr std::size_t memtable_bytes = 16U << 20U;
constexpr int memtables_of_file = 8;
constexpr int new_files_at_a_time = 16;

// Bytes that keys inserted one after the other share: such families remember where the last insert
// was, instead of searching the whole memtable. 0 = the keys come in no order.
std::size_t common_prefix_bytes(family f) {
  switch (f) {
    case family::events:
    case family::attempts: return 4;       // ids grow
    case family::due: return 9;            // times of one endpoint's side grow
    case family::attempt_index: return 8;  // times of one endpoint grow
    default: return 0;
  }
}

// Families that are only ever read by one stream: their memtable is a hash of small lists, so an
// insert does not search among all streams (a sixth of the daemon's time with skip lists).
constexpr std::size_t stream_prefix_bytes = 9;
constexpr std::size_t memtable_buckets = 50'000;
// A list is walked with each insert: the longer ones are skip lists of their own.
constexpr std::uint32_t memtable_list_max = 16;
rocksdb::MemTableRepFactory* lists_by_stream() {
  return rocksdb::NewHashLinkListRepFactory(memtable_buckets, 0, 4096, true, memtable_list_max);
}
constexpr double memtable_filter_share = 0.03;  // of a memtable: says what is not in it
bool read_by_stream(family f) { return f == family::lanes || f == family::streams; }

// Few, as a shard must hold the largest block beside many others: the index of a subscriptions file
// in one piece, a megabyte or two. Else it is read and unpacked with every look-up.
constexpr int cache_shard_bits = 2;
constexpr std::uint64_t cache_for_whole_indexes = 32U << 20U;

rocksdb::ColumnFamilyOptions family_options(family f, const rocksdb::BlockBasedTableOptions& table,
                                            const std::shared_ptr<const drop_board>& drops,
                                            const std::function<core::timestamp()>& now) {
  rocksdb::ColumnFamilyOptions o;
  auto own = table;
  if (looked_up_by_id(f)) {
    own.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  }
  if (f == family::subscriptions) {
    o.memtable_whole_key_filtering = true;
    o.memtable_prefix_bloom_size_ratio = memtable_filter_share;
  }
  // Read once for each entity that wakes, by ids in no order: the index in one piece saves a step,
  // and what new files have stays at hand. (In families that grow at their end it would stay for
  // ever, as their files only move down, and take all of the cache from the rest.)
  if (f == family::subscriptions && own.block_cache->GetCapacity() >= cache_for_whole_indexes) {
    own.pin_l0_filter_and_index_blocks_in_cache = true;
    own.index_type = rocksdb::BlockBasedTableOptions::kBinarySearch;
    own.partition_filters = false;
  }
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(own));
  o.write_buffer_size = memtable_bytes;
  o.max_write_buffer_number = 2;
  o.compression = rocksdb::kLZ4Compression;
  if (const std::size_t bytes = common_prefix_bytes(f); bytes > 0) {
    o.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(bytes));
  }
  if (read_by_stream(f)) {
    o.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(stream_prefix_bytes));
    o.memtable_factory.reset(lists_by_stream());
  }
  o.optimize_filters_for_hits = looked_up_by_id(f);
  if (written_all_over(f) || read_by_people(f)) {
    o.level0_file_num_compaction_trigger = new_files_at_a_time;
    o.level0_slowdown_writes_trigger = 2 * new_files_at_a_time;
    o.level0_stop_writes_trigger = 3 * new_files_at_a_time;
  }
  if (written_all_over(f)) {
    o.write_buffer_size /= memtables_of_file;
    o.max_write_buffer_number *= memtables_of_file;
    o.min_write_buffer_number_to_merge = memtables_of_file;
  }
  if (queue_like(f)) {
    o.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(128, 64));
  }
  if (f == family::idempotency) {
    o.compaction_filter_factory = expired_answers_filter(now);
    o.periodic_compaction_seconds = 86'400;
  }
  if (auto filter = retention_filter(f, drops)) {
    o.compaction_filter_factory = std::move(filter);
    o.periodic_compaction_seconds = 0;     // it drops rows only when it is asked to
    o.max_compaction_bytes = 256U << 20U;  // so that others get their turn, and for little space
  }
  return o;
}

rocksdb::DBOptions database_level_options(const database_options& options) {
  rocksdb::DBOptions o;
  o.create_if_missing = true;
  o.allow_concurrent_memtable_write = false;  // one committer writes
  o.enable_write_thread_adaptive_yield = false;
  o.create_missing_column_families = true;
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  o.paranoid_checks = true;
  o.max_total_wal_size = options.wal_bytes_max;
  o.db_write_buffer_size = options.memtable_bytes_max;
  o.max_background_jobs = 2;
  o.max_open_files = -1;
  o.keep_log_file_num = 5;
  o.max_log_file_size = 4U << 20U;
  o.listeners.push_back(std::make_shared<error_listener>());
  return o;
}

core::error refused(std::string code, std::string detail) {
  return {core::errc::invalid, std::move(code), std::move(detail), {}, {}};
}

// The directory must be new, or hold the database that was made in it.
core::result<void> check_directory(const fs::path& directory) {
  std::error_code ec;
  fs::create_directories(directory, ec);
  if (ec) return refused("state_directory", directory.string() + ": " + ec.message());
  fs::permissions(directory, fs::perms::owner_all, ec);
  const fs::path database = directory / "db";
  const bool has_current = fs::exists(database / "CURRENT", ec);
  if (has_current) return {};
  if (fs::exists(directory / marker_name, ec)) {
    return refused("state_lost", directory.string() +
                                     " was initialised before, but its database is gone: restore it"
                                     " from a backup, or remove " +
                                     (directory / marker_name).string() + " to start empty");
  }
  if (fs::exists(database, ec) && !fs::is_empty(database, ec)) {
    return refused("state_damaged", (database / "CURRENT").string() +
                                        " is missing beside other files: restore from a backup");
  }
  return {};
}

core::result<void> write_marker(const fs::path& directory) {
  const fs::path file = directory / marker_name;
  const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 || ::fsync(fd) != 0)
    return refused("state_directory", "cannot write " + file.string());
  ::close(fd);
  return {};
}

}  // namespace

class database::impl {
 public:
  ~impl() {
    // A compaction still uses the handles.
    if (db) rocksdb::CancelAllBackgroundWork(db.get(), true);
    for (auto* handle : handles) {
      if (handle != nullptr) (void)db->DestroyColumnFamilyHandle(handle);
    }
    if (db) (void)db->Close();
  }
  rocksdb::ColumnFamilyHandle* at(family f) const { return handles[static_cast<std::size_t>(f)]; }

  std::uint64_t directory_bytes() const;

  std::string directory;
  std::shared_ptr<drop_board> drops = std::make_shared<drop_board>();
  front_mark front;  // of the one family that is taken_from_front()
  std::mutex size_mutex;
  std::uint64_t size = 0;
  std::chrono::steady_clock::time_point size_until{};
  std::uint64_t reserve_bytes = 0;
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, family_count> handles{};
};

database::database(std::unique_ptr<impl> body) : impl_(std::move(body)) {}
database::~database() = default;

core::result<std::unique_ptr<database>> database::open(const database_options& options) {
  if (auto ok = check_directory(options.directory); !ok) return std::move(ok).failure();
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, cache_shard_bits);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // In the cache, so that memory stays bounded; and mostly in small parts: a look-up that misses
  // the cache reads a few kilobytes of them and not a megabyte.
  table.cache_index_and_filter_blocks = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  auto body = std::make_unique<impl>();
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions{});
  for (std::size_t i = 0; i < family_count; ++i) {
    const auto f = static_cast<family>(i);
    families.emplace_back(std::string{family_name(f)},
                          family_options(f, table, body->drops, options.now));
  }
  body->directory = options.directory;
  body->reserve_bytes = options.reserve_bytes;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto path = (fs::path{options.directory} / "db").string();
  const auto status =
      rocksdb::DB::Open(database_level_options(options), path, families, &handles, &db);
  if (!status.ok()) {
    const std::string text = status.ToString();
    if (text.find("lock") != std::string::npos || text.find("LOCK") != std::string::npos) {
      return refused("state_locked",
                     options.directory + " is in use by another syndicated process");
    }
    return converted(status).prefixed("opening " + path +
                                      " (restore from a backup if it is damaged)");
  }
  body->db.reset(db);
  (void)db->DestroyColumnFamilyHandle(handles[0]);
  for (std::size_t i = 0; i < family_count; ++i) body->handles[i] = handles[i + 1];
  if (auto ok = write_marker(options.directory); !ok) return std::move(ok).failure();
  return std::unique_ptr<database>(new database(std::move(body)));
}

core::result<std::optional<std::string>> database::get(family where, std::string_view key) const {
  count_nothing();
  std::string value;
  const auto status = impl_->db->Get({}, impl_->at(where), slice(key), &value);
  if (status.ok()) return std::optional<std::string>{std::move(value)};
  if (status.IsNotFound()) return std::optional<std::string>{};
  return converted(status);
}

core::result<void> database::scan(family where, std::string_view begin, std::string_view end,
                                  const visitor& visit, bool backward) const {
  if (!taken_from_front(where) || backward) return scan_rows(where, begin, end, visit, backward);
  front_mark::scan pass{impl_->front};
  if (begin > pass.first()) return scan_rows(where, begin, end, visit, false);
  bool met = false;
  auto done = scan_rows(
      where, pass.first(), end,
      [&](std::string_view key, std::string_view value) {
        if (!std::exchange(met, true)) pass.none_before(key);
        return visit(key, value);
      },
      false);
  if (done && !met && end > pass.first()) pass.none_before(end);
  return done;
}

core::result<void> database::scan_rows(family where, std::string_view begin, std::string_view end,
                                       const visitor& visit, bool backward) const {
  count_nothing();
  rocksdb::ReadOptions options;
  const rocksdb::Slice lower = slice(begin);
  const rocksdb::Slice upper = slice(end);
  options.iterate_lower_bound = &lower;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  if (read_by_stream(where)) {
    if (begin.size() < stream_prefix_bytes) __builtin_trap();  // a scan over streams finds nothing
    options.prefix_same_as_start = true;
  } else {
    options.total_order_seek = true;
  }
  std::unique_ptr<rocksdb::Iterator> it{impl_->db->NewIterator(options, impl_->at(where))};
  if (!backward) {
    it->Seek(lower);
  } else if (end.empty()) {
    it->SeekToLast();
  } else {
    it->SeekForPrev(upper);  // the bound itself is excluded by iterate_upper_bound
  }
  while (it->Valid() && visit(view(it->key()), view(it->value()))) {
    if (backward) {
      it->Prev();
    } else {
      it->Next();
    }
  }
  if (!it->status().ok()) return converted(it->status());
  return {};
}

write_report database::write(const std::vector<const write_plan*>& plans,
                             const std::vector<write_op>& extra, bool sync) {
  const bool frees_space =
      !plans.empty() &&
      std::all_of(plans.begin(), plans.end(), [](const auto* p) { return p->frees_space; });
  if (!frees_space && free_bytes() < impl_->reserve_bytes) {
    return {commit_result::no_space, "free disk space is below the reserve"};
  }
  count_nothing();
  rocksdb::WriteBatch batch;
  const auto append = [&](const write_op& op) {
    auto* handle = impl_->at(op.where);
    return op.erase ? batch.Delete(handle, slice(op.key.view()))
                    : batch.Put(handle, slice(op.key.view()), slice(op.value));
  };
  // One family after the other: each has a memtable of its own, which the processor's cache then
  // holds. The order matters only among writes of one key.
  std::vector<const write_op*> ops;
  for (const write_plan* plan : plans) {
    for (const write_op& op : plan->ops) ops.push_back(&op);
  }
  for (const write_op& op : extra) ops.push_back(&op);
  std::ranges::stable_sort(ops, {}, [](const write_op* op) { return op->where; });
  rocksdb::Status status;
  for (const write_op* op : ops) {
    if (status.ok()) status = append(*op);
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (status.ok()) status = impl_->db->Write(options, &batch);
  for (const write_op* op : ops) {
    if (!op->erase && taken_from_front(op->where)) impl_->front.put(op->key.view());
  }
  if (status.ok()) return {};
  return {no_space(status) ? commit_result::no_space : commit_result::failed, status.ToString()};
}

std::uint64_t database::free_bytes() const {
  struct statvfs info {};
  if (::statvfs(impl_->directory.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

std::uint64_t database::stored_bytes() const {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(impl_->size_mutex);
  if (now < impl_->size_until) return impl_->size;
  impl_->size = impl_->directory_bytes();
  impl_->size_until = now + std::chrono::seconds{5};
  return impl_->size;
}

std::uint64_t database::stored_bytes_now() {
  // Enabling deletions purges in the caller's thread what background threads would get to later.
  (void)impl_->db->DisableFileDeletions();
  (void)impl_->db->EnableFileDeletions(false);
  return impl_->directory_bytes();
}

std::uint64_t database::impl::directory_bytes() const {
  std::uint64_t sum = 0;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(fs::path{directory} / "db", ec)) {
    const std::uint64_t bytes = entry.is_regular_file(ec) ? entry.file_size(ec) : 0;
    if (!ec) sum += bytes;  // a file may have gone meanwhile
  }
  return sum;
}

core::result<void> database::flush() {
  for (auto* handle : impl_->handles) {
    const auto status = impl_->db->Flush({}, handle);
    if (!status.ok()) return converted(status);
  }
  return {};
}

std::uint64_t database::bytes_between(family where, std::string_view begin,
                                      std::string_view end) const {
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  const rocksdb::Range range{slice(begin), slice(end)};
  std::uint64_t bytes = 0;
  const auto status = impl_->db->GetApproximateSizes(options, impl_->at(where), &range, 1, &bytes);
  return status.ok() ? bytes : 0;
}

std::array<std::uint64_t, family_count> database::family_bytes() const {
  std::array<std::uint64_t, family_count> out{};
  for (std::size_t i = 0; i < family_count; ++i) {
    (void)impl_->db->GetIntProperty(impl_->handles[i], rocksdb::DB::Properties::kLiveSstFilesSize,
                                    &out[i]);
  }
  return out;
}

std::shared_ptr<drop_view> database::view_for(const retention_cut& cut) {
  return std::make_shared<drop_view>(*impl_->db, impl_->at(family::lanes), impl_->at(family::index),
                                     impl_->at(family::events), cut);
}

void database::drop_with(std::shared_ptr<drop_view> view) { impl_->drops->set(std::move(view)); }

dropped_rows database::dropped(const drop_view& view) {
  return {view.events_dropped.load(), view.attempts_dropped.load()};
}

void database::cancel_rewrites() { impl_->db->DisableManualCompaction(); }

core::result<void> database::rewrite(family where, std::string_view begin, std::string_view end,
                                     std::atomic<bool>& stop) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &stop;
  const rocksdb::Slice from = slice(begin);
  const rocksdb::Slice until = slice(end);
  const auto status = impl_->db->CompactRange(
      options, impl_->at(where), begin.empty() ? nullptr : &from, end.empty() ? nullptr : &until);
  if (status.ok()) return {};
  if (stop) return core::error{core::errc::unavailable, "ending", "the daemon is ending", {}, {}};
  return converted(status);
}

}  // namespace syndicated::store
