// Writes the log lines of the whole daemon.
//
// Purpose: installs the sink behind core/base/log.hpp. Lines go through a bounded queue to one
// writing thread; when the queue is full the oldest lines are dropped and counted, so a slow disk
// or journal never holds up the daemon (reliability.md 5.6, R13).
// Formats: JSON, one object a line of at most 8 KiB, messages cut at 512 and fields at 256 bytes,
// escaped (control characters, bidirectional marks, bytes that are not UTF-8); or text for
// terminals, escaped alike. Threads: start_logging and stop_logging from main; log lines from
// everywhere. Lifetime: once per process. After stop_logging lines go nowhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "core/base/error.hpp"
#include "core/base/log.hpp"

namespace syndicated::daemon {

inline constexpr std::size_t log_queue_lines_max = 8'192;
inline constexpr std::size_t log_field_bytes_max = 256;
inline constexpr std::size_t log_message_bytes_max = 512;
inline constexpr std::size_t log_line_bytes_max = 8 * 1'024;

// Errors: errc::invalid when the target file cannot be opened.
core::result<void> start_logging(const config::log_section& options);
void stop_logging();  // what is queued is written first

std::uint64_t log_lines_dropped() noexcept;

// One line without its end. Pure; `when` is UTC in RFC 3339.
std::string format_json_line(std::string_view when, core::log_level level,
                             std::string_view component, std::string_view message,
                             const core::log_field* fields, std::size_t field_count);
std::string format_text_line(std::string_view when, core::log_level level,
                             std::string_view component, std::string_view message,
                             const core::log_field* fields, std::size_t field_count);

}  // namespace syndicated::daemon
