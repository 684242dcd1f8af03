#include "core/delivery/replay.hpp"

namespace syndicated::core {

std::string_view to_string(replay_choice choice) noexcept {
  switch (choice) {
    case replay_choice::sent: return "sent";
    case replay_choice::delivered: return "delivered";
    case replay_choice::parked: return "parked";
    case replay_choice::failed: return "failed";
    case replay_choice::never_attempted: return "never_attempted";
  }
  return "";
}

std::optional<replay_choice> parse_replay_choice(std::string_view text) noexcept {
  using enum replay_choice;
  for (const auto choice : {sent, delivered, parked, failed, never_attempted}) {
    if (to_string(choice) == text) return choice;
  }
  return std::nullopt;
}

std::string_view to_string(replay_phase phase) noexcept {
  switch (phase) {
    case replay_phase::running: return "running";
    case replay_phase::done: return "done";
    case replay_phase::cancelled: return "cancelled";
    case replay_phase::failed: return "failed";
  }
  return "";
}

}  // namespace syndicated::core
