// Sub-resources and usage of subscriptions, as the marketplace, its tenants and operators see them.
#include "api/part_input.hpp"
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

constexpr auto resource_text = [](const core::resource& r) { return core::to_json(r); };
constexpr auto usage_text = [](const core::usage_record& r) { return core::to_json(r); };

core::resource_id resource_of(const call& c) { return {c.id(1)}; }

// The subscription, when the caller may steer it here; answers the refusals itself.
bool steers(const call_ptr& c) {
  const auto found = visible_subscription(*c, {c->id()});
  if (!found) return c->fail(found.failure()), false;
  if (c->by.role != core::role::vendor) return true;
  return c->fail(forbidden("vendors change sub-resources through /api")), false;
}

core::party party_of(const call& c) { return party_of(c, core::subscription_action::edit); }

void send_order(const call_ptr& c, actors::resource_order order, int status = 200) {
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().command(core::subscription_id{c->id()}, std::move(order), std::move(*options),
                      rendered<core::resource>(c, status, resource_text), finish(c));
}

void list_resources(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  actors::resource_filter filter;
  filter.type = q.text("type").value_or(std::string{});
  filter.status = q.word("status", core::parse_resource_status, "the statuses of sub-resources");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().resources(owner->id, filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, resource_text));
}

void get_resource(const call_ptr& c) {
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().resource(owner->id, resource_of(*c));
  if (!found) return c->fail(found.failure());
  c->send_entity(resource_text(*found), found->version);
}

void create_resource(const call_ptr& c) {
  if (!steers(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto wanted = read_new_resource(*body, native_names);
  if (!wanted) return c->fail(wanted.failure());
  wanted->by = party_of(*c);
  send_order(c, std::move(*wanted), 201);
}

void step(const call_ptr& c, core::resource_command command) {
  command.by = party_of(*c);
  send_order(c, actors::resource_step{resource_of(*c), std::move(command)});
}

void update_resource(const call_ptr& c) {
  if (!steers(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto command = read_resource_patch(*body);
  if (!command) return c->fail(command.failure());
  step(c, std::move(*command));
}

void delete_resource(const call_ptr& c) {
  query_reader q{c->query};
  core::resource_command command;
  command.action = core::resource_action::remove;
  command.cascade = read_cascade(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (!steers(c)) return;
  step(c, std::move(command));
}

template <core::resource_action Action>
void act(const call_ptr& c) {
  if (!steers(c)) return;
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  core::resource_command command;
  command.action = Action;
  step(c, std::move(command));
}

template <bool TakeOff>
void change_link(const call_ptr& c) {
  if (!steers(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto link = read_link(*body);
  if (!link) return c->fail(link.failure());
  send_order(c, actors::link_step{resource_of(*c), std::move(*link), party_of(*c), TakeOff});
}

void list_usage(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  actors::usage_filter filter;
  filter.metric = q.text("metric").value_or(std::string{});
  filter.source = q.text("source").value_or(std::string{});
  filter.since = q.time("since");
  filter.until = q.time("until");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().usage(owner->id, filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, usage_text));
}

void list_polls(const call_ptr& c) {
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().metric_polls(owner->id);
  if (!found) return c->fail(found.failure());
  const auto text = [](const auto& poll) { return core::to_json(poll.first, poll.second); };
  c->send(200, v1::page_text(*found, std::nullopt, text));
}

// Items of others' subscriptions look as if there were none.
void report_usage(const call_ptr& c) {
  if (c->by.role == core::role::tenant) {
    return c->fail(forbidden("usage is reported by the vendor or the marketplace"));
  }
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto items = read_usage(*body, native_names, "subscription_id");
  if (!items) return c->fail(items.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (options->if_match) {
    return c->fail(core::invalid_field("If-Match", "has no meaning for several records"));
  }
  for (actors::usage_item& item : *items) {
    if (!visible_subscription(*c, item.subscription)) item.subscription = {};
  }
  send_usage(c, std::move(*items), std::move(*options));
}

}  // namespace

route_list resource_routes() {
  using enum core::resource_action;
  constexpr std::string_view all = "/v1/subscriptions/{id}/resources";
  constexpr std::string_view one = "/v1/subscriptions/{id}/resources/{id}";
  return {
      {"GET", all, face::v1, false, list_resources, nullptr, true},
      {"POST", all, face::v1, true, create_resource, nullptr, false, true},
      {"GET", one, face::v1, false, get_resource},
      {"PATCH", one, face::v1, true, update_resource},
      {"DELETE", one, face::v1, true, delete_resource, nullptr, true},
      {"POST", "/v1/subscriptions/{id}/resources/{id}/enable", face::v1, true, act<enable>},
      {"POST", "/v1/subscriptions/{id}/resources/{id}/disable", face::v1, true, act<disable>},
      {"POST", "/v1/subscriptions/{id}/resources/{id}/link", face::v1, true, change_link<false>},
      {"POST", "/v1/subscriptions/{id}/resources/{id}/unlink", face::v1, true, change_link<true>},
      {"GET", "/v1/subscriptions/{id}/usage", face::v1, false, list_usage, nullptr, true},
      {"GET", "/v1/subscriptions/{id}/metrics", face::v1, false, list_polls},
      {"POST", "/v1/usage", face::v1, true, report_usage},
  };
}

}  // namespace syndicated::api
