// Internal to store/*.cpp: small conversions shared by the codecs (includes protobuf).
#pragma once

#include <google/protobuf/message_lite.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "store/codec.hpp"

namespace syndicated::store::wire {

template <class E>
std::uint32_t number(E value) {
  return static_cast<std::uint32_t>(value);
}
inline std::int64_t ms(core::timestamp t) { return core::to_unix_ms(t); }
inline core::timestamp at(std::int64_t value) { return core::from_unix_ms(value); }

template <class Map, class Values>
void put_map(Map& to, const Values& from) {
  for (const auto& [name, value] : from) to[name] = value;
}
template <class Map>
core::string_map get_map(const Map& from) {
  return {from.begin(), from.end()};
}

inline std::string framed(const google::protobuf::MessageLite& record) {
  std::string out(1, format_1);
  record.AppendToString(&out);
  return out;
}

inline core::error damaged(std::string_view what) {
  std::string text = "a stored ";
  text += what;
  text += " cannot be read: damaged, or written by a newer version";
  return {core::errc::corrupt, "record_unreadable", std::move(text), {}, {}};
}

// The error, or none when `record` was filled.
inline std::optional<core::error> parse(google::protobuf::MessageLite& record,
                                        std::string_view value, std::string_view what) {
  const bool ok = !value.empty() && value.front() == format_1 &&
                  record.ParseFromArray(value.data() + 1, static_cast<int>(value.size() - 1));
  if (ok) return std::nullopt;
  return damaged(what);
}

}  // namespace syndicated::store::wire
