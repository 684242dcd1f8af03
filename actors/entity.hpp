// A tenant or a subscription while it is awake: the only writer of its record, stream and lanes.
//
// It works ahead of the disk: each command is decided on the newest state and answered when its
// plan is committed; plans of one entity are committed in order. When a plan is refused for lack of
// space, the entity starts again from what is on disk (store::plan_chain).
//
// CAF-free. Threads: one at a time (its actor's). Lifetime: until it sleeps;
// its actor goes on as another.
#pragma once

#include <memory>
#include <utility>

#include "actors/outbox.hpp"
#include "actors/services.hpp"
#include "actors/work.hpp"

namespace syndicated::actors {

class entity {
 public:
  entity(services& s, core::stream_id stream);
  virtual ~entity() = default;
  entity(const entity&) = delete;
  entity& operator=(const entity&) = delete;

  void handle(entity_request& request);
  void handle(const std::shared_ptr<const lane_report>& report);
  // No plan is in flight: what is on disk is all there is, so it may leave memory.
  bool idle() const noexcept { return chain_->in_flight.load() == 0; }
  // Of an idle one: none are on disk, and that can be noted. False: there are, or it is not known.
  bool without_lanes() const noexcept;
  // It had none when it fell asleep: it need not look for them.
  void has_no_lanes() noexcept { lanes_known_ = true; }

 protected:
  virtual core::result<void> load_record() = 0;
  // It had some when they were read, so it exists.
  bool had_lanes() const noexcept { return had_lanes_; }
  // It exists, and has an id that was given out in order.
  virtual bool known_by_id() const noexcept { return false; }
  virtual void decide(entity_request& request) = 0;
  // The request makes an entity that nobody knew before: there is nothing to read.
  virtual bool starts_empty(const entity_request&) const { return false; }

  // Answers now, or after everything before it is on disk.
  void answer_unchanged(entity_request& request, answer a);
  void refuse(entity_request& request, core::error why);
  // Commits; then answers, tells the dispatchers, and runs `after` (all on the committer's thread).
  void commit(entity_request& request, store::write_plan plan, follow_ups follow, answer a,
              std::function<void()> after = {});
  // If-Match of the request against the present version.
  bool version_fits(entity_request& request, std::uint64_t version);

  services& s_;
  core::stream_id stream_;
  outbox outbox_;

 private:
  bool ready(core::error& why, bool with_record);
  void begin_plan();
  core::result<void> load();
  void replay_or_discard(entity_request& request);
  void submit(store::write_plan plan, std::function<void(store::commit_result)> done);

  std::shared_ptr<store::plan_chain> chain_ = std::make_shared<store::plan_chain>();
  bool loaded_ = false;  // its lanes
  bool record_read_ = false;
  bool had_lanes_ = false;
  bool lanes_known_ = false;     // before it is loaded: it has none
  std::uint64_t submitted_ = 0;  // plans of this chain
};

std::unique_ptr<entity> make_entity(services& s, core::stream_id stream);

std::string cause_of(const core::caller& by);  // "token/7 (marketplace)"

}  // namespace syndicated::actors
