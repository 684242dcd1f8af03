// The order that made a subscription (domain.md, 10.6). It is not stored: where it stands is what
// the subscription's status says. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/lifecycle/operation.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

operation_state first_order_state(const subscription& s) noexcept;
// As the operations that followed it are shown. Its plan and quantities are those of now.
operation first_order_of(const subscription& s);
// The first one, or one of those that are kept.
std::optional<operation> find_operation(const subscription& s, std::uint32_t number);

}  // namespace syndicated::core
