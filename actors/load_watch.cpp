#include "actors/load_watch.hpp"

#include <pthread.h>
#include <unistd.h>

#include <fstream>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"

namespace syndicated::actors {

load_watch::~load_watch() { stop(); }

void load_watch::start() {
  restore();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "load-watch");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      look();
      lock.lock();
      wake_.wait_for(lock, std::chrono::milliseconds{core::limits::load_look_ms},
                     [this] { return stopping_; });
    }
  });
}

void load_watch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void load_watch::look() {
  load_sample sample;
  sample.stalled = s_.committer.stats().stalled;
  sample.resident_bytes = resident_bytes();
  sample.pending = s_.committer.pending();
  for (const quota_change& change : s_.load.take(sample, *s_.catalog.load())) tell(change);
}

// Whose stream says that the quota is not within its limit; else the oldest that is not deleted.
std::optional<core::endpoint_id> load_watch::teller_of(const endpoint_owner& owner) const {
  const auto catalog = s_.catalog.load();
  std::optional<core::endpoint_id> oldest;
  for (const core::endpoint_id id : catalog->endpoints_of(owner)) {
    const auto journal = s_.repo.find_journal(id);
    if (journal.ok() && *journal && (*journal)->quota != core::quota_level::within) return id;
    if (!oldest && catalog->find(id)) oldest = id;
  }
  return oldest;
}

void load_watch::tell(const quota_change& change) {
  const auto teller = teller_of(change.owner);
  if (!teller) return;
  auto request = system_request(core::stream_of(*teller));
  request->body = owner_quota_changed{change.owner.scope, change.owner.id, change.level,
                                      change.value, change.limit};
  request->reply = [gate = &s_.load, owner = change.owner](core::result<answer>&& told) {
    if (!told) gate->not_told(owner);
  };
  s_.to_shard(std::move(request));
}

void load_watch::restore() {
  const auto catalog = s_.catalog.load();
  const auto scanned = s_.repo.journals([&](store::endpoint_journal&& row) {
    const auto endpoint = catalog->find_any(row.endpoint);
    if (endpoint) s_.load.restore(catalog->owner_of(*endpoint), row.quota);
    return true;
  });
  if (scanned) return;
  core::log(core::log_level::error, "load", "the journals of endpoints cannot be read",
            {{"detail", scanned.failure().detail}});
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace syndicated::actors
