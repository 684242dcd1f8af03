#include "core/lifecycle/order_events.hpp"

#include <algorithm>

#include "core/lifecycle/first_order.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::core {
namespace {

event told(const subscription& s, const operation& o, bool created) {
  event e;
  e.stream = stream_of(operation_of(s.id, o.number));
  e.name = created ? "order.created" : "order.changed";
  e.type = created ? wire_type::created : wire_type::modified;
  e.entity_version = s.version;
  e.metadata = {{"state", std::string{to_string(o.state)}},
                {"subscription", std::to_string(s.id.value)}};
  json_writer out;
  write_operation(out, o, s.id);
  e.data = std::move(out).str();
  return e;
}

}  // namespace

std::vector<event> order_events(const subscription* before, const subscription& after) {
  std::vector<event> out;
  const operation first = first_order_of(after);
  // A purge forgets why it ended, and changes nothing of the order.
  const bool over = before != nullptr && before->status == subscription_status::rejected;
  if (before == nullptr || (!over && first_order_state(*before) != first.state)) {
    out.push_back(told(after, first, before == nullptr));
  }
  for (const operation& o : after.operations) {
    const operation* old = nullptr;
    if (before != nullptr) {
      const auto at = std::ranges::find(before->operations, o.number, &operation::number);
      if (at != before->operations.end()) old = &*at;
    }
    if (old == nullptr || old->state != o.state) out.push_back(told(after, o, old == nullptr));
  }
  return out;
}

}  // namespace syndicated::core
