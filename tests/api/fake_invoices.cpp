// Invoices of the engine in memory.
#include "tests/api/fake_engine_parts.hpp"

namespace syndicated::tests {

void adopt_invoices(fake_engine& engine, const core::subscription_decision& d) {
  for (const core::invoice_step& step : d.invoices) {
    const core::invoice_id id = core::invoice_of(d.next.id, step.to.number);
    if (d.issued && d.issued->id == id) engine.all_invoices[id.value] = *d.issued;
    core::apply(engine.all_invoices.at(id.value), step, d.next.updated_at);
  }
}

void fake_engine::command_invoice(core::subscription_id id, core::subscription_command command,
                                  actors::write_options options,
                                  actors::renderer<core::invoice> render,
                                  actors::write_reply reply) {
  const auto owner = subscription(id);
  if (!owner) return reply(owner.failure());
  const bool is_new = command.action == core::subscription_action::issue_invoice;
  core::invoice_id subject = core::invoice_of(id, command.invoice_edit.number);
  core::circumstances c;
  c.now = now();
  if (!is_new) {
    const auto found = all_invoices.find(subject.value);
    if (found == all_invoices.end()) return reply(core::not_found("no such invoice"));
    c.invoice = &found->second;
    if (options.if_match && *options.if_match != found->second.version) return reply(stale());
  }
  auto decided = core::decide(*owner, command, c);
  if (!decided) return reply(std::move(decided).failure());
  if (is_new) subject = decided->issued->id;
  all_subscriptions[id.value] = decided->next;
  adopt_invoices(*this, *decided);
  commit(options, all_invoices.at(subject.value), decided->changed, render, std::move(reply));
}

core::result<core::invoice> fake_engine::invoice(core::invoice_id id) const {
  return look_up(all_invoices, id.value);
}

core::result<actors::page<core::invoice>> fake_engine::invoices(
    core::subscription_id owner, const std::function<bool(const core::invoice&)>& wanted,
    const actors::page_request& p) const {
  return select(all_invoices, p, [owner, &wanted](const core::invoice& i) {
    return i.subscription == owner && wanted(i);
  });
}

}  // namespace syndicated::tests
