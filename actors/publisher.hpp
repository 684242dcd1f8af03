// A publisher's call on its way: split by the owners of its events, answered when every part is on
// disk or refused.
//
// The parts are plans of their own, so a crash may leave some of them on disk. With an idempotency
// key each part also writes which lines it holds, and the repeat of the call sends only the rest.
// CAF-free. Threads: any; the parts end on the committer's thread. Lifetime: of a call, until its
// reply. Bounds: events of one call by the API (core/base/limits.hpp), calls by its permits.
#pragma once

#include <vector>

#include "actors/services.hpp"

namespace syndicated::actors {

void publish(services& s, std::vector<published_event> events, write_options options,
             publish_renderer render, write_reply reply);

}  // namespace syndicated::actors
