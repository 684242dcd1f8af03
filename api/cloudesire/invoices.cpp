// Invoices as Cloudesire's clients write and read them (domain.md, 1.10, 10.13): vendors ask for
// one or leave costs for later ones, the billing says what was paid.
#include "api/access.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/invoice_input.hpp"
#include "api/routes.hpp"
#include "api/words.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;

// The subscription, when the caller may charge for it; answers the refusals itself.
bool charges(const call_ptr& c) {
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure()), false;
  if (c->by.role != core::role::tenant) return true;
  return c->fail(forbidden("only the vendor charges for it")), false;
}

std::optional<core::invoice_kind> parse_kind(std::string_view text) {
  return core::parse_invoice_kind(upper_case(text));
}

std::optional<bool> parse_truth(std::string_view text) {
  const std::string word = upper_case(text);
  if (word == "TRUE") return true;
  if (word == "FALSE") return false;
  return std::nullopt;
}

std::string place_of(std::uint64_t invoice) { return "/api/invoice/" + std::to_string(invoice); }

// The repeat of a call with an Idempotency-Key says where the invoice is, too.
void locate(call& c, std::string& body) {
  const auto made = parse_json(body);
  const json* id = made ? made->find("id") : nullptr;
  if (id != nullptr && id->integer() != nullptr) {
    c.location = place_of(static_cast<std::uint64_t>(*id->integer()));
  }
}

void create_invoice(const call_ptr& c) {
  if (!charges(c)) return;
  query_reader q{c->query};
  core::new_invoice wanted;
  wanted.kind = q.word("type", parse_kind, "UPSELL, CHUNKED, CASHED, REFUND")
                    .value_or(core::invoice_kind::upsell);
  if (q.word("cashed", parse_truth, "true, false").value_or(false)) {
    wanted.kind = core::invoice_kind::cashed;
  }
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto lines = read_line_body(*body);
  if (!lines) return c->fail(lines.failure());
  if (lines->empty()) return c->fail(core::invalid_field("", "at least one line is needed"));
  wanted.lines = std::move(*lines);
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  core::subscription_command command;
  command.action = subscription_action::issue_invoice;
  command.by = party_of(*c, command.action);
  command.invoice = std::move(wanted);
  c->engine().command_invoice(
      core::subscription_id{c->id()}, std::move(command), std::move(*options),
      [c](const core::invoice& i, bool) {
        c->location = place_of(i.id.value);
        return actors::answer{201, cloudesire::invoice_text(i)};
      },
      finish(c));
}

template <bool Recurring>
void replace_costs(const call_ptr& c) {
  if (!charges(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto lines = read_line_body(*body);
  if (!lines) return c->fail(lines.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  core::subscription_command command;
  command.action = subscription_action::set_costs;
  command.by = party_of(*c, command.action);
  command.costs = core::cost_change{Recurring, std::move(*lines)};
  c->engine().command(
      core::subscription_id{c->id()}, std::move(command), std::move(*options),
      rendered<core::subscription>(
          c, 200,
          [c](const core::subscription& s) {
            const auto catalog = c->engine().catalog();
            const auto plan = catalog->find(s.plan);
            const auto product = catalog->find(s.product);
            return cloudesire::subscription_text(s, {plan.get(), product.get(), nullptr});
          }),
      finish(c));
}

void get_invoice(const call_ptr& c) {
  const auto found = visible_invoice(*c, core::invoice_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send_entity(cloudesire::invoice_text(*found), found->version);
}

void patch_invoice(const call_ptr& c) {
  const core::invoice_id id{c->id()};
  if (const auto found = visible_invoice(*c, id); !found) return c->fail(found.failure());
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto edit = read_payment(*body);
  if (!edit) return c->fail(edit.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  core::subscription_command command;
  command.action = subscription_action::edit_invoice;
  command.by = party_of(*c, command.action);
  command.invoice_edit = std::move(*edit);
  command.invoice_edit.number = core::number_of(id);
  c->engine().command_invoice(
      core::subscription_of(id), std::move(command), std::move(*options),
      [](const core::invoice&, bool) {
        return actors::answer{204, {}};
      },
      finish(c));
}

}  // namespace

route_list cloudesire_invoice_routes() {
  return {
      {"POST", "/api/subscription/{id}/invoice", face::cloudesire, true, create_invoice, locate},
      {"POST", "/api/subscription/{id}/invoice/oneshot", face::cloudesire, true,
       replace_costs<false>},
      {"POST", "/api/subscription/{id}/invoice/recurring", face::cloudesire, true,
       replace_costs<true>},
      {"GET", "/api/invoice/{id}", face::cloudesire, false, get_invoice},
      {"PATCH", "/api/invoice/{id}", face::cloudesire, true, patch_invoice},
  };
}

}  // namespace syndicated::api
