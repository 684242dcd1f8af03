// Asks the vendors' metric endpoints (domain.md, 1.12): GET with the subscription's id in a header,
// 200 {"value":3.0}. What comes of it goes to the subscription, which judges it as usage.
//
// Threads: any; curl's callback comes on the loop's thread. Bounds: limits::metric_polls_max at a
// time, limits::metric_polls_waiting_max that wait; one more counts as failed ("overloaded").
// Lifetime: outlives the curl loop's callbacks and the entities; ended by stop().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/services.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

// The value, or why the answer cannot be used: "no_value", "bad_value".
core::result<core::decimal> parse_metric_answer(std::string_view json);

class metric_poller {
 public:
  using submitter = std::function<void(net::attempt_request&&)>;
  metric_poller(services& s, submitter submit) : s_(s), submit_(std::move(submit)) {}

  void ask(core::subscription_id owner, const core::metric& m);
  // What comes later is dropped: nobody is there to take it.
  void stop();

 private:
  struct question {
    core::subscription_id owner;
    core::metric metric;
    core::timestamp asked_at{};
    std::shared_ptr<const void> open;  // simulated time waits for it
  };
  using question_ptr = std::shared_ptr<question>;

  void send(const question_ptr& q);
  void ended(const question_ptr& q, const core::attempt_result& result);
  void tell(const question& q, const core::result<core::decimal>& outcome);

  services& s_;
  const submitter submit_;
  std::mutex mutex_;
  std::deque<question_ptr> waiting_;
  std::size_t under_way_ = 0;
  bool stopped_ = false;
};

}  // namespace syndicated::actors
