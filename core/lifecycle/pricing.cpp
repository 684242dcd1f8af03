#include "core/lifecycle/pricing.hpp"

#include <algorithm>

#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

using wide = __int128;  // money times units times hours

constexpr std::int64_t unit_parts = 1'000'000;  // of a usage sample

error too_large() { return invalid_field("", "the price does not fit: too many units"); }

wide rounded_division(wide value, wide by) {
  const wide half = by / 2;
  return value >= 0 ? (value + half) / by : (value - half) / by;
}

result<micros> narrowed(wide value) {
  constexpr wide max = 9'000'000'000'000'000'000;  // rounding to a coin still fits
  if (value > max || value < -max) return too_large();
  return static_cast<micros>(value);
}

// Ranges stand in order, the last one is open (catalog_rules.hpp).
bool reaches(const price_range& range, unit_count units) {
  return !range.to || units.numerator <= wide{*range.to} * units.denominator;
}

// Price times units, still with the units' denominator.
wide tiered_price(const resource_rate& rate, unit_count units, micros& setup) {
  wide sum = 0;
  for (const price_range& range : rate.ranges) {
    const wide below = wide{range.from - 1} * units.denominator;
    if (units.numerator <= below) break;
    const wide top =
        reaches(range, units) ? wide{units.numerator} : wide{*range.to} * units.denominator;
    sum += (top - below) * range.unit_price;
    setup += range.setup;
  }
  return sum;
}

wide price_times_units(const resource_rate& rate, unit_count units, micros& setup) {
  if (rate.scheme == rate_scheme::tiered) return tiered_price(rate, units, setup);
  const auto reached = std::ranges::find_if(
      rate.ranges, [units](const price_range& range) { return reaches(range, units); });
  if (reached == rate.ranges.end()) return 0;  // no range at all
  setup += reached->setup;
  const bool each = rate.scheme == rate_scheme::per_unit || rate.scheme == rate_scheme::volume;
  return wide{reached->unit_price} * (each ? units.numerator : units.denominator);
}

std::int64_t hours_up(timestamp from, timestamp to) {
  return std::chrono::ceil<std::chrono::hours>(to - from).count();
}

}  // namespace

result<charge> price_of(const resource_rate& rate, unit_count units) {
  charge out;
  if (units.numerator <= 0) return out;
  out.setup = rate.setup;
  const wide price = price_times_units(rate, units, out.setup);
  const auto amount = narrowed(rounded_division(price, units.denominator));
  if (!amount) return amount.failure();
  out.recurring = *amount;
  return out;
}

unit_count beyond_included(unit_count units, std::int64_t included) noexcept {
  const wide rest = wide{units.numerator} - wide{included} * units.denominator;
  return {rest > 0 ? static_cast<std::int64_t>(rest) : 0, units.denominator};
}

result<period_part> remaining_part(timestamp at, timestamp period_start, timestamp period_end) {
  if (period_end <= period_start) return invalid_field("/period_end", "must be after the start");
  if (at < period_start || at > period_end) return invalid_field("/at", "is outside the period");
  return period_part{hours_up(at, period_end), hours_up(period_start, period_end)};
}

result<difference> price_difference(const resource_rate& rate, unit_count old_units,
                                    unit_count new_units, period_part part) {
  const auto scaled = [&](unit_count units) -> result<micros> {
    const auto full = price_of(rate, units);
    if (!full) return full.failure();
    return narrowed(
        rounded_division(wide{full->recurring} * part.remaining_hours, part.total_hours));
  };
  const auto before = scaled(old_units);
  if (!before) return before.failure();
  const auto after = scaled(new_units);
  if (!after) return after.failure();
  return difference{-*before, *after};
}

result<unit_count> aggregated(metric_kind kind, metric_function function,
                              std::vector<usage_sample> samples, timestamp period_start,
                              timestamp period_end) {
  using std::chrono::hours;
  const auto whole = remaining_part(period_start, period_start, period_end);
  if (!whole) return whole.failure();
  if (whole->total_hours > limits::policy_span_s_max / 3'600) {
    return invalid_field("/period_end", "the period has too many hours");
  }
  std::ranges::stable_sort(samples, {}, &usage_sample::at);
  auto next = samples.begin();
  std::int64_t stands = 0;
  wide sum = 0;
  std::int64_t peak = 0;
  // What a gauge was before the period stands at its start.
  for (; next != samples.end() && next->at < period_start; ++next) stands = next->value;
  for (std::int64_t hour = 0; hour < whole->total_hours; ++hour) {
    const timestamp begin = period_start + hours{hour};
    const timestamp end = std::min(begin + hours{1}, period_end);
    std::int64_t highest = 0;
    wide added = 0;
    for (; next != samples.end() && next->at == begin; ++next) {
      stands = next->value;
      added += next->value;
    }
    highest = stands;
    for (; next != samples.end() && next->at < end; ++next) {
      stands = next->value;
      added += next->value;
      highest = std::max(highest, stands);
    }
    const auto value = kind == metric_kind::gauge ? result<micros>{highest} : narrowed(added);
    if (!value) return value.failure();
    sum += *value;
    peak = std::max(peak, *value);
  }
  if (function == metric_function::peak) return unit_count{peak, unit_parts};
  const auto total = narrowed(sum);
  if (!total) return total.failure();
  return unit_count{*total, unit_parts * whole->total_hours};
}

}  // namespace syndicated::core
