// Keeps a flood of one owner from making the others wait for the processor.
//
// An owner who takes more than half of what is sent while others send, too, is a flood: most often
// a backlog after a recovery. Its share of slots does not matter then; what does is how long every
// request waits inside this process before it is sent and after it is answered. While that takes
// longer than `wait_goal`, and more than one of the flood's requests is inside on average (Little's
// law: a vendor far away has most of them), more of them at a time only make the wait longer: so
// the flood is held to fewer, and otherwise gets more. An owner who sends alone is never held.
//
// Time is taken in periods: what one showed decides for the next. Costs O(1) for each request.
// CAF-free; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace syndicated::actors {

class flood_guard {
 public:
  using index = std::uint32_t;  // of a group in turns
  using clock = std::chrono::steady_clock;
  static constexpr clock::duration period = std::chrono::milliseconds{50};
  static constexpr clock::duration others_count_for = std::chrono::seconds{1};
  static constexpr clock::duration flood_counts_for = std::chrono::milliseconds{250};
  static constexpr std::chrono::microseconds wait_goal{100};  // on average
  static constexpr int limit_min = 2;
  static constexpr int limit_first = 4;
  static constexpr int limit_max = 1'024;

  struct hold {
    index group = 0;
    int limit = 0;  // requests in flight
    friend bool operator==(const hold&, const hold&) = default;
  };

  void sent(index group);
  // How long an answered request took, and how much of it was spent in this process and not with
  // the vendor.
  void ended(index group, std::chrono::microseconds took, std::chrono::microseconds inside);
  // Who is held now. Call it often; it decides anew once a period.
  std::optional<hold> look(clock::time_point now);

 private:
  struct count {
    std::uint32_t period = 0;
    std::uint32_t sent = 0;
  };

  std::optional<index> flooding(clock::time_point now);
  void adapt();

  std::vector<count> counts_;  // by group
  std::uint32_t period_ = 1;
  clock::time_point ends_{};
  clock::time_point others_until_{};
  clock::time_point flood_until_{};
  std::uint32_t sent_ = 0;  // in this period, by all
  index leader_ = 0;
  std::uint32_t leader_sent_ = 0;
  // In this period, of the one who is held.
  std::uint32_t ended_ = 0;
  std::chrono::microseconds took_{};
  std::chrono::microseconds inside_{};
  std::optional<hold> held_;
};

}  // namespace syndicated::actors
