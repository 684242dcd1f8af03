#include "actors/turns.hpp"

#include <algorithm>
#include <utility>

namespace syndicated::actors {

turns::index turns::add_group(int weight) {
  groups_.push_back({});
  const auto made = static_cast<index>(groups_.size() - 1);
  set_weight(made, weight);
  return made;
}

turns::index turns::add_origin(int cap) {
  origins_.push_back({});
  origins_.back().cap = std::max(1, cap);
  return static_cast<index>(origins_.size() - 1);
}

void turns::set_cap(index at, int cap) {
  origins_[at].cap = std::max(1, cap);
  admit_waiting(origins_[at]);
}

turns::index turns::add_member(index group, index origin) {
  members_.push_back({group, origin, 0, place::out});
  return static_cast<index>(members_.size() - 1);
}

void turns::move(index id, index to_group, index to_origin) {
  member_record& m = members_[id];
  if (m.group == to_group && m.origin == to_origin) return;
  groups_[m.group].in_flight -= m.in_flight;
  groups_[to_group].in_flight += m.in_flight;
  origins_[m.origin].in_flight -= m.in_flight;
  origins_[to_origin].in_flight += m.in_flight;
  if (m.where == place::in_round) std::erase(groups_[m.group].waiting, id);
  if (m.where == place::at_origin) std::erase(origins_[m.origin].waiting, id);
  const bool wanted =
      m.where == place::in_round || m.where == place::at_origin || m.where == place::held;
  if (wanted) m.where = place::out;
  const index left = m.origin;
  m.group = to_group;
  m.origin = to_origin;
  if (wanted) wants(id);
  admit_waiting(origins_[left]);
}

void turns::hold(index id, int limit) {
  const index before = std::exchange(held_, id);
  held_limit_ = std::max(1, limit);
  if (before < members_.size()) admit_held(before);
  admit_held(id);
}

void turns::hold_nobody() {
  held_limit_ = 0;
  if (held_ < members_.size()) admit_held(held_);
}

bool turns::is_held(index id) const noexcept {
  return held_limit_ > 0 && id == held_ && members_[id].in_flight >= held_limit_;
}

void turns::admit_held(index id) {
  if (members_[id].where == place::held) wants(id);
}

void turns::wants(index id) {
  member_record& m = members_[id];
  if (m.where == place::in_round || m.where == place::at_origin) return;
  if (m.where == place::held && is_held(id)) return;
  if (m.where == place::for_retry) std::erase(for_retry_, id);
  m.where = place::in_round;
  group_record& g = groups_[m.group];
  g.waiting.push_back(id);
  if (g.in_round) return;
  g.in_round = true;
  g.credit = 0;
  round_.push_back(m.group);
}

void turns::wants_room_for_retry(index id) {
  member_record& m = members_[id];
  if (m.where != place::out) return;
  m.where = place::for_retry;
  for_retry_.push_back(id);
}

bool turns::under_share(const group_record& g) const noexcept {
  return g.in_flight < std::max(1, slots_ / 4);
}

// Brings the group whose turn it is to the front.
bool turns::choose_group() {
  for (std::size_t looked = round_.size(); looked > 0; --looked) {
    if (under_share(groups_[round_.front()])) return true;
    end_turn(true);
  }
  // Nobody else waits: more than a share, but never all.
  return !round_.empty() && in_flight_ < slots_ - slots_ / 4;
}

void turns::end_turn(bool stays) {
  const index front = round_.front();
  round_.pop_front();
  groups_[front].credit = 0;
  groups_[front].in_round = stays;
  if (stays) round_.push_back(front);
}

std::optional<turns::index> turns::next() {
  while (in_flight_ < slots_ && choose_group()) {
    group_record& g = groups_[round_.front()];
    if (g.waiting.empty()) {
      end_turn(false);
      continue;
    }
    if (g.credit == 0) g.credit = g.weight;
    const index id = g.waiting.front();
    g.waiting.pop_front();
    member_record& m = members_[id];
    if (is_held(id)) {
      m.where = place::held;
      continue;
    }
    origin_record& o = origins_[m.origin];
    if (o.in_flight >= o.cap) {
      m.where = place::at_origin;
      o.waiting.push_back(id);
      continue;
    }
    m.where = place::out;
    if (--g.credit == 0) end_turn(!g.waiting.empty());
    return id;
  }
  return std::nullopt;
}

void turns::began(index id, bool retry) {
  member_record& m = members_[id];
  ++m.in_flight;
  ++groups_[m.group].in_flight;
  ++origins_[m.origin].in_flight;
  ++in_flight_;
  retries_ += retry ? 1 : 0;
}

void turns::ended(index id, bool retry) {
  member_record& m = members_[id];
  --m.in_flight;
  --groups_[m.group].in_flight;
  --origins_[m.origin].in_flight;
  --in_flight_;
  retries_ -= retry ? 1 : 0;
  passed(id);
}

void turns::passed(index id) {
  admit_held(id);
  admit_waiting(origins_[members_[id].origin]);
  admit_retry();
}

void turns::admit_retry() {
  if (for_retry_.empty() || !room_for_retry()) return;
  const index next = for_retry_.front();
  for_retry_.pop_front();
  members_[next].where = place::out;
  wants(next);
}

void turns::admit_waiting(origin_record& o) {
  for (int room = o.cap - o.in_flight; room > 0 && !o.waiting.empty(); --room) {
    const index id = o.waiting.front();
    o.waiting.pop_front();
    members_[id].where = place::out;
    wants(id);
  }
}

}  // namespace syndicated::actors
