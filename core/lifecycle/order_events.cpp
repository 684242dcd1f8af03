#include "core/lifecycle/order_events.hpp"

#include <algorithm>

#include "core/lifecycle/json.hpp"

namespace syndicated::core {
namespace {

using status = subscription_status;

void write_first(json_writer& out, const subscription& s) {
  out.key("id").number(operation_of(s.id, first_order).value);
  out.key("subscription_id").number(s.id.value);
  out.key("kind").text(to_string(operation_kind::first));
  out.key("state").text(first_order_word(s));
  out.key("requested_at").time(s.created_at);
  out.key("plan_to").number(s.plan.value);
  out.key("quantities_to").begin_object();
  for (const auto& [name, count] : s.quantities) out.given_key(name).number(count);
  out.end_object();
}

template <class Write>
event told(const subscription& s, std::uint32_t number, bool created, std::string_view state,
           Write&& write) {
  event e;
  e.stream = stream_of(operation_of(s.id, number));
  e.name = created ? "order.created" : "order.changed";
  e.type = created ? wire_type::created : wire_type::modified;
  e.entity_version = s.version;
  e.metadata = {{"state", std::string{state}}, {"subscription", std::to_string(s.id.value)}};
  json_writer out;
  out.begin_object();
  write(out);
  out.end_object();
  e.data = std::move(out).str();
  return e;
}

}  // namespace

std::string_view first_order_word(const subscription& s) noexcept {
  switch (s.status) {
    case status::requires_approval: return "REQUIRES_APPROVAL";
    case status::rejected: return "REJECTED";
    case status::postponed: return "SCHEDULED";
    case status::waiting_payment: return "PENDING";
    case status::payment_expired: return "CANCELLED";
    case status::pending:
    case status::post_configuration: return "IN_PROGRESS";
    case status::failed: return "FAILED";
    case status::deployed:
    case status::stopped: return "SUCCEEDED";
    case status::undeploy_sent:
    case status::undeployed:
    case status::purged: return s.period_start ? "SUCCEEDED" : "CANCELLED";
  }
  return "";
}

std::vector<event> order_events(const subscription* before, const subscription& after) {
  std::vector<event> out;
  const std::string_view first = first_order_word(after);
  const bool rejected = before != nullptr && before->status == status::rejected;
  if (before == nullptr || (!rejected && first_order_word(*before) != first)) {
    out.push_back(told(after, first_order, before == nullptr, first,
                       [&after](json_writer& to) { write_first(to, after); }));
  }
  for (const operation& o : after.operations) {
    const operation* old = nullptr;
    if (before != nullptr) {
      const auto at = std::ranges::find(before->operations, o.number, &operation::number);
      if (at != before->operations.end()) old = &*at;
    }
    if (old != nullptr && old->state == o.state) continue;
    out.push_back(told(after, o.number, old == nullptr, to_string(o.state),
                       [&](json_writer& to) { write_members(to, o, after.id); }));
  }
  return out;
}

}  // namespace syndicated::core
