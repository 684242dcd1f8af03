// What every actor begins with. Internal to actors/ (includes CAF).
#pragma once

#include <caf/event_based_actor.hpp>
#include <caf/scheduled_actor.hpp>

#include <string>

#include "core/base/log.hpp"

namespace syndicated::actors {

// CAF's defaults print to stdout and turn an exception into a silent death
// (library-notes.md 1.2, 9). First line of each actor: harden(self).
template <class Self>
void harden(Self* self) {
  self->set_exception_handler([self](std::exception_ptr& problem) -> caf::error {
    std::string text = "unknown exception";
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& e) {
      text = e.what();
    } catch (...) {
    }
    core::log(core::log_level::error, self->name(), "ended by an exception", {{"detail", text}});
    return caf::sec::runtime_error;
  });
  self->set_default_handler(caf::drop);
  self->set_error_handler([self](caf::scheduled_actor*, caf::error& why) {
    core::log(core::log_level::error, self->name(), "ended by an error",
              {{"code", static_cast<int>(why.code())}});
    self->quit(why);
  });
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
}

}  // namespace syndicated::actors
