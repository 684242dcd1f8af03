#include "core/delivery/lane.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/delivery/retry_policy.hpp"

namespace syndicated::core {
namespace {

using std::chrono::milliseconds;

// Sizes do not change between attempts, so three tries tell (delivery.md, 2).
constexpr std::uint32_t size_tries_max = 3;
// An address that is blocked is checked three times over a day, without a retry storm.
constexpr std::uint32_t blocked_checks_max = 3;
constexpr milliseconds blocked_pause = std::chrono::hours{12};
// Our own trouble costs the delivery nothing but a moment.
constexpr milliseconds local_pause = std::chrono::seconds{1};

lane_outcome park(std::string reason) { return {lane_step::park, {}, std::move(reason), false}; }

}  // namespace

std::string_view to_string(lane_state state) noexcept {
  switch (state) {
    case lane_state::pending: return "pending";
    case lane_state::parked: return "parked";
  }
  return "";
}

bool too_old(const lane& l, milliseconds max_age, timestamp now) noexcept {
  return max_age.count() > 0 && now - std::max(l.head_at, l.replayed_at) > max_age;
}

std::uint32_t tries_alike(const lane& l, const verdict& v) noexcept {
  if (v.kind == response_class::rejected_size) {
    return 1 + (l.last_status == 413 || l.last_status == 431 ? l.alike : 0);
  }
  if (v.kind != response_class::blocked) return 0;
  return 1 + (l.last_error == to_string(attempt_error::blocked_destination) ? l.alike : 0);
}

lane_outcome judge(const verdict& v, std::uint32_t attempts, std::uint32_t alike,
                   const std::vector<milliseconds>& schedule, double jitter, double random,
                   timestamp now) {
  const bool disable = v.wish == receiver_wish::disable;
  if (v.kind != response_class::delivered && v.wish != receiver_wish::none) {
    lane_outcome out = park(disable ? "disabled_by_receiver" : "aborted_by_receiver");
    out.disable_endpoint = disable;
    return out;
  }
  switch (v.kind) {
    case response_class::delivered: return {lane_step::advance, {}, {}, disable};
    case response_class::gone: {
      lane_outcome out = park("gone");
      out.disable_endpoint = true;
      return out;
    }
    case response_class::local: return {lane_step::retry, now + local_pause, {}, false};
    case response_class::blocked:
      if (alike >= blocked_checks_max) return park("blocked_destination");
      return {lane_step::retry, now + blocked_pause, {}, false, alike};
    case response_class::rejected_size:
      if (alike >= size_tries_max) return park("rejected_size");
      break;
    case response_class::failure:
    case response_class::overload: break;
  }
  const auto pause = pause_after(attempts, schedule, jitter, random);
  if (!pause) return park("exhausted");
  const milliseconds wait = std::max(*pause, v.retry_after.value_or(milliseconds{0}));
  return {lane_step::retry, now + wait, {}, false, alike};
}

milliseconds longest_wait(const std::vector<milliseconds>& schedule, double jitter) {
  milliseconds longest = std::chrono::seconds{limits::retry_after_s_max};
  longest = std::max(longest, blocked_pause);
  for (const milliseconds pause : schedule) {
    const double most = static_cast<double>(pause.count()) * (1.0 + jitter);
    longest = std::max(longest, milliseconds{static_cast<std::int64_t>(most)});
  }
  return longest + clock_correction;
}

lane_outcome within_age(lane_outcome outcome, const lane& l, milliseconds max_age) {
  const bool late = outcome.step == lane_step::retry && too_old(l, max_age, outcome.due);
  return late ? park(std::string{expired_reason}) : std::move(outcome);
}

}  // namespace syndicated::core
