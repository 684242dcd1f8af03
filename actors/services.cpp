#include "actors/services.hpp"

namespace syndicated::actors {

void gauge_board::set(core::endpoint_id id, const endpoint_gauge& gauge) {
  const std::lock_guard lock(mutex_);
  gauges_[id] = gauge;
}

endpoint_gauge gauge_board::get(core::endpoint_id id) const {
  const std::lock_guard lock(mutex_);
  const auto it = gauges_.find(id);
  return it == gauges_.end() ? endpoint_gauge{} : it->second;
}

std::uint64_t gauge_board::in_flight() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [id, gauge] : gauges_) sum += static_cast<std::uint64_t>(gauge.in_flight);
  return sum;
}

std::uint64_t gauge_board::failing() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (const auto& [id, gauge] : gauges_) count += gauge.failing_since ? 1U : 0U;
  return count;
}

void breaker_board::set(const std::string& origin, const core::breaker& b, core::timestamp now) {
  const std::lock_guard lock(mutex_);
  if (b.closed()) {
    not_closed_.erase(origin);
    return;
  }
  openings_ += b.state(now) == core::breaker_state::open ? 1 : 0;
  not_closed_[origin] = b;
}

breaker_view breaker_board::get(const std::string& origin, core::timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto it = not_closed_.find(origin);
  if (it == not_closed_.end()) return {};
  const core::breaker& b = it->second;
  return {b.state(now), b.until(), b.reason()};
}

breaker_totals breaker_board::totals(core::timestamp now) const {
  const std::lock_guard lock(mutex_);
  breaker_totals out;
  out.openings = openings_;
  for (const auto& [origin, b] : not_closed_) {
    ++(b.state(now) == core::breaker_state::open ? out.open : out.half_open);
  }
  return out;
}

void services::post(const follow_ups& f) {
  for (const auto& work : f.ready) lane_is_ready(work);
  for (const auto& [lane, due] : f.rests) lane_is_resting(lane, due);
  for (const auto& reason : f.parked) stats.parked(reason);
  if (f.expired > 0) expired.fetch_add(f.expired, std::memory_order_relaxed);
  if (f.coalesced > 0) coalesced.fetch_add(f.coalesced, std::memory_order_relaxed);
}

core::error version_mismatch(std::uint64_t wanted, std::uint64_t present) {
  return {core::errc::precondition,
          "version_mismatch",
          "If-Match names version " + std::to_string(wanted) + ", the present one is " +
              std::to_string(present),
          {},
          {}};
}

core::error unavailable(std::string detail) {
  return {core::errc::unavailable, "unavailable", std::move(detail), {}, {}};
}

core::error event_missing(const store::retention_gate& gate, core::event_id id) {
  if (id >= gate.events_from()) return core::not_found("no such event");
  return {core::errc::gone,
          "event_expired",
          "the event is older than those that are kept (retention.events)",
          {},
          {}};
}

core::error not_committed(store::commit_result result) {
  if (result == store::commit_result::no_space) {
    return {core::errc::unavailable,
            "no_space",
            "the disk is full: the change was not acknowledged; repeat it later with the same "
            "Idempotency-Key",
            {},
            {}};
  }
  return {core::errc::io,
          "outcome_unknown",
          "the disk failed: whether the change was made will be known after the restart; repeat it"
          " with the same Idempotency-Key",
          {},
          {}};
}

std::shared_ptr<entity_request> system_request(core::stream_id stream) {
  auto request = std::make_shared<entity_request>();
  request->stream = stream;
  request->options.by = {core::role::operator_, 0, "system"};
  return request;
}

void services::tell(core::stream_id stream, decltype(entity_request::body) body) const {
  auto request = system_request(stream);
  request->body = std::move(body);
  to_shard(std::move(request));
}

void keep_answer(const services& s, store::write_plan& plan, const std::optional<idempotency>& key,
                 const answer& a) {
  if (!key) return;
  s.repo.put_answer(plan, key->key,
                    {s.now() + s.idempotency_retention, key->request_hash, a.status, a.body});
}

std::function<void(store::commit_result)> answers_with(write_reply reply, answer a) {
  return [reply = std::move(reply), a = std::move(a)](store::commit_result result) mutable {
    if (!reply) return;
    if (result == store::commit_result::committed) {
      reply(std::move(a));
    } else {
      reply(not_committed(result));
    }
  };
}

}  // namespace syndicated::actors
