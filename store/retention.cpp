#include "store/retention.hpp"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "core/base/log.hpp"

namespace syndicated::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds round_pause = std::chrono::hours{1};
constexpr milliseconds first_pause = std::chrono::minutes{10};  // a start has other work to do
constexpr milliseconds sweep_pause = std::chrono::hours{24};
// Plans that do not know of a raised horizon end within this, or the round is given up.
constexpr milliseconds passes_patience = std::chrono::seconds{30};
// For less than this behind the horizon no file is rewritten before the daily sweep: the files at
// the edges of a range, half of one on the average at each side, are rewritten for nothing.
constexpr std::uint64_t worth_bytes = 32U << 20U;
// Families in other orders are rewritten whole; worth it when this part of their ids fell behind.
constexpr std::uint64_t worth_part = 16;

constexpr int save_tries = 100;
constexpr std::uint64_t all_ids = UINT64_MAX;

core::error ending() { return {core::errc::unavailable, "ending", "the daemon is ending", {}, {}}; }

}  // namespace

retention::retention(database& db, const repository& repo, committer& c, const id_source& ids,
                     retention_gate& gate, retention_limits limits,
                     std::function<core::timestamp()> now)
    : db_(db),
      repo_(repo),
      committer_(c),
      ids_(ids),
      gate_(gate),
      limits_(limits),
      now_(std::move(now)) {}

retention::~retention() { stop(); }

core::result<void> retention::load() {
  auto found = repo_.find_retention();
  if (!found) return std::move(found).failure();
  record_ = *found;
  gate_.raise(record_.events_from, record_.attempts_from);
  return {};
}

void retention::start() {
  const std::lock_guard lock(mutex_);
  running_ = true;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "retention");
    loop();
  });
}

void retention::look_now() {
  {
    const std::lock_guard lock(mutex_);
    look_now_ = true;
  }
  wake_.notify_one();
}

void retention::ask_stop() {
  std::vector<reply> unanswered;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    stopping_ = true;
    unanswered.swap(asked_);
  }
  wake_.notify_one();
  for (reply& done : unanswered) done(ending());
}

void retention::stop() {
  ask_stop();
  if (thread_.joinable()) db_.cancel_rewrites();
  if (thread_.joinable()) thread_.join();
}

void retention::compact_everything(reply done) {
  {
    const std::lock_guard lock(mutex_);
    if (running_) {
      asked_.push_back(std::move(done));
      done = nullptr;
    }
  }
  wake_.notify_one();
  if (done) done(ending());
}

dropped_rows retention::dropped_so_far() const noexcept {
  return {events_dropped_.load(), attempts_dropped_.load()};
}

void retention::loop() {
  auto next = std::chrono::steady_clock::now() + first_pause;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_until(lock, next, [this] { return stopping_ || look_now_ || !asked_.empty(); });
    if (stopping_) return;
    look_now_ = false;
    std::vector<reply> asked = std::exchange(asked_, {});
    lock.unlock();
    core::result<void> done;
    if (asked.empty()) {
      auto dropped = round(extent::usual);
      if (!dropped) done = std::move(dropped).failure();
    } else {
      auto report = everything();
      if (!report) done = report.failure();
      for (reply& one : asked) one(core::result<compaction_report>{report});
    }
    if (!done && !stopping_) {
      core::log(core::log_level::error, "retention", "old data cannot be dropped now",
                {{"detail", done.failure().detail}});
    }
    next = std::chrono::steady_clock::now() + round_pause;
    lock.lock();
  }
}

core::result<compaction_report> retention::everything() {
  compaction_report out;
  if (auto ok = db_.flush(); !ok) return std::move(ok).failure();
  out.bytes_before = db_.stored_bytes_now();
  auto dropped = round(extent::all);
  if (!dropped) return std::move(dropped).failure();
  out.dropped = *dropped;
  std::vector<range> whole(family_count);
  for (std::size_t i = 0; i < family_count; ++i) whole[i].where = static_cast<family>(i);
  if (auto ok = rewrite(whole); !ok) return std::move(ok).failure();
  if (auto ok = db_.flush(); !ok) return std::move(ok).failure();
  out.bytes_after = db_.stored_bytes_now();
  return out;
}

// The smallest id from which on the rows are no more than `bytes_max`.
core::result<core::event_id> retention::size_horizon(family where, std::uint64_t bytes_max) const {
  const key_bytes end = id_key(all_ids);
  const auto kept = [&](std::uint64_t from) {
    return db_.bytes_between(where, id_key(from).view(), end.view());
  };
  std::uint64_t low = 1;
  std::uint64_t high = ids_.last_event().value + 1;
  if (bytes_max == 0 || kept(low) <= bytes_max) return core::event_id{low};
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (kept(middle) <= bytes_max) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return core::event_id{low};
}

// By the ids that are given out now: whatever gets an id later is not behind it.
core::result<retention_cut> retention::next_cut() {
  const core::timestamp now = now_();
  const core::event_id last = ids_.last_event();
  auto events_age = repo_.first_event_since(now - limits_.events_age, last);
  if (!events_age) return std::move(events_age).failure();
  auto attempts_age = repo_.first_event_since(now - limits_.attempts_age, last);
  if (!attempts_age) return std::move(attempts_age).failure();
  auto events_size = size_horizon(family::events, limits_.events_bytes_max);
  if (!events_size) return std::move(events_size).failure();
  auto attempts_size = size_horizon(family::attempts, limits_.attempts_bytes_max);
  if (!attempts_size) return std::move(attempts_size).failure();
  retention_cut cut;
  cut.events = std::max({record_.events_from, *events_age, *events_size});
  cut.attempts = *attempts_size;
  cut.attempts_before = now - limits_.attempts_age;
  record_.events_from = cut.events;
  record_.attempts_from = std::max({record_.attempts_from, *attempts_age, *attempts_size});
  return cut;
}

// What is to be rewritten. A sweep begins at the first id, and takes the families in other orders
// when it is worth it.
std::vector<retention::range> retention::ranges(const retention_cut& cut, extent wanted,
                                                bool& sweep) const {
  std::vector<range> out;
  const core::timestamp now = now_();
  const bool due = record_.swept_at + sweep_pause <= now || record_.swept_at > now;
  const bool behind = cut.events.value > 1 || record_.attempts_from.value > 1;
  sweep = behind && (due || wanted == extent::all);
  const auto add = [&](family where, core::event_id done, core::event_id from) {
    const std::uint64_t begin = sweep ? 0 : done.value;
    if (from.value <= std::max<std::uint64_t>(begin, 1)) return;
    const range one{where, id_key(begin), id_key(from.value)};
    // Sizes are those of whole blocks, so a few rows may have none.
    const auto bytes = db_.bytes_between(where, one.begin.view(), one.end.view());
    if (sweep || bytes >= worth_bytes) out.push_back(one);
  };
  add(family::events, record_.events_done, record_.events_from);
  add(family::attempts, record_.attempts_done, record_.attempts_from);
  const auto add_whole = [&](family where, core::event_id done, core::event_id from) {
    const std::uint64_t last = ids_.last_event().value;
    const bool worth = from > done && (from.value - done.value) * worth_part >= last - done.value;
    if (sweep && (worth || wanted == extent::all)) out.push_back({where, {}, {}});
  };
  add_whole(family::streams, streams_done_, record_.events_from);
  add_whole(family::attempt_index, index_done_, record_.attempts_from);
  return out;
}

// Waits for the disk. On a full one it is written from the reserve, unless it shares its batch with
// a plan that may not.
core::result<void> retention::save(const retention_record& r) {
  for (int tries = 0; tries < save_tries && !stopping_; ++tries) {
    std::promise<commit_result> written;
    auto result = written.get_future();
    write_plan plan;
    plan.frees_space = true;
    repo_.put(plan, r);
    plan.done = [&written](commit_result outcome) { written.set_value(outcome); };
    committer_.submit(std::move(plan));
    const commit_result outcome = result.get();
    if (outcome == commit_result::committed) return {};
    if (outcome == commit_result::failed) break;
    std::this_thread::sleep_for(milliseconds{10});
  }
  return core::error{core::errc::io, "store_io", "the horizon cannot be written", {}, {}};
}

core::result<void> retention::rewrite(const std::vector<range>& what) {
  for (const range& one : what) {
    auto ok = db_.rewrite(one.where, one.begin.view(), one.end.view(), stopping_);
    if (!ok) return ok;
  }
  return {};
}

core::result<dropped_rows> retention::round(extent wanted) {
  auto cut = next_cut();
  if (!cut) return std::move(cut).failure();
  bool sweep = false;
  const std::vector<range> what = ranges(*cut, wanted, sweep);
  if (what.empty()) return dropped_rows{};
  gate_.raise(record_.events_from, record_.attempts_from);
  if (!gate_.turn(stopping_, passes_patience)) {
    return core::error{core::errc::unavailable,
                       "busy",
                       "changes from before the new horizon are still under way",
                       {},
                       {}};
  }
  auto view = db_.view_for(*cut);
  if (auto ok = save(record_); !ok) return std::move(ok).failure();
  db_.drop_with(view);
  auto rewritten = rewrite(what);
  db_.drop_with(nullptr);
  const dropped_rows dropped = database::dropped(*view);
  view.reset();
  events_dropped_ += dropped.events;
  attempts_dropped_ += dropped.attempts;
  if (!rewritten) return std::move(rewritten).failure();
  const auto done = [&what](family f) {
    return std::any_of(what.begin(), what.end(), [f](const range& r) { return r.where == f; });
  };
  if (done(family::events)) record_.events_done = record_.events_from;
  if (done(family::attempts)) record_.attempts_done = record_.attempts_from;
  if (done(family::streams)) streams_done_ = record_.events_from;
  if (done(family::attempt_index)) index_done_ = record_.attempts_from;
  if (sweep) record_.swept_at = now_();
  if (auto ok = save(record_); !ok) return std::move(ok).failure();
  core::log(core::log_level::info, "retention", "old data was dropped",
            {{"events", dropped.events},
             {"attempts", dropped.attempts},
             {"events_from", record_.events_from.value},
             {"attempts_from", record_.attempts_from.value}});
  return dropped;
}

}  // namespace syndicated::store
