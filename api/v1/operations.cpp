// What was asked of a subscription, what is scheduled, and what waits for the vendor's answer
// (domain.md, 10.6).
#include <vector>

#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "api/words.hpp"
#include "core/lifecycle/first_order.hpp"

namespace syndicated::api {
namespace {

using core::subscription_action;

std::string operation_text(const core::operation& o, core::subscription_id owner) {
  core::json_writer out;
  core::write_operation(out, o, owner);
  return std::move(out).str();
}

core::result<core::operation> visible_operation(const call& c, core::operation_id id) {
  const auto owner = visible_subscription(c, core::subscription_of(id));
  if (owner) {
    if (auto found = core::find_operation(*owner, core::number_of(id))) return std::move(*found);
  }
  return no_such("operation", id.value);
}

void steer_operation(const call_ptr& c, core::subscription_command command, int status) {
  const core::operation_id id{c->id()};
  const core::subscription_id owner = core::subscription_of(id);
  if (!visible_subscription(*c, owner)) return c->fail(no_such("operation", id.value));
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  command.operation = core::number_of(id);
  command.by = party_of(*c, command.action);
  c->engine().command(owner, std::move(command), std::move(*options),
                      rendered<core::subscription>(
                          c, status,
                          [number = command.operation](const core::subscription& s) {
                            const auto found = core::find_operation(s, number);
                            return found ? operation_text(*found, s.id) : std::string{"{}"};
                          }),
                      finish(c));
}

// `status` in any case: "Success" is how vendors' code spells it.
void answer_operation(const call_ptr& c) {
  if (c->by.role == core::role::tenant) {
    return c->fail(forbidden("operations are answered by the vendor"));
  }
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::subscription_command command;
  command.action = subscription_action::answer_operation;
  const auto read = [](std::string_view text) -> std::optional<bool> {
    const std::string word = upper_case(text);
    if (word == "SUCCESS") return true;
    if (word == "FAILURE") return false;
    return std::nullopt;
  };
  command.success = in.required("status", in.word("status", read, "Success, Failure"));
  command.message = in.text("message", core::limits::message_bytes_max).value_or(std::string{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  steer_operation(c, std::move(command), 200);
}

// There are few, so that all are in the first page: the order that made it, and those that are
// kept.
void list_operations(const call_ptr& c) {
  query_reader q{c->query};
  v1::page_query(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure());
  std::vector<core::operation> all{core::first_order_of(*found)};
  all.insert(all.end(), found->operations.begin(), found->operations.end());
  const auto text = [&found](const core::operation& o) { return operation_text(o, found->id); };
  c->send(200, v1::page_text(all, std::nullopt, text));
}

void get_operation(const call_ptr& c) {
  const core::operation_id id{c->id()};
  const auto found = visible_operation(*c, id);
  if (!found) return c->fail(found.failure());
  c->send(200, operation_text(*found, core::subscription_of(id)));
}

void cancel_operation(const call_ptr& c) {
  if (c->by.role == core::role::vendor) {
    return c->fail(forbidden("vendors answer operations, they do not take them back"));
  }
  steer_operation(c, {.action = subscription_action::cancel_operation}, 200);
}

}  // namespace

route_list operation_routes() {
  return {
      {"GET", "/v1/subscriptions/{id}/operations", face::v1, false, list_operations, nullptr, true},
      {"GET", "/v1/operations/{id}", face::v1, false, get_operation},
      {"POST", "/v1/operations/{id}/result", face::v1, true, answer_operation},
      {"POST", "/v1/operations/{id}/cancel", face::v1, true, cancel_operation},
  };
}

route_list cloudesire_operation_routes() {
  return {
      {"GET", "/api/operation/{id}", face::cloudesire, false, get_operation},
      {"POST", "/api/operation/{id}/result", face::cloudesire, true, answer_operation},
  };
}

}  // namespace syndicated::api
