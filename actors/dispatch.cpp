#include "actors/dispatch.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "core/delivery/envelope.hpp"

namespace syndicated::actors {
namespace {

constexpr std::chrono::milliseconds sweep_interval = std::chrono::seconds{5};
constexpr std::chrono::milliseconds ending_patience = std::chrono::seconds{5};
constexpr std::chrono::milliseconds unread_pause = std::chrono::seconds{5};
// A window that hanging endpoints have filled leaves every other endpoint this much of its own.
constexpr std::size_t lanes_guaranteed = 8;

void add_cloudesire_headers(net::attempt_request& request, const core::event& e,
                            const dispatch_queue& q, std::uint32_t attempt) {
  if (std::string signature = q.signer().cloudesire(*request.body); !signature.empty()) {
    request.headers.push_back("CMW-Event-Signature: " + signature);
  }
  request.headers.push_back("CMW-Event-Id: " + std::to_string(e.id.value));
  request.headers.push_back("CMW-Event-Seq: " + std::to_string(e.seq));
  request.headers.push_back("CMW-Event-Name: " + e.name);
  request.headers.push_back("CMW-Delivery-Attempt: " + std::to_string(attempt));
}

void add_standard_headers(net::attempt_request& request, const core::event& e,
                          const dispatch_queue& q, core::timestamp now) {
  const std::string id = core::webhook_id(e.id);
  request.headers.push_back("webhook-id: " + id);
  request.headers.push_back("webhook-timestamp: " + std::to_string(core::to_unix_seconds(now)));
  request.headers.push_back("webhook-signature: " + q.signer().standard(id, now, *request.body));
}

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

core::result<net::attempt_request> make_request(const core::event& e, const core::endpoint& to,
                                                const dispatch_queue& q, std::uint32_t attempt,
                                                core::timestamp now) {
  net::attempt_request request;
  request.url = to.url;
  request.fixed_headers = q.fixed_headers();
  request.body = std::make_shared<const std::string>(core::render(e, to));
  request.timeout_ms = to.timeout_ms;
  request.receiver_control = to.receiver_control;
  request.tls = q.tls();
  request.http2 = to.http2;
  request.headers.reserve(5);
  if (!q.signer().usable()) {
    return core::error{core::errc::internal, "cannot_sign", "the secret cannot be used", {}, {}};
  }
  if (to.form == core::wire_form::cloudesire) {
    add_cloudesire_headers(request, e, q, attempt);
  } else {
    add_standard_headers(request, e, q, now);
  }
  return request;
}

dispatch::dispatch(services& s, dispatch_settings settings, sender send, completion complete)
    : s_(s),
      settings_(settings),
      send_(std::move(send)),
      complete_(std::make_shared<const completion>(std::move(complete))) {}

dispatch_queue* dispatch::queue_of(core::endpoint_id id) {
  const auto it = queues_.find(id);
  if (it != queues_.end()) return it->second.get();
  auto settings = s_.catalog.load()->find_any(id);
  if (!settings) return nullptr;
  auto q = std::make_unique<dispatch_queue>(s_, id);
  q->configure(std::move(settings));
  return queues_.emplace(id, std::move(q)).first->second.get();
}

void dispatch::enlist(core::endpoint_id id, dispatch_queue& q) {
  const core::timestamp now = s_.now();
  if (q.can_send(now)) {
    if (in_turn_.insert(id).second) turn_.push_back(id);
  } else if (const auto later = q.rate_limited_until(now)) {
    looks_.emplace(*later, id);
  }
}

void dispatch::look_later(core::endpoint_id id, const dispatch_queue& q) {
  if (const auto next = q.next_look()) looks_.emplace(*next, id);
}

std::size_t dispatch::held() const {
  std::size_t sum = 0;
  for (const auto& [id, q] : queues_) sum += q->held();
  return sum;
}

void dispatch::refill(core::endpoint_id id, dispatch_queue& q, core::timestamp now) {
  if (q.ended()) {
    const std::size_t before = q.held();
    q.end_stored();
    held_ += q.held() - before;
    return;
  }
  const std::size_t free = settings_.window_max - std::min(settings_.window_max, held_);
  const std::size_t own = lanes_guaranteed - std::min(lanes_guaranteed, q.held());
  held_ += q.refill(now, std::max(free, own));
  look_later(id, q);
}

void dispatch::endpoint_changed(core::endpoint_id id) {
  dispatch_queue* q = queue_of(id);
  auto settings = s_.catalog.load()->find_any(id);
  if (q == nullptr || !settings) return;
  q->configure(std::move(settings));
  held_ = held();
  const core::timestamp now = s_.now();
  refill(id, *q, now);
  enlist(id, *q);
  pump();
}

void dispatch::lane_ready(work_handle work) {
  const core::endpoint_id id = work->lane.key.endpoint;
  dispatch_queue* q = queue_of(id);
  if (q == nullptr) return;
  const std::size_t before = q->held();
  q->ready(std::move(work), held_ < settings_.window_max || before < lanes_guaranteed);
  held_ += q->held() - before;
  const core::timestamp now = s_.now();
  if (q->ended() || q->wants_refill()) refill(id, *q, now);
  enlist(id, *q);
}

void dispatch::lane_rests(const core::lane_key& lane, std::optional<core::timestamp> due) {
  dispatch_queue* q = queue_of(lane.endpoint);
  if (q == nullptr) return;
  const std::size_t before = q->held();
  q->rests(lane, due);
  held_ += q->held() - before;
  if (due) look_later(lane.endpoint, *q);
  if (!q->wants_refill() && !q->wants_ending()) return;
  const core::timestamp now = s_.now();
  refill(lane.endpoint, *q, now);
  enlist(lane.endpoint, *q);
}

void dispatch::pump() {
  const core::timestamp now = s_.now();
  while (!draining_ && !turn_.empty() && in_flight_ < settings_.sockets_max) {
    const core::endpoint_id id = turn_.front();
    turn_.pop_front();
    in_turn_.erase(id);
    dispatch_queue& q = *queues_.at(id);
    if (!q.can_send(now)) continue;
    send_next(q, now);
    enlist(id, q);
  }
}

core::result<std::shared_ptr<const core::event>> dispatch::load_event(const work_handle& work) {
  if (work->event) return work->event;
  auto found = s_.repo.find(work->lane.head);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("the event is missing");
  return std::shared_ptr<const core::event>{std::make_shared<core::event>(std::move(**found))};
}

// Older than the endpoint wants its events: given up without a request.
void dispatch::expired(dispatch_queue& q, const work_handle& work, core::timestamp now) {
  --in_flight_;
  q.returned(work, now);
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->outcome = {core::lane_step::park, {}, "expired", false};
  report->row = row_of(work, now, {}, {core::response_class::local, "expired", {}});
  s_.report_to_shard(std::move(report));
}

// Ours, not the endpoint's: a disk that cannot be read now is tried again; what can never be sent
// is parked at once, with the reason (delivery.md, 1: poison).
void dispatch::not_sent(dispatch_queue& q, const work_handle& work, const core::error& why,
                        core::timestamp now) {
  core::log(core::log_level::error, "dispatcher", "an event cannot be read, rendered or signed",
            {{"event", work->lane.head.value},
             {"endpoint", work->lane.key.endpoint.value},
             {"detail", why.detail}});
  --in_flight_;
  const bool later = why.kind == core::errc::io;
  const core::verdict verdict{core::response_class::local, why.code, {}};
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;
  q.finished(work, verdict, 0, now);
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->outcome = {later ? core::lane_step::retry : core::lane_step::park, now + unread_pause,
                     why.code, false};
  report->row = row_of(work, now, {}, verdict);
  s_.report_to_shard(std::move(report));
}

void dispatch::send_next(dispatch_queue& q, core::timestamp now) {
  work_handle work = q.take();
  ++in_flight_;
  if (core::too_old(work->lane, q.settings().max_age, now)) return expired(q, work, now);
  auto event = load_event(work);
  if (!event) return not_sent(q, work, event.failure(), now);
  auto request = make_request(**event, q.settings(), q, work->lane.attempts + 1, now);
  if (!request) return not_sent(q, work, request.failure(), now);
  request->done = [complete = complete_, work, now](core::attempt_result&& result) {
    (*complete)(work, now, std::move(result));
  };
  send_(std::move(*request));
}

void dispatch::attempt_ended(const work_handle& work, core::timestamp started,
                             const core::attempt_result& result) {
  --in_flight_;
  const core::endpoint_id id = work->lane.key.endpoint;
  dispatch_queue& q = *queues_.at(id);
  const core::timestamp now = s_.now();
  if (draining_ && result.error == core::attempt_error::local) {
    q.returned(work);  // it stays as it is on disk
    return;
  }
  const core::verdict verdict = core::classify(result, q.settings(), now);
  auto report = std::make_shared<lane_report>();
  report->open = s_.open_reports;  // before it stops counting as in flight
  q.finished(work, verdict, result.status, now);
  const auto delivery = s_.delivery.load();
  const auto& own = q.settings().retry_schedule;
  report->lane = work->lane.key;
  report->head = work->lane.head;
  report->row = row_of(work, started, result, verdict);
  report->outcome = core::within_age(
      core::judge(verdict, report->row.number, own.empty() ? delivery->schedule : own,
                  delivery->jitter, s_.random(), now),
      work->lane, q.settings().max_age);
  const bool ends = report->outcome.disable_endpoint;
  if (ends) {
    const bool wish = verdict.wish == core::receiver_wish::disable;
    q.hold_until(now + ending_patience);  // until the catalogue knows
    s_.change_catalog(set_endpoint_state{id, core::endpoint_state::disabled,
                                         wish ? "disabled_by_receiver" : "gone"});
  }
  s_.report_to_shard(std::move(report));
  if (q.wants_refill()) refill(id, q, now);
  if (verdict.retry_after || ends) look_later(id, q);
  enlist(id, q);
}

void dispatch::tick(core::timestamp now) {
  while (!looks_.empty() && looks_.begin()->first <= now) {
    const core::endpoint_id id = looks_.begin()->second;
    looks_.erase(looks_.begin());
    dispatch_queue& q = *queues_.at(id);
    refill(id, q, now);
    enlist(id, q);
  }
  // A clock that was set back must not stop the sweeps.
  if (now >= next_sweep_ || next_sweep_ - now > sweep_interval) {
    next_sweep_ = now + sweep_interval;
    for (auto& [id, q] : queues_) {
      q->give_up_waiting(now);
      if (q->wants_refill() || q->ended()) refill(id, *q, now);
      enlist(id, *q);
    }
    held_ = held();
  }
  pump();
}

void dispatch::drain() { draining_ = true; }

void dispatch::test(core::endpoint_id id,
                    std::function<void(core::result<core::attempt_result>&&)> reply) {
  dispatch_queue* q = queue_of(id);
  if (q == nullptr || q->deleted()) return reply(core::not_found("no such endpoint"));
  if (draining_) return reply(unavailable("the daemon is stopping"));
  const core::event event = test_event(s_, q->settings());
  auto request = make_request(event, q->settings(), *q, 1, s_.now());
  if (!request) return reply(std::move(request).failure());
  request->done = [reply = std::move(reply)](core::attempt_result&& result) {
    reply(std::move(result));
  };
  send_(std::move(*request));
}

}  // namespace syndicated::actors
