// order.created and order.changed (domain.md 10.11): what was asked of a subscription, each in a
// stream of its own. Off unless lifecycle.order_events is set. Pure.
#pragma once

#include <vector>

#include "core/lifecycle/event.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

// Of the orders that are new, or have another state than before (none: the subscription is new).
// Streams, names, metadata and data are filled in; the version is the subscription's.
std::vector<event> order_events(const subscription* before, const subscription& after);

}  // namespace syndicated::core
