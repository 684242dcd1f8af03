#include "actors/shard.hpp"

#include <caf/all.hpp>

#include <algorithm>

#include "actors/defaults.hpp"
#include "actors/entity.hpp"

namespace syndicated::actors {
namespace {

using shard_pointer = shard_actor::stateful_pointer<shard_state>;

constexpr int crashes_max = 5;
constexpr std::chrono::milliseconds crash_pause = std::chrono::milliseconds{100};
constexpr std::chrono::milliseconds brief_patience = std::chrono::milliseconds{500};
constexpr int asked_at_a_time = 16;

const core::stream_id& stream_of(const request_ptr& r) { return r->stream; }
const core::stream_id& stream_of(const report_ptr& r) { return r->lane.stream; }

entity_actor vacant_actor(shard_pointer self) {
  auto& state = self->state;
  if (state.vacant.empty()) {
    return self->spawn<caf::monitored + caf::lazy_init>(entity_shell,
                                                        caf::actor_cast<shard_actor>(self));
  }
  entity_actor actor = std::move(state.vacant.back());
  state.vacant.pop_back();
  state.vacant_least = std::min(state.vacant_least, state.vacant.size());
  return actor;
}

// Whose ids are in order, and come again and again.
bool is_subscription(const core::stream_id& stream) {
  return stream.kind == core::entity_kind::subscription;
}

shard_state::queue& place_of(shard_state& state, const core::stream_id& stream) {
  return stream.kind == core::entity_kind::unordered ? state.unordered : state.waiting;
}

// The first of the queue, if it was not used for `patience`, is asked to sleep.
bool ask_to_sleep(shard_pointer self, shard_state::queue& from, core::timestamp now,
                  std::chrono::milliseconds patience) {
  // A clock that was set back must not keep everybody awake.
  if (from.empty() || std::chrono::abs(now - from.front().last_used) < patience) return false;
  auto& child = from.front();
  child.falling_asleep = true;
  self->send(child.actor, sleep_now{});
  auto& leaving = self->state.leaving;
  leaving.splice(leaving.end(), from, from.begin());
  return true;
}

shard_state::queue::iterator wake(shard_pointer self, const core::stream_id& stream) {
  auto& state = self->state;
  const auto [it, is_new] = state.children.try_emplace(stream);
  if (!is_new) return it->second;
  // Where it is crowded, two that rest go for each that comes: steadily, not in a burst.
  const bool crowded = state.children.size() > state.settings.awake_max;
  for (int i = 0; crowded && i < 2; ++i) {
    ask_to_sleep(self, state.waiting, state.s->now(), brief_patience);
  }
  auto& place = place_of(state, stream);
  it->second = place.emplace(place.end());
  auto& child = *it->second;
  child.stream = stream;
  child.actor = vacant_actor(self);
  child.body = make_entity(*state.s, stream);
  if (is_subscription(stream) && state.without_lanes.erase(stream.entity)) {
    child.body->has_no_lanes();
  }
  self->send(child.actor, embody{stream, child.body});
  state.s->awake.fetch_add(1, std::memory_order_relaxed);
  return it->second;
}

// It was used, or is needed after all: the last of its queue.
void refresh(shard_state& state, shard_state::queue::iterator child) {
  auto& place = place_of(state, child->stream);
  place.splice(place.end(), child->falling_asleep ? state.leaving : place, child);
  child->falling_asleep = false;
  child->last_used = state.s->now();
}

// An entity that crashed again and again is left alone for a while, visibly.
bool quarantined(shard_pointer self, const core::stream_id& stream) {
  const auto it = self->state.crashes.find(stream);
  if (it == self->state.crashes.end()) return false;
  auto& record = it->second;
  if (record.remains && record.remains->idle()) record.remains.reset();
  return record.remains || core::waits(record.until, entity_quarantine, self->state.s->now());
}

void refuse(services&, const request_ptr& r) {
  r->answer_with(unavailable("the entity is in quarantine after repeated crashes"));
}
void refuse(services& s, const report_ptr& r) {
  s.lane_is_barred(r->lane, s.now() + entity_quarantine);
}

template <class Message>
void forward(shard_pointer self, const Message& message) {
  const core::stream_id& stream = stream_of(message);
  if (!self->state.crashes.empty() && quarantined(self, stream)) {
    return refuse(*self->state.s, message);
  }
  const auto child = wake(self, stream);
  if (child->falling_asleep) {
    child->kept.emplace_back(message);
  } else {
    refresh(self->state, child);
    self->send(child->actor, message);
  }
}

void hand_over(shard_pointer self, std::vector<std::variant<request_ptr, report_ptr>> kept) {
  for (auto& message : kept) {
    std::visit([self](const auto& m) { forward(self, m); }, message);
  }
}

void forgive_crashes(shard_state& state, core::timestamp now) {
  // A crash is forgiven when nothing more has happened for as long as a quarantine lasts.
  std::erase_if(state.crashes, [now](const auto& entry) {
    const auto& record = entry.second;
    return !core::waits(record.until + entity_quarantine, 2 * entity_quarantine, now) &&
           (!record.remains || record.remains->idle());
  });
}

// Those that rest for long enough, a few of each kind; true if there are more.
bool look_for_idle(shard_pointer self) {
  auto& state = self->state;
  const core::timestamp now = state.s->now();
  bool more = false;
  for (int i = 0; i < asked_at_a_time; ++i) {
    more = ask_to_sleep(self, state.waiting, now, state.settings.entity_idle);
    more |= ask_to_sleep(self, state.unordered, now, brief_patience);
    if (!more) break;
  }
  return more;
}

void count_crash(shard_pointer self, const core::stream_id& stream,
                 std::shared_ptr<entity> remains) {
  auto& state = self->state;
  auto& record = state.crashes[stream];
  record.remains = std::move(remains);
  ++record.count;
  const bool often = record.count >= crashes_max;
  record.until = state.s->now() + (often ? entity_quarantine : crash_pause * (1 << record.count));
  core::log(often ? core::log_level::critical : core::log_level::error, "shard",
            often ? "entity quarantined" : "entity crashed",
            {{"stream", core::to_string(stream)}, {"crashes", record.count}});
  if (often) record.count = 0;
}

// The entity has left its actor: what came meanwhile is for the next incarnation.
shard_state::child forget(shard_state& state, decltype(shard_state::children)::iterator known) {
  const auto child = known->second;
  state.children.erase(known);
  state.s->awake.fetch_sub(1, std::memory_order_relaxed);
  shard_state::child gone = std::move(*child);
  (gone.falling_asleep ? state.leaving : place_of(state, gone.stream)).erase(child);
  return gone;
}

void on_asleep(shard_pointer self, const asleep& consent) {
  auto& state = self->state;
  const auto it = state.children.find(consent.stream);
  if (it == state.children.end()) return;
  if (consent.without_lanes && is_subscription(consent.stream)) {
    state.without_lanes.insert(consent.stream.entity);
  }
  auto gone = forget(state, it);
  state.vacant.push_back(std::move(gone.actor));
  gone.body.reset();
  hand_over(self, std::move(gone.kept));
}

// Rare, so that a search is good enough: an actor crashed.
void on_down(shard_pointer self, caf::down_msg& down) {
  auto& state = self->state;
  const auto it =
      std::find_if(state.children.begin(), state.children.end(),
                   [&down](const auto& c) { return c.second->actor.address() == down.source; });
  if (it == state.children.end()) return;
  auto gone = forget(state, it);
  count_crash(self, gone.stream, std::move(gone.body));
  hand_over(self, std::move(gone.kept));
}

// Of the actors that nobody needed since the last look, half leave memory.
void release_vacant(shard_pointer self) {
  auto& state = self->state;
  for (std::size_t n = (state.vacant_least + 1) / 2; n > 0; --n) {
    self->demonitor(state.vacant.back().address());
    self->send_exit(state.vacant.back(), caf::exit_reason::user_shutdown);
    state.vacant.pop_back();
  }
  state.vacant_least = state.vacant.size();
}

}  // namespace

shard_actor::behavior_type shard(shard_pointer self, services* s, shard_settings settings) {
  harden(self);
  self->state.s = s;
  self->state.settings = settings;
  self->set_down_handler(
      [self](caf::scheduled_actor*, caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](caf::scheduled_actor*, caf::exit_msg& m) {
    for (auto& [stream, child] : self->state.children) self->send_exit(child->actor, m.reason);
    for (auto& actor : self->state.vacant) self->send_exit(actor, m.reason);
    self->quit(m.reason);
  });
  return {
      [self](const request_ptr& request) { forward(self, request); },
      [self](const report_ptr& report) { forward(self, report); },
      [self](const still_busy& busy) {
        const auto it = self->state.children.find(busy.stream);
        if (it == self->state.children.end()) return;
        refresh(self->state, it->second);
        hand_over(self, std::exchange(it->second->kept, {}));
      },
      [self](const asleep& gone) { on_asleep(self, gone); },
      [self](const tick& t) {
        forgive_crashes(self->state, t.now);
        release_vacant(self);
        if (look_for_idle(self)) self->send(self, look_on{});
      },
      [self](const look_on& l) {
        if (look_for_idle(self)) self->send(self, l);
      },
      [](const ping& p) { (*p.pong)(); },
  };
}

entity_actor::behavior_type entity_shell(entity_actor::stateful_pointer<entity_state> self,
                                         shard_actor parent) {
  harden(self);
  return {
      [self](const embody& e) {
        self->state.stream = e.stream;
        self->state.body = e.body;
      },
      [self](const request_ptr& request) { self->state.body->handle(*request); },
      [self](const report_ptr& report) { self->state.body->handle(report); },
      [self, parent](const sleep_now&) {
        if (self->state.body->idle()) {
          const bool without_lanes = self->state.body->without_lanes();
          self->state.body.reset();
          self->send(parent, asleep{self->state.stream, without_lanes});
        } else {
          self->send(parent, still_busy{self->state.stream});
        }
      },
  };
}

}  // namespace syndicated::actors
