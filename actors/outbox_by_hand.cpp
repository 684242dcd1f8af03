// Of an outbox: what is asked for by hand, replays and discards.
#include <algorithm>
#include <vector>

#include "actors/outbox.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
core::result<outbox::replay_way> outbox::way_of_replay(const core::event& event,
                                                       core::endpoint_id endpoint) {
  const auto& to = event.recipients;
  const bool recipient = std::binary_search(to.begin(), to.end(), endpoint);
  for (const core::lane* lane :
       {find({stream_, endpoint, {}}), find({stream_, endpoint, event.id})}) {
    if (lane == nullptr) continue;
    if (recipient && lane->next_seq < event.seq) return replay_way::in_its_turn;
    if (lane->head == event.id) return lane->key.replay ? replay_way::replayed : replay_way::head;
  }
  const auto waiting =
      std::count_if(lanes_.begin(), lanes_.end(), [endpoint](const core::lane& lane) {
        return lane.key.replay && lane.key.endpoint == endpoint &&
               lane.state == core::lane_state::pending;
      });
  if (static_cast<std::size_t>(waiting) >= core::limits::lanes_of_stream_max) {
    return core::error{core::errc::unavailable,
                       "too_many_replays",
                       "as many events of this stream wait to be sent again to endpoint " +
                           std::to_string(endpoint.value) + " as may (" +
                           std::to_string(core::limits::lanes_of_stream_max) + "); try again later",
                       {},
                       {}};
  }
  auto skipped = marks_.is_set(event.id, endpoint);
  if (!skipped) return std::move(skipped).failure();
  return *skipped ? replay_way::passed_over : replay_way::anew;
}

// The head of a lane, parked or not.
void outbox::replay_head(store::write_plan& plan, follow_ups& follow,
                         const std::shared_ptr<const core::event>& event, core::lane& lane) {
  const core::lane before = lane;
  if (lane.state == core::lane_state::parked) {
    store::counter_delta d{lane.key.endpoint};
    d.parked = -1;
    plan.deltas.push_back(d);
    lane.attempts = 0;
    lane.alike = 0;
  }
  lane.state = core::lane_state::pending;
  // Another time than before, always: by it a report on what was sent earlier is recognised.
  const core::timestamp now = s_.now();
  lane.due = in_line(lane.key)   ? std::min(before.due, event->at) - std::chrono::milliseconds{1}
             : now == before.due ? now + std::chrono::milliseconds{1}
                                 : now;
  lane.not_before = {};
  lane.replayed_at = now;
  s_.repo.put(plan, lane, &before);
  follow.ready.push_back(std::make_shared<lane_work>(lane_work{lane, event}));
}

void outbox::replay_anew(store::write_plan& plan, follow_ups& follow,
                         const std::shared_ptr<const core::event>& event,
                         core::endpoint_id endpoint, bool passed_over) {
  store::counter_delta d{endpoint};
  if (passed_over) {
    marks_.set(plan, event->id, endpoint, false);
    d.parked = -1;
  } else {
    d.accepted = 1;
  }
  plan.deltas.push_back(d);
  core::lane lane;
  lane.key = {stream_, endpoint, event->id};
  lane.head = event->id;
  lane.next_seq = event->seq;
  lane.backlog = 1;
  lane.due = s_.now();
  lane.head_at = event->at;
  lane.replayed_at = lane.due;
  open_lane(plan, follow, std::move(lane), event);
}

core::result<void> outbox::replay(store::write_plan& plan, follow_ups& follow,
                                  const replay_request& r) {
  if (!plan.pass) plan.pass = s_.gate.enter();  // before the horizon is read
  auto found = s_.repo.find(r.event);
  if (!found) return std::move(found).failure();
  if (!*found) return event_missing(s_.gate, r.event);
  if ((*found)->stream != stream_) return core::not_found("no such event");
  const auto event = std::make_shared<const core::event>(std::move(**found));
  if (event->id < s_.gate.events_from()) {
    auto held = is_held(*event);
    if (!held) return std::move(held).failure();
    if (!*held) return event_missing(s_.gate, r.event);
  }
  // All or nothing: what one endpoint refuses must not be half done for the others.
  std::vector<replay_way> ways;
  for (core::endpoint_id endpoint : r.endpoints) {
    auto way = way_of_replay(*event, endpoint);
    if (!way) return std::move(way).failure();
    ways.push_back(*way);
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const core::endpoint_id endpoint = r.endpoints[i];
    switch (ways[i]) {
      case replay_way::in_its_turn: break;
      case replay_way::head:
        replay_head(plan, follow, event, *find({stream_, endpoint, {}}));
        break;
      case replay_way::replayed:
        replay_head(plan, follow, event, *find({stream_, endpoint, event->id}));
        break;
      case replay_way::passed_over: replay_anew(plan, follow, event, endpoint, true); break;
      case replay_way::anew: replay_anew(plan, follow, event, endpoint, false); break;
    }
  }
  return {};
}

core::result<void> outbox::discard(store::write_plan& plan, follow_ups& follow,
                                   const discard_request& r, const std::string& cause) {
  core::lane* lane = find(r.lane);
  if (r.event) {
    lane = nullptr;
    for (const core::event_id replay : {core::event_id{}, r.event}) {
      core::lane* const one = find({stream_, r.lane.endpoint, replay});
      if (one != nullptr && one->head == r.event) lane = one;
    }
    if (lane == nullptr) return discard_passed_over(plan, r, cause);
  }
  if (lane == nullptr || lane->state != core::lane_state::parked) {
    return core::not_found(r.event ? "the event is not parked at this endpoint"
                                   : "the lane has no parked event");
  }
  give_up(plan, lane->head, lane->key.endpoint, lane->attempts, cause);
  return advance(plan, follow, *lane);
}

// One that its lane left behind (on_exhausted = skip).
core::result<void> outbox::discard_passed_over(store::write_plan& plan, const discard_request& r,
                                               const std::string& cause) {
  auto skipped = marks_.is_set(r.event, r.lane.endpoint);
  if (!skipped) return std::move(skipped).failure();
  if (!*skipped) return core::not_found("the event is not parked at this endpoint");
  auto last = s_.repo.last_attempt(r.event, r.lane.endpoint);
  if (!last) return std::move(last).failure();
  marks_.set(plan, r.event, r.lane.endpoint, false);
  give_up(plan, r.event, r.lane.endpoint, *last ? (*last)->number : 0, cause);
  return {};
}

void outbox::give_up(store::write_plan& plan, core::event_id event, core::endpoint_id endpoint,
                     std::uint32_t attempts, const std::string& cause) {
  store::counter_delta d{endpoint};
  d.parked = -1;
  d.cancelled = 1;
  plan.deltas.push_back(d);
  store::attempt_row row;
  row.event = event;
  row.endpoint = endpoint;
  row.at = s_.now();
  row.number = attempts;
  row.outcome = core::response_class::local;
  row.error = s_.catalog.load()->find(endpoint) ? "discarded" : "endpoint_deleted";
  row.end = store::delivery_end::cancelled;
  row.cause = cause;
  s_.repo.put(plan, row);
}

}  // namespace syndicated::actors
