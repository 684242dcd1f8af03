#include "actors/replayer.hpp"

#include <caf/all.hpp>

#include "actors/defaults.hpp"

namespace syndicated::actors {

replayer_actor::behavior_type replayer(replayer_actor::stateful_pointer<replayer_state> self,
                                       services* s) {
  harden(self);
  const auto tell = [handle = caf::actor_cast<caf::weak_actor_ptr>(self)](
                        std::uint64_t job, core::event_id event,
                        std::optional<core::error> refusal) {
    if (auto strong = handle.lock()) {
      caf::anon_send(caf::actor_cast<replayer_actor>(strong),
                     replay_step{job, event, std::move(refusal)});
    }
  };
  self->state.jobs = std::make_unique<replays>(*s, tell);
  self->state.jobs->load();
  self->state.marks = std::make_unique<mark_sweep>(*s);
  return {
      [self](const job_request_ptr& request) { self->state.jobs->handle(*request); },
      [self](const replay_step& m) { self->state.jobs->stepped(m.job, m.event, m.refusal); },
      [self, s](const tick& t) {
        self->state.jobs->tick(t.now);
        self->state.marks->tick(t.now);
        s->age.tick(t.now);
      },
      [self, s](const ask_work& m) {
        const core::timestamp now = s->now();
        self->state.jobs->tick(now);
        self->state.marks->tick(now);
        (*m.reply)(self->state.jobs->open());
      },
      [self](const drain&) {
        self->state.jobs->drain();
        self->state.marks->drain();
      },
  };
}

}  // namespace syndicated::actors
