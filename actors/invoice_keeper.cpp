#include "actors/invoice_keeper.hpp"

#include "core/lifecycle/order_events.hpp"

namespace syndicated::actors {
namespace {

void put_told(services& s, store::write_plan& plan, core::event&& e, core::tenant_id tenant,
              core::vendor_id vendor, const std::string& cause,
              std::vector<core::stream_id>& told) {
  e.tenant = tenant;
  e.vendor = vendor;
  e.cause = cause;
  s.repo.put_untold(plan, e);
  told.push_back(e.stream);
}

}  // namespace

core::result<std::optional<core::invoice>> invoice_keeper::find(core::invoice_id id) const {
  if (const auto at = ahead_.find(id); at != ahead_.end()) return std::optional{at->second};
  return stored_.find(id);
}

core::result<invoice_rows> invoice_keeper::follow(
    const core::subscription* before, const core::subscription_decision& decided) const {
  constexpr auto purged = core::subscription_status::purged;
  invoice_rows out;
  const core::subscription& next = decided.next;
  for (const core::invoice_step& step : decided.invoices) {
    const core::invoice_id id = core::invoice_of(next.id, step.to.number);
    std::optional<core::invoice> row = decided.issued;
    if (!row || row->id != id) {
      auto found = find(id);
      if (!found) return std::move(found).failure();
      row = std::move(*found);
    }
    if (!row) continue;  // there is no such thing: rows are never erased
    core::apply(*row, step, next.updated_at);
    if (next.status == purged) core::erase_lines(*row);
    out.all.push_back({std::move(*row), step.told});
  }
  // All at once, and only then: later steps have what is on disk to build on.
  const bool goes = next.status == purged && (before == nullptr || before->status != purged);
  if (!goes || next.last_invoice == 0) return out;
  auto ok = stored_.of(next.id, {}, [&](core::invoice&& stored) {
    const auto newer = ahead_.find(stored.id);
    invoice_rows::row& row = out.all.emplace_back();
    row.now = newer != ahead_.end() ? newer->second : std::move(stored);
    core::erase_lines(row.now);
    return true;
  });
  if (!ok) return std::move(ok).failure();
  return out;
}

void invoice_keeper::write(store::write_plan& plan, invoice_rows&& rows,
                           const core::subscription& owner, const std::string& cause,
                           std::vector<core::stream_id>& told) {
  for (invoice_rows::row& row : rows.all) {
    store::invoices::put(plan, row.now);
    if (!row.told.empty()) {
      put_told(s_, plan, core::event_of(row.now, row.told), row.now.tenant, owner.vendor, cause,
               told);
    }
    ahead_.insert_or_assign(row.now.id, std::move(row.now));
  }
}

void count_invoice(services& s, std::string_view event_name) noexcept {
  std::atomic<std::uint64_t>* counter = event_name == "invoice.issued"    ? &s.invoices_issued
                                        : event_name == "invoice.paid"    ? &s.invoices_paid
                                        : event_name == "invoice.overdue" ? &s.invoices_overdue
                                        : event_name == "invoice.expired" ? &s.invoices_expired
                                                                          : nullptr;
  if (counter != nullptr) counter->fetch_add(1, std::memory_order_relaxed);
}

void put_orders(services& s, store::write_plan& plan, const core::subscription* before,
                const core::subscription& after, const std::string& cause,
                std::vector<core::stream_id>& told) {
  for (core::event& e : core::order_events(before, after)) {
    put_told(s, plan, std::move(e), after.tenant, after.vendor, cause, told);
  }
}

}  // namespace syndicated::actors
