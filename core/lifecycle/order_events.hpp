// order.created and order.changed (domain.md 10.11): what was asked of a subscription, each in a
// stream of its own. Off unless lifecycle.order_events is set. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "core/lifecycle/event.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

// The state of the order that made the subscription, which is not stored (10.6).
std::string_view first_order_word(const subscription& s) noexcept;

// Of the orders that are new, or have another state than before (none: the subscription is new).
// Streams, names, metadata and data are filled in; the version is the subscription's.
std::vector<event> order_events(const subscription* before, const subscription& after);

}  // namespace syndicated::core
