// A set of ids that are given out in order. Memory: one bit for each id between the least and the
// largest that are in it, give or take a piece of 4,096. One thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <unordered_map>

namespace syndicated::core {

class id_set {
 public:
  void insert(std::uint64_t id) { pieces_[id / piece_bits].set(id % piece_bits); }
  // Whether it was there.
  bool erase(std::uint64_t id) {
    const auto piece = pieces_.find(id / piece_bits);
    if (piece == pieces_.end() || !piece->second.test(id % piece_bits)) return false;
    piece->second.reset(id % piece_bits);
    if (piece->second.none()) pieces_.erase(piece);
    return true;
  }

 private:
  static constexpr std::uint64_t piece_bits = 4'096;
  std::unordered_map<std::uint64_t, std::bitset<piece_bits>> pieces_;
};

}  // namespace syndicated::core
