#include "actors/suspects.hpp"

#include "core/base/log.hpp"

namespace syndicated::actors {
namespace {

constexpr std::chrono::milliseconds calm = std::chrono::seconds{5};

}  // namespace

suspects::suspects(services& s, flight_journal::part* journal) : s_(s) {
  if (journal == nullptr) return;
  for (const auto& one : journal->suspects()) {
    const auto lane = s_.repo.find(one.lane);
    const bool still = lane.ok() && *lane && (*lane)->head == one.event &&
                       (*lane)->state == core::lane_state::pending;
    if (still) {
      waiting_.push_back(one);
    } else {
      journal->ended(one.slot);
    }
  }
  if (waiting_.empty()) return;
  core::log(core::log_level::warning, "dispatcher",
            "unclean start: events that were in flight are tried one at a time",
            {{"events", static_cast<std::uint64_t>(waiting_.size())}});
}

std::optional<flight_journal::suspect> suspects::next(core::timestamp now) {
  if (waiting_.empty() || out_) return std::nullopt;
  if (!first_trial_ || *first_trial_ > now + calm) first_trial_ = now + calm;
  if (now < *first_trial_) return std::nullopt;
  out_ = true;
  const flight_journal::suspect one = waiting_.front();
  waiting_.pop_front();
  return one;
}

void suspects::put_back(flight_journal::suspect s) {
  waiting_.push_back(s);
  out_ = false;
}

}  // namespace syndicated::actors
