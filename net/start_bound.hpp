// Bounds how many things of one kind begin at a time: at most `max` of those that began within the
// last `patience` and have not ended. One that takes longer waits for somebody else and costs
// nothing here, so it does not keep others from beginning.
//
// One thread at a time. Memory: `max` tickets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace syndicated::net {

class start_bound {
 public:
  start_bound(std::size_t max, int patience_ms)
      : max_(max), patience_us_(std::int64_t{patience_ms} * 1'000) {}

  bool has_room(std::int64_t now_us) {
    while (!young_.empty() && next_room_us() <= now_us) young_.erase(young_.begin());
    return young_.size() < max_;
  }
  // A ticket for end(); never 0.
  std::uint64_t begin(std::int64_t now_us) {
    young_.emplace(++last_ticket_, now_us);
    return last_ticket_;
  }
  void end(std::uint64_t ticket) { young_.erase(ticket); }  // any, also more than once
  // When the oldest no longer counts, if it does not end before; 0 when there is none.
  std::int64_t next_room_us() const {
    return young_.empty() ? 0 : young_.begin()->second + patience_us_;
  }

 private:
  const std::size_t max_;
  const std::int64_t patience_us_;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, std::int64_t> young_;  // when it began, by ticket: the oldest first
};

}  // namespace syndicated::net
