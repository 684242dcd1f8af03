// Who sends next: two-level deficit round robin (delivery.md, 1), and the caps that go with it.
//
// Groups (one owner's endpoints each) take turns; in a turn a group is granted as many requests as
// its weight says, its members one each in turn. While others wait a group has at most a quarter of
// the slots; alone it leaves a quarter free, so that who comes next finds room at once. An origin
// has a cap of its own, retries have at most half of the slots, and one member can be held to less
// (flood_guard.hpp).
// Everything is a small number that the caller keeps; a grant costs O(1): it passes over groups
// that are over their share, of which there can be only a few, and members that have to wait for
// their origin leave the rounds until it has room.
// CAF-free; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace syndicated::actors {

class turns {
 public:
  using index = std::uint32_t;

  explicit turns(int slots) : slots_(slots) {}

  index add_group(int weight);
  void set_weight(index group, int weight) { groups_[group].weight = weight < 1 ? 1 : weight; }
  index add_origin(int cap);
  void set_cap(index origin, int cap);  // at least 1
  index add_member(index group, index origin);
  // Keeps what the member has in flight.
  void move(index member, index group, index origin);

  // No more than `limit` in flight for this member, at least 1; nobody else is held.
  void hold(index member, int limit);
  void hold_nobody();

  // The member has something to send. Repeats change nothing.
  void wants(index member);
  // Its next request is a retry and there is no room for one: it is back in the rounds when there
  // is.
  void wants_room_for_retry(index member);
  bool room_for_retry() const noexcept { return retries_ < (slots_ + 1) / 2; }

  // Whose turn it is; it leaves the rounds until it wants() again. None: nobody may send now.
  std::optional<index> next();
  // It turned out to have nothing to send: others that wait for the same get its chance.
  void passed(index member);
  void began(index member, bool retry);
  void ended(index member, bool retry);

  int in_flight() const noexcept { return in_flight_; }
  int in_flight_at(index origin) const noexcept { return origins_[origin].in_flight; }
  bool full() const noexcept { return in_flight_ >= slots_; }

 private:
  enum class place : std::uint8_t { out, in_round, at_origin, for_retry, held };
  struct group_record {
    int weight = 1;
    int credit = 0;  // what is left of this turn
    int in_flight = 0;
    bool in_round = false;
    std::deque<index> waiting;
  };
  struct origin_record {
    int cap = 1;
    int in_flight = 0;
    std::deque<index> waiting;
  };
  struct member_record {
    index group = 0;
    index origin = 0;
    int in_flight = 0;
    place where = place::out;
  };

  bool is_held(index member) const noexcept;
  void admit_held(index member);
  bool under_share(const group_record& g) const noexcept;
  bool choose_group();
  void end_turn(bool stays);
  void admit_waiting(origin_record& o);
  void admit_retry();

  int slots_;
  int in_flight_ = 0;
  int retries_ = 0;
  index held_ = 0;
  int held_limit_ = 0;  // 0: nobody is held
  std::vector<group_record> groups_;
  std::vector<origin_record> origins_;
  std::vector<member_record> members_;
  std::deque<index> round_;  // groups with members that wait
  std::deque<index> for_retry_;
};

}  // namespace syndicated::actors
