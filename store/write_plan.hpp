// A change that is committed whole or not at all: rows, counters, and what to do afterwards.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/keys.hpp"
#include "store/rows.hpp"

namespace syndicated::store {

enum class commit_result : std::uint8_t {
  committed,
  no_space,  // nothing was written; the caller may try again later
  failed,    // the outcome is unknown; the process is about to end
};

// The plans of one incarnation of one owner, in order. An owner works ahead of the disk, so when
// one of its plans fails, those built on it must fail as well: `broken` stays set, and the owner
// starts again from what is on disk. Shared between the owner and the committer.
struct plan_chain {
  std::atomic<bool> broken{false};
  std::atomic<std::uint32_t> in_flight{0};
};

struct write_op {
  family where{};
  bool erase = false;
  key_bytes key;
  std::string value;
};

// A new spelling of a stored value. It is written only when what was read is still what is stored
// and no other plan of the batch writes that key: it never undoes a change.
struct write_again {
  family where{};
  key_bytes key;
  std::string as_read;
  std::string value;
};

struct write_plan {
  std::vector<write_op> ops;
  std::vector<write_again> again;
  std::vector<counter_delta> deltas;
  std::uint64_t subscriptions_created = 0;
  std::uint64_t tenants_created = 0;
  // May be written when there is less space than the reserve: it is small, and space follows from
  // it.
  bool frees_space = false;
  bool durable = true;  // false: may ride along with the next synced batch
  std::shared_ptr<plan_chain> chain;
  std::chrono::steady_clock::time_point submitted{};  // set by the committer
  // Of plans with sealed values (vault::hold): until it is on disk or dropped.
  std::shared_ptr<const void> sealed_with;
  std::shared_ptr<const void> pass;  // kept until the plan has ended (retention_gate.hpp)
  // Called once on the committer's thread, in commit order; must only post.
  std::function<void(commit_result)> done;

  void put(family where, const key_bytes& key, std::string value) {
    add({where, false, key, std::move(value)});
  }
  void erase(family where, const key_bytes& key) { add({where, true, key, {}}); }

 private:
  void add(write_op&& op) {
    constexpr std::size_t usual = 6;  // a change with its event, or an outcome
    if (ops.empty()) ops.reserve(usual);
    ops.push_back(std::move(op));
  }
};

}  // namespace syndicated::store
