// The origins (scheme, host, port) that a dispatcher sends to, and their breakers. All endpoints at
// one origin share its breaker and its cap (delivery.md, 1).
//
// A breaker is stored while it is not closed, through the committer and at its transitions only.
// With several dispatchers each finds out for itself; the stored record is the latest one's.
// CAF-free; used on its dispatcher's thread only.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/services.hpp"
#include "actors/turns.hpp"
#include "core/delivery/concurrency.hpp"

namespace syndicated::actors {

class origins {
 public:
  struct site {
    std::string name;
    core::breaker breaker;
    // After an outage the cap of all endpoints together grows from one, too.
    core::concurrency_window ramp;
    bool ramping = false;
    core::timestamp well_since{};      // when its breaker closed last
    const lane_work* probe = nullptr;  // under way
    turns::index prober = 0;           // whose it is
    std::vector<turns::index> members;

    void begin_probe(const lane_work* work, turns::index member) {
      breaker.probe_began();
      probe = work;
      prober = member;
    }
  };

  // Reads the stored breakers. `cap`: requests at a time to one origin.
  origins(services& s, turns& t, int cap);

  turns::index of(const std::string& name);
  site& at(turns::index origin) { return sites_[origin]; }
  void join(turns::index origin, turns::index member);
  void leave(turns::index origin, turns::index member);

  // What an attempt says about the origin. `member_limit`: requests allowed to its endpoint. One
  // that began before the origin was found well again says nothing. True: the origin is well again
  // and its endpoints should start slowly.
  bool ended(turns::index origin, const lane_work* work, const core::verdict& verdict,
             int member_limit, core::timestamp started, core::timestamp now);
  // The attempt ended without having been made.
  void returned(turns::index origin, const lane_work* work);

  // Origins whose pause is over; each once.
  std::vector<turns::index> due_probes(core::timestamp now);
  // When the first of the pauses is over.
  std::optional<core::timestamp> next_probe() const {
    return pauses_.empty() ? std::nullopt : std::optional{pauses_.begin()->first};
  }

 private:
  void changed(turns::index origin, core::timestamp now);
  void recovered(turns::index origin, core::timestamp now);

  services& s_;
  turns& turns_;
  int cap_;
  std::vector<site> sites_;
  std::unordered_map<std::string, turns::index> by_name_;
  std::unordered_map<std::string, core::breaker_record> stored_;
  std::set<std::pair<core::timestamp, turns::index>> pauses_;
};

}  // namespace syndicated::actors
