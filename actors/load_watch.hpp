// Looks at the figures that decide whether new load is taken (load_gate.hpp), on a thread of its
// own, so that neither a hung disk nor busy actors keep it from looking. Tells changes of owners'
// quotas in the stream of the owner's oldest endpoint; the one that told of a full quota tells its
// end as well, though it was deleted meanwhile.
//
// Threads: start (when there are shards) and stop from the owner's. Lifetime: ends before the
// services.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "actors/services.hpp"

namespace syndicated::actors {

class load_watch {
 public:
  explicit load_watch(services& s) : s_(s) {}
  ~load_watch();
  load_watch(const load_watch&) = delete;
  load_watch& operator=(const load_watch&) = delete;

  void start();
  void stop();
  // What start() does, on the caller's thread: for tests.
  void restore();  // what an earlier process told
  void look();

 private:
  void tell(const quota_change& change);
  std::optional<core::endpoint_id> teller_of(const endpoint_owner& owner) const;

  services& s_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// Of this process; 0 when it cannot be read.
std::uint64_t resident_bytes();

}  // namespace syndicated::actors
