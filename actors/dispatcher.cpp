#include "actors/dispatcher.hpp"

#include <caf/all.hpp>

#include "actors/defaults.hpp"

namespace syndicated::actors {
namespace {

void handle(dispatch& body, lane_ready& m) { body.lane_ready(std::move(m.work)); }
void handle(dispatch& body, lane_rests& m) { body.lane_rests(m.lane, m.due); }
void handle(dispatch& body, lane_barred& m) { body.lane_barred(m.lane, m.until); }
void handle(dispatch& body, attempt_done& m) { body.attempt_ended(m.work, m.started, m.result); }

}  // namespace

dispatcher_actor::behavior_type dispatcher(
    dispatcher_actor::stateful_pointer<dispatcher_state> self, services* s,
    std::shared_ptr<inbox> in, dispatch_settings settings, dispatch::sender send) {
  harden(self);
  // The loop's thread must not keep this actor alive: a weak reference is enough to post to it.
  const caf::weak_actor_ptr weak{self->ctrl()};
  auto complete = [weak, in](work_handle work, attempt_start started,
                             core::attempt_result&& result) {
    if (!in->push(attempt_done{std::move(work), started, std::move(result)})) return;
    const caf::strong_actor_ptr strong = weak.lock();
    if (strong) caf::anon_send(caf::actor_cast<dispatcher_actor>(strong), look_into_inbox{});
  };
  self->state.body = std::make_unique<dispatch>(*s, settings, std::move(send), std::move(complete));
  return {
      [self, in](const look_into_inbox&) {
        for (inbox_item& item : in->take()) {
          std::visit([self](auto& m) { handle(*self->state.body, m); }, item);
        }
        self->state.body->pump();
      },
      [self](const endpoint_changed& m) { self->state.body->endpoint_changed(m.id); },
      [self](const test_request& m) { self->state.body->test(m.endpoint, std::move(*m.reply)); },
      [self](const tick& m) { self->state.body->tick(m.now); },
      [self, s](const ask_work& m) {
        const core::timestamp now = s->now();
        self->state.body->tick(now);
        (*m.reply)({0, self->state.body->next_look(now), 0});
      },
      [self](const drain&) { self->state.body->drain(); },
      [](const ping& p) { (*p.pong)(); },
  };
}

}  // namespace syndicated::actors
