#include "core/base/log.hpp"

#include <atomic>

namespace syndicated::core {
namespace {

std::atomic<log_sink> installed_sink{nullptr};
std::atomic<log_level> lowest_level{log_level::info};

}  // namespace

std::string_view to_string(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
    case log_level::critical: return "critical";
  }
  return "critical";
}

bool log_enabled(log_level level) noexcept {
  return level >= lowest_level.load(std::memory_order_relaxed) &&
         installed_sink.load(std::memory_order_relaxed) != nullptr;
}

void log(log_level level, std::string_view component, std::string message,
         std::initializer_list<log_field> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  const log_sink sink = installed_sink.load(std::memory_order_acquire);
  if (sink != nullptr) sink(level, component, message, fields.begin(), fields.size());
}

void set_log_sink(log_sink sink) noexcept { installed_sink.store(sink, std::memory_order_release); }

void set_log_level(log_level lowest) noexcept {
  lowest_level.store(lowest, std::memory_order_relaxed);
}

log_level current_log_level() noexcept { return lowest_level.load(std::memory_order_relaxed); }

}  // namespace syndicated::core
