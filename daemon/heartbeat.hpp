// Is every part of the daemon still turning? The watchdog is fed only when all have answered.
//
// Purpose: a round asks each probe once; a probe answers by calling what it is given, on its own
// thread. A round that is not complete keeps the daemon from telling systemd that it is well
// (reliability.md 5.5). A hung disk is not a probe: it shows in the status instead.
// Threads: begin, complete and silent from main; answers from anywhere, also after the heartbeat is
// gone or a newer round has begun (then they do nothing).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace syndicated::daemon {

class heartbeat {
 public:
  struct probe {
    std::string name;
    std::function<void(std::function<void()> answer)> ask;
  };

  explicit heartbeat(std::vector<probe> probes);
  ~heartbeat();
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;

  void begin();                             // a new round
  bool complete() const;                    // every probe of the round has answered
  std::vector<std::string> silent() const;  // names of those that have not

 private:
  struct round;
  std::vector<probe> probes_;
  std::shared_ptr<round> round_;
};

}  // namespace syndicated::daemon
