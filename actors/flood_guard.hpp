// Keeps the flood of one endpoint from making the others wait for the processor.
//
// An endpoint that takes more than half of what is sent while others are sent to, too, is a flood:
// most often a backlog after a recovery. Its share of slots does not matter then; what does is how
// long every request waits inside this process before it is sent and after it is answered. While
// that is longer than `wait_goal`, more of the flood at a time only make the wait longer. So it is
// held to a few requests inside the process, at the least one, more or fewer as the wait shows;
// those that are with the vendor, quick, slow or hanging, come on top. An endpoint that is sent to
// alone is never held.
//
// How many are with the vendor: those in flight on average, less those inside (Little's law). Time
// is taken in periods: what one showed decides for the next. Only the beginning does not wait
// for that: who took more than half of the last period is held with the first request to another.
// Costs O(1) for each request.
// CAF-free; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace syndicated::actors {

class flood_guard {
 public:
  using index = std::uint32_t;  // of a member of turns
  using clock = std::chrono::steady_clock;
  using microseconds = std::chrono::microseconds;
  static constexpr clock::duration period = std::chrono::milliseconds{50};
  static constexpr clock::duration others_count_for = std::chrono::seconds{1};
  static constexpr clock::duration flood_counts_for = std::chrono::milliseconds{250};
  static constexpr microseconds wait_goal{60};  // on average
  static constexpr int inside_min = 1;
  static constexpr int inside_first = 4;
  static constexpr int inside_max = 1'024;

  struct hold {
    index member = 0;
    int limit = 0;  // requests in flight
    friend bool operator==(const hold&, const hold&) = default;
  };

  void sent(index member, clock::time_point now);
  // How long it was inside this process; none if that is not known. Once for each that was sent.
  void ended(index member, clock::time_point now, std::optional<microseconds> inside);
  // Decides anew when a period is over; call it often.
  void look(clock::time_point now);
  // Who is held now.
  const std::optional<hold>& held() const { return held_; }

 private:
  struct tally {  // of one member, in the period it names
    std::uint32_t period = 0;
    std::uint32_t sent = 0;
    std::uint32_t ended = 0;  // of which is known how long they were inside
    microseconds inside{};
    std::int64_t in_flight = 0;  // goes on from period to period
    microseconds time_in_flight{};
    clock::time_point counted_until{};
  };

  tally& of(index member);
  void count(tally& t, clock::time_point now);
  std::optional<index> flooding(clock::time_point now);
  bool leads() const;  // leader_ takes more than half
  void adapt(const tally& t);
  // How many were with the vendor at a time.
  int outside(index member, clock::time_point now);

  std::vector<tally> tallies_;  // by member
  std::uint32_t period_ = 1;
  clock::time_point began_{};
  clock::time_point others_until_{};
  clock::time_point flood_until_{};
  std::uint32_t sent_ = 0;  // in this period, to all
  index leader_ = 0;
  std::uint32_t leader_sent_ = 0;
  std::optional<hold> next_;   // of the last period's leader, if others come
  int inside_ = inside_first;  // of the one who is held
  std::optional<hold> held_;
};

}  // namespace syndicated::actors
