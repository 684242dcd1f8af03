#include "core/lifecycle/metric_poll.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"

namespace syndicated::core {
namespace {

const metric* metric_named(const product& p, std::string_view name) {
  const auto found =
      std::ranges::find_if(p.metrics, [name](const metric& m) { return m.name == name; });
  return found == p.metrics.end() ? nullptr : &*found;
}

}  // namespace

metric_polls polls_for(const metric_polls& present, const product& p, subscription_id id,
                       subscription_status status, timestamp now) {
  metric_polls out;
  if (status != subscription_status::deployed && status != subscription_status::stopped) return out;
  for (const metric& m : p.metrics) {
    if (m.url.empty()) continue;
    const auto known = present.find(m.name);
    if (known != present.end()) {
      out.insert(*known);
      // A frequency that became shorter counts from now on.
      out[m.name].due = std::min(known->second.due, now + m.frequency);
      continue;
    }
    const auto every = static_cast<std::uint64_t>(m.frequency.count());
    constexpr std::uint64_t spread = 0x9E3779B97F4A7C15ULL;  // neighbours end far apart
    const std::chrono::seconds first{static_cast<std::int64_t>((id.value * spread >> 16U) % every)};
    out[m.name].due = now + first;
  }
  return out;
}

std::optional<timestamp> next_poll(const metric_polls& polls) {
  std::optional<timestamp> next;
  for (const auto& [name, poll] : polls) {
    if (!next || poll.due < *next) next = poll.due;
  }
  return next;
}

std::vector<std::string> take_due(metric_polls& polls, const product& p, timestamp now) {
  std::vector<std::string> due;
  for (auto& [name, poll] : polls) {
    const metric* m = metric_named(p, name);
    if (m == nullptr || poll.due > now) continue;
    due.push_back(name);
    // After a pause of the daemon it asks once, and keeps its rhythm.
    const auto missed = (now - poll.due) / m->frequency;
    poll.due += (missed + 1) * m->frequency;
  }
  return due;
}

void note_answer(metric_poll& poll, decimal value, std::string problem, timestamp now) {
  poll.failures = problem.empty() ? 0 : poll.failures + 1;
  poll.problem = std::move(problem);
  if (poll.failures > 0) return;
  poll.value = value;
  poll.answered_at = now;
}

std::string to_json(std::string_view metric, const metric_poll& poll) {
  json_writer out;
  out.begin_object();
  out.key("metric").text(metric);
  out.key("next_at").time(poll.due);
  out.key("answered_at").time(poll.answered_at);
  out.key("value");
  if (poll.answered_at) {
    out.raw(to_string(poll.value));
  } else {
    out.null();
  }
  out.key("failures").number(static_cast<std::uint64_t>(poll.failures));
  out.key("problem").text(poll.problem);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::core
