// Orders: what was asked of a subscription, as Cloudesire shows it (domain.md, 1.10). The first one
// made the subscription; the others are its operations.
#include "api/access.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"
#include "api/words.hpp"
#include "core/lifecycle/first_order.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;

struct order {
  core::subscription owner;
  core::operation asked;
};

core::result<order> visible_order(const call& c) {
  const core::operation_id id{c.id()};
  auto owner = visible_subscription(c, core::subscription_of(id));
  if (!owner) return no_such("order", id.value);
  auto asked = core::find_operation(*owner, core::number_of(id));
  if (!asked) return no_such("order", id.value);
  return order{std::move(*owner), std::move(*asked)};
}

void get_order(const call_ptr& c) {
  const auto found = visible_order(*c);
  if (!found) return c->fail(found.failure());
  c->send(200, cloudesire::order_text(found->owner, found->asked));
}

// The auditor's word on the first order, or the vendor's on a change that waits for it.
void decide_order(const call_ptr& c, bool approved) {
  const auto found = visible_order(*c);
  if (!found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  core::subscription_command command;
  if (found->asked.number == core::first_order) {
    command.action = approved ? subscription_action::approve : subscription_action::reject;
  } else {
    command.action = subscription_action::answer_operation;
    command.operation = found->asked.number;
    command.success = approved;
  }
  command.by = party_of(*c, command.action);
  c->engine().command(
      found->owner.id, std::move(command), std::move(*options),
      rendered<core::subscription>(c, 204, [](const core::subscription&) { return std::string{}; }),
      finish(c));
}

void approve_order(const call_ptr& c) { decide_order(c, true); }
void reject_order(const call_ptr& c) { decide_order(c, false); }

void patch_order(const call_ptr& c) {
  const auto body = c->body();
  if (!body) return c->fail(body.failure());
  const json* action = body->find("action");
  const std::string word =
      action != nullptr && action->text() != nullptr ? upper_case(*action->text()) : "";
  if (word != "APPROVE" && word != "REJECT") {
    return c->fail({core::errc::malformed,
                    "invalid_field",
                    "action must be APPROVE or REJECT",
                    {{"/action", "must be APPROVE or REJECT"}},
                    {}});
  }
  decide_order(c, word == "APPROVE");
}

}  // namespace

route_list cloudesire_order_routes() {
  return {
      {"GET", "/api/order/{id}", face::cloudesire, false, get_order},
      {"PATCH", "/api/order/{id}", face::cloudesire, true, patch_order},
      {"POST", "/api/order/{id}/approve", face::cloudesire, true, approve_order},
      {"POST", "/api/order/{id}/reject", face::cloudesire, true, reject_order},
  };
}

}  // namespace syndicated::api
