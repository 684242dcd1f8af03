// The mirror of the billing's invoices: issued, read, and settled (domain.md, 10.2, 10.13).
#include "api/invoice_input.hpp"
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;

constexpr auto invoice_text = [](const core::invoice& i) { return core::to_json(i); };

void send_command(const call_ptr& c, core::subscription_id owner,
                  core::subscription_command command, int status) {
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  command.by = party_of(*c, command.action);
  c->engine().command_invoice(owner, std::move(command), std::move(*options),
                              rendered<core::invoice>(c, status, invoice_text), finish(c));
}

void create_invoice(const call_ptr& c) {
  const core::subscription_id owner{c->id()};
  if (const auto found = visible_subscription(*c, owner); !found) return c->fail(found.failure());
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto wanted = read_new_invoice(*body);
  if (!wanted) return c->fail(wanted.failure());
  core::subscription_command command;
  command.action = subscription_action::issue_invoice;
  command.invoice = std::move(*wanted);
  send_command(c, owner, std::move(command), 201);
}

void list_invoices(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto owner = visible_subscription(*c, core::subscription_id{c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().invoices(
      owner->id, [&](const core::invoice& i) { return may_see(*c, i, *owner); }, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, invoice_text));
}

void get_invoice(const call_ptr& c) {
  const auto found = visible_invoice(*c, core::invoice_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send_entity(invoice_text(*found), found->version);
}

void update_invoice(const call_ptr& c) {
  const core::invoice_id id{c->id()};
  if (const auto found = visible_invoice(*c, id); !found) return c->fail(found.failure());
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto edit = read_invoice_edit(*body);
  if (!edit) return c->fail(edit.failure());
  core::subscription_command command;
  command.action = subscription_action::edit_invoice;
  command.invoice_edit = std::move(*edit);
  command.invoice_edit.number = core::number_of(id);
  send_command(c, core::subscription_of(id), std::move(command), 200);
}

}  // namespace

route_list invoice_routes() {
  return {
      {"POST", "/v1/subscriptions/{id}/invoices", face::v1, true, create_invoice},
      {"GET", "/v1/subscriptions/{id}/invoices", face::v1, false, list_invoices, nullptr, true},
      {"GET", "/v1/invoices/{id}", face::v1, false, get_invoice},
      {"PATCH", "/v1/invoices/{id}", face::v1, true, update_invoice},
  };
}

}  // namespace syndicated::api
