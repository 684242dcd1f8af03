#include "actors/dispatch.hpp"

#include <algorithm>

#include "actors/attempt_request.hpp"
#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

constexpr std::chrono::milliseconds sweep_interval = std::chrono::seconds{5};
constexpr std::chrono::milliseconds ending_patience = std::chrono::seconds{5};
constexpr std::chrono::milliseconds unread_pause = std::chrono::seconds{5};
// A window that hanging endpoints have filled leaves every other endpoint this much of its own.
constexpr std::size_t lanes_guaranteed = 8;

store::attempt_row row_of(const work_handle& work, core::timestamp started,
                          const core::attempt_result& result, const core::verdict& verdict) {
  store::attempt_row row;
  row.event = work->lane.head;
  row.endpoint = work->lane.key.endpoint;
  row.at = started;
  // Trouble on our own side is not charged to the delivery.
  row.number = work->lane.attempts + (verdict.kind == core::response_class::local ? 0 : 1);
  row.outcome = verdict.kind;
  row.status = result.status;
  row.error = verdict.error;
  row.excerpt = result.excerpt;
  row.timing = result.timing;
  return row;
}

core::event test_event(services& s, const core::endpoint& to) {
  core::event e;
  e.id = s.ids.next_event();
  e.stream = {core::entity_kind::subscription, 0};
  e.name = "test.ping";
  e.type = core::wire_type::created;
  e.at = s.now();
  e.metadata["test"] = "true";
  e.data = R"({"test":true,"endpoint_id":)" + std::to_string(to.id.value) + "}";
  return e;
}

}  // namespace

dispatch::dispatch(services& s, dispatch_settings settings, sender send, completion complete)
    : s_(s),
      settings_(std::move(settings)),
      send_(std::move(send)),
      complete_(std::make_shared<const completion>(std::move(complete))),
      turns_(settings.sockets_max),
      origins_(s, turns_, settings.origin_max),
      suspects_(s, settings.journal) {}

dispatch_queue* dispatch::queue_of(core::endpoint_id id) {
  const auto it = places_.find(id);
  if (it != places_.end()) return members_[it->second].queue.get();
  auto settings = s_.catalog.load()->find_any(id);
  if (!settings) return nullptr;
  member m;
  m.id = id;
  m.group = group_of(*settings);
  m.origin = origins_.of(settings->origin);
  m.queue = std::make_unique<dispatch_queue>(s_, id, settings_.journal);
  m.queue->place = turns_.add_member(m.group, m.origin);
  places_.emplace(id, m.queue->place);
  members_.push_back(std::move(m));
  dispatch_queue* q = members_.back().queue.get();
  take_place(members_.back(), *settings);
  q->configure(std::move(settings));
  for (const auto& suspect : suspects_.waiting()) {
    if (suspect.lane.endpoint == id) q->bar_suspect(suspect.lane);
  }
  const auto journal = s_.repo.find_journal(id);
  if (journal.ok() && *journal) {
    q->health().restore((*journal)->degraded, (*journal)->failing_since);
    q->health_changed();
  }
  return q;
}

// One owner's endpoints share their turns: a vendor's and its products', a tenant's, the
// platform's.
turns::index dispatch::group_of(const core::endpoint& e) {
  const endpoint_owner owner = s_.catalog.load()->owner_of(e);
  const auto known = groups_.find(owner);
  if (known != groups_.end()) return known->second;
  return groups_.emplace(owner, turns_.add_group(1)).first->second;
}

int dispatch::weight_of(const core::endpoint& e) const {
  const auto catalog = s_.catalog.load();
  const endpoint_owner owner = catalog->owner_of(e);
  if (owner.scope == core::endpoint_scope::platform) return settings_.platform_weight;
  if (owner.scope != core::endpoint_scope::vendor) return 1;
  const auto vendor = catalog->find(core::vendor_id{owner.id});
  return vendor ? vendor->weight : 1;
}

void dispatch::take_place(member& m, const core::endpoint& settings) {
  turns_.set_weight(m.group, weight_of(settings));
  const turns::index origin = origins_.of(settings.origin);
  if (origin != m.origin) {
    turns_.move(m.queue->place, m.group, origin);
    origins_.leave(m.origin, m.queue->place);
    m.origin = origin;
  }
  if (settings.state == core::endpoint_state::deleted) {
    origins_.leave(origin, m.queue->place);
  } else {
    origins_.join(origin, m.queue->place);
  }
}

void dispatch::enlist(dispatch_queue& q, core::timestamp now) {
  const sendable can = q.can_send(now, turns_.room_for_retry());
  if (can == sendable::nothing) return;
  const member& m = member_of(q);
  if (!origins_.at(m.origin).breaker.closed()) return probe(m.origin, now);
  if (can == sendable::now) {
    turns_.wants(q.place);
  } else if (can == sendable::room_for_retry) {
    turns_.wants_room_for_retry(q.place);
  } else if (can == sendable::rate_limit) {
    looks_.emplace(q.rate_limited_until(now), q.place);
  } else {
    looks_.emplace(core::retry_budget::next_look(now), q.place);
  }
}

// One request tells whether an origin is well again. What is only given up is no probe: the next
// one is.
void dispatch::probe(turns::index origin, core::timestamp now) {
  while (may_send() && !turns_.full() && origins_.at(origin).breaker.may_probe(now)) {
    if (!probe_once(origin, now)) return;
  }
}

// Of the oldest event that is due. False: there is none.
bool dispatch::probe_once(turns::index origin, core::timestamp now) {
  origins::site& site = origins_.at(origin);
  member* chosen = nullptr;
  std::optional<core::timestamp> first;
  for (const turns::index i : site.members) {
    const auto oldest = members_[i].queue->oldest(now);
    if (!oldest || (first && *first <= *oldest)) continue;
    first = oldest;
    chosen = &members_[i];
  }
  if (chosen == nullptr) return false;
  work_handle work = chosen->queue->take_probe(now);
  site.begin_probe(work.get(), chosen->queue->place);
  send(*chosen, std::move(work), now);
  return true;
}

void dispatch::look_later(const dispatch_queue& q) {
  if (const auto next = q.next_look()) looks_.emplace(*next, q.place);
}

std::size_t dispatch::held() const {
  std::size_t sum = 0;
  for (const member& m : members_) sum += m.queue->held();
  return sum;
}

void dispatch::refill(dispatch_queue& q, core::timestamp now) {
  if (q.ended()) {
    const std::size_t before = q.held();
    q.end_stored();
    held_ += q.held() - before;
    return;
  }
  const bool well = origins_.at(member_of(q).origin).breaker.closed();
  const std::size_t free =
      well ? settings_.window_max - std::min(settings_.window_max, held_) : std::size_t{0};
  const std::size_t own = lanes_guaranteed - std::min(lanes_guaranteed, q.queued());
  held_ += q.refill(now, std::max(free, own));
  look_later(q);
}

// While nothing but a probe can be sent to them, their lanes wait on disk.
void dispatch::keep_few(turns::index origin) {
  for (const turns::index i : origins_.at(origin).members) {
    dispatch_queue& q = *members_[i].queue;
    const std::size_t before = q.held();
    q.keep_few(lanes_guaranteed);
    held_ -= before - q.held();
  }
}

void dispatch::endpoint_changed(core::endpoint_id id) {
  dispatch_queue* q = queue_of(id);
  auto settings = s_.catalog.load()->find_any(id);
  if (q == nullptr || !settings) return;
  take_place(member_of(*q), *settings);
  q->configure(std::move(settings));
  held_ = held();
  const core::timestamp now = s_.now();
  refill(*q, now);
  enlist(*q, now);
  pump();
}

void dispatch::lane_ready(work_handle work) {
  const core::endpoint_id id = work->lane.key.endpoint;
  dispatch_queue* q = queue_of(id);
  if (q == nullptr) return;
  forget_quarantined(work->lane.key);
  const std::size_t before = q->held();
  const bool room =
      held_ < settings_.window_max && origins_.at(member_of(*q).origin).breaker.closed();
  q->ready(std::move(work), room || q->queued() < lanes_guaranteed);
  held_ += q->held() - before;
  const core::timestamp now = s_.now();
  if (q->ended() || q->wants_refill()) refill(*q, now);
  enlist(*q, now);
}

// Its entity has parked it, or gone on behind it.
void dispatch::forget_quarantined(const core::lane_key& lane) {
  const auto parked = quarantined_.find(lane);
  if (parked == quarantined_.end()) return;
  settings_.journal->ended(parked->second);
  quarantined_.erase(parked);
}

void dispatch::lane_rests(const core::lane_key& lane, std::optional<core::timestamp> due) {
  dispatch_queue* q = queue_of(lane.endpoint);
  if (q == nullptr) return;
  forget_quarantined(lane);
  const std::size_t before = q->held();
  q->rests(lane, due);
  held_ += q->held() - before;
  if (due) look_later(*q);
  if (!q->wants_refill() && !q->wants_ending()) return;
  const core::timestamp now = s_.now();
  refill(*q, now);
  enlist(*q, now);
}

void dispatch::lane_barred(const core::lane_key& lane, core::timestamp until) {
  if (dispatch_queue* q = queue_of(lane.endpoint)) q->barred(lane, until);
}

bool dispatch::may_send() const {
  return !draining_ && !s_.committer.space_ran_out() && s_.clock_is_set();
}

void dispatch::pump() {
  flood_.look(settings_.monotonic());
  const core::timestamp now = s_.now();
  // The first one goes out however large it is.
  while (may_send() && in_flight_bytes_ < settings_.in_flight_bytes_max) {
    if (const auto& flood = flood_.held()) {
      turns_.hold(flood->member, flood->limit);
    } else {
      turns_.hold_nobody();
    }
    const auto next = turns_.next();
    if (!next) return;
    member& m = members_[*next];
    const bool room = turns_.room_for_retry();
    if (origins_.at(m.origin).breaker.closed() && m.queue->can_send(now, room) == sendable::now) {
      send(m, m.queue->take(now, room), now);
    } else {
      turns_.passed(*next);
    }
    if (m.queue->starves()) refill(*m.queue, now);
    enlist(*m.queue, now);
  }
}

core::result<std::shared_ptr<const core::event>> dispatch::load_event(const work_handle& work) {
  if (work->event) return work->event;
  auto found = s_.repo.find(work->lane.head);
  if (!found) return std::move(found).failure();
  if (!*found) {
    return core::error{core::errc::not_found, "event_missing", "the event is missing", {}, {}};
  }
  return std::shared_ptr<const core::event>{std::make_shared<core::event>(std::move(**found))};
}

// Older than the endpoint wants its events: given up without a request.
void dispatch::expired(member& m, const work_handle& work, core::timestamp now) {
  end_trial(work.get());
  turns_.ended(m.queue->place, work->lane.attempts > 0);
  origins_.returned(m.origin, work.get());
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;
  m.queue->returned(work, now, report);
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->sent_due = work->lane.due;
  report->outcome = {core::lane_step::park, {}, std::string{core::expired_reason}, false};
  report->row = row_of(work, now, {}, {core::response_class::local, report->outcome.reason, {}});
  s_.report_to_shard(std::move(report));
}

void dispatch::end_trial(const lane_work* work) {
  if (trial_ != work) return;
  trial_ = nullptr;
  suspects_.trial_ended();
}

// One event that was in flight when the process before this one died.
void dispatch::try_suspect(core::timestamp now) {
  const auto one = suspects_.next(now);
  if (!one) return;
  dispatch_queue* q = queue_of(one->lane.endpoint);
  auto lane = s_.repo.find(one->lane);
  const bool still = q != nullptr && !q->ended() && lane.ok() && *lane &&
                     (*lane)->head == one->event && (*lane)->state == core::lane_state::pending;
  if (still && suspects::guilty(*one)) return quarantine(member_of(*q), **lane, *one, now);
  if (!still) {
    settings_.journal->ended(one->slot);
    suspects_.trial_ended();
    if (q == nullptr) return;
    q->release_suspect(one->lane);
    refill(*q, now);
    return enlist(*q, now);
  }
  member& m = member_of(*q);
  origins::site& site = origins_.at(m.origin);
  const bool well = site.breaker.closed();
  // Suspects may be all that its endpoints have: then nothing else could be the probe.
  const bool may = well || site.breaker.may_probe(now);
  if (!may || q->waits_until(**lane, now) || !q->may_try(now)) return suspects_.put_back(*one);
  work_handle work = q->take_suspect(std::move(**lane), one->slot, now);
  trial_ = work.get();
  if (!well) site.begin_probe(work.get(), q->place);
  send(m, std::move(work), now);
}

void dispatch::quarantine(member& m, const core::lane& lane, const flight_journal::suspect& s,
                          core::timestamp now) {
  core::log(core::log_level::critical, "dispatcher",
            "an event was in flight at two unclean ends: quarantined",
            {{"event", s.event.value}, {"endpoint", m.id.value}});
  const auto work = std::make_shared<const lane_work>(lane_work{lane, nullptr});
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;
  m.queue->park_suspect(lane, now, report);
  report->lane = lane.key;
  report->head = lane.head;
  report->sent_due = lane.due;
  report->outcome = {core::lane_step::park, {}, "quarantined", false};
  report->row = row_of(work, now, {}, {core::response_class::local, "quarantined", {}});
  quarantined_.emplace(lane.key, s.slot);
  suspects_.trial_ended();
  s_.report_to_shard(std::move(report));
}

// Ours, not the endpoint's: a disk that cannot be read now is tried again; what can never be sent
// is parked at once, with the reason (delivery.md, 1: poison).
void dispatch::not_sent(member& m, const work_handle& work, const core::error& why,
                        core::timestamp now) {
  core::log(core::log_level::error, "dispatcher", "an event cannot be read, rendered or signed",
            {{"event", work->lane.head.value},
             {"endpoint", work->lane.key.endpoint.value},
             {"detail", why.detail}});
  turns_.ended(m.queue->place, work->lane.attempts > 0);
  end_trial(work.get());
  const bool later = why.kind == core::errc::io;
  core::verdict verdict{core::response_class::local, why.code, {}};
  verdict.of_origin = false;
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;
  m.queue->finished(work, verdict, 0, now, report);
  judge_origin(m, work, verdict, now, now);
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->sent_due = work->lane.due;
  report->outcome = {later ? core::lane_step::retry : core::lane_step::park, now + unread_pause,
                     why.code, false};
  report->row = row_of(work, now, {}, verdict);
  s_.report_to_shard(std::move(report));
}

void dispatch::hand_over(const dispatch_queue& q, net::attempt_request&& request) {
  if (q.grant()) return q.grant()->send(std::move(request), send_);
  send_(std::move(request));
}

void dispatch::send(member& m, work_handle work, core::timestamp now) {
  turns_.began(m.queue->place, work->lane.attempts > 0);
  const dispatch_queue& q = *m.queue;
  if (core::too_old(work->lane, q.settings().max_age, now)) return expired(m, work, now);
  auto event = load_event(work);
  if (!event) return not_sent(m, work, event.failure(), now);
  auto request = make_request(**event, q.settings(), q, work->lane.attempts + 1, now);
  if (!request) return not_sent(m, work, request.failure(), now);
  const attempt_start started{now, settings_.monotonic(), request->body->size(), q.address()};
  in_flight_bytes_ += started.body_bytes;
  flood_.sent(m.queue->place, started.steady);
  request->done = [complete = complete_, work, started](core::attempt_result&& result) {
    (*complete)(work, started, std::move(result));
  };
  hand_over(q, std::move(*request));
}

void dispatch::judge_origin(member& m, const work_handle& work, const core::verdict& verdict,
                            core::timestamp started, core::timestamp now) {
  const bool was_well = origins_.at(m.origin).breaker.closed();
  const bool well_again =
      origins_.ended(m.origin, work.get(), verdict, m.queue->limit(), started, now);
  if (was_well && !origins_.at(m.origin).breaker.closed()) keep_few(m.origin);
  if (!well_again) return;
  for (const turns::index i : origins_.at(m.origin).members) {
    dispatch_queue& q = *members_[i].queue;
    q.start_slowly();
    if (q.wants_refill()) refill(q, now);
    enlist(q, now);
  }
}

void dispatch::judge_health(member& m, const core::verdict& verdict, core::timestamp now) {
  core::endpoint_health& health = m.queue->health();
  if (verdict.kind == core::response_class::local) return;
  const bool was_failing = health.failing_since().has_value();
  if (verdict.kind == core::response_class::delivered) {
    tell_health(m, health.delivered(), {});
    if (was_failing) m.queue->health_changed();
    return;
  }
  const auto pause_after = s_.delivery.load()->protection.pause_after;
  tell_health(m, health.failed(verdict.error, pause_after, now), verdict.error);
  if (!was_failing) m.queue->health_changed();
  if (!origins_.at(m.origin).breaker.closed()) {
    tell_health(m, health.breaker_opened(), verdict.error);
  }
}

void dispatch::tell_health(member& m, core::health_change change, const std::string& reason) {
  if (change == core::health_change::none) return;
  if (change == core::health_change::pause) {
    s_.change_catalog(
        set_endpoint_state{m.id, core::endpoint_state::paused, std::string{failing_reason}});
    return;
  }
  s_.tell(core::stream_of(m.id),
          endpoint_health_changed{change == core::health_change::degraded, reason,
                                  m.queue->health().failing_since()});
}

void dispatch::attempt_ended(const work_handle& work, const attempt_start& started,
                             const core::attempt_result& result) {
  const core::endpoint_id id = work->lane.key.endpoint;
  member& m = members_[places_.at(id)];
  dispatch_queue& q = *m.queue;
  in_flight_bytes_ -= started.body_bytes;
  const auto ended = settings_.monotonic();
  std::optional<std::chrono::microseconds> inside;
  if (result.status != 0) {
    inside = std::chrono::duration_cast<std::chrono::microseconds>(ended - started.steady) -
             std::chrono::microseconds{result.timing.total_us};
  }
  flood_.ended(q.place, ended, inside);
  turns_.ended(q.place, work->lane.attempts > 0);
  end_trial(work.get());
  const core::timestamp now = s_.now();
  if (draining_ && result.error == core::attempt_error::local) {
    q.returned(work);  // it stays as it is on disk
    origins_.returned(m.origin, work.get());
    return;
  }
  core::verdict verdict = core::classify(result, q.settings(), now);
  const bool would_end =
      verdict.kind == core::response_class::gone || verdict.wish == core::receiver_wish::disable;
  if (would_end && started.address != q.address()) {
    // The last word of an address that the endpoint has left: it is tried at the new one.
    if (verdict.kind == core::response_class::gone) verdict.kind = core::response_class::failure;
    verdict.wish = core::receiver_wish::none;
  }
  s_.stats.attempt_ended(verdict.kind, std::chrono::microseconds{result.timing.total_us},
                         now - std::max(work->lane.head_at, work->lane.replayed_at));
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;  // before it stops counting as in flight
  q.finished(work, verdict, result.status, now, report);
  judge_origin(m, work, verdict, started.at, now);
  judge_health(m, verdict, now);
  const auto delivery = s_.delivery.load();
  const auto& own = q.settings().retry_schedule;
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->sent_due = work->lane.due;
  report->row = row_of(work, started.at, result, verdict);
  report->outcome = core::within_age(
      core::judge(verdict, report->row.number, core::tries_alike(work->lane, verdict),
                  own.empty() ? delivery->schedule : own, delivery->jitter, s_.random(), now),
      work->lane, q.settings().max_age);
  const bool ends = report->outcome.disable_endpoint;
  if (ends) {
    const bool wish = verdict.wish == core::receiver_wish::disable;
    q.hold_until(now + ending_patience, now);  // until the catalogue knows
    s_.change_catalog(set_endpoint_state{id, core::endpoint_state::disabled,
                                         wish ? "disabled_by_receiver" : "gone"});
  }
  s_.report_to_shard(std::move(report));
  if (q.wants_refill()) refill(q, now);
  if (verdict.retry_after || ends) look_later(q);
  enlist(q, now);
}

void dispatch::tick(core::timestamp now) {
  // All first read what is due, so that a probe is the oldest of them.
  std::vector<dispatch_queue*> woken;
  while (!looks_.empty() && looks_.begin()->first <= now) {
    woken.push_back(members_[looks_.begin()->second].queue.get());
    looks_.erase(looks_.begin());
  }
  for (dispatch_queue* q : woken) refill(*q, now);
  for (dispatch_queue* q : woken) enlist(*q, now);
  for (const turns::index origin : origins_.due_probes(now)) {
    for (const turns::index i : origins_.at(origin).members) {
      if (members_[i].queue->starves()) refill(*members_[i].queue, now);
    }
    probe(origin, now);
  }
  if (!suspects_.empty() && may_send()) try_suspect(now);
  // A clock that was set back must not stop the sweeps.
  if (!core::waits(next_sweep_, sweep_interval, now)) {
    next_sweep_ = now + sweep_interval;
    for (const member& m : members_) {
      m.queue->give_up_waiting(now);
      m.queue->look_ahead(now);
      if (m.queue->wants_refill() || m.queue->ended()) refill(*m.queue, now);
      enlist(*m.queue, now);
    }
    held_ = held();
  }
  pump();
}

std::optional<core::timestamp> dispatch::next_look(core::timestamp now) const {
  std::optional<core::timestamp> first = suspects_.first_trial(now);
  if (!looks_.empty()) keep_earlier(first, looks_.begin()->first);
  if (const auto probe = origins_.next_probe()) keep_earlier(first, *probe);
  return first;
}

void dispatch::drain() { draining_ = true; }

void dispatch::test(core::endpoint_id id,
                    std::function<void(core::result<core::attempt_result>&&)> reply) {
  dispatch_queue* q = queue_of(id);
  if (q == nullptr || q->deleted()) return reply(core::not_found("no such endpoint"));
  if (draining_) return reply(unavailable("the daemon is stopping"));
  if (!s_.clock_is_set()) return reply(unavailable("the clock is not set"));
  const core::event event = test_event(s_, q->settings());
  auto request = make_request(event, q->settings(), *q, 1, s_.now());
  if (!request) return reply(std::move(request).failure());
  request->done = [reply = std::move(reply)](core::attempt_result&& result) {
    reply(std::move(result));
  };
  hand_over(*q, std::move(*request));
}

}  // namespace syndicated::actors
