// Codecs of the records that every event touches.
#include "store/codec.hpp"
#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

std::string encode(const core::event& e) {
  records::Event r;
  r.set_id(e.id.value);
  r.set_stream_kind(number(e.stream.kind));
  r.set_stream_entity(e.stream.entity);
  r.set_seq(e.seq);
  r.set_name(e.name);
  r.set_type(number(e.type));
  r.set_at_ms(ms(e.at));
  r.set_entity_version(e.entity_version);
  r.set_tenant(e.tenant.value);
  r.set_vendor(e.vendor.value);
  r.set_cause(e.cause);
  put_map(*r.mutable_metadata(), e.metadata);
  r.set_data(e.data);
  for (core::endpoint_id id : e.recipients) r.add_recipients(id.value);
  if (!e.stream_name.empty()) r.set_stream_name(e.stream_name);
  return framed(r);
}

core::result<core::event> decode_event(std::string_view value) {
  records::Event r;
  if (auto e = parse(r, value, "event")) return std::move(*e);
  core::event e;
  e.id = {r.id()};
  e.stream = {static_cast<core::entity_kind>(r.stream_kind()), r.stream_entity()};
  e.seq = r.seq();
  e.name = r.name();
  e.type = static_cast<core::wire_type>(r.type());
  e.at = at(r.at_ms());
  e.entity_version = r.entity_version();
  e.tenant = {r.tenant()};
  e.vendor = {r.vendor()};
  e.cause = r.cause();
  e.metadata = get_map(r.metadata());
  e.data = r.data();
  for (std::uint64_t id : r.recipients()) e.recipients.push_back({id});
  e.stream_name = r.stream_name();
  return e;
}

std::string encode(const core::lane& l) {
  records::Lane r;
  r.set_head(l.head.value);
  r.set_next_seq(l.next_seq);
  r.set_backlog(l.backlog);
  r.set_state(number(l.state));
  r.set_attempts(l.attempts);
  r.set_alike(l.alike);
  r.set_due_ms(ms(l.due));
  r.set_head_at_ms(ms(l.head_at));
  r.set_last_status(l.last_status);
  r.set_last_error(l.last_error);
  if (l.replayed_at != core::timestamp{}) r.set_replayed_at_ms(ms(l.replayed_at));
  if (l.not_before != core::timestamp{}) r.set_not_before_ms(ms(l.not_before));
  return framed(r);
}

core::result<core::lane> decode_lane(const core::lane_key& key, std::string_view value) {
  records::Lane r;
  if (auto e = parse(r, value, "lane")) return std::move(*e);
  core::lane l;
  l.key = key;
  l.head = {r.head()};
  l.next_seq = r.next_seq();
  l.backlog = r.backlog();
  l.state = static_cast<core::lane_state>(r.state());
  l.attempts = r.attempts();
  l.alike = r.alike();
  l.due = at(r.due_ms());
  l.head_at = at(r.head_at_ms());
  l.last_status = r.last_status();
  l.last_error = r.last_error();
  l.replayed_at = at(r.replayed_at_ms());
  l.not_before = at(r.not_before_ms());
  return l;
}

std::string encode(const attempt_row& a) {
  records::Attempt r;
  r.set_number(a.number);
  r.set_outcome(number(a.outcome));
  r.set_status(a.status);
  r.set_error(a.error);
  r.set_excerpt(a.excerpt);
  r.set_dns_us(a.timing.dns_us);
  r.set_connect_us(a.timing.connect_us);
  r.set_tls_us(a.timing.tls_us);
  r.set_first_byte_us(a.timing.first_byte_us);
  r.set_total_us(a.timing.total_us);
  r.set_ended(a.end != delivery_end::open);
  r.set_cancelled(a.end == delivery_end::cancelled);
  r.set_parked(a.end == delivery_end::parked);
  r.set_cause(a.cause);
  return framed(r);
}

core::result<attempt_row> decode_attempt(std::string_view value) {
  records::Attempt r;
  if (auto e = parse(r, value, "attempt")) return std::move(*e);
  attempt_row a;
  a.number = r.number();
  a.outcome = static_cast<core::response_class>(r.outcome());
  a.status = r.status();
  a.error = r.error();
  a.excerpt = r.excerpt();
  a.cause = r.cause();
  a.timing = {r.dns_us(), r.connect_us(), r.tls_us(), r.first_byte_us(), r.total_us()};
  a.end = r.cancelled() ? delivery_end::cancelled
          : r.parked()  ? delivery_end::parked
          : r.ended()   ? delivery_end::delivered
                        : delivery_end::open;
  return a;
}

std::string encode(const stored_answer& a) {
  records::Answer r;
  r.set_expires_at_ms(ms(a.expires_at));
  r.set_request_hash(a.request_hash);
  r.set_status(a.status);
  r.set_body(a.body);
  return framed(r);
}

core::result<stored_answer> decode_answer(std::string_view value) {
  records::Answer r;
  if (auto e = parse(r, value, "answer")) return std::move(*e);
  return stored_answer{at(r.expires_at_ms()), r.request_hash(), r.status(), r.body()};
}

std::string encode(const counters& c) {
  records::Counters r;
  r.set_accepted(c.accepted);
  r.set_delivered(c.delivered);
  r.set_parked(c.parked);
  r.set_cancelled(c.cancelled);
  r.set_attempts(c.attempts);
  return framed(r);
}

core::result<counters> decode_counters(std::string_view value) {
  records::Counters r;
  if (auto e = parse(r, value, "counter")) return std::move(*e);
  return counters{r.accepted(), r.delivered(), r.parked(), r.cancelled(), r.attempts()};
}

std::string encode(const core::replay_job& j) {
  records::ReplayJob r;
  r.set_id(j.id);
  r.set_endpoint(j.endpoint.value);
  r.set_since_ms(ms(j.since));
  r.set_until_ms(ms(j.until));
  r.set_choice(number(j.choice));
  r.set_dry_run(j.dry_run);
  r.set_rate_per_s(j.rate_per_s);
  r.set_phase(number(j.phase));
  r.set_next(j.next.value);
  r.set_examined(j.examined);
  r.set_matched(j.matched);
  r.set_replayed(j.replayed);
  r.set_refused(j.refused);
  r.set_refusal(j.refusal);
  r.set_waiting(j.waiting);
  r.set_problem(j.problem);
  r.set_cause(j.cause);
  r.set_started_at_ms(ms(j.started_at));
  if (j.ended_at) r.set_ended_at_ms(ms(*j.ended_at));
  return framed(r);
}

core::result<core::replay_job> decode_replay_job(std::string_view value) {
  records::ReplayJob r;
  if (auto e = parse(r, value, "replay job")) return std::move(*e);
  core::replay_job j;
  j.id = r.id();
  j.endpoint = {r.endpoint()};
  j.since = at(r.since_ms());
  j.until = at(r.until_ms());
  j.choice = static_cast<core::replay_choice>(r.choice());
  j.dry_run = r.dry_run();
  j.rate_per_s = r.rate_per_s();
  j.phase = static_cast<core::replay_phase>(r.phase());
  j.next = {r.next()};
  j.examined = r.examined();
  j.matched = r.matched();
  j.replayed = r.replayed();
  j.refused = r.refused();
  j.refusal = r.refusal();
  j.waiting = r.waiting();
  j.problem = r.problem();
  j.cause = r.cause();
  j.started_at = at(r.started_at_ms());
  if (r.has_ended_at_ms()) j.ended_at = at(r.ended_at_ms());
  return j;
}

std::string encode(const core::breaker_record& b) {
  records::Breaker r;
  r.set_origin(b.origin);
  r.set_trips(b.trips);
  r.set_since_ms(ms(b.since));
  r.set_until_ms(ms(b.until));
  r.set_reason(b.reason);
  return framed(r);
}

core::result<core::breaker_record> decode_breaker(std::string_view value) {
  records::Breaker r;
  if (auto e = parse(r, value, "breaker")) return std::move(*e);
  return core::breaker_record{r.origin(), r.trips(), at(r.since_ms()), at(r.until_ms()),
                              r.reason()};
}

std::string encode(const retention_record& from) {
  records::Retention r;
  r.set_events_from(from.events_from.value);
  r.set_attempts_from(from.attempts_from.value);
  r.set_events_done(from.events_done.value);
  r.set_attempts_done(from.attempts_done.value);
  r.set_swept_at_ms(ms(from.swept_at));
  return framed(r);
}

core::result<retention_record> decode_retention(std::string_view value) {
  records::Retention r;
  if (auto e = parse(r, value, "retention record")) return std::move(*e);
  return retention_record{{r.events_from()},
                          {r.attempts_from()},
                          {r.events_done()},
                          {r.attempts_done()},
                          at(r.swept_at_ms())};
}

std::string encode(const endpoint_journal& j) {
  records::EndpointJournal r;
  r.set_seq(j.seq);
  r.set_told(number(j.told));
  r.set_degraded(j.degraded);
  if (j.failing_since) r.set_failing_since_ms(ms(*j.failing_since));
  r.set_quota(number(j.quota));
  return framed(r);
}

core::result<endpoint_journal> decode_journal(core::endpoint_id id, std::string_view value) {
  records::EndpointJournal r;
  if (auto e = parse(r, value, "endpoint journal")) return std::move(*e);
  endpoint_journal j{id, r.seq(), static_cast<core::endpoint_state>(r.told()), r.degraded()};
  j.quota = static_cast<core::quota_level>(r.quota());
  if (r.has_failing_since_ms()) j.failing_since = at(r.failing_since_ms());
  return j;
}

}  // namespace syndicated::store
