#include "core/lifecycle/order_events.hpp"

#include <optional>

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
  out.begin_object();
  write_members(out, o, s.id);
  out.key("version").number(s.version);  // an order has none of its own
  out.end_object();
  e.data = std::move(out).str();
  return e;
}

}  // namespace

std::vector<event> order_events(const subscription* before, const subscription& after) {
  std::vector<event> out;
  const auto compare = [&](const operation& o, const std::optional<operation>& old) {
    if (!old || old->state != o.state) out.push_back(told(after, o, !old));
  };
  // What is purged is shown by what is left of it; that is no news.
  if (after.status == subscription_status::purged) return out;
  const auto known = [before](std::uint32_t number) {
    return before == nullptr ? std::nullopt : find_operation(*before, number);
  };
  compare(first_order_of(after), known(first_order));
  for (const operation& o : after.operations) compare(o, known(o.number));
  return out;
}

}  // namespace syndicated::core
