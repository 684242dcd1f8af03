// Sub-resources and usage as their vendor reports them (domain.md, 10.13). What is not finished yet
// is answered 202 with the pause after which it may be asked again.
#include "api/access.hpp"
#include "api/part_input.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

constexpr int retry_hint_s = 60;

core::resource_id resource_of(const call& c) { return {c.id(1)}; }

// The subscription, when the caller may report about it; answers the refusals itself.
bool reports(const call_ptr& c) {
  const auto found = visible_subscription(*c, {c->id()});
  if (!found) return c->fail(found.failure()), false;
  if (c->by.role != core::role::tenant) return true;
  return c->fail(forbidden("only the vendor reports")), false;
}

bool unfinished(core::resource_status s) {
  return s == core::resource_status::configuring || s == core::resource_status::unprovisioning;
}

// 200 or 201 with the resource, 202 with a hint, 204 when it is gone.
actors::renderer<core::resource> shown(const call_ptr& c, int status) {
  return [c, status](const core::resource& r, bool) {
    c->version = r.version;
    if (!r.alive()) return actors::answer{204, {}};
    if (unfinished(r.status)) c->retry_after_s = retry_hint_s;
    if (status == 201) {
      c->location = "/api/subscription/" + std::to_string(r.subscription.value) + "/resource/" +
                    std::to_string(r.id.value);
    }
    return actors::answer{unfinished(r.status) ? 202 : status, core::to_json(r)};
  };
}

void send_order(const call_ptr& c, actors::resource_order order, int status) {
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().command(core::subscription_id{c->id()}, std::move(order), std::move(*options),
                      shown(c, status), finish(c));
}

void list_resources(const call_ptr& c) {
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  query_reader q{c->query};
  actors::page_request page;
  page.limit = static_cast<std::size_t>(
      q.integer("limit", 1, core::limits::page_items_max).value_or(core::limits::page_items_max));
  page.after = q.text("after").value_or(std::string{});
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  const auto found = c->engine().resources(owner->id, {}, page);
  if (!found) return c->fail(found.failure());
  core::json_writer out;
  out.begin_array();
  for (const core::resource& r : found->items) out.raw(core::to_json(r));
  out.end_array();
  c->send(200, std::move(out).str());
}

void get_resource(const call_ptr& c) {
  const auto owner = visible_subscription(*c, {c->id()});
  if (!owner) return c->fail(owner.failure());
  const auto found = c->engine().resource(owner->id, resource_of(*c));
  if (!found) return c->fail(found.failure());
  c->send_entity(core::to_json(*found), found->version);
}

void create_resource(const call_ptr& c) {
  if (!reports(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto wanted = read_new_resource(*body, cloudesire_names);
  if (!wanted) return c->fail(wanted.failure());
  wanted->by = core::party::vendor;
  send_order(c, std::move(*wanted), 201);
}

// A report counts as the vendor's word, also when staff makes it in the vendor's place.
void patch_resource(const call_ptr& c) {
  if (!reports(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto command = read_resource_patch(*body);
  if (!command) return c->fail(command.failure());
  command->by = core::party::vendor;
  send_order(c, actors::resource_step{resource_of(*c), std::move(*command)}, 200);
}

void delete_resource(const call_ptr& c) {
  if (!reports(c)) return;
  query_reader q{c->query};
  core::resource_command command;
  command.action = core::resource_action::report_removed;
  command.by = core::party::vendor;
  command.cascade = read_cascade(q);
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  send_order(c, actors::resource_step{resource_of(*c), std::move(command)}, 200);
}

void report_usage(const call_ptr& c) {
  if (!reports(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto items = read_usage(*body, cloudesire_names, nullptr);
  if (!items) return c->fail(items.failure());
  for (actors::usage_item& item : *items) item.subscription = {c->id()};
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  send_usage(c, std::move(*items), std::move(*options));
}

}  // namespace

route_list cloudesire_resource_routes() {
  constexpr std::string_view all = "/api/subscription/{id}/resource";
  constexpr std::string_view one = "/api/subscription/{id}/resource/{id}";
  return {
      {"GET", all, face::cloudesire, false, list_resources},
      {"POST", all, face::cloudesire, true, create_resource, nullptr, false, true},
      {"GET", one, face::cloudesire, false, get_resource},
      {"PATCH", one, face::cloudesire, true, patch_resource},
      {"DELETE", one, face::cloudesire, true, delete_resource},
      {"POST", "/api/subscription/{id}/usage", face::cloudesire, true, report_usage},
  };
}

}  // namespace syndicated::api
