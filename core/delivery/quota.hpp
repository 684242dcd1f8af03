// How full a quota is, in levels: events tell changes of level, so that they stay rare.
//
// Reached: at 80 % of the limit, a warning. Blocked: at the limit, new load is refused. A level
// lasts until the value is at 95 % of where it began, so that it does not come and go.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace syndicated::core {

enum class quota_level : std::uint8_t { within, reached, blocked };  // persisted

// A figure is over its mark from there on until it is at 95 % of it. `was`: by the last look.
bool is_over(std::uint64_t value, std::uint64_t mark, bool was) noexcept;

// `limit` > 0. `before`: the level of the last look.
quota_level level_of(std::uint64_t value, std::uint64_t limit, quota_level before) noexcept;

// What percent of it is, without overflow.
std::uint64_t share_of(std::uint64_t whole, unsigned percent) noexcept;

// quota.recovered, quota.reached or quota.blocked: the level that holds now.
std::string_view event_name_of(quota_level level) noexcept;

}  // namespace syndicated::core
