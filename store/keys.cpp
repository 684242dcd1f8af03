#include "store/keys.hpp"

#include <algorithm>

#include "core/delivery/signature.hpp"

namespace syndicated::store {

std::string_view family_name(family f) noexcept {
  switch (f) {
    case family::meta: return "meta";
    case family::catalog: return "catalog";
    case family::tenants: return "tenants";
    case family::subscriptions: return "subscriptions";
    case family::index: return "index";
    case family::events: return "events";
    case family::streams: return "streams";
    case family::lanes: return "lanes";
    case family::due: return "due";
    case family::attempts: return "attempts";
    case family::idempotency: return "idempotency";
    case family::timers: return "timers";
    case family::counters: return "counters";
    case family::attempt_index: return "attempt_index";
    case family::jobs: return "jobs";
    case family::users: return "users";
    case family::parts: return "parts";
    case family::usages: return "usages";
  }
  return "";
}

key_bytes key_bytes::successor() const {
  key_bytes next = *this;
  while (next.size_ > 0) {
    auto last = static_cast<unsigned char>(next.bytes_[next.size_ - 1U]);
    if (last != 0xFF) {
      next.bytes_[next.size_ - 1U] = static_cast<char>(last + 1U);
      return next;
    }
    --next.size_;
  }
  return key_bytes{std::string_view{"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9}};
}

std::uint64_t read_u64(std::string_view bytes, std::size_t offset) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = offset; i < offset + 8 && i < bytes.size(); ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

core::stream_id read_stream(std::string_view bytes, std::size_t offset) noexcept {
  return {static_cast<core::entity_kind>(static_cast<unsigned char>(bytes[offset])),
          read_u64(bytes, offset + 1)};
}

std::string behind(std::string_view key) { return std::string{key} + '\0'; }

key_bytes catalog_key(core::entity_kind kind, std::uint64_t id) {
  return key_bytes{}.byte(static_cast<std::uint8_t>(kind)).u64(id);
}
key_bytes id_key(std::uint64_t id) { return key_bytes{}.u64(id); }
key_bytes index_key(char index, std::uint64_t owner, std::uint64_t member) {
  return key_bytes{}.byte(static_cast<std::uint8_t>(index)).u64(owner).u64(member);
}
key_bytes stream_key(const core::stream_id& stream, std::uint64_t seq) {
  return key_bytes{}.stream(stream).u64(seq);
}
key_bytes lane_row_key(const core::lane_key& lane) {
  return key_bytes{}.stream(lane.stream).u64(lane.endpoint.value).u64(lane.replay.value);
}
core::lane_key parse_lane_row_key(std::string_view key) noexcept {
  return {read_stream(key, 0), {read_u64(key, 9)}, {read_u64(key, 17)}};
}
due_place due_place_of(const core::lane& lane) noexcept {
  if (lane.state == core::lane_state::parked) return {due_side::parked, 0};
  return {lane.attempts > 0 ? due_side::late : due_side::fresh,
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, core::to_unix_ms(lane.due)))};
}
key_bytes due_from(core::endpoint_id endpoint, due_place place) {
  return key_bytes{}
      .u64(endpoint.value)
      .byte(static_cast<std::uint8_t>(place.side))
      .u64(place.due_ms);
}
key_bytes due_key(const core::lane_key& lane, due_place place) {
  return due_from(lane.endpoint, place).stream(lane.stream).u64(lane.replay.value);
}
core::lane_key parse_due_key(std::string_view key) noexcept {
  return {read_stream(key, 17), {read_u64(key, 0)}, {read_u64(key, 26)}};
}
std::uint64_t parse_due_ms(std::string_view key) noexcept { return read_u64(key, 9); }
key_bytes attempt_key(core::event_id event, core::endpoint_id endpoint, std::uint64_t at_ms) {
  return key_bytes{}.u64(event.value).u64(endpoint.value).u64(at_ms);
}
key_bytes untold_key(const core::stream_id& stream, std::uint64_t version) {
  return key_bytes{}.byte('k').stream(stream).u64(version);
}
key_bytes attempt_index_key(core::endpoint_id endpoint, std::uint64_t at_ms, core::event_id event) {
  return key_bytes{}.u64(endpoint.value).u64(at_ms).u64(event.value);
}
key_bytes journal_key(core::endpoint_id endpoint) {
  return key_bytes{journal_prefix}.u64(endpoint.value);
}
key_bytes breaker_key(std::string_view origin) {
  return key_bytes{breaker_prefix}.append(core::sha256(origin));
}
key_bytes login_row_key(std::string_view login_key) {
  return key_bytes{}.byte('l').append(core::sha256(login_key));
}
key_bytes timer_key(core::timestamp due, const core::stream_id& stream) {
  return key_bytes{}
      .u64(static_cast<std::uint64_t>(std::max<std::int64_t>(0, core::to_unix_ms(due))))
      .stream(stream);
}

}  // namespace syndicated::store
