#include "actors/load_watch.hpp"

#include <pthread.h>
#include <unistd.h>

#include <fstream>

#include "core/base/limits.hpp"

namespace syndicated::actors {

load_watch::~load_watch() { stop(); }

void load_watch::start() {
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
  s_.load.take(sample, *s_.catalog.load());
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace syndicated::actors
