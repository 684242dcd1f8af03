#include "actors/dispatcher.hpp"

#include <caf/all.hpp>

#include "actors/defaults.hpp"

namespace syndicated::actors {

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                           services* s, dispatch_settings settings,
                                           dispatch::sender send) {
  harden(self);
  // The loop's thread must not keep this actor alive: a weak reference is enough to post to it.
  const caf::weak_actor_ptr weak{self->ctrl()};
  auto complete = [weak](work_handle work, core::timestamp started, core::attempt_result&& result) {
    const caf::strong_actor_ptr strong = weak.lock();
    if (!strong) return;
    caf::anon_send(caf::actor_cast<dispatcher_actor>(strong),
                   attempt_done{std::move(work), started,
                                std::make_shared<core::attempt_result>(std::move(result))});
  };
  self->state.body = std::make_unique<dispatch>(*s, settings, std::move(send), std::move(complete));
  return {
      [self](const lane_ready& m) { self->state.body->lane_ready(m.work); },
      [self](const lane_rests& m) { self->state.body->lane_rests(m.lane, m.due); },
      [self](const attempt_done& m) {
        self->state.body->attempt_ended(m.work, m.started, *m.result);
      },
      [self](const endpoint_changed& m) { self->state.body->endpoint_changed(m.id); },
      [self](const test_request& m) { self->state.body->test(m.endpoint, std::move(*m.reply)); },
      [self](const tick& m) { self->state.body->tick(m.now); },
      [self](const drain&) { self->state.body->drain(); },
      [](const ping& p) { (*p.pong)(); },
  };
}

}  // namespace syndicated::actors
