// What a dispatcher does: grants slots fairly among its endpoints, signs, sends, judges answers.
//
// Fairness: endpoints with something to send take turns, one request each. An endpoint that hangs
// holds at most its own concurrency, which shrinks to one (delivery.md, 1).
// CAF-free; one thread at a time (its actor's).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "actors/dispatch_queue.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

struct dispatch_settings {
  int sockets_max = 1'024;
  std::size_t window_max = 4'096;
};

class dispatch {
 public:
  // Hands a request to the loop; its `done` reaches attempt_ended() through the actor.
  using sender = std::function<void(net::attempt_request&&)>;
  using completion =
      std::function<void(work_handle, core::timestamp started, core::attempt_result&&)>;

  dispatch(services& s, dispatch_settings settings, sender send, completion complete);

  // Every endpoint of this dispatcher, at start; and one, when the catalogue changed it.
  void endpoint_changed(core::endpoint_id id);
  void lane_ready(work_handle work);
  void lane_rests(const core::lane_key& lane, std::optional<core::timestamp> due);
  void attempt_ended(const work_handle& work, core::timestamp started,
                     const core::attempt_result& result);
  // Grants free slots; after a burst of the three above.
  void pump();
  void tick(core::timestamp now);
  void drain();  // starts nothing more
  void test(core::endpoint_id id, std::function<void(core::result<core::attempt_result>&&)> reply);
  int in_flight() const { return in_flight_; }

 private:
  dispatch_queue* queue_of(core::endpoint_id id);
  void enlist(core::endpoint_id id, dispatch_queue& q);
  void send_next(dispatch_queue& q, core::timestamp now);
  core::result<std::shared_ptr<const core::event>> load_event(const work_handle& work);
  void expired(dispatch_queue& q, const work_handle& work, core::timestamp now);
  void not_sent(dispatch_queue& q, const work_handle& work, const core::error& why,
                core::timestamp now);
  void look_later(core::endpoint_id id, const dispatch_queue& q);
  void refill(core::endpoint_id id, dispatch_queue& q, core::timestamp now);
  std::size_t held() const;

  services& s_;
  dispatch_settings settings_;
  sender send_;
  std::shared_ptr<const completion> complete_;  // outlives us in requests under way
  std::unordered_map<core::endpoint_id, std::unique_ptr<dispatch_queue>> queues_;
  std::deque<core::endpoint_id> turn_;  // endpoints that may have something to send
  std::set<core::endpoint_id> in_turn_;
  std::set<std::pair<core::timestamp, core::endpoint_id>> looks_;
  int in_flight_ = 0;
  std::size_t held_ = 0;
  bool draining_ = false;
  core::timestamp next_sweep_{};
};

// The request for one attempt: body, signature and headers of the endpoint's form. Errors:
// errc::internal "cannot_sign" when a standard endpoint has no usable key.
core::result<net::attempt_request> make_request(const core::event& e, const core::endpoint& to,
                                                const dispatch_queue& q, std::uint32_t attempt,
                                                core::timestamp now);

}  // namespace syndicated::actors
