#include "core/lifecycle/allowance.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::core {
namespace {

// Limits are 64-bit numbers of whole units; what does not fit a decimal bounds nothing.
decimal mark_of(std::int64_t limit, std::int64_t overage) noexcept {
  return whole(std::min(limit, decimal_max) + std::min(overage, decimal_max));
}

std::string_view name_of(allowance_level level) noexcept {
  switch (level) {
    case allowance_level::within: return "";
    case allowance_level::reached: return "quota.reached";
    case allowance_level::exceeded: return "quota.exceeded";
    case allowance_level::blocked: return "quota.blocked";
  }
  return "";
}

}  // namespace

std::string to_string(decimal value) {
  const bool negative = value.micros < 0;
  const std::int64_t size = negative ? -value.micros : value.micros;
  std::string out = negative ? "-" : "";
  out += std::to_string(size / decimal_one);
  std::string rest = std::to_string(size % decimal_one);
  rest.insert(0, 6 - rest.size(), '0');
  while (!rest.empty() && rest.back() == '0') rest.pop_back();
  if (!rest.empty()) out += '.' + rest;
  return out;
}

allowance_level level_of(const allowance& a, decimal value) noexcept {
  if (a.limit < 0) return allowance_level::within;
  if (a.overage && value > mark_of(a.limit, *a.overage)) return allowance_level::blocked;
  const decimal limit = mark_of(a.limit, 0);
  if (value > limit) return allowance_level::exceeded;
  // Of what is not sold, having nothing is no news.
  return value == limit && a.limit > 0 ? allowance_level::reached : allowance_level::within;
}

bool allows(const allowance& a, decimal value) noexcept {
  return level_of(a, value) != allowance_level::blocked;
}

event_draft quota_event(allowance_level level, std::string_view metric, decimal value,
                        const allowance& a) {
  event_draft out;
  out.name = name_of(level);
  out.metadata["metric"] = metric;
  out.metadata["value"] = to_string(value);
  out.metadata["limit"] = std::to_string(a.limit);
  json_writer change;
  change.begin_object().key("metric").text(metric).key("value").raw(to_string(value));
  change.key("limit").number(a.limit).key("overage");
  if (a.overage) {
    change.number(*a.overage);
  } else {
    change.null();
  }
  change.end_object();
  out.change_json = std::move(change).str();
  return out;
}

std::vector<event_draft> quota_events(allowance_level told, allowance_level now,
                                      std::string_view metric, decimal value, const allowance& a) {
  std::vector<event_draft> out;
  for (int level = static_cast<int>(told) + 1; level <= static_cast<int>(now); ++level) {
    out.push_back(quota_event(static_cast<allowance_level>(level), metric, value, a));
  }
  return out;
}

}  // namespace syndicated::core
