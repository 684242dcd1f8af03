#include "core/delivery/quota.hpp"

#include "core/base/limits.hpp"

namespace syndicated::core {

std::uint64_t share_of(std::uint64_t whole, unsigned percent) noexcept {
  return whole / 100 * percent + whole % 100 * percent / 100;
}

bool is_over(std::uint64_t value, std::uint64_t mark, bool was) noexcept {
  return was ? value > share_of(mark, limits::load_resumes_percent) : value >= mark;
}

quota_level level_of(std::uint64_t value, std::uint64_t limit, quota_level before) noexcept {
  if (is_over(value, limit, before == quota_level::blocked)) return quota_level::blocked;
  const std::uint64_t warning = share_of(limit, limits::quota_reached_percent);
  // Of a tiny limit no share is left: then there is no warning.
  const bool warned = before != quota_level::within;
  if (warning > 0 && is_over(value, warning, warned)) return quota_level::reached;
  return quota_level::within;
}

std::string_view event_name_of(quota_level level) noexcept {
  switch (level) {
    case quota_level::within: return "quota.recovered";
    case quota_level::reached: return "quota.reached";
    case quota_level::blocked: return "quota.blocked";
  }
  return {};
}

}  // namespace syndicated::core
