// When a failed delivery is tried again (delivery.md, 1). Pure: randomness is a parameter.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace syndicated::core {

// Standard Webhooks' advice: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
std::vector<std::chrono::milliseconds> default_schedule();

// The pause before attempt `made + 1`, when `made` attempts were made; none = no attempt is left.
// d x U(1 - jitter, 1 + jitter), never below d / 2. `random` in [0, 1).
std::optional<std::chrono::milliseconds> pause_after(
    std::uint32_t made, const std::vector<std::chrono::milliseconds>& schedule, double jitter,
    double random);

}  // namespace syndicated::core
