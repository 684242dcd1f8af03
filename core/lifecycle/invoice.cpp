#include "core/lifecycle/invoice.hpp"

#include <algorithm>

#include "core/lifecycle/money.hpp"
#include "core/lifecycle/name_search.hpp"

namespace syndicated::core {

std::string_view to_string(invoice_state state) noexcept {
  switch (state) {
    case invoice_state::unpaid: return "UNPAID";
    case invoice_state::pending: return "PENDING";
    case invoice_state::delayed: return "DELAYED";
    case invoice_state::paid: return "PAID";
    case invoice_state::expired: return "EXPIRED";
  }
  return "";
}
std::optional<invoice_state> parse_invoice_state(std::string_view text) noexcept {
  if (text == "REQUIRES_ACTION" || text == "REQUIRES_CAPTURE") return invoice_state::pending;
  return parse_by_name<invoice_state>(text, invoice_state_count);
}

std::string_view to_string(invoice_kind kind) noexcept {
  switch (kind) {
    case invoice_kind::normal: return "NORMAL";
    case invoice_kind::upsell: return "UPSELL";
    case invoice_kind::chunked: return "CHUNKED";
    case invoice_kind::cashed: return "CASHED";
    case invoice_kind::refund: return "REFUND";
  }
  return "";
}
std::optional<invoice_kind> parse_invoice_kind(std::string_view text) noexcept {
  return parse_by_name<invoice_kind>(text, 5);
}

bool owes_nothing(const new_invoice& wanted) noexcept {
  if (wanted.kind == invoice_kind::cashed || wanted.kind == invoice_kind::refund) return true;
  return !wanted.lines.empty() &&
         std::ranges::all_of(wanted.lines, [](const invoice_line& l) { return l.price <= 0; });
}

bool may_go(invoice_state from, invoice_state to) noexcept {
  switch (from) {
    case invoice_state::unpaid:
    case invoice_state::pending:
    case invoice_state::delayed: return true;
    case invoice_state::paid: return false;
    case invoice_state::expired: return counts_as_paid(to);
  }
  return false;
}

void apply(invoice& i, const invoice_step& step, timestamp now) {
  i.state = step.to.state;
  i.due_at = step.to.due_at;
  i.overdue = step.to.overdue;
  i.updated_at = now;
  ++i.version;
}

void erase_lines(invoice& i) { i.lines.clear(); }

event event_of(const invoice& i, std::string_view name) {
  event e;
  e.stream = stream_of(i.id);
  e.name = name;
  e.type = i.version == 1 ? wire_type::created : wire_type::modified;
  e.entity_version = i.version;
  e.metadata["paid"] = counts_as_paid(i.state) ? "true" : "false";
  e.metadata["subscription"] = std::to_string(i.subscription.value);
  e.data = to_json(i);
  return e;
}

void write_lines(json_writer& out, const std::vector<invoice_line>& lines) {
  const auto text_or_null = [&out](json_name name, const std::string& text) {
    out.key(name);
    if (text.empty()) {
      out.null();
    } else {
      out.text(text);
    }
  };
  out.begin_array();
  for (const invoice_line& l : lines) {
    out.begin_object();
    out.key("description").text(l.description);
    text_or_null("identifier", l.identifier);
    out.key("price").text(money_text(l.price));
    text_or_null("currency", l.currency);
    out.key("vat");
    if (l.vat) {
      out.raw(to_string(*l.vat));
    } else {
      out.null();
    }
    out.key("quantity").raw(to_string(l.quantity));
    text_or_null("unit", l.unit);
    out.key("purchased_at").time(l.purchased);
    out.end_object();
  }
  out.end_array();
}

void write_members(json_writer& out, const invoice& i) {
  out.key("id").number(i.id.value);
  out.key("subscription_id").number(i.subscription.value);
  out.key("tenant_id").number(i.tenant.value);
  out.key("kind").text(to_string(i.kind));
  out.key("state").text(to_string(i.state));
  out.key("paid").boolean(counts_as_paid(i.state));
  out.key("due_at").time(i.due_at);
  out.key("overdue").boolean(i.overdue);
  out.key("reference").text(i.reference);
  write_lines(out.key("lines"), i.lines);
  out.key("version").number(i.version);
  out.key("created_at").time(i.created_at);
  out.key("updated_at").time(i.updated_at);
}

std::string to_json(const invoice& i) {
  json_writer out;
  out.begin_object();
  write_members(out, i);
  out.end_object();
  return std::move(out).str();
}

void write_open(json_writer& out, const open_invoice& i, subscription_id owner) {
  out.begin_object();
  out.key("id").number(invoice_of(owner, i.number).value);
  out.key("state").text(to_string(i.state));
  out.key("due_at").time(i.due_at);
  out.key("overdue").boolean(i.overdue);
  out.end_object();
}

}  // namespace syndicated::core
