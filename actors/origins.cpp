#include "actors/origins.hpp"

#include <algorithm>

#include "core/base/log.hpp"

namespace syndicated::actors {

using core::response_class;

origins::origins(services& s, turns& t, int cap) : s_(s), turns_(t), cap_(cap) {
  auto rows = s_.repo.breakers();
  if (!rows) {
    core::log(core::log_level::error, "dispatcher", "cannot read the breakers",
              {{"detail", rows.failure().detail}});
    return;
  }
  for (auto& row : *rows) {
    std::string name = row.origin;
    stored_.emplace(std::move(name), std::move(row));
  }
}

turns::index origins::of(const std::string& name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second;
  const turns::index made = turns_.add_origin(cap_);
  by_name_.emplace(name, made);
  sites_.push_back({name, {}, core::concurrency_window{cap_}, false, {}, nullptr, 0, {}});
  const auto stored = stored_.find(name);
  if (stored == stored_.end()) return made;
  const core::timestamp now = s_.now();
  site& one = sites_.back();
  one.breaker.restore(stored->second, s_.delivery.load()->protection.breaker, now);
  stored_.erase(stored);
  s_.breakers.set(name, one.breaker, now);
  pauses_.emplace(one.breaker.until(), made);
  return made;
}

void origins::join(turns::index origin, turns::index member) {
  auto& members = sites_[origin].members;
  if (std::find(members.begin(), members.end(), member) == members.end()) {
    members.push_back(member);
  }
}

void origins::leave(turns::index origin, turns::index member) {
  site& one = sites_[origin];
  std::erase(one.members, member);
  if (one.probe != nullptr && one.prober == member) {
    // Its answer will be told to the origin that the endpoint is at then.
    one.probe = nullptr;
    one.breaker.probe_lost();
  }
  if (!one.members.empty() || one.breaker.closed()) return;
  // Nobody is left to find out whether it is well.
  one.breaker = {};
  one.probe = nullptr;
  changed(origin, s_.now());
}

bool origins::ended(turns::index origin, const lane_work* work, const core::verdict& verdict,
                    int member_limit, core::timestamp started, core::timestamp now) {
  site& one = sites_[origin];
  const bool probe = one.probe == work;
  if (probe) one.probe = nullptr;
  if (!verdict.of_origin) {
    if (probe) one.breaker.probe_lost();
    return false;
  }
  const core::breaker_rules rules = s_.delivery.load()->protection.breaker;
  if (verdict.kind == response_class::overload) {
    if (probe) {
      one.breaker.probe_failed(verdict.error, rules, s_.random(), now);
    } else if (started < one.well_since && one.well_since <= now) {
      return false;
    } else {
      const int cohort = std::max(member_limit, turns_.in_flight_at(origin));
      if (!one.breaker.failed(cohort, verdict.error, rules, s_.random(), now)) return false;
      core::log(core::log_level::warning, "dispatcher", "an origin fails: breaker open",
                {{"origin", one.name}, {"reason", verdict.error}});
    }
    changed(origin, now);
    return false;
  }
  if (probe) {  // any answer that is not overload shows that it is alive
    recovered(origin, now);
    return true;
  }
  one.breaker.succeeded(now);  // a refusal, too, shows that it is alive
  if (one.ramping) {
    one.ramp.on_success();
    one.ramping = one.ramp.limit() < cap_;
    turns_.set_cap(origin, one.ramp.limit());
  }
  return false;
}

void origins::returned(turns::index origin, const lane_work* work) {
  site& one = sites_[origin];
  if (one.probe != work) return;
  one.probe = nullptr;
  one.breaker.probe_lost();
}

void origins::recovered(turns::index origin, core::timestamp now) {
  site& one = sites_[origin];
  one.breaker.probe_succeeded();
  one.well_since = now;
  one.ramp.restart();
  one.ramping = cap_ > 1;
  turns_.set_cap(origin, one.ramp.limit());
  core::log(core::log_level::info, "dispatcher", "an origin is well again: breaker closed",
            {{"origin", one.name}});
  changed(origin, now);
}

void origins::changed(turns::index origin, core::timestamp now) {
  const site& one = sites_[origin];
  s_.breakers.set(one.name, one.breaker, now);
  store::write_plan plan;
  plan.durable = false;  // lost: the endpoint is asked once too often
  if (one.breaker.closed()) {
    s_.repo.erase_breaker(plan, one.name);
  } else {
    s_.repo.put(plan, one.breaker.record(one.name));
    pauses_.emplace(one.breaker.until(), origin);
  }
  s_.committer.submit(std::move(plan));
}

std::vector<turns::index> origins::due_probes(core::timestamp now) {
  std::vector<turns::index> due;
  while (!pauses_.empty() && pauses_.begin()->first <= now) {
    due.push_back(pauses_.begin()->second);
    pauses_.erase(pauses_.begin());
  }
  return due;
}

}  // namespace syndicated::actors
