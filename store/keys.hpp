// The keys of every column family: big-endian and of fixed width, so that byte order is the order
// of ids and times. Format documented here; golden bytes in tests/store/store_test.cpp.
//
//   catalog        kind(1) id(8)
//   tenants        id(8)
//   subscriptions  id(8)
//   users          id(8)
//   index          't' tenant(8) subscription(8) | 'c' parent(8) tenant(8) | 'v' vendor(8)
//   subscription(8)
//                 'u' tenant(8) user(8) | 'o' tenant(8) 0(8)      -> its offering items
//                 'l' SHA-256 of the login in lower case (32)     -> user(8)
//                 'x' 0(8) tenant(8): its cascade is not finished
//                 'n' endpoint(8) event(8): to be told; event 0: its state  -> reason
//                 's' event(8) endpoint(8): given up there, and its lane went on
//                 'k' kind(1) entity(8) version(8): an event to be told by a stream whose record
//                 another owns (a product, a plan, an invoice, an order) -> event
//                 'a' commitment(8) subscription(8): counted there  -> version(8) units(8)
//                 'j' job(8) event(8): handed out by the job since its place was stored
//                 'q' tenant(8) item(16) version(8): the level of that quota is to be looked at;
//                 of a refusal with the total that was tried -> 8 bytes
//                 'r' tenant(8) seq(8): since that event the ledger of usages has to look at it
//   events         event(8)
//   streams        kind(1) entity(8) seq(8)                       -> event(8)
//                 kind(1) entity(8) 0(8): last seq of a published stream -> seq(8)
//   lanes          kind(1) entity(8) endpoint(8) replay(8)
//   due            endpoint(8) side(1) due_ms(8) kind(1) entity(8) replay(8)
//   attempts       event(8) endpoint(8) at_ms(8)
//   attempt_index  endpoint(8) at_ms(8) event(8)                  -> outcome(1) end(1)
//   jobs           id(8)
//   parts          subscription(8) 'r' resource(8)                -> a sub-resource
//                 subscription(8) 'i' invoice(8)                 -> an invoice
//                 subscription(8) 'b'                            -> levels told, series of usage
//                 subscription(8) 'w' start_ms(8) metric, source (12)  -> a record of usage
//                 subscription(8) 'o' start_ms(8) metric, source (12): its window is open
//   usages         tenant(8) item(16): what it uses of an item, the first half of the SHA-256 of
//                 that one's names   | tenant(8) item(16) 'l': what was told of its quota
//                 -> level(1) blocked(1) range_ms(8)
//   idempotency    SHA-256 of principal and key (32)
//   timers         due_ms(8) kind(1) entity(8); of the kind resource: a window of usage of that
//                 subscription closes
//   counters       endpoint(8)
//   meta           a word ("master_keys": ids (4 each) of those in use, the newest primary first)
//                  | "breaker:" SHA-256 of the origin (32) | "endpoint:" endpoint(8)
//                  | "clock" (store/clock_record.hpp)
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/delivery/lane.hpp"

namespace syndicated::store {

// Persisted by name (family_name), so the order here may change.
enum class family : std::uint8_t {
  meta,
  catalog,
  tenants,
  subscriptions,
  index,
  events,
  streams,
  lanes,
  due,
  attempts,
  idempotency,
  timers,
  counters,
  attempt_index,
  jobs,
  users,
  parts,
  usages,
};
inline constexpr std::size_t family_count = 18;
std::string_view family_name(family f) noexcept;

// At most 40 bytes, without an allocation.
class key_bytes {
 public:
  key_bytes() = default;
  explicit key_bytes(std::string_view raw) { append(raw); }

  key_bytes& byte(std::uint8_t value) {
    bytes_[size_++] = static_cast<char>(value);
    return *this;
  }
  key_bytes& u64(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) byte(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  key_bytes& append(std::string_view raw) {
    if (raw.size() > bytes_.size() - size_) __builtin_trap();
    std::memcpy(bytes_.data() + size_, raw.data(), raw.size());
    size_ = static_cast<std::uint8_t>(size_ + raw.size());
    return *this;
  }
  key_bytes& stream(const core::stream_id& s) {
    return byte(static_cast<std::uint8_t>(s.kind)).u64(s.entity);
  }
  std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  // The first key after every key that begins with this one.
  key_bytes successor() const;

 private:
  std::array<char, 40> bytes_{};
  std::uint8_t size_ = 0;
};

std::uint64_t read_u64(std::string_view bytes, std::size_t offset) noexcept;
core::stream_id read_stream(std::string_view bytes, std::size_t offset) noexcept;

// Where a lane stands in `due`: those that wait for a first attempt, those that wait for another,
// and those that wait for nothing. Apart, so that neither has to be passed to find the others.
enum class due_side : std::uint8_t { fresh, late, parked };
struct due_place {
  due_side side = due_side::fresh;
  std::uint64_t due_ms = 0;  // of a parked lane 0
  friend bool operator==(const due_place&, const due_place&) = default;
};

inline constexpr std::string_view breaker_prefix = "breaker:";
inline constexpr std::string_view journal_prefix = "endpoint:";

// The least key that is greater: where a scan goes on.
std::string behind(std::string_view key);

key_bytes catalog_key(core::entity_kind kind, std::uint64_t id);
key_bytes id_key(std::uint64_t id);
key_bytes index_key(char index, std::uint64_t owner, std::uint64_t member);
key_bytes stream_key(const core::stream_id& stream, std::uint64_t seq);
key_bytes lane_row_key(const core::lane_key& lane);
core::lane_key parse_lane_row_key(std::string_view key) noexcept;
due_place due_place_of(const core::lane& lane) noexcept;
key_bytes due_key(const core::lane_key& lane, due_place place);
// What all keys of an endpoint's side from that time on are not before.
key_bytes due_from(core::endpoint_id endpoint, due_place place);
std::uint64_t parse_due_ms(std::string_view key) noexcept;
core::lane_key parse_due_key(std::string_view key) noexcept;
key_bytes attempt_key(core::event_id event, core::endpoint_id endpoint, std::uint64_t at_ms);
key_bytes attempt_index_key(core::endpoint_id endpoint, std::uint64_t at_ms, core::event_id event);
key_bytes untold_key(const core::stream_id& stream, std::uint64_t version);
key_bytes journal_key(core::endpoint_id endpoint);
inline key_bytes retention_key() { return key_bytes{"retention"}; }
key_bytes breaker_key(std::string_view origin);
key_bytes login_row_key(std::string_view login_key);
key_bytes timer_key(core::timestamp due, const core::stream_id& stream);

}  // namespace syndicated::store
