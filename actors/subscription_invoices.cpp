// What is asked of a subscription's invoices: decided by its machine, kept by invoice_keeper.hpp.
#include "actors/subscription_entity.hpp"

namespace syndicated::actors {

void subscription_entity::change_invoice(entity_request& request, const invoice_change& change) {
  const core::subscription_command& command = change.command;
  const bool is_new = command.action == core::subscription_action::issue_invoice;
  if (is_new && !version_fits(request, record_->version)) return;
  if (idle()) invoices_.forget();  // what it has written is on disk
  const auto catalog = s_.catalog.load();
  auto c = circumstances_of(*catalog, command);
  if (!c) return refuse(request, std::move(c).failure());
  std::optional<core::invoice> row;
  if (!is_new) {
    auto found = invoices_.find(core::invoice_of(record_->id, command.invoice_edit.number));
    if (!found) return refuse(request, std::move(found).failure());
    row = std::move(*found);
    if (!row) return refuse(request, core::not_found("no such invoice"));
    if (!version_fits(request, row->version)) return;
    c->invoice = &*row;
  }
  auto decided = core::decide(*record_, command, *c);
  if (!decided) return refuse(request, std::move(decided).failure());
  if (!decided->changed) return answer_unchanged(request, change.render(*row, false));
  const core::invoice_id id = is_new ? decided->issued->id : row->id;
  const auto shown = [this, id, render = change.render](const core::subscription&, bool) {
    auto written = invoices_.find(id);
    const bool there = written.ok() && *written;
    return there ? render(**written, true) : answer{500, {}};
  };
  write(request, std::move(*decided), adds_load(command), shown, {});
}

std::function<void()> subscription_entity::put_invoices(store::write_plan& plan,
                                                        invoice_rows&& rows,
                                                        const core::subscription& next,
                                                        const std::string& cause,
                                                        std::function<void()> after) {
  std::vector<core::stream_id> told;
  std::vector<std::string_view> names;
  for (const invoice_rows::row& row : rows.all) {
    if (!row.told.empty()) names.push_back(row.told);
  }
  invoices_.write(plan, std::move(rows), next, cause, told);
  if (s_.tell_orders) {
    put_orders(s_, plan, record_ ? &*record_ : nullptr, next, cause, told);
  }
  if (told.empty()) return after;
  return
      [services = &s_, told = std::move(told), names = std::move(names), after = std::move(after)] {
        for (const std::string_view name : names) count_invoice(*services, name);
        // So that they need not wait for the ticker.
        for (const core::stream_id& stream : told) services->tell(stream, untold_events{});
        if (after) after();
      };
}

}  // namespace syndicated::actors
