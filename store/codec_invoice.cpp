#include "store/codec_invoice.hpp"

#include "store/invoices.hpp"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

void put_lines(line_records& to, const std::vector<core::invoice_line>& from) {
  for (const core::invoice_line& l : from) {
    records::InvoiceLine* out = to.Add();
    out->set_description(l.description);
    out->set_identifier(l.identifier);
    out->set_price_micros(l.price);
    out->set_currency(l.currency);
    if (l.vat) out->set_vat_micros(l.vat->micros);
    out->set_quantity_micros(l.quantity.micros);
    out->set_unit(l.unit);
    if (l.purchased) out->set_purchased_ms(ms(*l.purchased));
  }
}

std::vector<core::invoice_line> get_lines(const line_records& from) {
  std::vector<core::invoice_line> out;
  for (const records::InvoiceLine& r : from) {
    core::invoice_line& l = out.emplace_back();
    l.description = r.description();
    l.identifier = r.identifier();
    l.price = r.price_micros();
    l.currency = r.currency();
    if (r.has_vat_micros()) l.vat = core::decimal{r.vat_micros()};
    l.quantity = {r.quantity_micros()};
    l.unit = r.unit();
    if (r.has_purchased_ms()) l.purchased = at(r.purchased_ms());
  }
  return out;
}

std::string encode(const core::invoice& i) {
  records::Invoice out;
  out.set_kind(number(i.kind));
  out.set_state(number(i.state));
  if (i.due_at) out.set_due_ms(ms(*i.due_at));
  out.set_overdue(i.overdue);
  out.set_reference(i.reference);
  put_lines(*out.mutable_lines(), i.lines);
  out.set_version(i.version);
  out.set_created_at_ms(ms(i.created_at));
  out.set_updated_at_ms(ms(i.updated_at));
  out.set_tenant(i.tenant.value);
  return framed(out);
}

core::result<core::invoice> decode_invoice(core::invoice_id id, std::string_view value) {
  records::Invoice r;
  if (auto e = parse(r, value, "invoice")) return std::move(*e);
  if (r.state() < 1 || r.state() > core::invoice_state_count) return damaged("invoice");
  core::invoice out;
  out.id = id;
  out.subscription = core::subscription_of(id);
  out.kind = static_cast<core::invoice_kind>(r.kind());
  out.state = static_cast<core::invoice_state>(r.state());
  if (r.has_due_ms()) out.due_at = at(r.due_ms());
  out.overdue = r.overdue();
  out.reference = r.reference();
  out.lines = get_lines(r.lines());
  out.version = r.version();
  out.created_at = at(r.created_at_ms());
  out.updated_at = at(r.updated_at_ms());
  out.tenant = {r.tenant()};
  return out;
}

}  // namespace syndicated::store
