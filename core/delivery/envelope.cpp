#include "core/delivery/envelope.hpp"

#include "core/base/json_writer.hpp"

namespace syndicated::core {
namespace {

struct wire_entity {
  std::string_view name;  // Cloudesire's class name
  std::string_view url;   // lower-camel name, before the slash
};

// domain.md 10.11: a tenant is a `User` on that wire; plans are `ProductVersion`, and so is what is
// told of a product, whose URL leads to the product (both have ids of their own).
std::optional<wire_entity> wire_entity_of(entity_kind kind) {
  switch (kind) {
    case entity_kind::subscription: return wire_entity{"Subscription", "subscription"};
    case entity_kind::tenant: return wire_entity{"User", "user"};
    case entity_kind::user: return wire_entity{"User", "user"};
    case entity_kind::plan: return wire_entity{"ProductVersion", "productVersion"};
    case entity_kind::product: return wire_entity{"ProductVersion", "product"};
    case entity_kind::invoice: return wire_entity{"Invoice", "invoice"};
    case entity_kind::operation: return wire_entity{"Cart", "order"};  // what was asked for
    case entity_kind::vendor:
    case entity_kind::endpoint:
    case entity_kind::token:
    case entity_kind::published:
    case entity_kind::unordered:
    case entity_kind::event_type:
    case entity_kind::resource:
    case entity_kind::commitment:
    case entity_kind::usages:
    case entity_kind::instance: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool sent_in(wire_form form, const event& e) noexcept {
  if (form == wire_form::standard) return true;
  return e.type != wire_type::none && wire_entity_of(e.stream.kind).has_value();
}

wire_type told_as(const event& e, const endpoint& to) noexcept {
  const bool last = to.form == wire_form::cloudesire &&
                    to.termination == termination_signal::deleted &&
                    e.name == "subscription.deprovision_requested";
  return last ? wire_type::deleted : e.type;
}

std::string render_cloudesire(const event& e, id_format ids, bool with_event_id, bool with_metadata,
                              wire_type type) {
  const wire_entity entity =
      wire_entity_of(e.stream.kind).value_or(wire_entity{"Subscription", "subscription"});
  std::string url{entity.url};
  url += '/';
  url += std::to_string(e.stream.entity);
  json_writer out;  // keys in alphabetical order
  out.begin_object();
  out.key("date").text(format_rfc3339_seconds(e.at));
  out.key("entity").text(entity.name);
  out.key("entityUrl").text(url);
  if (with_event_id) out.key("eventId").number(e.id.value);
  out.key("id");
  if (ids == id_format::string) {
    out.text(std::to_string(e.stream.entity));
  } else {
    out.number(e.stream.entity);
  }
  if (with_metadata && !e.metadata.empty()) out.key("metadata").map(e.metadata);
  out.key("type").text(to_string(type));
  out.end_object();
  return std::move(out).str();
}

std::string render_standard(const event& e) {
  json_writer out;
  out.begin_object();
  out.key("type").text(e.name);
  out.key("timestamp").time(e.at);
  out.key("data").raw(e.data.empty() ? "{}" : e.data);
  out.end_object();
  return std::move(out).str();
}

std::string render(const event& e, const endpoint& to) {
  if (to.form == wire_form::standard) return render_standard(e);
  return render_cloudesire(e, to.id_format, to.with_event_id, to.with_metadata, told_as(e, to));
}

std::string webhook_id(event_id id) { return "evt_" + std::to_string(id.value); }

}  // namespace syndicated::core
