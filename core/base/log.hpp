// The one way a part of the daemon says something to its operator.
//
// Purpose: store, net and actors must report trouble without knowing the logging library. They
// call `log`; daemon/logging installs the sink that writes the lines. Without a sink (tests, tools)
// nothing is written.
//
// Threads: every function may be called from any thread. The sink must not block and must not
// throw; it copies what it keeps (the fields are views into the caller's memory).
// Secrets (tokens, signing keys, request bodies) are never passed to `log` (reliability.md, R23).
// Limits: the sink cuts every field value at limits of its own (256 bytes in daemon/logging).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace syndicated::core {

enum class log_level : std::uint8_t { debug = 0, info, warning, error, critical };

std::string_view to_string(log_level level) noexcept;  // "debug", "info", "warning" ...

// One name and value of a line: {"endpoint", 12}, {"reason", text}, {"ok", true}.
struct log_field {
  std::string_view name;
  std::string value;
  bool quoted = true;  // false: a number or a truth value, written bare in JSON

  log_field(std::string_view key, std::string text) : name(key), value(std::move(text)) {}
  log_field(std::string_view key, std::string_view text) : name(key), value(text) {}
  log_field(std::string_view key, const char* text) : name(key), value(text) {}
  log_field(std::string_view key, bool flag)
      : name(key), value(flag ? "true" : "false"), quoted(false) {}
  template <class Number>
  requires((std::integral<Number> || std::floating_point<Number>)&&!std::same_as<Number, bool> &&
           !std::same_as<Number, char>) log_field(std::string_view key, Number number)
      : name(key), value(std::to_string(number)), quoted(false) {}
};

// `component` names the part and, where it helps, the instance: "committer", "curl-0".
void log(log_level level, std::string_view component, std::string message,
         std::initializer_list<log_field> fields = {});

// Cheap test before a costly message is put together.
bool log_enabled(log_level level) noexcept;

using log_sink = void (*)(log_level level, std::string_view component, std::string_view message,
                          const log_field* fields, std::size_t field_count);

// nullptr takes the sink away. Calls already inside the old sink may still be running afterwards,
// so a sink's storage must outlive the threads that log.
void set_log_sink(log_sink sink) noexcept;
void set_log_level(log_level lowest) noexcept;  // default: info
log_level current_log_level() noexcept;

}  // namespace syndicated::core
