#include "actors/ticker.hpp"

#include <caf/all.hpp>

#include <algorithm>

#include "actors/defaults.hpp"
#include "actors/usage_ledger.hpp"

namespace syndicated::actors {
namespace {

using ticker_pointer = ticker_actor::stateful_pointer<ticker_state>;

constexpr std::size_t timers_page = 512;
constexpr std::size_t cascade_page = 128;
constexpr std::chrono::milliseconds overlaps_interval = std::chrono::minutes{1};

// Calls back into the ticker, from whichever thread the answer comes on.
template <class Message>
write_reply notify(ticker_pointer self, Message message) {
  return [handle = caf::actor_cast<caf::weak_actor_ptr>(self), message](core::result<answer>&&) {
    if (auto strong = handle.lock()) caf::anon_send(caf::actor_cast<ticker_actor>(strong), message);
  };
}

// Windows of usage have timers of their own, which are the subscription's to handle.
core::stream_id owner_of_timer(core::stream_id stream) {
  if (stream.kind == core::entity_kind::resource) stream.kind = core::entity_kind::subscription;
  return stream;
}

// Each row once a second: one that stays after its entity has looked at it waits for the next.
void fire_timers(ticker_pointer self, core::timestamp now) {
  auto& state = self->state;
  std::vector<core::stream_id> due;
  state.more_timers = false;
  auto scanned = state.s->repo.timers(now, state.timers_after, [&](store::timer_row&& row) {
    state.more_timers = state.timers_under_way.size() + due.size() >= timers_page;
    if (state.more_timers) return false;
    if (!state.timers_under_way.contains(row.stream)) due.push_back(row.stream);
    state.timers_after = row;
    return true;
  });
  if (!scanned) {
    core::log(core::log_level::error, "ticker", "cannot read timers",
              {{"detail", scanned.failure().detail}});
    return;
  }
  for (const core::stream_id& stream : due) {
    state.timers_under_way.insert(stream);
    auto request = system_request(owner_of_timer(stream));
    request->body = timer_due{};
    request->reply = notify(self, timer_handled{stream});
    state.s->to_shard(std::move(request));
  }
}

void timer_was_handled(ticker_pointer self, const core::stream_id& stream) {
  auto& state = self->state;
  state.timers_under_way.erase(stream);
  if (!state.more_timers || state.draining) return;
  if (state.timers_under_way.size() <= timers_page / 2) fire_timers(self, state.s->now());
}

// There is something to tell of it; it is asked once at a time.
template <class Body>
void ask_to_tell(ticker_pointer self, const core::stream_id& stream, Body body) {
  if (!self->state.timers_under_way.insert(stream).second) return;
  auto request = system_request(stream);
  request->body = body;
  request->reply = notify(self, timer_handled{stream});
  self->state.s->to_shard(std::move(request));
}

void tell_notices(ticker_pointer self) {
  auto& state = self->state;
  core::endpoint_id after;
  while (state.timers_under_way.size() < timers_page) {
    auto next = state.s->repo.next_noticed(after);
    if (!next || !*next) return;
    after = **next;
    ask_to_tell(self, core::stream_of(after), endpoint_notices{});
  }
}

// Of streams whose records others own.
void tell_what_is_untold(ticker_pointer self) {
  auto& state = self->state;
  core::stream_id after;
  while (state.timers_under_way.size() < timers_page) {
    auto next = state.s->repo.next_untold(after);
    if (!next || !*next) return;
    after = **next;
    ask_to_tell(self, after, untold_events{});
  }
}

// What tenants use, and how near that is to their quotas.
void tell_usages(ticker_pointer self) {
  auto& state = self->state;
  const store::usages rows{state.s->repo.db()};
  bool marked = false;
  if (!rows.marks([&marked](store::usage_mark&&) {
        marked = true;
        return false;
      })) {
    return;
  }
  if (marked) ask_to_tell(self, usage_ledger_stream, usage_marks{});
  core::tenant_id after;
  while (state.timers_under_way.size() < timers_page) {
    auto next = rows.next_noticed(after);
    if (!next || !*next) return;
    after = **next;
    ask_to_tell(self, core::stream_of(after), quota_notices{});
  }
}

void look_again(ticker_pointer self, ticker_state::cascade& c, core::stream_id stream) {
  auto request = system_request(stream);
  request->body = reconsider_access{};
  request->reply = [handle = caf::actor_cast<caf::weak_actor_ptr>(self)](core::result<answer>&& a) {
    const bool done =
        a.ok() || a.failure().kind == core::errc::not_found || a.failure().kind == core::errc::gone;
    if (auto strong = handle.lock()) {
      caf::anon_send(caf::actor_cast<ticker_actor>(strong), cascade_step{done});
    }
  };
  ++c.under_way;
  self->state.s->to_shard(std::move(request));
}

// Something could not be read: the walk ends here and is begun anew.
void give_up(ticker_state::cascade& c) {
  c.to_visit.clear();
  c.failed = true;
}

// Visits the next page of one tenant: its subscriptions, then its children and itself.
void visit_page(ticker_pointer self, ticker_state::cascade& c) {
  auto& s = *self->state.s;
  const core::tenant_id tenant = c.to_visit.front();
  std::vector<core::subscription_id> page;
  auto scanned =
      s.repo.subscriptions_of_tenant(tenant, c.after_subscription, [&](core::subscription_id&& id) {
        page.push_back(id);
        return page.size() < cascade_page;
      });
  if (!scanned) return give_up(c);
  for (core::subscription_id id : page) look_again(self, c, core::stream_of(id));
  if (!page.empty()) {
    c.after_subscription = page.back().value;
    return;
  }
  c.to_visit.pop_front();
  c.after_subscription = 0;
  scanned = s.repo.children_of(tenant, 0, [&](core::tenant_id&& child) {
    c.to_visit.push_back(child);
    return true;
  });
  if (!scanned) return give_up(c);
  look_again(self, c, core::stream_of(tenant));
}

void work_on_cascades(ticker_pointer self) {
  auto& state = self->state;
  while (!state.cascades.empty() && !state.draining) {
    auto& c = state.cascades.front();
    // Also across tenants: most customers have few subscriptions. What a look finds does not depend
    // on the order, since it goes by the tenants' own states.
    while (c.under_way < cascade_page && !c.to_visit.empty()) visit_page(self, c);
    if (c.under_way > 0) return;  // goes on when the answers are in
    const core::tenant_id root = c.root;
    const bool failed = c.failed;
    state.cascades.pop_front();
    if (failed) {
      state.cascades_again.push_back(root);
      continue;
    }
    // A newer switch of the same tenant still needs the mark.
    const bool again = std::any_of(state.cascades.begin(), state.cascades.end(),
                                   [root](const auto& other) { return other.root == root; });
    if (again) continue;
    store::write_plan done;
    state.s->repo.erase_cascade(done, root);
    state.s->committer.submit(std::move(done));
  }
}

void begin_cascade(ticker_pointer self, core::tenant_id tenant) {
  ticker_state::cascade c;
  c.root = tenant;
  c.to_visit.push_back(tenant);
  self->state.cascades.push_back(std::move(c));
  if (self->state.cascades.size() == 1) work_on_cascades(self);
}

// Those that a crash interrupted.
void resume_cascades(ticker_pointer self) {
  std::vector<core::tenant_id> open;
  (void)self->state.s->repo.cascades([&](core::tenant_id&& tenant) {
    open.push_back(tenant);
    return true;
  });
  // One may be of a move that has not come to all below.
  if (!open.empty()) self->state.s->moves.fetch_add(1);
  for (core::tenant_id tenant : open) begin_cascade(self, tenant);
}

// Keys that signed until now, as the overlap of a rotation had not ended.
void end_overlaps(ticker_pointer self, core::timestamp now) {
  auto& state = self->state;
  if (core::waits(state.next_overlaps, overlaps_interval, now)) return;
  state.next_overlaps = now + overlaps_interval;
  const auto ended = [now](const std::optional<core::timestamp>& until) {
    return until && *until <= now;
  };
  for (const auto& [id, e] : state.s->catalog.load()->all_endpoints()) {
    if (e->state == core::endpoint_state::deleted) continue;
    if (!ended(e->previous_until) && !ended(e->previous_signing_until)) continue;
    update_endpoint nothing_else;
    nothing_else.id = e->id;
    state.s->change_catalog(nothing_else);
  }
}

void tell_clock(ticker_state& state) {
  const bool unset = !state.s->clock_is_set();
  if (std::exchange(state.clock_told, unset) == unset) return;
  if (unset) {
    core::log(core::log_level::critical, "ticker",
              "the clock is before the day of the build: nothing is sent until it is set", {});
  } else {
    core::log(core::log_level::info, "ticker", "the clock is set", {});
  }
}

// What is done every second.
void second_hand(ticker_pointer self, core::timestamp now) {
  auto& state = self->state;
  for (const auto& shard : state.shards) self->send(shard, tick{now});
  tell_clock(state);
  // Nothing is sent that could not be recorded, so nothing else would find out that there is space.
  if (state.s->committer.space_ran_out()) {
    store::write_plan probe;
    probe.durable = false;
    state.s->committer.submit(std::move(probe));
  }
  state.timers_after.reset();
  fire_timers(self, now);
  tell_notices(self);
  tell_what_is_untold(self);
  tell_usages(self);
  end_overlaps(self, now);
  for (core::tenant_id tenant : std::exchange(state.cascades_again, {})) {
    begin_cascade(self, tenant);
  }
}

// After everything that is due was handed out.
pending_work open_work(const ticker_state& state, core::timestamp now) {
  pending_work out;
  out.due = state.timers_under_way.size() + state.cascades.size() + state.cascades_again.size();
  const auto scanned =
      state.s->repo.timers(core::timestamp::max(), {}, [&](store::timer_row&& row) {
        if (row.due > now) {
          out.next = row.due;
          return false;
        }
        return state.timers_under_way.contains(row.stream);  // others wait for their portion
      });
  if (!scanned) ++out.due;  // nobody knows
  return out;
}

void beat(ticker_pointer self) {
  auto& state = self->state;
  const core::timestamp now = state.s->now();
  for (const auto& d : state.dispatchers) self->send(d, tick{now});
  self->send(state.jobs, tick{now});
  // A clock that was set back must not silence the second hand.
  const bool second = !core::waits(state.next_second, std::chrono::seconds{2}, now);
  if (second && !state.draining) {
    state.next_second = now + std::chrono::seconds{1};
    second_hand(self, now);
  }
  self->delayed_send(self, state.settings.beat, tick{now});
}

}  // namespace

ticker_actor::behavior_type ticker(ticker_pointer self, services* s, ticker_settings settings,
                                   std::vector<shard_actor> shards,
                                   std::vector<dispatcher_actor> dispatchers, replayer_actor jobs) {
  harden(self);
  self->state.s = s;
  self->state.settings = settings;
  self->state.shards = std::move(shards);
  self->state.dispatchers = std::move(dispatchers);
  self->state.jobs = std::move(jobs);
  resume_cascades(self);
  self->delayed_send(self, settings.beat, tick{});
  return {
      [self](const tick&) { beat(self); },
      [self](const timer_handled& m) { timer_was_handled(self, m.stream); },
      [self](const start_cascade& m) { begin_cascade(self, m.tenant); },
      [self](const cascade_step& m) {
        if (self->state.cascades.empty()) return;
        auto& c = self->state.cascades.front();
        c.failed = c.failed || !m.done;
        if (--c.under_way <= cascade_page / 2) work_on_cascades(self);
      },
      [self](const ask_work& m) {
        const core::timestamp now = self->state.s->now();
        if (!self->state.draining) second_hand(self, now);
        (*m.reply)(open_work(self->state, now));
      },
      [self](const drain&) { self->state.draining = true; },
  };
}

}  // namespace syndicated::actors
