// Events and what became of them.
#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "core/delivery/response.hpp"

namespace syndicated::api {
namespace {

void write_event(core::json_writer& out, const core::event& e) {
  out.key("id").number(e.id.value);
  out.key("name").text(e.name);
  out.key("entity").text(core::to_string(e.stream.kind));
  out.key("entity_id").number(e.stream.entity);
  out.key("stream").text(core::to_string(e.stream));
  out.key("stream_name");
  if (e.stream_name.empty()) {
    out.null();
  } else {
    out.text(e.stream_name);
  }
  out.key("seq").number(e.seq);
  out.key("at").time(e.at);
  out.key("entity_version").number(e.entity_version);
  out.key("tenant_id");
  if (e.tenant) {
    out.number(e.tenant.value);
  } else {
    out.null();
  }
  out.key("vendor_id");
  if (e.vendor) {
    out.number(e.vendor.value);
  } else {
    out.null();
  }
  out.key("cause").text(e.cause);
  out.key("metadata").map(e.metadata);
  out.key("data");
  if (e.data.empty()) {
    out.null();
  } else {
    out.raw(e.data);
  }
}

std::string event_json(const core::event& e) {
  core::json_writer out;
  out.begin_object();
  write_event(out, e);
  out.end_object();
  return std::move(out).str();
}

// Deliveries to endpoints of others are not the caller's business.
bool may_see_endpoint(const call& c, core::endpoint_id id) {
  if (is_staff(c.by)) return true;
  const auto found = c.engine().catalog()->find(id);
  return found && may_see(c, *found);
}

void write_delivery(core::json_writer& out, const actors::delivery& d) {
  out.begin_object();
  out.key("endpoint_id").number(d.endpoint.value);
  out.key("state").text(actors::to_string(d.state));
  out.key("attempts").number(static_cast<std::uint64_t>(d.attempts));
  out.key("due_at").time(d.due);
  out.key("last_status").number(d.last_status);
  out.key("last_error").text(d.last_error);
  out.end_object();
}

void list_events(const call_ptr& c) {
  query_reader q{c->query};
  actors::event_filter filter;
  const actors::page_request page = v1::page_query(q);
  const auto kind =
      q.word("entity", v1::parse_entity_kind,
             "tenant, vendor, product, plan, subscription, endpoint, user, commitment, invoice, "
             "operation, published, unordered");
  const auto entity = q.id("entity_id");
  filter.name = q.text("name").value_or(std::string{});
  const auto stream = q.text("stream");
  filter.since = q.time("since");
  filter.until = q.time("until");
  if (entity && !kind) q.refuse("entity_id", "needs entity");
  if (stream && kind) q.refuse("stream", "cannot be given together with entity");
  if (stream && stream->empty()) q.refuse("stream", "must not be empty");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (kind && entity) filter.stream = core::stream_id{*kind, *entity};
  filter.kind = kind;
  if (stream) {
    filter.stream = core::published_stream(*stream);
    filter.stream_name = *stream;
  }
  if (c->by.role == core::role::vendor) filter.vendor.value = c->by.scope;
  if (c->by.role == core::role::tenant) filter.within.value = c->by.scope;
  const auto found = c->engine().events(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, event_json));
}

void get_event(const call_ptr& c) {
  const core::event_id id{c->id()};
  const auto found = visible_event(*c, id);
  if (!found) return c->fail(found.failure());
  const auto deliveries = c->engine().deliveries(id);
  if (!deliveries) return c->fail(deliveries.failure());
  core::json_writer out;
  out.begin_object();
  write_event(out, *found);
  out.key("deliveries").begin_array();
  for (const actors::delivery& d : *deliveries) {
    if (may_see_endpoint(*c, d.endpoint)) write_delivery(out, d);
  }
  out.end_array().end_object();
  c->send(200, std::move(out).str());
}

void list_attempts(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  actors::attempt_filter filter = v1::attempt_query(q);
  filter.endpoint.value = q.id("endpoint_id").value_or(0);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const core::event_id id{c->id()};
  if (const auto found = visible_event(*c, id); !found) return c->fail(found.failure());
  auto attempts = c->engine().attempts(id, filter, page);
  if (!attempts) return c->fail(attempts.failure());
  std::erase_if(attempts->items,
                [&](const actors::attempt_record& a) { return !may_see_endpoint(*c, a.endpoint); });
  c->send(200, v1::page_text(attempts->items, attempts->next, v1::attempt_json));
}

// Events of one vendor never go to another's endpoint, tenants hear of their subtree only
// (domain.md, 10.14, invariant 21), whoever asks for the replay.
bool concerns(const call& c, const core::event& e, const core::endpoint& to) {
  switch (to.scope) {
    case core::endpoint_scope::platform: return true;
    case core::endpoint_scope::vendor: return e.vendor.value == to.scope_id;
    case core::endpoint_scope::product: {
      const auto product = c.engine().catalog()->find(core::product_id{to.scope_id});
      return product && e.vendor && product->vendor == e.vendor;
    }
    case core::endpoint_scope::tenant:
      return e.tenant && c.engine().tenant_within(e.tenant, core::tenant_id{to.scope_id});
  }
  return false;
}

void replay_event(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  std::optional<core::endpoint_id> endpoint;
  if (const auto given = in.id("endpoint_id")) endpoint = core::endpoint_id{*given};
  // Who does not own every recipient must name one that is his.
  if (!is_staff(c->by) && !endpoint) in.refuse("endpoint_id", "is required for this role");
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const core::event_id id{c->id()};
  const auto event = visible_event(*c, id);
  if (!event) return c->fail(event.failure());
  if (endpoint) {
    const auto found = visible_endpoint(*c, *endpoint);
    if (!found) return c->fail(found.failure());
    if (!concerns(*c, *event, **found)) {
      return c->fail(core::invalid_field("/endpoint_id", "is not concerned by this event"));
    }
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().replay_event(id, endpoint, std::move(*options), finish(c));
}

// Gives up for good what is parked at one endpoint.
void discard_event(const call_ptr& c) {
  c->audited = true;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const core::endpoint_id endpoint{in.required("endpoint_id", in.id("endpoint_id"))};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const core::event_id id{c->id()};
  if (const auto event = visible_event(*c, id); !event) return c->fail(event.failure());
  if (const auto found = visible_endpoint(*c, endpoint); !found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().discard_event(id, endpoint, std::move(*options), finish(c));
}

}  // namespace

route_list event_routes() {
  return {
      {"GET", "/v1/events", face::v1, false, list_events, nullptr, true},
      {"GET", "/v1/events/{id}", face::v1, false, get_event},
      {"GET", "/v1/events/{id}/attempts", face::v1, false, list_attempts, nullptr, true},
      {"POST", "/v1/events/{id}/replay", face::v1, true, replay_event},
      {"POST", "/v1/events/{id}/discard", face::v1, true, discard_event},
  };
}

}  // namespace syndicated::api
