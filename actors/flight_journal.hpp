// What is in flight, kept where it outlives the process: a small file mapped into memory.
//
// After an unclean end, what was in flight is suspect: one of these events may be what ended the
// process. Suspects are tried one at a time, and one that was in flight at two such ends is parked
// with the reason `quarantined` (delivery.md, 1: poison). Writing an entry is a few stores to
// mapped memory and no system call: a process that dies leaves the page cache behind, and a machine
// that dies needs no suspects, so the file counts for one boot only and is never synced.
//
// Threads: open() and close() by the owner; each part is used by one thread at a time.
// Lifetime: outlives the dispatchers. Bounds: parts x slots entries; what finds no slot is not
// noted. Errors of open(): errc::io. A file that is damaged or of another layout counts as empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/delivery/lane.hpp"

namespace syndicated::actors {

class flight_journal {
 public:
  using slot = std::uint32_t;
  static constexpr slot none = 0xFFFF'FFFFU;
  static constexpr std::uint32_t crashes_max = 2;

  struct suspect {
    core::lane_key lane;
    core::event_id event;
    std::uint32_t crashes = 0;  // unclean ends it was in flight at
    flight_journal::slot slot = none;
  };

  // The entries of one dispatcher.
  class part {
   public:
    slot began(const core::lane_key& lane, core::event_id event);
    void tried(slot s);  // a suspect's turn: in flight now
    void ended(slot s);
    const std::vector<suspect>& suspects() const noexcept { return suspects_; }

   private:
    friend class flight_journal;
    struct flight_record* records_ = nullptr;
    std::vector<slot> free_;
    std::vector<suspect> suspects_;
  };

  // `boot`: names this boot of the machine. `part_of`: the dispatcher of an endpoint.
  static core::result<std::unique_ptr<flight_journal>> open(
      const std::string& path, const std::string& boot, std::size_t parts, std::size_t slots,
      const std::function<std::size_t(core::endpoint_id)>& part_of);
  ~flight_journal();
  flight_journal(const flight_journal&) = delete;
  flight_journal& operator=(const flight_journal&) = delete;

  part& of(std::size_t index) { return parts_[index]; }
  // A clean end: nothing will be suspect.
  void close() noexcept;

 private:
  flight_journal() = default;

  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<part> parts_;
};

// Of this machine since it was switched on; empty when the system does not tell.
std::string boot_name();

}  // namespace syndicated::actors
