// Counts refused credentials by source address, so that guessing is slow (reliability.md, 4).
//
// At most `failures_per_minute` refusals of one source are answered as such; the rest of that
// minute it is told to slow down. A source with a good token is served all the same: otherwise a
// neighbour behind the same address could lock it out.
// Bounded: a fixed table of 65,536 places in buckets of four; when a bucket is full, the entry
// whose minute began first gives way. The hash is seeded, so that places cannot be aimed at.
// Threads: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace syndicated::api {

class failed_auth {
 public:
  static constexpr int failures_per_minute = 10;
  static constexpr std::size_t places = 65'536;

  failed_auth();
  // Notes one failure at `now_s` (any steady clock, seconds); true: this source is over its limit.
  bool note(std::string_view source, std::int64_t now_s);

 private:
  struct place {
    std::uint64_t source = 0;
    std::int64_t began_s = 0;
    int failures = 0;
  };
  static constexpr std::size_t ways = 4;

  std::uint64_t seed_;
  std::mutex guard_;
  std::vector<std::array<place, ways>> buckets_;
};

}  // namespace syndicated::api
