// One endpoint's part of a dispatcher: what is ready, what is under way, how much at a time.
//
// The window in memory is bounded; what does not fit stays in the store's due index, which is read
// again when there is room. Fresh events and late retries have each their own place in it and are
// taken alternately, so that neither keeps the other waiting (delivery.md, 1).
// CAF-free; used on its dispatcher's thread only.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/flight_journal.hpp"
#include "actors/services.hpp"
#include "core/delivery/concurrency.hpp"
#include "core/delivery/health.hpp"
#include "core/delivery/retry_budget.hpp"
#include "core/delivery/signer.hpp"
#include "core/delivery/token_bucket.hpp"
#include "net/curl_loop.hpp"
#include "net/oauth2_grant.hpp"

namespace syndicated::actors {

using work_handle = std::shared_ptr<const lane_work>;

// Whether a queue has something to send now, and if not, what it waits for.
enum class sendable : std::uint8_t { nothing, now, room_for_retry, retry_budget, rate_limit };

class dispatch_queue {
 public:
  // `journal`: notes what is in flight; may be null.
  dispatch_queue(services& s, core::endpoint_id id, flight_journal::part* journal = nullptr)
      : s_(s), id_(id), journal_(journal) {}

  // Takes new settings. Paused: forgets what is ready. Active again: starts slowly, from the disk.
  void configure(std::shared_ptr<const core::endpoint> settings);
  const core::endpoint& settings() const { return *settings_; }
  std::uint32_t address() const { return address_; }  // grows with each change of the URL
  bool active() const { return settings_ && settings_->state == core::endpoint_state::active; }
  bool deleted() const { return settings_ && settings_->state == core::endpoint_state::deleted; }
  // Deleted or disabled: what waits will not be sent.
  bool ended() const {
    return deleted() || (settings_ && settings_->state == core::endpoint_state::disabled);
  }

  // A lane has something to send. `room`: the dispatcher's window has place for another.
  void ready(work_handle work, bool room);
  void rests(const core::lane_key& lane, std::optional<core::timestamp> due);
  // Not before `until`, whatever its row says.
  void barred(const core::lane_key& lane, core::timestamp until);

  // `room`: the dispatcher has a slot for a retry.
  sendable can_send(core::timestamp now, bool room);
  // The lane is in flight from here to finished(). A probe is the oldest event that is due: after a
  // refusal its next try tells more than another event's first.
  work_handle take(core::timestamp now, bool room);
  work_handle take_probe(core::timestamp now);
  // A lane whose head is suspect is left alone until its trial, which gives the work, or until it
  // is released or reported as parked.
  void bar_suspect(const core::lane_key& lane);
  work_handle take_suspect(core::lane lane, flight_journal::slot slot, core::timestamp now);
  void release_suspect(const core::lane_key& lane);
  void park_suspect(const core::lane& lane, core::timestamp now,
                    const std::shared_ptr<const lane_report>& report);
  bool may_try(core::timestamp now) const { return may_send(now) && bucket_.has(now); }
  // When the event happened that take_probe() would give; none when nothing may be sent.
  std::optional<core::timestamp> oldest(core::timestamp now) const;
  // When its next attempt may be made; none when it may be made now.
  std::optional<core::timestamp> waits_until(const core::lane& lane, core::timestamp now) const;
  // `report`: what tells the entity; the lane is not looked at again while it is under way.
  void finished(const work_handle& work, const core::verdict& verdict, int status,
                core::timestamp now, const std::shared_ptr<const lane_report>& report);
  // After an outage: one request at a time, then more.
  void start_slowly() {
    window_.restart();
    publish_gauge();
  }
  void hold_until(core::timestamp until, core::timestamp now);  // sends nothing before
  // In flight no more, and nothing came of it (the daemon stops).
  void returned(const work_handle& work);
  // The same, and its entity is about to say what becomes of the lane.
  void returned(const work_handle& work, core::timestamp now,
                const std::shared_ptr<const lane_report>& report);

  // Lets go of lanes that wait to be sent, the last ones first, until `count` are left.
  void keep_few(std::size_t count);
  // Reads a few due lanes from the store, if there is room. Returns how many came in.
  std::size_t refill(core::timestamp now, std::size_t room);
  // Reports every stored lane of a deleted endpoint as cancelled, of a disabled one as parked, a
  // page at a time.
  void end_stored();
  // Lanes whose entity never said what became of them are looked at again.
  void give_up_waiting(core::timestamp now);
  // Lanes on disk that would wait for longer than any may: they were written while the clock was
  // ahead. Since it was set back, they are due.
  void look_ahead(core::timestamp now);

  // It could send more than what is in memory.
  bool starves() const { return wants_refill() && fresh_.ready.empty() && late_.ready.empty(); }
  bool wants_refill() const {
    return active() && ((fresh_.more && fresh_.ready.size() < refill_below) ||
                        (late_.more && late_.ready.size() < refill_below));
  }
  // The last page of an ended endpoint is settled, and there is another.
  bool wants_ending() const {
    return ended() && fresh_.more && lanes_.size() == static_cast<std::size_t>(in_flight_);
  }
  // When there may be something to do without a message: a due retry, the end of Retry-After.
  std::optional<core::timestamp> next_look() const;
  // can_send() says that the rate limit is why: until when.
  core::timestamp rate_limited_until(core::timestamp now) const {
    return bucket_.next(now).value_or(now);
  }
  std::size_t held() const { return lanes_.size(); }
  std::size_t queued() const { return fresh_.ready.size() + late_.ready.size(); }  // to be sent
  int in_flight() const { return in_flight_; }
  int limit() const { return window_.limit(); }
  core::endpoint_health& health() { return health_; }
  void health_changed() { publish_gauge(); }
  // The dispatcher's number for this endpoint.
  std::uint32_t place = 0;

  // Header lines that do not change from attempt to attempt, and the keys to sign with.
  const std::shared_ptr<const std::vector<std::string>>& fixed_headers() const { return headers_; }
  // Null: no client certificate and the system's authorities.
  const std::shared_ptr<const net::tls_material>& tls() const { return tls_; }
  // Null unless the endpoint wants access tokens.
  const std::shared_ptr<net::oauth2_grant>& grant() const { return grant_; }
  core::signer& signer() const { return *signer_; }

 private:
  static constexpr std::size_t refill_below = 32;

  // Pausing: a retry of the endpoint's line, which has become a stream's own; what is told about
  // the lane ends that, while a barred one is left alone. Suspect: until its trial.
  enum class phase : std::uint8_t { queued, in_flight, settling, barred, pausing, suspect };
  struct held_lane {
    dispatch_queue::phase phase{};
    core::timestamp since{};  // settling; of a barred or pausing one: until
    core::event_id head{};    // of the attempt that is settling
    std::weak_ptr<const lane_report> report{};
    flight_journal::slot slot = flight_journal::none;  // while in flight
    std::uint32_t streak = 0;                          // events sent while it kept its place
  };
  // Lanes with a head that was never tried, or those with one that was.
  //
  // Rows that come and go leave dead ones in the index, which a scan has to pass: so it goes on
  // where the last one ended, and what it found or what returns to disk behind it is noted here.
  struct side {
    explicit side(store::due_side on) : kind(on) {}
    store::due_side kind;
    std::deque<work_handle> ready;
    // Every live row of this kind before it is held in memory or stands in `behind`.
    std::uint64_t scan_from_ms = 0;
    std::set<store::due_row> behind;
    // Rows from here on are due as well (look_ahead), and all of them before it are held in memory
    // or stand in `behind`. 0: none are known.
    std::uint64_t ahead_ms = 0;
    bool more = true;  // on disk
  };

  void prepare();
  void publish_gauge();
  void landed(const work_handle& work);
  void settles(const work_handle& work, core::timestamp now,
               const std::shared_ptr<const lane_report>& report);
  void goes_back(side& s, const core::lane& lane);
  // How long a lane on that side of the disk may wait.
  std::chrono::milliseconds longest_wait(store::due_side kind) const;
  bool is_held(core::timestamp now) const;
  bool load_row(side& s, const store::due_row& row, core::timestamp now);
  bool in_line() const { return settings_->ordering == core::ordering_mode::endpoint; }
  std::size_t refill_line(core::timestamp now);
  bool line_is_held();
  bool first_ahead(side& s, core::timestamp now, std::vector<core::lane_key>& to);
  side& side_of(const core::lane& lane) { return lane.attempts > 0 ? late_ : fresh_; }
  void look_at_disk_again();
  std::size_t refill_side(side& s, core::timestamp now, std::size_t space);
  std::size_t load_behind(side& s, core::timestamp now, std::size_t space);
  bool scan_page(side& s, core::timestamp now);
  std::set<store::due_row>::iterator next_behind(side& s, core::timestamp now);
  void scan_ahead(side& s, core::timestamp now);
  std::uint64_t ahead_of(const side& s, core::timestamp now) const;
  bool may_send(core::timestamp now) const;
  work_handle take_from(side& s, core::timestamp now);

  services& s_;
  core::endpoint_id id_;
  flight_journal::part* journal_;
  std::shared_ptr<const core::endpoint> settings_;
  std::uint32_t address_ = 0;
  std::shared_ptr<const std::vector<std::string>> headers_;
  std::shared_ptr<const net::tls_material> tls_;
  std::shared_ptr<net::oauth2_grant> grant_;
  std::unique_ptr<core::signer> signer_;

  side fresh_{store::due_side::fresh};
  side late_{store::due_side::late};
  bool late_turn_ = false;  // of two that wait, a late one goes next
  core::retry_budget budget_;
  core::endpoint_health health_;
  std::unordered_map<core::lane_key, held_lane> lanes_;
  int in_flight_ = 0;
  core::concurrency_window window_;
  core::token_bucket bucket_;
  std::optional<core::timestamp> not_before_;  // Retry-After
  std::optional<core::timestamp> due_;         // of the first lane on disk that is not due yet
  endpoint_gauge gauge_;
};

}  // namespace syndicated::actors
