// Brings a store of an older schema forward, before anything reads it.
//
// Each step can be cut at any point and is taken up again by the next start: that it began is
// written first, so that an older version leaves the store alone; a row is moved in one synced
// write; the new schema's number is written last. A disk below its reserve does not stop it.
#pragma once

#include <string_view>

#include "store/database.hpp"

namespace syndicated::store {

// Schema 1: rows of `due` were endpoint(8) due_ms(8) kind(1) entity(8) replay(8), retries were
// marked by a value, and parked lanes stood behind every real time.
inline constexpr std::string_view due_without_sides = "1";
inline constexpr std::string_view due_gets_sides = "1>2";

// Schema 2: subscriptions kept one deadline; those that waited for nothing had no row in `timers`.
inline constexpr std::string_view few_timers = "2";
inline constexpr std::string_view getting_timers = "2>3";

// Gives each subscription the row of its next timer, then writes `schema`.
core::result<void> upgrade_timers(database& db, std::string_view schema,
                                  std::size_t page_rows = 10'000);

// Gives each row of `due` its side, then writes `schema`.
core::result<void> upgrade_due(database& db, std::string_view schema,
                               std::size_t page_rows = 10'000);

}  // namespace syndicated::store
