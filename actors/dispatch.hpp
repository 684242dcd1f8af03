// What a dispatcher does: grants slots fairly among its endpoints, signs, sends, judges answers.
//
// Fairness: owners take turns, and in them their endpoints (turns.hpp). An endpoint that hangs
// holds at most its own concurrency, which shrinks to one; an origin that fails is left alone but
// for single probes (origins.hpp; delivery.md, 1). CAF-free; one thread at a time (its actor's).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "actors/dispatch_queue.hpp"
#include "actors/flood_guard.hpp"
#include "actors/origins.hpp"
#include "actors/suspects.hpp"
#include "actors/turns.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

struct dispatch_settings {
  int sockets_max = 1'024;
  std::size_t window_max = 4'096;
  int origin_max = 128;                     // requests at a time to one origin
  flight_journal::part* journal = nullptr;  // outlives the dispatcher
  int platform_weight = 1;
  std::size_t in_flight_bytes_max = core::limits::in_flight_bytes_max;  // of bodies
  std::function<flood_guard::clock::time_point()> monotonic = flood_guard::clock::now;
};

class dispatch {
 public:
  // Hands a request to the loop; its `done` reaches attempt_ended() through the actor.
  using sender = std::function<void(net::attempt_request&&)>;
  using completion =
      std::function<void(work_handle, attempt_start started, core::attempt_result&&)>;

  dispatch(services& s, dispatch_settings settings, sender send, completion complete);

  // Every endpoint of this dispatcher, at start; and one, when the catalogue changed it.
  void endpoint_changed(core::endpoint_id id);
  void lane_ready(work_handle work);
  void lane_rests(const core::lane_key& lane, std::optional<core::timestamp> due);
  void lane_barred(const core::lane_key& lane, core::timestamp until);
  void attempt_ended(const work_handle& work, const attempt_start& started,
                     const core::attempt_result& result);
  // Grants free slots; after a burst of the three above.
  void pump();
  void tick(core::timestamp now);
  void drain();  // starts nothing more
  void test(core::endpoint_id id, std::function<void(core::result<core::attempt_result>&&)> reply);
  int in_flight() const { return turns_.in_flight(); }
  // The earliest instant at which a tick will have something to do, if nothing else happens.
  std::optional<core::timestamp> next_look(core::timestamp now) const;

 private:
  struct member {
    core::endpoint_id id;
    std::unique_ptr<dispatch_queue> queue;
    turns::index group = 0;
    turns::index origin = 0;
  };

  dispatch_queue* queue_of(core::endpoint_id id);
  member& member_of(const dispatch_queue& q) { return members_[q.place]; }
  void take_place(member& m, const core::endpoint& settings);
  turns::index group_of(const core::endpoint& e);
  int weight_of(const core::endpoint& e) const;
  void enlist(dispatch_queue& q, core::timestamp now);
  void probe(turns::index origin, core::timestamp now);
  bool probe_once(turns::index origin, core::timestamp now);
  void send(member& m, work_handle work, core::timestamp now);
  core::result<std::shared_ptr<const core::event>> load_event(const work_handle& work);
  void hand_over(const dispatch_queue& q, net::attempt_request&& request);
  void expired(member& m, const work_handle& work, core::timestamp now);
  // What is answered without space could not be recorded, and would be sent again and again.
  bool may_send() const;
  void not_sent(member& m, const work_handle& work, const core::error& why, core::timestamp now);
  void judge_origin(member& m, const work_handle& work, const core::verdict& verdict,
                    core::timestamp started, core::timestamp now);
  void judge_health(member& m, const core::verdict& verdict, core::timestamp now);
  void tell_health(member& m, core::health_change change, const std::string& reason);
  void try_suspect(core::timestamp now);
  void quarantine(member& m, const core::lane& lane, const flight_journal::suspect& s,
                  core::timestamp now);
  void forget_quarantined(const core::lane_key& lane);
  void end_trial(const lane_work* work);
  void look_later(const dispatch_queue& q);
  void refill(dispatch_queue& q, core::timestamp now);
  void keep_few(turns::index origin);
  std::size_t held() const;

  services& s_;
  dispatch_settings settings_;
  sender send_;
  std::shared_ptr<const completion> complete_;  // outlives us in requests under way
  turns turns_;
  flood_guard flood_;
  origins origins_;
  std::vector<member> members_;  // in the order of their numbers in turns_
  std::unordered_map<core::endpoint_id, turns::index> places_;
  std::map<endpoint_owner, turns::index> groups_;
  std::set<std::pair<core::timestamp, turns::index>> looks_;
  suspects suspects_;
  const lane_work* trial_ = nullptr;                                      // the suspect under way
  std::unordered_map<core::lane_key, flight_journal::slot> quarantined_;  // not yet on disk
  std::size_t held_ = 0;
  std::size_t in_flight_bytes_ = 0;
  bool draining_ = false;
  core::timestamp next_sweep_{};
};

}  // namespace syndicated::actors
