#include "actors/skip_marks.hpp"

#include <algorithm>

namespace syndicated::actors {

void skip_marks::begin_plan(std::uint64_t number, std::uint64_t settled) {
  plan_ = number;
  std::erase_if(under_way_, [settled](const mark& m) { return m.plan <= settled; });
}

void skip_marks::set(store::write_plan& plan, core::event_id event, core::endpoint_id endpoint,
                     bool there) {
  if (there) {
    repo_.put_skipped(plan, event, endpoint);
  } else {
    repo_.erase_skipped(plan, event, endpoint);
  }
  under_way_.push_back({plan_, event, endpoint, there});
}

core::result<bool> skip_marks::is_set(core::event_id event, core::endpoint_id endpoint) const {
  const auto newest = std::find_if(under_way_.rbegin(), under_way_.rend(), [&](const mark& m) {
    return m.event == event && m.endpoint == endpoint;
  });
  if (newest != under_way_.rend()) return newest->there;
  return repo_.is_skipped(event, endpoint);
}

core::result<bool> skip_marks::any_of(core::event_id event) const {
  std::vector<core::endpoint_id> candidates;
  auto scanned = repo_.skipped_at(event, [&candidates](core::endpoint_id&& id) {
    candidates.push_back(id);
    return true;
  });
  if (!scanned) return std::move(scanned).failure();
  for (const mark& m : under_way_) {
    if (m.event == event) candidates.push_back(m.endpoint);
  }
  for (core::endpoint_id id : candidates) {
    auto set = is_set(event, id);
    if (!set || *set) return set;
  }
  return false;
}

}  // namespace syndicated::actors
