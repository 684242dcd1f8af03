#include "actors/replayer.hpp"

#include <caf/all.hpp>

#include <algorithm>

#include "actors/defaults.hpp"

namespace syndicated::actors {
namespace {

using replayer_pointer = replayer_actor::stateful_pointer<replayer_state>;

constexpr std::size_t page_events = 128;      // handed out at a time
constexpr std::size_t page_rows_max = 4'096;  // looked at in one turn

bool wanted(const services& s, const core::event& e, const replay_job& job) {
  if (!std::binary_search(e.recipients.begin(), e.recipients.end(), job.endpoint)) return false;
  if (job.state.empty()) return true;
  auto last = s.repo.last_attempt(e.id, job.endpoint);
  if (!last || !*last) return false;
  const auto end = (*last)->end;
  return (job.state == "parked" && end == store::delivery_end::parked) ||
         (job.state == "delivered" && end == store::delivery_end::delivered);
}

void hand_out(replayer_pointer self, replayer_state::running& r, const core::event& e) {
  auto request = std::make_shared<entity_request>();
  request->stream = e.stream;
  request->options.by = {core::role::operator_, 0, "replay/" + std::to_string(r.job.id)};
  request->body = replay_request{e.id, {r.job.endpoint}};
  request->reply = [handle = caf::actor_cast<caf::weak_actor_ptr>(self)](core::result<answer>&& a) {
    if (auto strong = handle.lock()) {
      caf::anon_send(caf::actor_cast<replayer_actor>(strong), replay_step{a.ok()});
    }
  };
  ++r.under_way;
  self->state.s->to_shard(std::move(request));
}

void next_page(replayer_pointer self, replayer_state::running& r) {
  auto& s = *self->state.s;
  std::vector<core::event> page;
  std::size_t rows = 0;
  bool stopped = false;
  auto scanned = s.repo.events(r.next, [&](core::event&& e) {
    if (e.at > r.job.until) return false;
    r.next = {e.id.value + 1};
    ++r.job.examined;
    if (wanted(s, e, r.job)) page.push_back(std::move(e));
    stopped = page.size() >= page_events || ++rows >= page_rows_max;
    return !stopped;
  });
  r.at_end = !stopped;
  if (!scanned) {
    r.job.phase = "failed";
    r.at_end = true;
  }
  for (const core::event& e : page) hand_out(self, r, e);
  s.jobs.update(r.job);
}

void work(replayer_pointer self) {
  auto& state = self->state;
  while (!state.jobs.empty() && !state.draining) {
    auto& r = state.jobs.front();
    while (r.under_way == 0 && !r.at_end) next_page(self, r);
    if (r.under_way > 0) return;
    if (r.job.phase == "running") r.job.phase = "done";
    state.s->jobs.update(r.job);
    state.jobs.pop_front();
  }
}

}  // namespace

core::result<core::event_id> first_event_since(const services& s, core::timestamp since) {
  std::uint64_t low = 1;
  std::uint64_t high = s.ids.last_event().value + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::optional<core::event> found;
    auto scanned = s.repo.events({middle}, [&found](core::event&& e) {
      found = std::move(e);
      return false;
    });
    if (!scanned) return std::move(scanned).failure();
    if (!found || found->at >= since) {
      high = middle;
    } else {
      low = found->id.value + 1;
    }
  }
  return core::event_id{low};
}

replayer_actor::behavior_type replayer(replayer_pointer self, services* s) {
  harden(self);
  self->state.s = s;
  return {
      [self](const start_replay& m) {
        auto job = self->state.s->jobs.get(m.job);
        if (!job) return;
        replayer_state::running r;
        r.job = *job;
        auto first = first_event_since(*self->state.s, job->since);
        r.at_end = !first.ok();
        if (first.ok()) r.next = *first;
        self->state.jobs.push_back(std::move(r));
        work(self);
      },
      [self](const replay_step& m) {
        if (self->state.jobs.empty()) return;
        auto& r = self->state.jobs.front();
        r.job.replayed += m.replayed ? 1 : 0;
        if (--r.under_way == 0) work(self);
      },
      [self](const drain&) { self->state.draining = true; },
  };
}

}  // namespace syndicated::actors
