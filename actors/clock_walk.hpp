// Moves simulated time forward: from instant to instant at which something is due, so that what a
// long stretch of time would have done is done, in its order.
//
// A walk waits until nothing is due or under way, sets the clock to the earliest instant that
// something waits for (a timer, a retry, a breaker's pause, a page of a replay), and so on to its
// target. So instants are reached in order, and what is handled at one finds the clock there, or
// later by the real time it took. Work follows from work: it is over when two looks in a row found
// nothing and nothing was committed between them. What others ask of the daemon meanwhile counts,
// too. A jump sets the clock at once, as if the daemon had been switched off until then.
//
// Every step is on disk before anybody reads it from the clock. Threads: one of its own; the public
// members from any. Lifetime: started after the parts it looks at, stopped before them. Bounds: one
// walk at a time; each step ends within `patience`. CAF-free.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "actors/engine.hpp"
#include "actors/simulated_clock.hpp"
#include "actors/work.hpp"

namespace syndicated::actors {

class clock_walk {
 public:
  using reply = std::function<void(core::result<clock_status>&&)>;

  // What it needs of the engine.
  struct means {
    // Waits for the disk.
    std::function<core::result<void>(std::chrono::milliseconds ahead)> save;
    // Starts what is due now and tells what is open; on any thread, once, or never if the daemon
    // ends.
    std::function<void(std::function<void(const pending_work&)>)> look;
    std::function<void()> moved;  // a walk has reached its target
    std::chrono::milliseconds patience = std::chrono::minutes{2};
  };

  clock_walk(simulated_clock& clock, means m);
  ~clock_walk();
  clock_walk(const clock_walk&) = delete;
  clock_walk& operator=(const clock_walk&) = delete;

  void start();
  // Ends a walk where it is; what was asked is answered errc::unavailable.
  void stop();

  void show(reply tell);
  // Answered when the target is reached and nothing is due there. Errors: errc::invalid
  // "clock_out_of_range" (the past, or more than limits allow); errc::conflict "clock_is_moving",
  // or "clock_waits" when a step did not end: the clock stays where it is then; those of save.
  void move(const clock_move& wanted, reply tell);

 private:
  struct state;

  void loop();
  std::optional<core::error> refusal(const clock_move& wanted) const;
  core::result<clock_status> walk(const clock_move& wanted);
  core::result<void> set(core::timestamp to);
  core::result<pending_work> settle();
  std::optional<pending_work> look(std::chrono::steady_clock::time_point until);
  bool rest();  // false: stop
  clock_status status_now(const pending_work& open) const;

  simulated_clock& clock_;
  const means means_;
  const std::shared_ptr<state> state_;  // answers of a look may outlive us
  std::thread thread_;
};

}  // namespace syndicated::actors
