// Retention by age and by size: gives back the space of events and attempts that are no longer
// kept, by compactions of what fell behind since last time. No search through all rows, no delete
// for each.
//
// Ids of events grow with time. So an age is an id found by a few look-ups, a size an id found from
// the files' indexes, and both make one horizon that never falls (retention_gate.hpp). A round
// raises it, waits for the plans that do not know of it yet, takes a view of the lanes, and writes
// the new horizon with a synced batch of the committer, so that every lane the view shows, or shows
// as gone, is on disk for good before the first row that depends on it goes (a power cut must not
// bring back a lane whose event is gone). Then it has the ranges compacted; what is behind the
// horizon and nobody waits for is dropped (retention_filter.hpp). A crash in between leaves rows
// that the next round drops.
//
// Rounds: once an hour what fell behind, when it is worth rewriting files for it. Once a day (the
// sweep) everything behind the horizon again, for what was waited for earlier, together with the
// families of small rows that are not in the order of event ids: those are rewritten whole, so only
// when a sixteenth of the ids given out since last time (after a start: ever) fell behind.
//
// Threads: one of its own; public members from any. Lifetime: after the committer, and stopped
// before it. Bounds: one round at a time; a view pins old files for as long as its round lasts.
// Errors are logged; the next round tries again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/committer.hpp"
#include "store/id_source.hpp"
#include "store/repository.hpp"
#include "store/retention_gate.hpp"

namespace syndicated::store {

struct retention_limits {
  std::chrono::milliseconds events_age{};
  std::chrono::milliseconds attempts_age{};
  std::uint64_t events_bytes_max = 0;  // 0 = no limit
  std::uint64_t attempts_bytes_max = 0;
};

struct compaction_report {
  std::uint64_t bytes_before = 0;  // of the whole store
  std::uint64_t bytes_after = 0;
  dropped_rows dropped;
};

class retention {
 public:
  // A round's extent. `usual`: as an hour's round decides. `all`: everything behind the horizon.
  enum class extent : std::uint8_t { usual, all };
  using reply = std::function<void(core::result<compaction_report>&&)>;

  retention(database& db, const repository& repo, committer& c, const id_source& ids,
            retention_gate& gate, retention_limits limits, std::function<core::timestamp()> now);
  ~retention();
  retention(const retention&) = delete;
  retention& operator=(const retention&) = delete;

  // The horizon as it was. Errors: as database::get.
  core::result<void> load();
  void start();
  // The clock has made a leap: the hour's round is due now.
  void look_now();
  // A round that is under way is to end; returns at once.
  void ask_stop();
  // Ends it: waits for one plan's commit, or for a flush.
  void stop();

  // Applies retention to everything behind the horizon, then compacts the whole store. The reply
  // comes on retention's thread. Errors: errc::unavailable when the daemon ends.
  void compact_everything(reply done);

  // One round on the caller's thread, instead of start(); the committer runs. For tests.
  core::result<dropped_rows> round(extent wanted);
  dropped_rows dropped_so_far() const noexcept;

 private:
  struct range {
    family where{};
    key_bytes begin, end;  // both empty: the whole family
  };
  void loop();
  core::result<compaction_report> everything();
  core::result<retention_cut> next_cut();
  core::result<core::event_id> size_horizon(family where, std::uint64_t bytes_max) const;
  std::vector<range> ranges(const retention_cut& cut, extent wanted, bool& sweep) const;
  core::result<void> save(const retention_record& r);
  core::result<void> rewrite(const std::vector<range>& what);

  database& db_;
  const repository& repo_;
  committer& committer_;
  const id_source& ids_;
  retention_gate& gate_;
  const retention_limits limits_;
  const std::function<core::timestamp()> now_;
  // Used by the one thread that runs rounds.
  retention_record record_;
  core::event_id streams_done_, index_done_;  // where the horizon was when they were rewritten last

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<reply> asked_;
  bool running_ = false;
  bool look_now_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> events_dropped_{0}, attempts_dropped_{0};
  std::thread thread_;
};

}  // namespace syndicated::store
