// Is every part of the daemon still turning, and how soon does it answer? The watchdog is fed only
// when all have answered.
//
// Purpose: a round asks each probe once; a probe answers by calling what it is given, on its own
// thread. A round that is not complete keeps the daemon from telling systemd that it is well
// (reliability.md 5.5). A hung disk is not a probe: it shows in the status instead. The time until
// the answer is how long other work of that part has to wait (R13).
// Threads: begin, complete and silent from main; pulses from any; answers from anywhere, also after
// the heartbeat is gone or a newer round has begun (then they do nothing).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace syndicated::daemon {

class heartbeat {
 public:
  using clock = std::chrono::steady_clock;
  struct probe {
    std::string name;
    std::function<void(std::function<void()> answer)> ask;
  };
  struct pulse {
    std::string name;
    std::chrono::microseconds lag{0};  // of the last answer, or of one that takes longer already
    std::uint64_t stalls = 0;          // answers that took more than `stall`
  };
  static constexpr std::chrono::milliseconds stall{100};  // R13

  explicit heartbeat(std::vector<probe> probes,
                     std::function<clock::time_point()> now = clock::now);
  ~heartbeat();
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;

  void begin();                             // a new round
  bool complete() const;                    // every probe of the round has answered
  std::vector<std::string> silent() const;  // names of those that have not
  std::vector<pulse> pulses() const;        // of every part

 private:
  struct memory;
  struct round;
  std::shared_ptr<const round> current() const;

  std::vector<probe> probes_;
  std::function<clock::time_point()> now_;
  std::shared_ptr<memory> memory_;  // over all rounds; answers may outlive us
  mutable std::mutex mutex_;
  std::shared_ptr<round> round_;
};

}  // namespace syndicated::daemon
