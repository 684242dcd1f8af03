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
constexpr std::chrono::milliseconds quarantine = std::chrono::minutes{5};

const core::stream_id& stream_of(const request_ptr& r) { return r->stream; }
const core::stream_id& stream_of(const report_ptr& r) { return r->lane.stream; }

shard_state::child& wake(shard_pointer self, const core::stream_id& stream) {
  auto& state = self->state;
  auto it = state.children.find(stream);
  if (it != state.children.end()) return it->second;
  std::shared_ptr<entity> body = make_entity(*state.s, stream);
  auto actor = self->spawn<caf::monitored + caf::lazy_init>(entity_shell, body, stream,
                                                            caf::actor_cast<shard_actor>(self));
  state.by_address[actor.address()] = stream;
  state.s->awake.fetch_add(1, std::memory_order_relaxed);
  return state.children
      .emplace(stream, shard_state::child{std::move(actor), std::move(body), {}, false, {}})
      .first->second;
}

// An entity that crashed again and again is left alone for a while, visibly.
bool quarantined(shard_pointer self, const core::stream_id& stream) {
  const auto it = self->state.crashes.find(stream);
  if (it == self->state.crashes.end()) return false;
  auto& record = it->second;
  if (record.remains && record.remains->idle()) record.remains.reset();
  return record.remains || self->state.s->now() < record.until;
}

void refuse(services&, const request_ptr& r) {
  r->answer_with(unavailable("the entity is in quarantine after repeated crashes"));
}
void refuse(services& s, const report_ptr& r) { s.lane_is_barred(r->lane, s.now() + quarantine); }

template <class Message>
void forward(shard_pointer self, const Message& message) {
  const core::stream_id& stream = stream_of(message);
  if (!self->state.crashes.empty() && quarantined(self, stream)) {
    return refuse(*self->state.s, message);
  }
  auto& child = wake(self, stream);
  child.last_used = self->state.s->now();
  if (child.falling_asleep) {
    child.kept.emplace_back(message);
  } else {
    self->send(child.actor, message);
  }
}

void hand_over(shard_pointer self, std::deque<std::variant<request_ptr, report_ptr>> kept) {
  for (auto& message : kept) {
    std::visit([self](const auto& m) { forward(self, m); }, message);
  }
}

void look_for_idle(shard_pointer self, core::timestamp now) {
  auto& state = self->state;
  // A crash is forgiven when nothing more has happened for as long as a quarantine lasts.
  std::erase_if(state.crashes, [now](const auto& entry) {
    const auto& record = entry.second;
    return now > record.until + quarantine && (!record.remains || record.remains->idle());
  });
  const bool crowded = state.children.size() > state.settings.awake_max;
  const auto patience = crowded ? brief_patience : state.settings.entity_idle;
  for (auto& [stream, child] : state.children) {
    // Unordered events are over once they are delivered; nobody adds to them.
    const bool brief = stream.kind == core::entity_kind::unordered;
    if (child.falling_asleep || now - child.last_used < (brief ? brief_patience : patience))
      continue;
    child.falling_asleep = true;
    self->send(child.actor, sleep_now{});
  }
}

void count_crash(shard_pointer self, const core::stream_id& stream,
                 std::shared_ptr<entity> remains) {
  auto& state = self->state;
  auto& record = state.crashes[stream];
  record.remains = std::move(remains);
  ++record.count;
  const bool often = record.count >= crashes_max;
  record.until = state.s->now() + (often ? quarantine : crash_pause * (1 << record.count));
  core::log(often ? core::log_level::critical : core::log_level::error, "shard",
            often ? "entity quarantined" : "entity crashed",
            {{"stream", core::to_string(stream)}, {"crashes", record.count}});
  if (often) record.count = 0;
}

void on_down(shard_pointer self, caf::down_msg& down) {
  auto& state = self->state;
  const auto address = state.by_address.find(down.source);
  if (address == state.by_address.end()) return;
  const core::stream_id stream = address->second;
  state.by_address.erase(address);
  auto& child = state.children.at(stream);
  auto kept = std::move(child.kept);
  auto body = std::move(child.body);
  state.children.erase(stream);
  state.s->awake.fetch_sub(1, std::memory_order_relaxed);
  if (down.reason != caf::exit_reason::normal) count_crash(self, stream, std::move(body));
  hand_over(self, std::move(kept));
}

}  // namespace

shard_actor::behavior_type shard(shard_pointer self, services* s, shard_settings settings) {
  harden(self);
  self->state.s = s;
  self->state.settings = settings;
  self->set_down_handler(
      [self](caf::scheduled_actor*, caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](caf::scheduled_actor*, caf::exit_msg& m) {
    for (auto& [stream, child] : self->state.children) self->send_exit(child.actor, m.reason);
    self->quit(m.reason);
  });
  return {
      [self](const request_ptr& request) { forward(self, request); },
      [self](const report_ptr& report) { forward(self, report); },
      [self](const still_busy& busy) {
        const auto it = self->state.children.find(busy.stream);
        if (it == self->state.children.end()) return;
        it->second.falling_asleep = false;
        it->second.last_used = self->state.s->now();
        hand_over(self, std::exchange(it->second.kept, {}));
      },
      [self](const tick& t) { look_for_idle(self, t.now); },
      [](const ping& p) { (*p.pong)(); },
  };
}

entity_actor::behavior_type entity_shell(entity_actor::stateful_pointer<entity_state> self,
                                         std::shared_ptr<entity> body, core::stream_id stream,
                                         shard_actor parent) {
  harden(self);
  self->state.body = std::move(body);
  return {
      [self](const request_ptr& request) { self->state.body->handle(*request); },
      [self](const report_ptr& report) { self->state.body->handle(report); },
      [self, stream, parent](const sleep_now&) {
        if (self->state.body->idle()) {
          self->quit();
        } else {
          self->send(parent, still_busy{stream});
        }
      },
  };
}

}  // namespace syndicated::actors
