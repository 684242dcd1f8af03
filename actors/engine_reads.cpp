// The reads of the engine: bounded look-ups of what is committed.
#include <algorithm>

#include "actors/engine_body.hpp"
#include "actors/lineage.hpp"
#include "actors/pages.hpp"
#include "core/base/limits.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::actors {
namespace {

// Lanes looked at for the age of the oldest one, of each side; those due first.
constexpr std::size_t oldest_sample_rows = 32;

bool fits(const core::subscription& s, const subscription_filter& f, family_tree& tree) {
  if (f.tenant && s.tenant != f.tenant) return false;
  if (f.within && !tree.within(s.tenant, f.within)) return false;
  if (f.vendor && s.vendor != f.vendor) return false;
  if (f.product && s.product != f.product) return false;
  if (f.plan && s.plan != f.plan) return false;
  if (f.status && s.status != *f.status) return false;
  if (f.type && s.type != *f.type) return false;
  if (!f.name.empty() && s.name != f.name) return false;
  return !f.updated_since || s.updated_at >= *f.updated_since;
}

delivery_counters converted(const store::counters& c) {
  return {c.accepted, c.delivered, c.parked, c.cancelled, c.attempts};
}

}  // namespace

std::shared_ptr<const actors::catalog> engine_body::catalog() const {
  return services_->catalog.load();
}

core::result<core::subscription> engine_body::subscription(core::subscription_id id) const {
  auto found = repo_->find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return core::not_found("no such subscription");
  return std::move(**found);
}

core::result<page<core::subscription>> engine_body::subscriptions(const subscription_filter& f,
                                                                  const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::subscription> filler(p.limit);
  family_tree tree{*repo_};
  core::result<void> problem;
  const auto by_id = [&](core::subscription_id&& id) {
    auto s = repo_->find(id);
    if (!s || !*s) {
      if (!s) problem = std::move(s).failure();
      return problem.ok();
    }
    const bool wanted = fits(**s, f, tree);
    return filler.offer(id.value, std::move(**s), wanted);
  };
  core::result<void> scanned;
  if (f.tenant) {
    scanned = repo_->subscriptions_of_tenant(f.tenant, *after, by_id);
  } else if (f.vendor) {
    scanned = repo_->subscriptions_of_vendor(f.vendor, *after, by_id);
  } else {
    scanned = repo_->subscriptions(*after, [&](core::subscription&& s) {
      const bool wanted = fits(s, f, tree);
      const std::uint64_t id = s.id.value;
      return filler.offer(id, std::move(s), wanted);
    });
  }
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return std::move(filler).take();
}

core::result<core::event> engine_body::event(core::event_id id) const {
  auto found = repo_->find(id);
  if (!found) return std::move(found).failure();
  if (!*found) return event_missing(services_->gate, id);
  return std::move(**found);
}

// Where a page of a stream's events goes on; from the begin when the last one is no longer kept.
core::result<std::uint64_t> engine_body::seq_behind(core::stream_id stream,
                                                    core::event_id last) const {
  if (!last) return std::uint64_t{1};
  auto found = repo_->find(last);
  if (!found) return std::move(found).failure();
  return *found && (*found)->stream == stream ? (*found)->seq + 1 : std::uint64_t{1};
}

core::result<page<core::event>> engine_body::events(const event_filter& f,
                                                    const page_request& p) const {
  auto after = id_cursor(p.after);
  if (!after) return std::move(after).failure();
  page_filler<core::event> filler(p.limit);
  const std::vector<std::string> patterns{f.name};
  family_tree tree{*repo_};
  const auto offer = [&](core::event&& e) {
    // None ends the search by its time: a clock may have been set back.
    const bool wanted =
        (!f.until || e.at <= *f.until) && (f.name.empty() || core::matches(patterns, e.name)) &&
        (f.stream_name.empty() || e.stream_name == f.stream_name) &&
        (!f.kind || e.stream.kind == *f.kind) && (!f.since || e.at >= *f.since) &&
        (!f.vendor || e.vendor == f.vendor) && (!f.within || tree.within(e.tenant, f.within));
    const std::uint64_t id = e.id.value;
    return filler.offer(id, std::move(e), wanted);
  };
  core::result<void> scanned;
  core::result<void> problem;
  if (f.stream) {
    auto first = seq_behind(*f.stream, {*after});
    if (!first) return std::move(first).failure();
    scanned = repo_->stream_events(*f.stream, *first, [&](core::event_id&& id) {
      if (id.value <= *after) return true;
      auto e = repo_->find(id);
      if (!e) {
        problem = std::move(e).failure();
        return false;
      }
      // One that is no longer kept was looked at, too.
      return *e ? offer(std::move(**e)) : filler.offer(id.value, core::event{}, false);
    });
  } else {
    std::uint64_t from = *after + 1;
    if (f.since && *after == 0) {
      auto first = repo_->first_event_since(*f.since, ids_.last_event());
      if (!first) return std::move(first).failure();
      from = first->value;
    }
    scanned = repo_->events({from}, offer);
  }
  if (!scanned) return std::move(scanned).failure();
  if (!problem) return std::move(problem).failure();
  return std::move(filler).take();
}

endpoint_status engine_body::figures_of(std::shared_ptr<const core::endpoint> e) const {
  endpoint_status out;
  const core::endpoint_id id = e->id;
  out.endpoint = std::move(e);
  out.counters = converted(committer_->counters_of(id));
  const endpoint_gauge gauge = services_->gauges.get(id);
  out.in_flight = gauge.in_flight;
  out.concurrency_limit = gauge.concurrency_limit;
  out.not_before = gauge.not_before;
  out.last_status = gauge.last_status;
  out.last_error = gauge.last_error;
  out.last_success = gauge.last_success;
  out.last_failure = gauge.last_failure;
  out.failing_since = gauge.failing_since;
  out.breaker = breaker_at(out.endpoint->origin);
  return out;
}

void engine_body::add_lanes(endpoint_status& out) const {
  if (out.counters.pending() + out.counters.parked == 0) return;
  const core::endpoint_id id = out.endpoint->id;
  for (const auto side : {store::due_side::fresh, store::due_side::late, store::due_side::parked}) {
    std::size_t rows = 0;
    (void)repo_->due_lanes(id, side, side, {}, [&](const core::lane_key& key, std::string_view) {
      auto lane = repo_->find(key);
      if (!lane || !*lane) return true;
      keep_earlier(out.oldest, (*lane)->head_at);
      return ++rows < oldest_sample_rows;
    });
  }
  std::size_t parked = 0;
  (void)repo_->due_lanes(id, store::due_side::parked, store::due_side::parked, {},
                         [&](const core::lane_key& key, std::string_view) {
                           if (!key.replay) ++out.blocked_lanes;  // others stand by themselves
                           return ++parked < core::limits::blocked_lanes_counted_max;
                         });
}

core::result<endpoint_status> engine_body::status_of(core::endpoint_id id) const {
  auto e = services_->catalog.load()->find(id);
  if (!e) return core::not_found("no such endpoint");
  endpoint_status out = figures_of(std::move(e));
  add_lanes(out);
  return out;
}

breaker_view engine_body::breaker_at(const std::string& origin) const {
  return services_->breakers.get(origin, options_.now());
}

page<endpoint_status> engine_body::endpoints(const endpoint_filter& f,
                                             const page_request& p) const {
  page<endpoint_status> out;
  const auto catalog = services_->catalog.load();
  const auto after = id_cursor(p.after);
  const auto& all = catalog->all_endpoints();
  for (auto it = all.upper_bound(after.ok() ? *after : 0); it != all.end(); ++it) {
    const auto& e = it->second;
    if (e->state == core::endpoint_state::deleted) continue;
    if (f.scope && e->scope != *f.scope) continue;
    if (f.scope_id != 0 && e->scope_id != f.scope_id) continue;
    const auto counters = converted(committer_->counters_of(e->id));
    if (f.with_backlog_only && counters.pending() + counters.parked == 0) continue;
    if (out.items.size() >= p.limit) {
      out.next = std::to_string(out.items.back().endpoint->id.value);
      break;
    }
    out.items.push_back(figures_of(e));
    if (!f.without_lanes) add_lanes(out.items.back());
  }
  return out;
}

engine_status engine_body::status() const {
  engine_status out;
  out.ready = started_ && !draining_;
  out.why_not = refusal_now(true);
  out.accepting = out.why_not.empty();
  if (draining_) {
    out.not_sending = "draining";
  } else if (committer_->space_ran_out()) {
    out.not_sending = "no_space";
  } else if (!services_->clock_is_set()) {
    out.not_sending = "clock_unset";
  }
  out.started_at = started_at_;
  out.counters = converted(committer_->counters_total());
  const auto commits = committer_->stats();
  out.commits = commits.batches;
  out.plans = commits.plans;
  out.commit_queue = commits.queued;
  out.commit_oldest_ms = static_cast<std::uint64_t>(commits.oldest_wait.count());
  if (const auto why = services_->load.closed()) out.refusing_load = to_string(*why);
  out.owners_full = services_->load.full_owners();
  for (std::size_t i = 0; i < overload_count; ++i) {
    const auto why = static_cast<overload>(i);
    out.load_refusals.emplace_back(to_string(why), services_->load.refusals(why));
  }
  out.in_flight = services_->gauges.in_flight();
  out.breakers = services_->breakers.totals(options_.now());
  const auto commitments = services_->aggregates.totals();
  out.commitments = {commitments.in_force, commitments.units, commitments.shortfalls};
  out.awake_entities = services_->awake.load();
  out.last_event = ids_.last_event().value;
  out.disk_free_bytes = db_->free_bytes();
  out.store_bytes = db_->stored_bytes();
  out.retention = retention_now();
  out.families = families();
  if (clock_) out.clock_ahead = clock_->ahead();
  out.subscriptions = committer_->entities().subscriptions;
  out.tenants = committer_->entities().tenants;
  const auto& all = services_->catalog.load()->all_endpoints();
  out.endpoints =
      static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), [](const auto& e) {
        return e.second->state != core::endpoint_state::deleted;
      }));
  return out;
}

retention_status engine_body::retention_now() const {
  retention_status out;
  out.events_from = services_->gate.events_from();
  out.attempts_from = services_->gate.attempts_from();
  const auto dropped = retention_->dropped_so_far();
  out.events_dropped = dropped.events;
  out.attempts_dropped = dropped.attempts;
  (void)repo_->events({1}, [&out](core::event&& e) {
    out.oldest_event = e.at;
    return false;
  });
  return out;
}

std::vector<family_size> engine_body::families() const {
  std::vector<family_size> out;
  const auto bytes = db_->family_bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out.push_back({store::family_name(static_cast<store::family>(i)), bytes[i]});
  }
  return out;
}

delivery_figures engine_body::figures() const {
  delivery_figures out;
  const services& s = *services_;
  out.attempts_by_class = s.stats.attempts_by_class();
  out.parked_by_reason = s.stats.parked_by_reason();
  out.attempts = s.stats.attempts();
  out.deliveries = s.stats.deliveries();
  const auto catalog = s.catalog.load();
  for (const auto state : {core::endpoint_state::active, core::endpoint_state::paused,
                           core::endpoint_state::disabled}) {
    out.endpoints.emplace_back(core::to_string(state), catalog->endpoints_in(state));
  }
  out.endpoints_failing = s.gauges.failing();
  out.jobs_running = s.jobs_running.load();
  out.jobs_waiting = s.jobs_waiting.load();
  out.events_replayed = s.events_replayed.load();
  if (const auto oldest = s.age.oldest()) out.oldest_pending = options_.now() - *oldest;
  return out;
}

engine_metrics engine_body::metrics() const {
  engine_metrics out;
  const auto commits = committer_->stats();
  out.commit_batches = commits.batches;
  out.commit_synced = commits.synced;
  out.commit_plans = commits.plans;
  out.commit_queue = commits.queued;
  out.commit_no_space = commits.no_space;
  out.deliveries = converted(committer_->counters_total());
  for (const auto& loop : loops_) out.loops.push_back(loop->stats());
  out.published = services_->published.load();
  out.published_unheard = services_->published_unheard.load();
  out.publish_repeats = services_->publish_repeats.load();
  out.expired = services_->expired.load();
  out.coalesced = services_->coalesced.load();
  out.token_fetches = services_->token_fetches.load();
  out.polls_answered = services_->polls_answered.load();
  out.polls_failed = services_->polls_failed.load();
  out.usages_taken = services_->usages_taken.load();
  out.usages_refused = services_->usages_refused.load();
  out.invoices = {{"issued", services_->invoices_issued.load()},
                  {"paid", services_->invoices_paid.load()},
                  {"overdue", services_->invoices_overdue.load()},
                  {"expired", services_->invoices_expired.load()}};
  if (started_) {
    out.questions_answered = asker_->answered();
    out.questions_failed = asker_->failed();
  }
  out.awake_entities = services_->awake.load();
  out.store_bytes = db_->stored_bytes();
  out.disk_free_bytes = db_->free_bytes();
  out.figures = figures();
  return out;
}

std::shared_ptr<const core::egress_policy> engine_body::egress() const { return egress_.load(); }

}  // namespace syndicated::actors
