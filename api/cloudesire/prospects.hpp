// What a caller may ask of a subscription at the moment: the rule book itself is asked
// (core::decide), so that it can never say otherwise. Reads of committed state only; any thread.
// Limits: of the catalogue's plans, limits::scan_rows_max are looked at, limits::map_entries_max
// shown.
#pragma once

#include "api/call.hpp"
#include "api/cloudesire/texts.hpp"

namespace syndicated::api::cloudesire {

prospects prospects_of(const call& c, const core::subscription& s);

}  // namespace syndicated::api::cloudesire
