#include "core/delivery/breaker.hpp"

#include <algorithm>

namespace syndicated::core {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t step_ms = 10'000;
constexpr std::uint32_t cohort_ppm = 1'000'000;
constexpr std::uint32_t failed_cohorts_max = 2;
constexpr milliseconds cohorts_apart_max = std::chrono::hours{1};
constexpr std::uint32_t attempts_min = 20;  // fewer say nothing about a share

std::int64_t step_of(timestamp t) noexcept { return to_unix_ms(t) / step_ms; }

}  // namespace

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
    case breaker_state::closed: return "closed";
    case breaker_state::open: return "open";
    case breaker_state::half_open: return "half_open";
  }
  return "";
}

void minute_counts::age(timestamp now) noexcept {
  const std::int64_t current = step_of(now);
  const auto size = static_cast<std::int64_t>(steps_.size());
  if (current <= newest_ && newest_ - current < size) return;
  if (current - newest_ >= size || current < newest_) {
    *this = {};
    newest_ = current;
    return;
  }
  while (newest_ < current) {
    step& oldest = steps_[static_cast<std::size_t>(++newest_ % size)];
    attempts_ -= oldest.attempts;
    failures_ -= oldest.failures;
    oldest = {};
  }
}

void minute_counts::add(timestamp now, bool failed) noexcept {
  age(now);
  step& newest = steps_[static_cast<std::size_t>(newest_) % steps_.size()];
  ++newest.attempts;
  ++attempts_;
  if (!failed) return;
  ++newest.failures;
  ++failures_;
}

void minute_counts::forgive() noexcept {
  for (std::size_t back = 0; back < steps_.size(); ++back) {
    step& one = steps_[(static_cast<std::size_t>(newest_) + steps_.size() - back) % steps_.size()];
    if (one.failures == 0) continue;
    --one.failures;
    --failures_;
    return;
  }
}

timestamp minute_counts::next_step(timestamp now) noexcept {
  return from_unix_ms((step_of(now) + 1) * step_ms);
}

breaker_state breaker::state(timestamp now) const noexcept {
  if (closed()) return breaker_state::closed;
  return waits(until_, pause_ + clock_correction, now) ? breaker_state::open
                                                       : breaker_state::half_open;
}

void breaker::succeeded(timestamp now) noexcept {
  if (!closed()) return;
  failed_cohorts_ppm_ = 0;
  recent_.add(now, false);
}

bool breaker::failed(int cohort, std::string_view reason, const breaker_rules& rules, double random,
                     timestamp now) {
  if (!closed() || rules.open_first.count() == 0) return false;
  const auto size = static_cast<std::uint32_t>(std::max(1, cohort));
  // Two failures of a quiet origin on different days say nothing about today.
  if (now - failed_last_ > cohorts_apart_max || now < failed_last_) failed_cohorts_ppm_ = 0;
  failed_last_ = now;
  failed_cohorts_ppm_ += (cohort_ppm + size - 1) / size;
  recent_.add(now, true);
  const bool cohorts = failed_cohorts_ppm_ >= failed_cohorts_max * cohort_ppm;
  const bool share =
      recent_.attempts() >= attempts_min && recent_.failures() * 2 >= recent_.attempts();
  if (!cohorts && !share) return false;
  since_ = now;
  open(reason, rules, random, now);
  return true;
}

void breaker::open(std::string_view reason, const breaker_rules& rules, double random,
                   timestamp now) {
  const std::uint32_t doublings = std::min<std::uint32_t>(trips_, 20);
  const milliseconds whole = std::min(rules.open_first * (std::int64_t{1} << doublings),
                                      std::max(rules.open_first, rules.open_max));
  const auto half = static_cast<double>(whole.count()) / 2.0;
  ++trips_;
  pause_ = milliseconds{static_cast<std::int64_t>(half + half * random)};
  until_ = now + pause_;
  reason_ = reason;
  probing_ = false;
}

bool breaker::may_probe(timestamp now) const noexcept {
  return state(now) == breaker_state::half_open && !probing_;
}

void breaker::probe_succeeded() noexcept { *this = {}; }

void breaker::probe_failed(std::string_view reason, const breaker_rules& rules, double random,
                           timestamp now) {
  // Switched off meanwhile: what was open must not stay so for ever.
  if (rules.open_first.count() == 0) return probe_succeeded();
  open(reason, rules, random, now);
}

breaker_record breaker::record(std::string origin) const {
  return {std::move(origin), trips_, since_, until_, reason_};
}

void breaker::restore(const breaker_record& stored, const breaker_rules& rules, timestamp now) {
  trips_ = std::max<std::uint32_t>(1, stored.trips);
  since_ = stored.since;
  until_ = std::min(stored.until, now + std::max(rules.open_first, rules.open_max));
  pause_ = until_ - now;
  reason_ = stored.reason;
  probing_ = false;
}

}  // namespace syndicated::core
