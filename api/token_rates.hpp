// How many requests each token may make: `per_s` on the average, those of one second at once, so
// that one client's haste is not everybody's wait (delivery.md, 3).
//
// Bounded: one bucket for each token that asked lately; full ones are forgotten.
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/delivery/token_bucket.hpp"

namespace syndicated::api {

class token_rates {
 public:
  void configure(int per_s) noexcept { per_s_ = per_s; }  // 0 = no bound
  // The token may make a request at `now` (any steady clock), which is counted.
  bool take(core::token_id token, core::timestamp now);
  std::size_t size() const;

 private:
  void make_room(core::timestamp now);

  std::atomic<int> per_s_{0};
  mutable std::mutex guard_;
  std::unordered_map<std::uint64_t, core::token_bucket> buckets_;
  std::size_t room_ = 0;  // of buckets, before full ones are looked for
};

}  // namespace syndicated::api
