#include "daemon/logging.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/time.hpp"

namespace syndicated::daemon {
namespace {

using line_format = std::string (*)(std::string_view, core::log_level, std::string_view,
                                    std::string_view, const core::log_field*, std::size_t);

// Set before the sink is installed and kept until the process ends, since a late line of another
// thread may still be inside the sink.
struct writer {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  line_format format = format_json_line;
};

std::atomic<writer*> running{nullptr};

spdlog::level::level_enum spdlog_level(core::log_level level) {
  switch (level) {
    case core::log_level::debug: return spdlog::level::debug;
    case core::log_level::info: return spdlog::level::info;
    case core::log_level::warning: return spdlog::level::warn;
    case core::log_level::error: return spdlog::level::err;
    case core::log_level::critical: return spdlog::level::critical;
  }
  return spdlog::level::critical;
}

void write_line(core::log_level level, std::string_view component, std::string_view message,
                const core::log_field* fields, std::size_t field_count) {
  const writer* out = running.load(std::memory_order_acquire);
  if (out == nullptr) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string line =
      out->format(core::format_rfc3339_ms(now), level, component, message, fields, field_count);
  out->logger->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
}

std::shared_ptr<spdlog::sinks::sink> open_target(const std::string& target) {
  if (target == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(target);
}

}  // namespace

core::result<void> start_logging(const config::log_section& options) {
  auto out = std::make_unique<writer>();
  try {
    out->pool = std::make_shared<spdlog::details::thread_pool>(log_queue_lines_max, 1);
    out->logger =
        std::make_shared<spdlog::async_logger>("syndicated", open_target(options.target), out->pool,
                                               spdlog::async_overflow_policy::overrun_oldest);
  } catch (const std::exception& why) {
    return core::error{core::errc::invalid, "log_target", why.what(), {}, {}};
  }
  out->format = options.format == config::log_format::json ? format_json_line : format_text_line;
  out->logger->set_pattern("%v");
  out->logger->set_level(spdlog::level::trace);  // core/base/log.hpp has already decided
  out->logger->flush_on(spdlog::level::info);
  // A full disk under the log file must not print into the daemon's own stderr again and again.
  out->logger->set_error_handler([](const std::string&) {});
  running.store(out.release(), std::memory_order_release);
  core::set_log_level(options.level);
  core::set_log_sink(write_line);
  return {};
}

void stop_logging() {
  core::set_log_sink(nullptr);
  writer* out = running.load(std::memory_order_acquire);
  if (out == nullptr) return;
  out->logger->flush();
  // Ends the writing thread after the queue; later posts find no pool and are dropped.
  out->pool.reset();
}

std::uint64_t log_lines_dropped() noexcept {
  const writer* out = running.load(std::memory_order_acquire);
  return out != nullptr && out->pool != nullptr ? out->pool->overrun_counter() : 0;
}

}  // namespace syndicated::daemon
