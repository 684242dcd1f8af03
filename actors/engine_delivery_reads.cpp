// The reads of the engine about deliveries: what became of an event, what waits, what was tried.
#include <algorithm>

#include "actors/engine_body.hpp"
#include "actors/pages.hpp"
#include "core/delivery/signature.hpp"
#include "store/keys.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t attempt_cursor_bytes = 24;
// Not now: what was noted before the clock was set back is shown, too.
constexpr core::timestamp end_of_time = core::from_unix_ms(std::int64_t{1} << 60U);
constexpr std::size_t lane_cursor_bytes = 34;
// Whether an event is still parked takes several look-ups, as much as so many rows of an index.
constexpr std::size_t parked_look_rows = 16;

std::string_view ended_word(store::delivery_end end) {
  switch (end) {
    case store::delivery_end::open: return "";
    case store::delivery_end::delivered: return "delivered";
    case store::delivery_end::parked: return "parked";
    case store::delivery_end::cancelled: return "cancelled";
  }
  return "";
}

attempt_record shown(store::attempt_row&& row) {
  return {row.event,
          row.endpoint,
          row.number,
          row.at,
          row.outcome,
          row.status,
          std::move(row.error),
          std::move(row.excerpt),
          row.timing,
          std::string{ended_word(row.end)},
          std::move(row.cause)};
}

bool fits(const store::attempt_mark& mark, attempt_choice choice) {
  switch (choice) {
    case attempt_choice::any: return true;
    case attempt_choice::delivered: return mark.end == store::delivery_end::delivered;
    case attempt_choice::parked:
    case attempt_choice::still_parked: return mark.end == store::delivery_end::parked;
    case attempt_choice::failed: return mark.outcome != core::response_class::delivered;
  }
  return true;
}

}  // namespace

std::string_view to_string(delivery_state state) noexcept {
  switch (state) {
    case delivery_state::pending: return "pending";
    case delivery_state::in_flight: return "in_flight";
    case delivery_state::delivered: return "delivered";
    case delivery_state::parked: return "parked";
    case delivery_state::cancelled: return "cancelled";
    case delivery_state::ended: return "ended";
  }
  return "";
}

delivery engine_body::delivery_to(const core::event& e, core::endpoint_id endpoint) const {
  delivery d;
  d.endpoint = endpoint;
  const auto last = repo_->last_attempt(e.id, endpoint);
  // Asked after the look: attempts go only when the horizon has passed them.
  const bool forgotten = e.id < services_->gate.attempts_from();
  d.state = forgotten ? delivery_state::ended : delivery_state::cancelled;
  if (last.ok() && *last) {
    d.attempts = (*last)->number;
    d.last_status = (*last)->status;
    d.last_error = (*last)->error;
    if ((*last)->end == store::delivery_end::cancelled) d.state = delivery_state::cancelled;
    if ((*last)->end == store::delivery_end::delivered) d.state = delivery_state::delivered;
    if ((*last)->end == store::delivery_end::parked) d.state = delivery_state::parked;
  }
  for (core::event_id replay : {core::event_id{}, e.id}) {
    // The stream's lane is on its way to the event only if the endpoint was among its recipients.
    if (!replay && !std::ranges::binary_search(e.recipients, endpoint)) continue;
    auto lane = repo_->find(core::lane_key{e.stream, endpoint, replay});
    if (!lane || !*lane || (*lane)->next_seq > e.seq) continue;
    const bool head = (*lane)->head == e.id;
    d.state = head && (*lane)->state == core::lane_state::parked ? delivery_state::parked
                                                                 : delivery_state::pending;
    if (head && d.state == delivery_state::pending) d.due = (*lane)->next_attempt();
  }
  return d;
}

// Its recipients, and those that a replay sent it to or will.
core::result<std::vector<core::endpoint_id>> engine_body::sent_to(const core::event& e) const {
  std::vector<core::endpoint_id> out = e.recipients;
  // One look for each endpoint that has attempts, however many it has.
  std::string after;
  for (bool more = true; more;) {
    more = false;
    const auto scanned =
        repo_->attempts(e.id, after, [&](const store::attempt_row& row, std::string_view) {
          out.push_back(row.endpoint);
          after = store::attempt_key(e.id, row.endpoint, UINT64_MAX).view();
          more = true;
          return false;
        });
    if (!scanned) return scanned.failure();
  }
  const auto lanes = repo_->lanes_of(e.stream);
  if (!lanes) return lanes.failure();
  for (const core::lane& lane : *lanes) {
    if (lane.key.replay == e.id) out.push_back(lane.key.endpoint);
  }
  std::ranges::sort(out);
  const auto repeats = std::ranges::unique(out);
  out.erase(repeats.begin(), repeats.end());
  return out;
}

core::result<std::vector<delivery>> engine_body::deliveries(core::event_id id) const {
  auto e = event(id);
  if (!e) return std::move(e).failure();
  const auto endpoints = sent_to(*e);
  if (!endpoints) return endpoints.failure();
  std::vector<delivery> out;
  for (const core::endpoint_id endpoint : *endpoints) out.push_back(delivery_to(*e, endpoint));
  return out;
}

core::result<page<attempt_record>> engine_body::attempts(core::event_id id, const attempt_filter& f,
                                                         const page_request& p) const {
  page<attempt_record> out;
  const auto cursor = core::base64_decode(p.after);
  if (!cursor || (!cursor->empty() && cursor->size() != 24)) return bad_cursor();
  std::string last_key;
  core::result<void> problem;
  auto scanned = repo_->attempts(id, *cursor, [&](store::attempt_row&& row, std::string_view key) {
    if (out.items.size() >= p.limit) {
      out.next = core::base64_encode(last_key);
      return false;
    }
    last_key = key;
    const store::attempt_mark mark{row.event, row.endpoint, row.at, row.outcome, row.end};
    const bool wanted = fits(mark, f.choice) && (!f.endpoint || row.endpoint == f.endpoint) &&
                        (!f.since || row.at >= *f.since) && (!f.until || row.at <= *f.until);
    if (!wanted) return true;
    if (f.choice == attempt_choice::still_parked) {
      const auto still = still_parked(mark);
      if (!still) problem = still.failure();
      if (!still || !*still) return problem.ok();
    }
    out.items.push_back(shown(std::move(row)));
    return true;
  });
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return out;
}

core::result<page<core::lane>> engine_body::lanes(core::endpoint_id id,
                                                  std::optional<core::lane_state> state,
                                                  const page_request& p) const {
  page<core::lane> out;
  const auto cursor = core::base64_decode(p.after);
  if (!cursor || (!cursor->empty() && cursor->size() != lane_cursor_bytes)) return bad_cursor();
  const bool parked_only = state == core::lane_state::parked;
  const bool pending_only = state == core::lane_state::pending;
  std::string last_key;
  core::result<void> problem;
  auto scanned =
      repo_->due_lanes(id, parked_only ? store::due_side::parked : store::due_side::fresh,
                       pending_only ? store::due_side::late : store::due_side::parked, *cursor,
                       [&](const core::lane_key& key, std::string_view raw) {
                         if (out.items.size() >= p.limit) {
                           out.next = core::base64_encode(last_key);
                           return false;
                         }
                         last_key = raw;
                         auto lane = repo_->find(key);
                         if (!lane)
                           problem = std::move(lane).failure();
                         else if (*lane)
                           out.items.push_back(std::move(**lane));
                         return problem.ok();
                       });
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return out;
}

// By a lane that stands at it, or by the mark that its lane left behind.
core::result<bool> engine_body::still_parked(const store::attempt_mark& mark) const {
  auto last = repo_->last_attempt(mark.event, mark.endpoint);
  if (!last) return std::move(last).failure();
  if (!*last || (*last)->at != mark.at) return false;
  auto skipped = repo_->is_skipped(mark.event, mark.endpoint);
  if (!skipped || *skipped) return skipped;
  const auto e = repo_->find(mark.event);
  if (!e && e.failure().kind != core::errc::corrupt) return e.failure();
  // Given up for just that: it cannot be sent again, and a discard would be the last attempt.
  if (!e.ok() || !*e) return true;
  for (const core::event_id replay : {core::event_id{}, mark.event}) {
    const auto lane = repo_->find(core::lane_key{(*e)->stream, mark.endpoint, replay});
    if (!lane) return lane.failure();
    if (*lane && (*lane)->head == mark.event && (*lane)->state == core::lane_state::parked) {
      return true;
    }
  }
  return false;
}

core::result<page<attempt_record>> engine_body::attempts_at(core::endpoint_id id,
                                                            const attempt_filter& f,
                                                            const page_request& p) const {
  page<attempt_record> out;
  const auto cursor = core::base64_decode(p.after);
  if (!cursor || (!cursor->empty() && cursor->size() != attempt_cursor_bytes)) return bad_cursor();
  std::string last_place;
  std::size_t rows = 0;
  core::result<void> problem;
  auto scanned =
      repo_->attempts_at(id, f.since.value_or(core::timestamp{}), f.until.value_or(end_of_time),
                         *cursor, [&](store::attempt_mark&& mark) {
                           if (out.items.size() >= p.limit || rows >= core::limits::scan_rows_max) {
                             out.next = core::base64_encode(last_place);
                             return false;
                           }
                           ++rows;
                           last_place = mark.place;
                           if (!fits(mark, f.choice)) return true;
                           if (f.choice == attempt_choice::still_parked) {
                             rows += parked_look_rows;
                             const auto still = still_parked(mark);
                             if (!still) problem = still.failure();
                             if (!still || !*still) return problem.ok();
                           }
                           auto row = repo_->attempt(mark);
                           if (!row) {
                             problem = std::move(row).failure();
                             return false;
                           }
                           if (*row) out.items.push_back(shown(std::move(**row)));
                           return true;
                         });
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return out;
}

core::result<core::replay_job> engine_body::replay_job(std::uint64_t id) const {
  auto found = repo_->replay_job(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such job");
  return std::move(**found);
}

core::result<page<core::replay_job>> engine_body::replay_jobs(core::endpoint_id id,
                                                              const page_request& p) const {
  auto before = id_cursor(p.after);
  if (!before) return std::move(before).failure();
  page_filler<core::replay_job> filler(p.limit);
  auto scanned =
      repo_->replay_jobs(*before == 0 ? UINT64_MAX : *before, [&](core::replay_job&& job) {
        const bool wanted = !id || job.endpoint == id;
        const std::uint64_t number = job.id;
        return filler.offer(number, std::move(job), wanted);
      });
  if (!scanned) return std::move(scanned).failure();
  return std::move(filler).take();
}

}  // namespace syndicated::actors
