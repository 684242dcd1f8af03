// Asking for usage: which metrics of a product are asked for a subscription, and when (domain.md,
// 1.12 and 10.9). Pure: the clock is a parameter.
//
// The first question comes within the metric's frequency, at a place that depends on the
// subscription, so that those of one hour do not ask together; later ones keep that rhythm.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/allowance.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

struct metric_poll {
  timestamp due{};                       // of the next question
  std::uint32_t failures = 0;            // in a row
  std::string problem;                   // of the last one
  std::optional<timestamp> answered_at;  // last with a value
  decimal value;                         // then
  friend bool operator==(const metric_poll&, const metric_poll&) = default;
};
using metric_polls = std::map<std::string, metric_poll, std::less<>>;

// The polls that a subscription has in this status: of each metric with an address.
metric_polls polls_for(const metric_polls& present, const product& p, subscription_id id,
                       subscription_status status, timestamp now);
std::optional<timestamp> next_poll(const metric_polls& polls);
// Names of what is due; each is moved to its next instant after `now`.
std::vector<std::string> take_due(metric_polls& polls, const product& p, timestamp now);

// An empty problem: the value was taken.
void note_answer(metric_poll& poll, decimal value, std::string problem, timestamp now);

std::string to_json(std::string_view metric, const metric_poll& poll);

}  // namespace syndicated::core
