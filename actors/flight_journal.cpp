#include "actors/flight_journal.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace syndicated::actors {
namespace {

constexpr std::uint64_t magic = 0x3154'4748'4C46'5359ULL;  // "YSFLHGT1", read as bytes
constexpr std::size_t boot_bytes = 40;

enum class entry_state : std::uint32_t { free = 0, in_flight = 1, waiting = 2 };

struct header {
  std::uint64_t magic;
  std::uint32_t clean;
  std::uint32_t records;
  char boot[boot_bytes];
  char reserved[8];
};
static_assert(sizeof(header) == 64);

}  // namespace

struct flight_record {
  std::atomic<std::uint32_t> state;  // written last when it begins, first when it ends
  std::uint32_t crashes;
  std::uint64_t kind;
  std::uint64_t entity;
  std::uint64_t endpoint;
  std::uint64_t replay;
  std::uint64_t event;
  std::uint64_t reserved[2];
};
static_assert(sizeof(flight_record) == 64);

namespace {

core::error failed(const std::string& path) {
  return {core::errc::io, "flight_journal", path + ": " + std::strerror(errno), {}, {}};
}

flight_record* records_of(void* memory) {
  return reinterpret_cast<flight_record*>(static_cast<char*>(memory) + sizeof(header));
}

void fill(flight_record& r, const flight_journal::suspect& what, entry_state state) {
  r.crashes = what.crashes;
  r.kind = static_cast<std::uint64_t>(what.lane.stream.kind);
  r.entity = what.lane.stream.entity;
  r.endpoint = what.lane.endpoint.value;
  r.replay = what.lane.replay.value;
  r.event = what.event.value;
  r.state.store(static_cast<std::uint32_t>(state), std::memory_order_release);
}

// What the process before this one left, when it did not end by itself.
std::vector<flight_journal::suspect> left_behind(void* memory, std::size_t bytes,
                                                 const std::string& boot) {
  std::vector<flight_journal::suspect> out;
  if (bytes < sizeof(header)) return out;
  const auto* head = static_cast<const header*>(memory);
  const std::string then{head->boot, ::strnlen(head->boot, boot_bytes)};
  const bool fits = bytes >= sizeof(header) + head->records * sizeof(flight_record);
  if (head->magic != magic || head->clean != 0 || !fits || boot.empty() || then != boot) return out;
  const flight_record* records = records_of(memory);
  for (std::uint32_t i = 0; i < head->records; ++i) {
    const flight_record& r = records[i];
    const auto state = static_cast<entry_state>(r.state.load());
    if (state != entry_state::in_flight && state != entry_state::waiting) continue;
    out.push_back({{{static_cast<core::entity_kind>(r.kind), r.entity}, {r.endpoint}, {r.replay}},
                   {r.event},
                   r.crashes + (state == entry_state::in_flight ? 1U : 0U),
                   flight_journal::none});
  }
  return out;
}

}  // namespace

std::string boot_name() {
  std::string name;
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> name;
  return name.substr(0, boot_bytes);
}

flight_journal::slot flight_journal::part::began(const core::lane_key& lane, core::event_id event) {
  if (free_.empty()) return none;
  const slot s = free_.back();
  free_.pop_back();
  fill(records_[s], {lane, event, 0, s}, entry_state::in_flight);
  return s;
}

void flight_journal::part::tried(slot s) {
  if (s == none) return;
  records_[s].state.store(static_cast<std::uint32_t>(entry_state::in_flight),
                          std::memory_order_release);
}

void flight_journal::part::ended(slot s) {
  if (s == none) return;
  records_[s].state.store(static_cast<std::uint32_t>(entry_state::free), std::memory_order_release);
  free_.push_back(s);
}

core::result<std::unique_ptr<flight_journal>> flight_journal::open(
    const std::string& path, const std::string& boot, std::size_t parts, std::size_t slots,
    const std::function<std::size_t(core::endpoint_id)>& part_of) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed(path);
  struct stat info {};
  std::unique_ptr<flight_journal> made{new flight_journal};
  const auto whole = sizeof(header) + parts * slots * sizeof(flight_record);
  bool good = ::fstat(fd, &info) == 0;
  const auto old = good ? static_cast<std::size_t>(info.st_size) : 0;
  made->bytes_ = std::max(whole, old);
  // Space that is promised: a store to a page that a full disk cannot give would be a SIGBUS.
  good = good && ::posix_fallocate(fd, 0, static_cast<off_t>(made->bytes_)) == 0;
  void* memory =
      good ? ::mmap(nullptr, made->bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  core::error why = failed(path);
  ::close(fd);
  if (memory == MAP_FAILED) return why;
  made->memory_ = memory;
  const auto suspects = left_behind(memory, old, boot);
  std::memset(memory, 0, made->bytes_);
  made->parts_.resize(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    part& p = made->parts_[i];
    p.records_ = records_of(memory) + i * slots;
    for (std::size_t s = slots; s > 0; --s) p.free_.push_back(static_cast<slot>(s - 1));
  }
  for (const suspect& one : suspects) {
    part& p = made->parts_[part_of(one.lane.endpoint)];
    if (p.free_.empty()) continue;
    p.suspects_.push_back(one);
    p.suspects_.back().slot = p.free_.back();
    fill(p.records_[p.free_.back()], one, entry_state::waiting);
    p.free_.pop_back();
  }
  auto* head = static_cast<header*>(memory);
  std::memcpy(head->boot, boot.data(), std::min(boot.size(), boot_bytes));
  head->records = static_cast<std::uint32_t>(parts * slots);
  head->magic = magic;
  return made;
}

void flight_journal::close() noexcept {
  if (memory_ != nullptr) static_cast<header*>(memory_)->clean = 1;
}

flight_journal::~flight_journal() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}

}  // namespace syndicated::actors
