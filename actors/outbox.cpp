#include "actors/outbox.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "core/delivery/envelope.hpp"

namespace syndicated::actors {
namespace {

// Committed events kept for lanes that advance, if they are small; others are read from the store.
// Thousands of entities may be awake. (More than the first number: a batch goes out soon, from its
// oldest event on.)
constexpr std::size_t recent_events_kept = 8;
constexpr std::size_t recent_bytes_max = 8 * 1024;
// Left out at once, so that a plan stays small; the rest when the lane moves again.
constexpr std::size_t coalesced_max = 64;
// Ids that are read at a time, and the backlog from which on that costs less than one by one.
constexpr std::size_t ahead_max = 16;
constexpr std::uint64_t ahead_least = 4;

bool goes_to(const core::event& event, core::endpoint_id endpoint) {
  return std::ranges::binary_search(event.recipients, endpoint);
}

// Nothing was sent, and nothing will be.
store::attempt_row unsent_row(const core::event& event, core::endpoint_id endpoint,
                              core::timestamp now, std::string why) {
  store::attempt_row row;
  row.event = event.id;
  row.endpoint = endpoint;
  row.at = now;
  row.outcome = core::response_class::local;
  row.error = std::move(why);
  row.end = store::delivery_end::cancelled;
  return row;
}

// Those that heard DELETED when the entity was asked to go hear nothing more of it.
void drop_finished(std::vector<core::endpoint_id>& recipients, const catalog_snapshot& catalog) {
  std::erase_if(recipients, [&catalog](core::endpoint_id id) {
    const auto e = catalog.find_any(id);
    return e && e->form == core::wire_form::cloudesire &&
           e->termination == core::termination_signal::deleted;
  });
}

}  // namespace

bool outbox::in_line(const core::lane_key& key) const {
  const auto catalog = s_.catalog.load();
  const auto endpoint = catalog->special_lanes() ? catalog->find_any(key.endpoint) : nullptr;
  return endpoint && endpoint->ordering == core::ordering_mode::endpoint;
}

// The endpoint wants each event in a lane of its own. Not while the stream's lane has something to
// send (the ordering was changed): that lane counts its events, and all that follow its head are
// its own. Nor when there are very many lanes: then the stream's lane takes what comes.
bool outbox::goes_alone(const catalog_snapshot& catalog, core::endpoint_id id) {
  const auto endpoint = catalog.special_lanes() ? catalog.find_any(id) : nullptr;
  return endpoint && endpoint->ordering == core::ordering_mode::none &&
         lanes_.size() < core::limits::lanes_of_stream_max && find({stream_, id, {}}) == nullptr;
}

core::result<void> outbox::load() {
  auto lanes = s_.repo.lanes_of(stream_);
  if (!lanes) return std::move(lanes).failure();
  lanes_ = std::move(*lanes);
  marks_.clear();
  recent_.clear();
  recent_bytes_ = 0;
  ahead_.clear();
  return {};
}

core::result<bool> outbox::is_held(const core::event& event) const {
  const bool by_lane = std::any_of(lanes_.begin(), lanes_.end(), [&event](const core::lane& lane) {
    return lane.key.replay ? lane.key.replay == event.id : lane.next_seq <= event.seq;
  });
  return by_lane ? core::result<bool>{true} : marks_.any_of(event.id);
}

core::lane* outbox::find(const core::lane_key& key) {
  const auto it = std::find_if(lanes_.begin(), lanes_.end(),
                               [&key](const core::lane& lane) { return lane.key == key; });
  return it == lanes_.end() ? nullptr : &*it;
}

void outbox::drop(const core::lane_key& key) {
  if (key == ahead_lane_) ahead_.clear();
  std::erase_if(lanes_, [&key](const core::lane& lane) { return lane.key == key; });
  trim();
}

void outbox::remember(std::shared_ptr<const core::event> event) {
  recent_bytes_ += event->data.size();
  recent_.push_back(std::move(event));
  trim();
}

// Events on disk are kept only while a lane is about to come to the oldest of them, and more than a
// few only while they are small.
void outbox::trim() {
  const std::uint64_t committed = committed_seq_->load();
  const auto wanted = [this](std::uint64_t seq) {
    return recent_bytes_ <= recent_bytes_max &&
           std::any_of(lanes_.begin(), lanes_.end(), [seq](const core::lane& lane) {
             return lane.next_seq <= seq && seq - lane.next_seq < recent_events_kept;
           });
  };
  auto kept = recent_.begin();  // all at once: one plan may have brought thousands
  for (; kept != recent_.end() && (*kept)->seq <= committed && !wanted((*kept)->seq); ++kept) {
    recent_bytes_ -= (*kept)->data.size();
  }
  recent_.erase(recent_.begin(), kept);
  if (recent_.empty()) recent_.shrink_to_fit();
}

void outbox::open_lane(store::write_plan& plan, follow_ups& follow, core::lane lane,
                       const std::shared_ptr<const core::event>& event) {
  s_.repo.put(plan, lane, nullptr);
  follow.ready.push_back(std::make_shared<lane_work>(lane_work{lane, event}));
  lanes_.push_back(std::move(lane));
}

std::shared_ptr<core::event> outbox::drafted(const catalog_snapshot& catalog,
                                             core::event_draft&& draft, std::uint64_t seq,
                                             const event_facts& facts,
                                             const data_renderer& data) const {
  auto event = std::make_shared<core::event>();
  event->stream = stream_;
  event->seq = seq;
  event->data = data(draft, seq);
  event->name = std::move(draft.name);
  event->type = draft.type;
  event->entity_version = facts.entity_version;
  event->tenant = facts.tenant;
  event->vendor = facts.vendor;
  event->cause = facts.cause;
  event->metadata = std::move(draft.metadata);
  event->recipients = catalog.recipients(*event, facts.product, facts.path);
  if (facts.deprovisioning && catalog.special_lanes()) drop_finished(event->recipients, catalog);
  if (facts.about) std::erase(event->recipients, facts.about);
  return event;
}

core::result<void> outbox::publish(store::write_plan& plan, follow_ups& follow,
                                   std::vector<core::event_draft>&& drafts, std::uint64_t& seq,
                                   const event_facts& facts, const data_renderer& data) {
  const auto catalog = s_.catalog.load();
  const core::timestamp now = s_.now();
  // All of them are drafted and asked about before the first has an effect.
  std::vector<std::shared_ptr<core::event>> events;
  events.reserve(drafts.size());
  const bool asks = facts.new_load && s_.load.owners_full();
  for (core::event_draft& draft : drafts) {
    const std::uint64_t next = seq + events.size() + 1;
    events.push_back(drafted(*catalog, std::move(draft), next, facts, data));
    if (!asks) continue;
    if (auto why = s_.load.refusal(*catalog, events.back()->recipients)) return std::move(*why);
  }
  seq += events.size();
  if (!plan.pass) plan.pass = s_.gate.enter();
  for (auto& event : events) {
    event->id = s_.ids.next_event();
    event->at = now;
    s_.repo.put(plan, *event);
    for (core::endpoint_id endpoint : event->recipients) {
      extend_lane(plan, follow, endpoint, event, goes_alone(*catalog, endpoint));
    }
    remember(std::move(event));
  }
  write_grown(plan);
  return {};
}

void outbox::append(store::write_plan& plan, follow_ups& follow,
                    const std::vector<publish_item>& items, bool alone) {
  static const std::vector<core::tenant_id> nobody;
  const auto catalog = s_.catalog.load();
  for (const publish_item& item : items) {
    core::event& event = *item.event;
    event.recipients = catalog->recipients(event, item.product, item.path ? *item.path : nobody);
    s_.repo.put(plan, event);
    for (core::endpoint_id endpoint : event.recipients) {
      extend_lane(plan, follow, endpoint, item.event, alone || goes_alone(*catalog, endpoint));
    }
    if (!alone) remember(item.event);
  }
  write_grown(plan);
}

// One more event for the endpoint: a new lane, or the end of the one there is.
void outbox::extend_lane(store::write_plan& plan, follow_ups& follow, core::endpoint_id endpoint,
                         const std::shared_ptr<const core::event>& event, bool alone) {
  const auto counted = std::find_if(plan.deltas.begin(), plan.deltas.end(),
                                    [endpoint](const auto& d) { return d.endpoint == endpoint; });
  if (counted != plan.deltas.end()) {
    ++counted->accepted;
  } else {
    plan.deltas.push_back({endpoint});
    plan.deltas.back().accepted = 1;
  }
  const core::lane_key key{stream_, endpoint, alone ? event->id : core::event_id{}};
  core::lane* present = alone ? nullptr : find(key);
  if (present != nullptr) {
    ++present->backlog;
    if (std::find(grown_.begin(), grown_.end(), key) == grown_.end()) grown_.push_back(key);
    return;
  }
  core::lane lane;
  lane.key = key;
  lane.head = event->id;
  lane.next_seq = event->seq;
  lane.backlog = 1;
  lane.due = event->at;
  lane.head_at = event->at;
  open_lane(plan, follow, std::move(lane), event);
}

// However many events a lane was given, its row is written once; its due time stays.
void outbox::write_grown(store::write_plan& plan) {
  for (const core::lane_key& key : grown_) {
    if (const core::lane* lane = find(key)) s_.repo.put(plan, *lane, lane);
  }
  grown_.clear();
}

// A lane that has a backlog goes through it: one look into the stream for several events.
void outbox::look_ahead(const core::lane& lane) {
  const std::uint64_t from = lane.next_seq + 1;
  const bool in_memory = !recent_.empty() && recent_.front()->seq <= from;
  // Two lanes at different places would take it from each other at every step.
  const bool others = !ahead_.empty() && lane.key != ahead_lane_;
  if (lane.backlog < ahead_least || is_ahead(from) || in_memory || others) return;
  ahead_.clear();
  ahead_from_ = from;
  ahead_lane_ = lane.key;
  // What cannot be read is tried again when it is needed, one by one.
  (void)s_.repo.stream_events(stream_, from, [this](core::event_id&& id) {
    ahead_.push_back(id);
    return ahead_.size() < ahead_max;
  });
}

core::result<outbox::place> outbox::place_at(std::uint64_t seq) {
  if (!recent_.empty() && recent_.front()->seq <= seq && seq <= recent_.back()->seq) {
    const auto& event = recent_[static_cast<std::size_t>(seq - recent_.front()->seq)];
    return place{event->id, seq, event};
  }
  if (is_ahead(seq)) {
    const core::event_id id = ahead_[seq - ahead_from_];
    auto event = stored(id);
    // Else the stream has a gap here.
    if (event.ok() && *event && (*event)->seq == seq) return place{id, seq, std::move(*event)};
  }
  const auto id = s_.repo.event_at(stream_, seq);
  if (!id) return id.failure();
  if (!*id) return place{};
  auto event = stored(**id);
  if (event) return place{**id, seq, std::move(*event)};
  if (event.failure().kind != core::errc::corrupt) return std::move(event).failure();
  return place{**id, seq, nullptr};
}

core::result<std::shared_ptr<const core::event>> outbox::stored(core::event_id id) const {
  auto event = s_.repo.find(id);
  if (!event) return std::move(event).failure();
  if (!*event) return std::shared_ptr<const core::event>{};
  return std::shared_ptr<const core::event>{std::make_shared<core::event>(std::move(**event))};
}

core::result<outbox::place> outbox::next_for(core::endpoint_id endpoint, std::uint64_t seq,
                                             std::uint64_t left) {
  for (std::uint64_t next = seq + 1;; ++next) {
    auto at = place_at(next);
    if (!at || !at->id) return at;
    if (at->event != nullptr) {
      if (goes_to(*at->event, endpoint)) return at;
      continue;
    }
    auto ours = counts_for(endpoint, next, left);
    if (!ours) return std::move(ours).failure();
    if (*ours) return at;
  }
}

core::result<bool> outbox::counts_for(core::endpoint_id endpoint, std::uint64_t seq,
                                      std::uint64_t left) {
  std::uint64_t others = 0;
  for (std::uint64_t next = seq + 1; others < left; ++next) {
    auto at = place_at(next);
    if (!at) return std::move(at).failure();
    if (!at->id) return true;
    if (at->event != nullptr && goes_to(*at->event, endpoint)) ++others;
  }
  return false;
}

core::result<outbox::step> outbox::next_step(const core::lane& lane) {
  look_ahead(lane);
  auto next = next_for(lane.key.endpoint, lane.next_seq, lane.backlog - 1);
  if (!next) return std::move(next).failure();
  step out{std::move(*next), {}};
  const auto catalog = s_.catalog.load();
  const auto endpoint = catalog->special_lanes() ? catalog->find_any(lane.key.endpoint) : nullptr;
  if (!endpoint || !endpoint->coalesce_modified) return out;
  const auto modified = [&endpoint](const std::shared_ptr<const core::event>& e) {
    return e && core::told_as(*e, *endpoint) == core::wire_type::modified;
  };
  // Of several MODIFIED in a row only the newest is told: what is read then is newer anyway.
  while (modified(out.next.event) && out.coalesced.size() < coalesced_max &&
         lane.backlog > out.coalesced.size() + 2) {
    auto after = next_for(lane.key.endpoint, out.next.seq, lane.backlog - out.coalesced.size() - 2);
    if (!after) return std::move(after).failure();
    if (!modified(after->event)) break;
    out.coalesced.push_back(std::exchange(out.next, std::move(*after)).event);
  }
  return out;
}

core::result<void> outbox::advance(store::write_plan& plan, follow_ups& follow, core::lane& lane) {
  const core::lane_key key = lane.key;
  const auto end_lane = [&]() -> core::result<void> {
    s_.repo.erase(plan, lane);
    drop(key);
    follow.rests.emplace_back(key, std::nullopt);
    return {};
  };
  if (lane.backlog <= 1 || key.replay) return end_lane();
  const auto next = next_step(lane);
  if (!next) return next.failure();
  const auto& [id, seq, event] = next->next;
  if (!id) {
    core::log(core::log_level::critical, "outbox", "a lane counts more events than its stream has",
              {{"stream", core::to_string(stream_)}, {"endpoint", key.endpoint.value}});
    store::counter_delta d{key.endpoint};
    d.cancelled = static_cast<std::int64_t>(lane.backlog - 1);
    plan.deltas.push_back(d);
    return end_lane();
  }
  follow.coalesced += next->coalesced.size();
  for (const auto& skipped : next->coalesced) {
    store::counter_delta d{key.endpoint};
    d.cancelled = 1;
    plan.deltas.push_back(d);
    s_.repo.put(plan, unsent_row(*skipped, key.endpoint, s_.now(), "coalesced"));
  }
  const core::lane before = lane;
  lane.backlog -= 1 + next->coalesced.size();
  lane.head = id;
  lane.next_seq = seq;
  // What cannot be read becomes the head all the same: the dispatcher parks it with the reason.
  lane.head_at = event ? event->at : s_.now();
  lane.state = core::lane_state::pending;
  lane.attempts = 0;
  lane.alike = 0;
  // In one line for the whole endpoint the older event goes first.
  lane.due = in_line(key) ? lane.head_at : s_.now();
  lane.not_before = {};
  lane.replayed_at = {};
  lane.last_status = 0;
  lane.last_error.clear();
  s_.repo.put(plan, lane, &before);
  follow.ready.push_back(std::make_shared<lane_work>(lane_work{lane, event}));
  return {};
}

void outbox::cancel_all(store::write_plan& plan, follow_ups& follow, core::lane& lane) {
  store::counter_delta d{lane.key.endpoint};
  d.cancelled = static_cast<std::int64_t>(lane.backlog);
  if (lane.state == core::lane_state::parked) d.parked = -1;
  plan.deltas.push_back(d);
  const core::lane_key key = lane.key;
  s_.repo.erase(plan, lane);
  drop(key);
  follow.rests.emplace_back(key, std::nullopt);
}

void outbox::park_ended(store::write_plan& plan, follow_ups& follow, core::lane& lane) {
  const auto endpoint = s_.catalog.load()->find_any(lane.key.endpoint);
  const bool disabled = endpoint && endpoint->state == core::endpoint_state::disabled;
  follow.rests.emplace_back(lane.key, std::nullopt);
  if (lane.state == core::lane_state::parked) return;
  if (!disabled) {
    // It was enabled again meanwhile: the lane goes on.
    follow.rests.back().second = lane.due;
    return;
  }
  const core::lane before = lane;
  lane.state = core::lane_state::parked;
  lane.last_error = endpoint->state_reason;
  follow.parked.push_back(lane.last_error);
  s_.repo.put(plan, lane, &before);
  store::counter_delta d{lane.key.endpoint};
  d.parked = 1;
  plan.deltas.push_back(d);
  store::attempt_row row;
  row.event = lane.head;
  row.endpoint = lane.key.endpoint;
  row.at = s_.now();
  row.number = lane.attempts;
  row.outcome = core::response_class::local;
  row.error = endpoint->state_reason;
  row.end = store::delivery_end::parked;
  s_.repo.put(plan, row);
}

core::result<void> outbox::park(store::write_plan& plan, follow_ups& follow, core::lane& lane,
                                const lane_report& r) {
  const auto catalog = s_.catalog.load();
  const auto endpoint = catalog->find_any(lane.key.endpoint);
  // What ends with its endpoint is never skipped: it waits for a replay.
  const bool skip = endpoint && endpoint->on_exhausted == core::exhausted_policy::skip &&
                    !r.outcome.disable_endpoint;
  if (skip && !lane.key.replay) {
    // It counts as parked without a lane: the mark tells a replay so.
    const core::event_id skipped = lane.head;
    auto moved = advance(plan, follow, lane);
    if (!moved) return moved;
    marks_.set(plan, skipped, r.lane.endpoint, true);
    notice_parked(plan, skipped, r);
    return moved;
  }
  const core::lane before = lane;
  lane.state = core::lane_state::parked;
  lane.last_error = r.outcome.reason;
  lane.last_status = r.row.status;
  lane.attempts = r.row.number;
  s_.repo.put(plan, lane, &before);
  notice_parked(plan, lane.head, r);
  follow.rests.emplace_back(lane.key, std::nullopt);
  return {};
}

// To be told to the platform: not what ends with its endpoint, which is told once, and nothing
// about the telling itself.
void outbox::notice_parked(store::write_plan& plan, core::event_id event, const lane_report& r) {
  if (r.outcome.disable_endpoint || stream_.kind == core::entity_kind::endpoint) return;
  s_.repo.put_notice(plan, {r.lane.endpoint, event, r.outcome.reason});
}

void outbox::apply(store::write_plan& plan, follow_ups& follow, const lane_report& r) {
  trim();
  core::lane* lane = find(r.lane);
  if (lane == nullptr) {
    follow.rests.emplace_back(r.lane, std::nullopt);
    return;
  }
  if (r.whole == lane_report::end::cancelled) return cancel_all(plan, follow, *lane);
  if (r.whole == lane_report::end::parked) return park_ended(plan, follow, *lane);
  if (lane->head != r.head || lane->state != core::lane_state::pending) {
    const bool pending = lane->state == core::lane_state::pending;
    follow.rests.emplace_back(r.lane, pending ? std::optional{lane->due} : std::nullopt);
    return;
  }
  store::counter_delta d{r.lane.endpoint};
  d.attempts = r.row.outcome == core::response_class::local ? 0 : 1;  // else no request was made
  store::attempt_row row = r.row;
  // Asked for again while the attempt was under way: only a delivery still ends it.
  if (r.sent_due && r.sent_due != lane->due && r.outcome.step != core::lane_step::advance) {
    s_.repo.put(plan, row);
    plan.deltas.push_back(d);
    follow.rests.emplace_back(r.lane, lane->due);
    return;
  }
  core::result<void> moved;
  switch (r.outcome.step) {
    case core::lane_step::advance:
      d.delivered = 1;
      row.end = store::delivery_end::delivered;
      moved = advance(plan, follow, *lane);
      break;
    case core::lane_step::park:
      d.parked = 1;
      row.end = store::delivery_end::parked;
      moved = park(plan, follow, *lane, r);
      if (moved) follow.parked.push_back(r.outcome.reason);
      if (moved && d.attempts == 0 && r.outcome.reason == core::expired_reason) ++follow.expired;
      break;
    case core::lane_step::retry: {
      const core::lane before = *lane;
      lane->attempts = r.row.number;
      lane->alike = r.outcome.alike;
      const bool keeps_place = in_line(r.lane);
      lane->due = keeps_place ? lane->due : r.outcome.due;
      lane->not_before = keeps_place ? r.outcome.due : core::timestamp{};
      lane->last_status = r.row.status;
      lane->last_error = r.row.error;
      s_.repo.put(plan, *lane, &before);
      follow.rests.emplace_back(r.lane, lane->due);  // where its row stands
      break;
    }
  }
  if (!moved) {
    // The lane stays as it is; its dispatcher looks again when nobody answers.
    core::log(core::log_level::error, "outbox", "the next event cannot be read",
              {{"stream", core::to_string(stream_)}, {"detail", moved.failure().detail}});
    return;
  }
  s_.repo.put(plan, row);
  plan.deltas.push_back(d);
}

}  // namespace syndicated::actors
