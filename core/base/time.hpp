// Wall-clock instants as the project writes them. Pure: no clock is read here.
//
// Source: RFC 3339; api.md 1 (UTC with milliseconds); domain.md 1.3 (Cloudesire: whole seconds).
// Range: years 0001 to 9999; anything else is refused by parse and clamped by format.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace syndicated::core {

using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

std::string format_rfc3339_ms(timestamp at);  // 2026-11-21T08:15:30.123Z
void append_rfc3339_ms(std::string& out, timestamp at);
std::string format_rfc3339_seconds(timestamp at);  // 2026-11-21T08:15:30Z, rounded down
std::optional<timestamp> parse_rfc3339(std::string_view text);  // any offset, 0-9 fraction digits

// Adds calendar months, staying at the last day of a shorter month (31 Jan + 1 = 28/29 Feb).
timestamp add_months(timestamp at, int months);

// Whether something that waits for `until`, and for `longest` at most, still does. What would take
// longer began while the clock was ahead; since that was set back, it is over.
constexpr bool waits(timestamp until, std::chrono::milliseconds longest, timestamp now) {
  return now < until && until - now <= longest;
}
// Added to a `longest` that others count on: a clock that is corrected by less takes nothing away.
inline constexpr std::chrono::milliseconds clock_correction = std::chrono::minutes{1};

constexpr std::int64_t to_unix_ms(timestamp at) { return at.time_since_epoch().count(); }
constexpr std::int64_t to_unix_seconds(timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}
constexpr timestamp from_unix_ms(std::int64_t ms) {
  return timestamp{std::chrono::milliseconds{ms}};
}

}  // namespace syndicated::core
