// How far a daemon that lives in simulated time is ahead of its machine's clock, as stored.
//
// Row "clock" of the family meta: milliseconds, 8 bytes. Threads: as database and committer.
#pragma once

#include <chrono>

#include "core/base/error.hpp"
#include "store/database.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

// Zero: it was never moved. Errors: as database::get; errc::corrupt.
core::result<std::chrono::milliseconds> read_clock_ahead(const database& db);
void put_clock_ahead(write_plan& plan, std::chrono::milliseconds ahead);

}  // namespace syndicated::store
