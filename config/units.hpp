// Durations and sizes as people write them. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syndicated::config {

// "0s", "500ms", "15s", "5m", "2h", "3d": one whole number and one unit, no blanks. Longest: 3650d.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds value);  // with the largest unit that fits

// "512B", "64KiB", "256MiB", "2GiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace syndicated::config
