#include "actors/replays.hpp"

#include <algorithm>

#include "actors/entity.hpp"
#include "core/base/limits.hpp"
#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

namespace limits = core::limits;

constexpr std::size_t page_events_max = 128;  // handed out at a time
constexpr std::size_t page_rows_max = 4'096;  // looked at in one turn
constexpr std::chrono::milliseconds refused_pause = std::chrono::seconds{5};

// What may be otherwise a little later. An entity that cannot be read now is no reason to leave the
// event out.
bool passing(core::errc why) {
  return why == core::errc::unavailable || why == core::errc::too_many || why == core::errc::io;
}

// Who would hear of the event by the present settings.
core::result<std::vector<core::endpoint_id>> recipients_now(const services& s,
                                                            const core::event& e) {
  core::product_id product;
  std::vector<core::tenant_id> path;
  if (e.stream.kind == core::entity_kind::subscription) {
    auto found = s.repo.find(core::subscription_id{e.stream.entity});
    if (!found) return std::move(found).failure();
    if (*found) {
      product = (*found)->product;
      path = (*found)->path;
    }
  } else if (e.tenant) {
    auto found = s.repo.find(e.tenant);
    if (!found) return std::move(found).failure();
    if (*found) path = (*found)->path;
    path.push_back(e.tenant);
  }
  return s.catalog.load()->recipients(e, product, path);
}

bool among(const std::vector<core::endpoint_id>& sorted, core::endpoint_id id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

}  // namespace

void replays::load() {
  auto scanned = s_.repo.replay_jobs(UINT64_MAX, [this](core::replay_job&& job) {
    if (job.phase == core::replay_phase::running) {
      running r;
      r.next = job.next;
      r.not_before = s_.now();
      r.job = std::move(job);
      running_.emplace(r.job.id, std::move(r));
    }
    return true;
  });
  store::write_plan plan;
  if (scanned) {
    scanned = s_.repo.job_notes([&](store::job_note&& note) {
      const auto it = running_.find(note.job);
      if (it == running_.end()) {
        s_.repo.erase(plan, note);  // the job ended while the event was under way
      } else {
        it->second.noted.insert(note.event);
      }
      return true;
    });
  }
  if (!scanned) {
    core::log(core::log_level::error, "replayer", "the replay jobs cannot be read",
              {{"detail", scanned.failure().detail}});
    running_.clear();  // what was handed out is not known
  } else if (!plan.ops.empty()) {
    plan.durable = false;
    s_.committer.submit(std::move(plan));
  }
}

void replays::handle(job_request& request) {
  if (const auto* order = std::get_if<replay_order>(&request.body)) {
    start(request, *order);
  } else {
    cancel(request, std::get<cancel_job>(request.body).id);
  }
}

void replays::start(job_request& request, const replay_order& order) {
  const auto refuse = [&request](core::error why) {
    if (auto reply = std::exchange(request.reply, nullptr)) reply(std::move(why));
  };
  if (!s_.catalog.load()->find(order.endpoint)) return refuse(core::not_found("no such endpoint"));
  sweep();
  if (running_.size() >= limits::replay_jobs_running_max) {
    return refuse({core::errc::too_many,
                   "too_many_jobs",
                   std::to_string(running_.size()) + " replay jobs are running; wait for one to "
                                                     "end, or cancel one",
                   {},
                   {}});
  }
  auto first = s_.repo.first_event_since(order.since, s_.ids.last_event());
  if (!first) return refuse(std::move(first).failure());
  running r;
  core::replay_job& job = r.job;
  job.id = s_.ids.next_event().value;  // ids of events grow with time and are never reused
  job.endpoint = order.endpoint;
  job.since = order.since;
  job.until = order.until;
  job.choice = order.choice;
  job.dry_run = order.dry_run;
  job.rate_per_s = order.rate_per_s;
  job.next = r.next = *first;
  r.not_before = s_.now();
  job.cause = cause_of(request.options.by);
  job.started_at = s_.now();
  store::write_plan plan;
  forget_oldest(plan);
  commit(request, job, std::move(plan), 202);
  running_.emplace(job.id, std::move(r));
}

void replays::cancel(job_request& request, std::uint64_t id) {
  const auto it = running_.find(id);
  if (it != running_.end()) {
    running& r = it->second;
    store::write_plan plan;
    if (!r.ended) {
      close(r, core::replay_phase::cancelled, {});
      plan = ending_plan(r);
    }
    return commit(request, r.job, std::move(plan), 200);
  }
  auto found = s_.repo.replay_job(id);
  if (found && *found) {
    core::replay_job& job = **found;
    if (job.phase == core::replay_phase::running) {  // it could not be read when the daemon started
      job.phase = core::replay_phase::cancelled;
      job.ended_at = s_.now();
    }
    return commit(request, job, {}, 200);
  }
  if (auto reply = std::exchange(request.reply, nullptr)) {
    reply(found ? core::not_found("no such job") : std::move(found).failure());
  }
}

void replays::commit(job_request& request, const core::replay_job& job, store::write_plan plan,
                     int status) {
  answer a = request.render ? request.render(job, true) : answer{status, {}};
  s_.repo.put(plan, job);
  keep_answer(s_, plan, request.options.idempotency, a);
  plan.done = [first = std::move(plan.done),
               then = answers_with(std::exchange(request.reply, nullptr), std::move(a))](
                  store::commit_result result) mutable {
    if (first) first(result);
    then(result);
  };
  s_.committer.submit(std::move(plan));
}

// The oldest ended jobs make room for a new one.
void replays::forget_oldest(store::write_plan& plan) {
  std::size_t kept = 0;
  (void)s_.repo.replay_jobs(UINT64_MAX, [&](core::replay_job&& job) {
    const bool ended = job.phase != core::replay_phase::running;
    if (++kept >= limits::replay_jobs_kept_max && ended) s_.repo.erase_replay_job(plan, job.id);
    return true;
  });
}

core::result<bool> replays::never_attempted(const core::event& e,
                                            core::endpoint_id endpoint) const {
  auto last = s_.repo.last_attempt(e.id, endpoint);
  if (!last) return std::move(last).failure();
  if (*last) return false;
  // Asked after the look: attempts go only when the horizon has passed them.
  if (e.id < s_.gate.attempts_from()) return false;  // nobody knows any more
  if (among(e.recipients, endpoint)) {
    auto lane = s_.repo.find(core::lane_key{e.stream, endpoint, {}});
    if (!lane) return std::move(lane).failure();
    return !*lane || (*lane)->next_seq > e.seq;  // else it is sent in its turn
  }
  auto lane = s_.repo.find(core::lane_key{e.stream, endpoint, e.id});
  if (!lane) return std::move(lane).failure();
  if (*lane) return false;
  auto now = recipients_now(s_, e);
  if (!now) return std::move(now).failure();
  return among(*now, endpoint);
}

core::result<bool> replays::chosen(const core::event& e, const core::replay_job& job) const {
  using enum core::replay_choice;
  if (job.choice == never_attempted) return this->never_attempted(e, job.endpoint);
  if (job.choice == sent && among(e.recipients, job.endpoint)) return true;
  auto last = s_.repo.last_attempt(e.id, job.endpoint);
  if (!last) return std::move(last).failure();
  if (!*last) return false;
  const auto end = (*last)->end;
  switch (job.choice) {
    case sent: return true;  // by an earlier replay
    case delivered: return end == store::delivery_end::delivered;
    case parked: return end == store::delivery_end::parked;
    case failed: return end == store::delivery_end::parked || end == store::delivery_end::open;
    case never_attempted: break;
  }
  return false;
}

void replays::read_page(running& r, std::vector<std::pair<core::event_id, core::stream_id>>& page) {
  std::size_t rows = 0;
  bool stopped = false;
  core::result<void> problem;
  const auto page_max =
      std::min(page_events_max, static_cast<std::size_t>(std::max(1, r.job.rate_per_s)));
  auto scanned = s_.repo.events(r.next, [&](core::event&& e) {
    // A clock may have been set back: what follows one that is too late need not be.
    if (e.at < r.job.since || e.at > r.job.until) {
      r.next = {e.id.value + 1};
      stopped = ++rows >= page_rows_max;
      return !stopped;
    }
    const bool before = r.noted.contains(e.id);  // a crash came before the place was stored
    auto wanted = before ? core::result<bool>{true} : chosen(e, r.job);
    if (!wanted) {
      problem = std::move(wanted).failure();
      return false;
    }
    r.next = {e.id.value + 1};
    ++r.examined;
    if (*wanted) ++r.matched;
    if (before) {
      ++r.replayed;
    } else if (*wanted) {
      page.emplace_back(e.id, e.stream);
    }
    stopped = page.size() >= page_max || ++rows >= page_rows_max;
    return !stopped;
  });
  if (!scanned) problem = std::move(scanned);
  r.at_end = !stopped;
  if (!problem) end(r, core::replay_phase::failed, problem.failure().detail);
}

void replays::hand_out(running& r, core::event_id event, core::stream_id stream) {
  r.under_way.emplace(event, stream);
  auto request = std::make_shared<entity_request>();
  request->stream = stream;
  request->options.by = {core::role::operator_, 0, "replay/" + std::to_string(r.job.id)};
  request->body = replay_request{event, {r.job.endpoint}, r.job.id};
  request->reply = [tell = tell_, job = r.job.id, event](core::result<answer>&& a) {
    tell(job, event, a.ok() ? std::nullopt : std::optional{std::move(a).failure()});
  };
  s_.to_shard(std::move(request));
}

void replays::stepped(std::uint64_t job, core::event_id event,
                      const std::optional<core::error>& refusal) {
  const auto it = running_.find(job);
  if (it == running_.end()) return;
  running& r = it->second;
  const auto stream = r.under_way.extract(event);
  if (stream.empty()) return;
  if (r.ended) {  // cancelled meanwhile
    if (!refusal) r.noted.insert(event);
    return sweep();
  }
  if (!refusal) {
    ++r.replayed;
    s_.events_replayed.fetch_add(1, std::memory_order_relaxed);
    r.noted.insert(event);
  } else if (passing(refusal->kind)) {
    r.again.emplace_back(event, stream.mapped());
    r.waiting = refusal->code;
  } else {
    ++r.refused;
    r.job.refusal = refusal->code;
  }
  if (!r.under_way.empty()) return;
  if (!r.again.empty()) return wait(r);
  store::write_plan plan = close_page(r);
  submit(r.job, std::move(plan), false);
  work(r, s_.now());
  sweep();
}

void replays::wait(running& r) {
  r.not_before = s_.now() + refused_pause;
  r.job.waiting = r.waiting;  // each time: on a full disk it could not be written before
  submit(r.job, {}, false);
}

void replays::tick(core::timestamp now) {
  for (auto& [id, r] : running_) work(r, now);
  end_again(now);
  sweep();
  std::uint64_t at_work = 0;
  std::uint64_t waiting = 0;
  for (const auto& [id, r] : running_) {
    if (!r.ended) ++(r.job.waiting.empty() ? at_work : waiting);
  }
  s_.jobs_running = at_work;
  s_.jobs_waiting = waiting;
}

pending_work replays::open() const {
  pending_work out;
  for (const auto& [id, r] : running_) {
    out.due += r.under_way.size();
    if (r.under_way.empty() && !r.ended) keep_earlier(out.next, r.not_before);
  }
  return out;
}

// A clock that was set back must not stop a job.
bool replays::is_early(const running& r, core::timestamp now) {
  return core::waits(r.not_before, refused_pause, now);
}

void replays::work(running& r, core::timestamp now) {
  if (draining_ || !r.under_way.empty() || is_early(r, now) || r.ended) return;
  if (!s_.catalog.load()->find(r.job.endpoint)) {
    return end(r, core::replay_phase::failed, "the endpoint was deleted");
  }
  auto page = std::exchange(r.again, {});
  if (page.empty()) {
    if (r.at_end) return end(r, core::replay_phase::done, {});
    read_page(r, page);
    if (r.ended) return;
    const auto count = static_cast<std::int64_t>(page.size());
    // From the last page's time on, so that late turns do not lower the rate.
    r.not_before = std::max(r.not_before, now - std::chrono::seconds{1}) +
                   std::chrono::milliseconds{count * 1'000 / std::max(1, r.job.rate_per_s)};
    if (r.job.dry_run || page.empty()) {
      if (r.job.dry_run) r.not_before = now;
      if (r.at_end) return end(r, core::replay_phase::done, {});
      store::write_plan plan = close_page(r);
      return submit(r.job, std::move(plan), false);
    }
  }
  for (const auto& [event, stream] : page) hand_out(r, event, stream);
}

void replays::end(running& r, core::replay_phase phase, std::string problem) {
  close(r, phase, std::move(problem));
  submit(r.job, ending_plan(r), true);
}

void replays::close(running& r, core::replay_phase phase, std::string problem) const {
  r.job.phase = phase;
  r.job.problem = std::move(problem);
  r.job.ended_at = s_.now();
  r.ended = std::make_shared<std::atomic<ending>>();
}

store::write_plan replays::ending_plan(running& r) const {
  store::write_plan plan = close_page(r);
  r.ended->store(ending::asked);
  plan.done = [ended = r.ended](store::commit_result result) {
    ended->store(result == store::commit_result::committed ? ending::written : ending::refused);
  };
  return plan;
}

void replays::end_again(core::timestamp now) {
  for (auto& [id, r] : running_) {
    const bool refused = r.ended && r.ended->load() == ending::refused;
    if (draining_ || !refused || is_early(r, now)) continue;
    r.not_before = now + refused_pause;
    submit(r.job, ending_plan(r), true);
  }
}

store::write_plan replays::close_page(running& r) const {
  store::write_plan plan;
  r.job.next = r.next;
  r.job.examined += std::exchange(r.examined, 0);
  r.job.matched += std::exchange(r.matched, 0);
  r.job.replayed += std::exchange(r.replayed, 0);
  r.job.refused += std::exchange(r.refused, 0);
  r.job.waiting.clear();
  // A page that is read again may be shorter than it was before the crash.
  const bool ends = r.job.phase != core::replay_phase::running;
  const auto last = ends ? r.noted.end() : r.noted.lower_bound(r.next);
  for (auto it = r.noted.begin(); it != last; it = r.noted.erase(it)) {
    s_.repo.erase(plan, store::job_note{r.job.id, *it});
  }
  return plan;
}

void replays::sweep() {
  store::write_plan plan;
  std::erase_if(running_, [&](const auto& entry) {
    const running& r = entry.second;
    if (!r.ended || !r.under_way.empty() || r.ended->load() != ending::written) return false;
    for (const core::event_id event : r.noted) {
      s_.repo.erase(plan, store::job_note{entry.first, event});
    }
    return true;
  });
  if (plan.ops.empty()) return;
  plan.durable = false;
  s_.committer.submit(std::move(plan));
}

void replays::submit(const core::replay_job& job, store::write_plan plan, bool durable) {
  plan.durable = durable;
  s_.repo.put(plan, job);
  s_.committer.submit(std::move(plan));
}

}  // namespace syndicated::actors
