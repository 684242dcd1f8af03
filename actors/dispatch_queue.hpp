// One endpoint's part of a dispatcher: what is ready, what is under way, how much at a time.
//
// The window in memory is bounded; what does not fit stays in the store's due index, which is read
// again when there is room. CAF-free; used on its dispatcher's thread only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/services.hpp"
#include "core/delivery/concurrency.hpp"
#include "core/delivery/signer.hpp"
#include "core/delivery/token_bucket.hpp"
#include "net/curl_loop.hpp"

namespace syndicated::actors {

using work_handle = std::shared_ptr<const lane_work>;

class dispatch_queue {
 public:
  dispatch_queue(services& s, core::endpoint_id id) : s_(s), id_(id) {}

  // Takes new settings. Paused: forgets what is ready. Active again: starts slowly, from the disk.
  void configure(std::shared_ptr<const core::endpoint> settings);
  const core::endpoint& settings() const { return *settings_; }
  bool active() const { return settings_ && settings_->state == core::endpoint_state::active; }
  bool deleted() const { return settings_ && settings_->state == core::endpoint_state::deleted; }
  // Deleted or disabled: what waits will not be sent.
  bool ended() const {
    return deleted() || (settings_ && settings_->state == core::endpoint_state::disabled);
  }

  // A lane has something to send. `room`: the dispatcher's window has place for another.
  void ready(work_handle work, bool room);
  void rests(const core::lane_key& lane, std::optional<core::timestamp> due);

  bool can_send(core::timestamp now) const;
  work_handle take();  // the lane is in flight from here to finished()
  void finished(const work_handle& work, const core::verdict& verdict, int status,
                core::timestamp now);
  void hold_until(core::timestamp until);  // sends nothing before
  // In flight no more, and nothing came of it (the daemon stops).
  void returned(const work_handle& work);
  // The same, and its entity is about to say what becomes of the lane.
  void returned(const work_handle& work, core::timestamp now);

  // Reads due lanes from the store while there is room. Returns how many came in.
  std::size_t refill(core::timestamp now, std::size_t room);
  // Reports every stored lane of a deleted endpoint as cancelled, of a disabled one as parked, a
  // page at a time.
  void end_stored();
  // Lanes whose entity never said what became of them are looked at again.
  void give_up_waiting(core::timestamp now);

  bool wants_refill() const { return active() && more_on_disk_ && ready_.size() < refill_below; }
  // The last page of an ended endpoint is settled, and there is another.
  bool wants_ending() const {
    return ended() && more_on_disk_ && lanes_.size() == static_cast<std::size_t>(in_flight_);
  }
  // When there may be something to do without a message: a due retry, the end of Retry-After.
  std::optional<core::timestamp> next_look() const;
  // The rate limit is why can_send() says no: when it will not be.
  std::optional<core::timestamp> rate_limited_until(core::timestamp now) const;
  std::size_t held() const { return lanes_.size(); }
  int in_flight() const { return in_flight_; }

  // Header lines that do not change from attempt to attempt, and the keys to sign with.
  const std::shared_ptr<const std::vector<std::string>>& fixed_headers() const { return headers_; }
  // Null: no client certificate and the system's authorities.
  const std::shared_ptr<const net::tls_material>& tls() const { return tls_; }
  core::signer& signer() const { return *signer_; }

 private:
  static constexpr std::size_t refill_below = 32;

  enum class phase : std::uint8_t { queued, in_flight, settling };
  struct held_lane {
    dispatch_queue::phase phase{};
    core::timestamp since{};
    core::event_id head{};  // of the attempt that is settling
  };

  void prepare();
  void publish_gauge();
  bool load_row(const core::lane_key& lane);

  services& s_;
  core::endpoint_id id_;
  std::shared_ptr<const core::endpoint> settings_;
  std::shared_ptr<const std::vector<std::string>> headers_;
  std::shared_ptr<const net::tls_material> tls_;
  std::unique_ptr<core::signer> signer_;

  std::deque<work_handle> ready_;
  std::unordered_map<core::lane_key, held_lane> lanes_;
  int in_flight_ = 0;
  core::concurrency_window window_;
  core::token_bucket bucket_;
  std::optional<core::timestamp> not_before_;  // Retry-After
  std::optional<core::timestamp> due_;         // of the first lane on disk that is not due yet
  std::uint64_t scan_from_ms_ = 0;             // no live row of the due index stands before it
  bool more_on_disk_ = true;
  endpoint_gauge gauge_;
};

}  // namespace syndicated::actors
