// The events that were in flight when the process before this one died: each is tried alone, those
// that died twice are parked. Rules in flight_journal.hpp.
//
// The first trial begins some seconds after the start: who restarts the daemon twice in a hurry
// must not make a bystander guilty. Until then, and until its turn, a suspect's lane is barred.
// CAF-free; used on its dispatcher's thread only.
#pragma once

#include <deque>
#include <optional>

#include "actors/flight_journal.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

class suspects {
 public:
  // `journal` may be null. Forgets entries that are not the heads of their lanes any more.
  suspects(services& s, flight_journal::part* journal);

  bool empty() const noexcept { return waiting_.empty(); }
  const std::deque<flight_journal::suspect>& waiting() const noexcept { return waiting_; }

  // Whose turn it is, if any: the caller sends it, or gives it back with put_back() when its
  // endpoint cannot be sent to now. At most one is out.
  std::optional<flight_journal::suspect> next(core::timestamp now);
  // When the first of them has its turn; none when that is over, or nobody waits.
  std::optional<core::timestamp> first_trial(core::timestamp now) const {
    return !waiting_.empty() && first_trial_ > now ? first_trial_ : std::nullopt;
  }
  void put_back(flight_journal::suspect s);
  void trial_ended() noexcept { out_ = false; }
  // It died twice already: to be parked, whatever its endpoint does.
  static bool guilty(const flight_journal::suspect& s) noexcept {
    return s.crashes >= flight_journal::crashes_max;
  }

 private:
  services& s_;
  std::deque<flight_journal::suspect> waiting_;
  std::optional<core::timestamp> first_trial_;
  bool out_ = false;
};

}  // namespace syndicated::actors
