// The stream and the lanes of one entity: which events there are, who still has to get them.
//
// Owned by its entity, used on the entity's thread only. Every change goes into the entity's write
// plan, so an event and its lanes are one atomic write with the state that caused them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actors/services.hpp"
#include "actors/skip_marks.hpp"

namespace syndicated::actors {

// What all events of one commit share.
struct event_facts {
  core::tenant_id tenant;
  core::vendor_id vendor;
  core::product_id product;
  std::span<const core::tenant_id> path;
  std::uint64_t entity_version = 0;
  std::string cause;
  bool deprovisioning = false;  // the entity was asked to go before this commit
  core::endpoint_id about;      // an event about an endpoint is not sent to it
  bool new_load = false;  // refused while an owner of a recipient has too much (load_gate.hpp)
};

class outbox {
 public:
  outbox(services& s, core::stream_id stream) : s_(s), stream_(stream), marks_(s.repo) {}

  // Reads the lanes. Errors: the store's.
  core::result<void> load();
  // No lane: nothing waits, is parked or is being sent.
  bool empty() const noexcept { return lanes_.empty(); }

  // What follows goes into the owner's plan with this number; those up to `settled` are on disk.
  void begin_plan(std::uint64_t number, std::uint64_t settled) {
    marks_.begin_plan(number, settled);
  }

  // Renders the JSON of an event: (draft, seq).
  using data_renderer = std::function<std::string(const core::event_draft&, std::uint64_t)>;

  // Gives each draft its id and the next seq, finds its recipients and opens or extends lanes.
  // Errors: new load that the gate refuses; then nothing is planned and `seq` is as it was.
  core::result<void> publish(store::write_plan& plan, follow_ups& follow,
                             std::vector<core::event_draft>&& drafts, std::uint64_t& seq,
                             const event_facts& facts, const data_renderer& data);

  // The same as publish() for events that have everything but their recipients. `alone`: each
  // delivery is a lane of its own, so that none waits for another.
  void append(store::write_plan& plan, follow_ups& follow, const std::vector<publish_item>& items,
              bool alone);

  // Moves the lane's cursor as the report says. A report about a head that is no longer the head
  // changes nothing but tells the dispatcher where the lane stands.
  void apply(store::write_plan& plan, follow_ups& follow, const lane_report& report);

  // The event goes out again: a parked head is tried anew, a pending one at once, an ended delivery
  // becomes a lane of its own. Errors: not_found when the event is not of this stream; gone when
  // retention may drop it now.
  core::result<void> replay(store::write_plan& plan, follow_ups& follow, const replay_request& r);

  // Gives up for good what is parked; `cause` tells who wanted it. Errors: not_found.
  core::result<void> discard(store::write_plan& plan, follow_ups& follow, const discard_request& r,
                             const std::string& cause);

  // Events up to this seq are on disk and need not be kept in memory.
  void committed(std::uint64_t seq) noexcept { committed_seq_->store(seq); }
  std::shared_ptr<std::atomic<std::uint64_t>> committed_mark() const { return committed_seq_; }

 private:
  // The event of a draft, without an id.
  std::shared_ptr<core::event> drafted(const catalog_snapshot& catalog, core::event_draft&& draft,
                                       std::uint64_t seq, const event_facts& facts,
                                       const data_renderer& data) const;
  // The endpoint has one line for all its lanes: a lane's due time is its place in that.
  bool in_line(const core::lane_key& key) const;
  bool goes_alone(const catalog_snapshot& catalog, core::endpoint_id id);
  core::lane* find(const core::lane_key& key);
  void drop(const core::lane_key& key);
  void give_up(store::write_plan& plan, core::event_id event, core::endpoint_id endpoint,
               std::uint32_t attempts, const std::string& cause);
  core::result<void> discard_passed_over(store::write_plan& plan, const discard_request& r,
                                         const std::string& cause);
  void open_lane(store::write_plan& plan, follow_ups& follow, core::lane lane,
                 const std::shared_ptr<const core::event>& event);
  void extend_lane(store::write_plan& plan, follow_ups& follow, core::endpoint_id endpoint,
                   const std::shared_ptr<const core::event>& event, bool alone);
  void write_grown(store::write_plan& plan);
  // Errors: the next event cannot be read; then nothing was changed.
  core::result<void> advance(store::write_plan& plan, follow_ups& follow, core::lane& lane);
  void cancel_all(store::write_plan& plan, follow_ups& follow, core::lane& lane);
  // The endpoint was disabled: the lane is parked with the reason of that.
  void park_ended(store::write_plan& plan, follow_ups& follow, core::lane& lane);
  core::result<void> park(store::write_plan& plan, follow_ups& follow, core::lane& lane,
                          const lane_report& r);
  void notice_parked(store::write_plan& plan, core::event_id event, const lane_report& r);
  // How an event that is asked for again gets to an endpoint: behind the head of its lane; as the
  // head of its lane, or of its own lane from an earlier replay; or in a new lane of its own, given
  // up there before or not.
  enum class replay_way : std::uint8_t { in_its_turn, head, replayed, passed_over, anew };
  // Errors: the store's; errc::unavailable "too_many_replays".
  core::result<replay_way> way_of_replay(const core::event& event, core::endpoint_id endpoint);
  void replay_head(store::write_plan& plan, follow_ups& follow,
                   const std::shared_ptr<const core::event>& event, core::lane& lane);
  void replay_anew(store::write_plan& plan, follow_ups& follow,
                   const std::shared_ptr<const core::event>& event, core::endpoint_id endpoint,
                   bool passed_over);
  // A place of the stream: no id behind its end; an id without an event when the event's row is
  // gone or damaged.
  struct place {
    core::event_id id;
    std::uint64_t seq = 0;
    std::shared_ptr<const core::event> event;
  };
  // Where a lane goes on: the next event that is sent, and those that are left out for it.
  struct step {
    place next;
    std::vector<std::shared_ptr<const core::event>> coalesced;
  };
  core::result<step> next_step(const core::lane& lane);
  // Errors: the store cannot be read at the moment.
  core::result<place> place_at(std::uint64_t seq);
  core::result<std::shared_ptr<const core::event>> stored(core::event_id id) const;
  void look_ahead(const core::lane& lane);
  bool is_ahead(std::uint64_t seq) const {
    return seq >= ahead_from_ && seq - ahead_from_ < ahead_.size();
  }
  // The first place after `seq` whose event goes to the endpoint; `left`: so many do.
  core::result<place> next_for(core::endpoint_id endpoint, std::uint64_t seq, std::uint64_t left);
  // Nobody can read whom the event at `seq` was for: it was for the endpoint when `left` of its
  // events are to come, and fewer of the following ones are.
  core::result<bool> counts_for(core::endpoint_id endpoint, std::uint64_t seq, std::uint64_t left);
  void remember(std::shared_ptr<const core::event> event);
  void trim();
  // A lane or a mark of this stream holds the event, so retention leaves it alone.
  core::result<bool> is_held(const core::event& event) const;

  services& s_;
  core::stream_id stream_;
  std::vector<core::lane> lanes_;
  std::vector<std::shared_ptr<const core::event>> recent_;  // ascending seq, without gaps
  std::size_t recent_bytes_ = 0;                            // of their data
  std::vector<core::event_id> ahead_;                       // on disk: `ahead_from_` and next ones
  std::uint64_t ahead_from_ = 0;
  core::lane_key ahead_lane_;          // which goes through them
  std::vector<core::lane_key> grown_;  // lanes that append() has to write
  skip_marks marks_;
  std::shared_ptr<std::atomic<std::uint64_t>> committed_seq_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace syndicated::actors
