// What a quantity costs (domain.md, 1.13). It computes, for quotes and for data in events; nothing
// here is an invoice. Pure and exact: integers all the way, rounded once, halves away from zero.
//
// A rate is the price of one billing period. Units that the plan includes cost nothing. The one-off
// costs are those of the order and of the ranges the quantity stands in.
// Limits: units up to limits::units_max. Errors: errc::invalid when an amount leaves 63 bits.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::core {

// Units that are priced, as a fraction: an average is rarely whole. Denominator > 0.
struct unit_count {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;
};

struct charge {
  micros recurring = 0;  // for each billing period
  micros setup = 0;      // once
};

result<charge> price_of(const resource_rate& rate, unit_count units);

// The part of `units` that is not included.
unit_count beyond_included(unit_count units, std::int64_t included) noexcept;

// A quantity that changes inside a period: what the next invoice gets, minus the scaled price of
// the old one, plus that of the new one. Hours are rounded up.
struct period_part {
  std::int64_t remaining_hours = 0;
  std::int64_t total_hours = 1;
};
// Errors: errc::invalid when the period is empty or `at` is outside of it.
result<period_part> remaining_part(timestamp at, timestamp period_start, timestamp period_end);

struct difference {
  micros credit = 0;  // of the old quantity; not positive
  micros debit = 0;   // of the new one
};
result<difference> price_difference(const resource_rate& rate, unit_count old_units,
                                    unit_count new_units, period_part part);

// What a metric was seen at. A gauge keeps its value until the next sample; a counter's samples are
// what was added at that instant.
struct usage_sample {
  timestamp at{};
  std::int64_t value = 0;  // millionths of a unit
};

// The units of a period, in whole hours that begin with it: an hour counts with the highest value
// that a gauge had in it, or with what a counter added in it. Before its first sample a gauge is 0.
// `average` is over all hours of the period, `peak` its highest hour. Samples in any order; of a
// gauge's in one instant the last counts. Errors: as remaining_part; errc::invalid above
// limits::policy_span_s_max.
result<unit_count> aggregated(metric_kind kind, metric_function function,
                              std::vector<usage_sample> samples, timestamp period_start,
                              timestamp period_end);

}  // namespace syndicated::core
