// The one thread that makes changes true: groups plans, writes and syncs them as one batch.
//
// Group commit without a linger: a plan that finds the thread idle is written at once; those that
// arrive meanwhile form the next batch (library-notes.md, 3.2). Every batch also stores the id
// counters and the delivery counters it changed, so both are exact after a crash.
//
// A WAL or sync error other than "no space" is final: no further plan is committed, each is
// answered `failed`, and `on_fatal` is called once (reliability.md R19: fail-stop, never a second
// fsync). "No space" fails the plans of that batch and goes on; RocksDB recovers by itself.
//
// Threads: submit() and readers from any thread. Callbacks run on the committer's thread.
// Bound: callers hold at most limits::commit_queue_plans_max plans in the queue together; API
// writes are admitted by permits and outcomes by in-flight slots, both far below it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "store/database.hpp"
#include "store/id_source.hpp"
#include "store/rows.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

struct committer_stats {
  std::uint64_t batches = 0;
  std::uint64_t plans = 0;
  std::uint64_t synced = 0;
  std::uint64_t queued = 0;
  std::uint64_t no_space = 0;
  std::chrono::milliseconds oldest_wait{0};  // since the oldest plan that is not answered came
  std::chrono::milliseconds stalled{0};      // the same, or since the last batch if that is less
};

class committer {
 public:
  // Loads the counters. Errors: as database::scan.
  static core::result<std::unique_ptr<committer>> create(database& db, id_source& ids,
                                                         std::function<void(std::string)> on_fatal);
  ~committer();
  committer(const committer&) = delete;
  committer& operator=(const committer&) = delete;

  void start();
  void submit(write_plan plan);
  // Writes what is queued, then ends the thread. Later plans are answered `failed`.
  void stop();
  // One turn on the caller's thread instead of start(): for simulations and tests.
  bool run_once();

  counters counters_of(core::endpoint_id endpoint) const;
  counters counters_total() const;
  // Of the endpoints that have any.
  std::vector<std::pair<core::endpoint_id, std::uint64_t>> pending() const;
  totals entities() const;
  committer_stats stats() const;
  // A batch was refused for lack of space, less than a second ago: after that a write is worth a
  // try, for nothing else would find out that there is space again.
  bool out_of_space() const noexcept;
  // The last batch was refused for lack of space, whenever that was.
  bool space_ran_out() const noexcept { return out_of_space_.load(std::memory_order_relaxed); }

 private:
  committer(database& db, id_source& ids, std::function<void(std::string)> on_fatal);
  core::result<void> load_counters();
  void loop();
  // The next batch; `spare` is empty and becomes the queue, with the memory it has.
  std::vector<write_plan> take(bool wait, std::vector<write_plan> spare);
  void commit(std::vector<write_plan>& batch);
  std::vector<write_op> bookkeeping(const std::vector<const write_plan*>& plans,
                                    std::unordered_map<core::endpoint_id, counters>& staged,
                                    totals& after) const;
  void add_rewrites(const std::vector<const write_plan*>& plans, std::vector<write_op>& to) const;
  void accept(const std::unordered_map<core::endpoint_id, counters>& staged, const totals& after);
  void fail(const write_report& report);

  database& db_;
  id_source& ids_;
  std::function<void(std::string)> on_fatal_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<write_plan> queue_;
  bool stopping_ = false;
  bool waiting_ = false;

  mutable std::mutex counters_mutex_;
  std::unordered_map<core::endpoint_id, counters> counters_;
  counters total_;
  totals totals_{0, 1};  // the provider is there from the first start on

  std::atomic<bool> dead_{false};
  std::atomic<bool> out_of_space_{false};
  std::atomic<std::chrono::steady_clock::time_point> refused_at_{};
  // Of the batch that is being written; zero: none is.
  std::atomic<std::chrono::steady_clock::time_point> batch_oldest_{};
  std::atomic<std::chrono::steady_clock::time_point> batch_ended_{};
  std::atomic<std::uint64_t> batches_{0}, plans_{0}, synced_{0}, no_space_{0};
  std::thread thread_;
};

}  // namespace syndicated::store
