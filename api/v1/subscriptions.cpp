// Subscriptions as the marketplace sees and steers them.
#include <algorithm>

#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "api/vendor_hooks.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;
using core::subscription_action;

constexpr auto subscription_text = [](const core::subscription& s) { return core::to_json(s); };

// Vendors report on /api; here they read.
bool refuse_vendor(const call_ptr& c) {
  if (c->by.role != core::role::vendor) return false;
  c->fail(forbidden("vendors report through /api; subscriptions are steered by the marketplace"));
  return true;
}

std::optional<core::quantities> read_quantities(object_reader& in) {
  const auto given = in.integers("quantities", 0, id_max);
  if (!given) return std::nullopt;
  return core::quantities{given->begin(), given->end()};
}

// {"term_months": 12}: one of the plan's options.
std::optional<int> read_commitment(object_reader& in) {
  const json* given = in.value("commitment");
  if (given == nullptr) return std::nullopt;
  object_reader inner{*given, "/commitment"};
  const auto months = inner.integer("term_months", 1, plan_months_max);
  const auto wanted = static_cast<int>(inner.required("term_months", months));
  in.absorb(std::move(inner));
  return wanted;
}

void create_subscription(const call_ptr& c) {
  if (refuse_vendor(c)) return;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::new_subscription wanted;
  wanted.tenant.value = in.required("tenant_id", in.id("tenant_id"));
  wanted.plan.value = in.required("plan_id", in.id("plan_id"));
  wanted.name = in.text("name", name_bytes_max).value_or(std::string{});
  wanted.type = in.word("type", core::parse_subscription_type, "NORMAL, TRIAL, SANDBOX")
                    .value_or(core::subscription_type::normal);
  wanted.paid = in.boolean("paid").value_or(false);
  wanted.quantities = read_quantities(in).value_or(core::quantities{});
  wanted.config = in.string_map("config").value_or(core::string_map{});
  wanted.auto_renew = in.boolean("auto_renew").value_or(true);
  wanted.start_date = in.time("start_date");
  wanted.commitment_months = read_commitment(in);
  wanted.metadata = in.string_map("metadata").value_or(core::string_map{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  if (c->by.role == core::role::tenant) {
    if (const auto owner = visible_tenant(*c, wanted.tenant); !owner)
      return c->fail(owner.failure());
    // Nobody confirms his own payment.
    if (wanted.paid) return c->fail(forbidden("'paid' is set by the marketplace"));
  }
  ask_vendor_first(c, inquiry_of(*c, wanted), [c, wanted, options = *options] {
    c->engine().create_subscription(
        wanted, options, rendered<core::subscription>(c, 201, subscription_text), finish(c));
  });
}

void write_timers(core::json_writer& out, const core::timer_table& timers) {
  out.key("timers").begin_array();
  for (const core::armed_timer& t : timers.all()) {
    out.begin_object().key("name").text(core::to_string(t.kind)).key("due").time(t.due);
    out.key("armed_at_version").number(t.version).end_object();
  }
  out.end_array();
}

void write_invoices(core::json_writer& out, const core::subscription& s) {
  out.key("open_invoices").begin_array();
  for (const core::open_invoice& i : s.open_invoices) core::write_open(out, i, s.id);
  out.end_array();
  core::write_lines(out.key("oneshot_costs"), s.oneshot_costs);
  core::write_lines(out.key("recurring_costs"), s.recurring_costs);
}

void get_subscription(const call_ptr& c) {
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure());
  const auto tenant = c->engine().tenant(found->tenant);
  core::json_writer out;
  out.begin_object();
  core::write_members(out, *found);
  write_timers(out, found->timers);
  write_invoices(out, *found);
  out.key("access").boolean(found->usable() && tenant && c->engine().tenant_effective(*tenant));
  out.end_object();
  c->send_entity(std::move(out).str(), found->version);
}

// Narrows the filter to what the caller may see; an explicit wish beyond that is not found.
core::result<void> narrow(const call& c, actors::subscription_filter& f) {
  if (c.by.role == core::role::vendor) {
    if (f.vendor && f.vendor.value != c.by.scope) return no_such("vendor", f.vendor.value);
    f.vendor.value = c.by.scope;
  } else if (c.by.role == core::role::tenant) {
    const core::tenant_id own{c.by.scope};
    for (const core::tenant_id wish : {f.tenant, f.within}) {
      if (wish && !c.engine().tenant_within(wish, own)) return no_such("tenant", wish.value);
    }
    if (!f.within) f.within = own;
  }
  return {};
}

void list_subscriptions(const call_ptr& c) {
  query_reader q{c->query};
  actors::subscription_filter filter;
  const actors::page_request page = v1::page_query(q);
  filter.tenant.value = q.id("tenant_id").value_or(0);
  filter.within.value = q.id("within").value_or(0);
  filter.vendor.value = q.id("vendor_id").value_or(0);
  filter.product.value = q.id("product_id").value_or(0);
  filter.plan.value = q.id("plan_id").value_or(0);
  filter.status = q.word("status", core::parse_subscription_status, "the subscription statuses");
  filter.type = q.word("type", core::parse_subscription_type, "NORMAL, TRIAL, SANDBOX");
  filter.name = q.text("name").value_or(std::string{});
  filter.updated_since = q.time("updated_since");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (const auto ok = narrow(*c, filter); !ok) return c->fail(ok.failure());
  const auto found = c->engine().subscriptions(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, subscription_text));
}

void run(const call_ptr& c, core::subscription_command command) {
  if (refuse_vendor(c)) return;
  const core::subscription_id id{c->id()};
  if (c->by.role == core::role::tenant) {
    if (const auto found = visible_subscription(*c, id); !found) return c->fail(found.failure());
    const bool of_billing = command.action == subscription_action::pay ||
                            command.action == subscription_action::overdue;
    if (of_billing) {
      return c->fail(forbidden("payments are confirmed by the marketplace"));
    }
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  command.by = party_of(*c, command.action);
  ask_vendor_first(c, inquiry_of(*c, id, command), [c, id, command, options = *options] {
    c->engine().command(id, command, options,
                        rendered<core::subscription>(c, 200, subscription_text), finish(c));
  });
}

void update_subscription(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::subscription_command command;
  command.action = subscription_action::edit;
  command.name = in.text("name", name_bytes_max);
  command.auto_renew = in.boolean("auto_renew");
  command.metadata = in.string_map("metadata");
  command.config = in.string_map("config");
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command));
}

std::optional<core::change_time> parse_change_time(std::string_view text) {
  if (text == "now") return core::change_time::now;
  if (text == "renewal") return core::change_time::renewal;
  return std::nullopt;
}

void read_change(object_reader& in, core::subscription_command& command) {
  if (const auto plan = in.id("plan_id")) command.new_plan = core::plan_id{*plan};
  command.new_quantities = read_quantities(in);
  command.when =
      in.word("when", parse_change_time, "now, renewal").value_or(core::change_time::earliest);
  if (in.clean() && !command.new_plan && !command.new_quantities) {
    in.refuse("plan_id", "is required when there are no quantities");
  }
}

template <subscription_action Action>
void act(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::subscription_command command;
  command.action = Action;
  if constexpr (Action == subscription_action::suspend || Action == subscription_action::resume) {
    command.reason = in.word("reason", core::parse_suspension_reason, "the suspension reasons");
  }
  if constexpr (Action == subscription_action::change) read_change(in, command);
  if constexpr (Action == subscription_action::transfer) {
    command.new_tenant = core::tenant_id{in.required("tenant_id", in.id("tenant_id"))};
  }
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  run(c, std::move(command));
}

}  // namespace

route_list subscription_routes() {
  using enum subscription_action;
  return {
      {"POST", "/v1/subscriptions", face::v1, true, create_subscription, nullptr, false, true},
      {"GET", "/v1/subscriptions", face::v1, false, list_subscriptions, nullptr, true},
      {"GET", "/v1/subscriptions/{id}", face::v1, false, get_subscription},
      {"PATCH", "/v1/subscriptions/{id}", face::v1, true, update_subscription},
      {"POST", "/v1/subscriptions/{id}/pay", face::v1, true, act<pay>},
      {"POST", "/v1/subscriptions/{id}/approve", face::v1, true, act<approve>},
      {"POST", "/v1/subscriptions/{id}/reject", face::v1, true, act<reject>},
      {"POST", "/v1/subscriptions/{id}/suspend", face::v1, true, act<suspend>},
      {"POST", "/v1/subscriptions/{id}/resume", face::v1, true, act<resume>},
      {"POST", "/v1/subscriptions/{id}/renew", face::v1, true, act<renew>},
      {"POST", "/v1/subscriptions/{id}/change", face::v1, true, act<change>},
      {"POST", "/v1/subscriptions/{id}/convert", face::v1, true, act<convert>},
      {"POST", "/v1/subscriptions/{id}/cancel", face::v1, true, act<cancel>},
      {"POST", "/v1/subscriptions/{id}/reinstate", face::v1, true, act<reinstate>},
      {"POST", "/v1/subscriptions/{id}/terminate", face::v1, true, act<terminate>},
      {"POST", "/v1/subscriptions/{id}/redeploy", face::v1, true, act<redeploy>},
      {"POST", "/v1/subscriptions/{id}/overdue", face::v1, true, act<overdue>},
      {"POST", "/v1/subscriptions/{id}/unschedule", face::v1, true, act<unschedule>},
      {"POST", "/v1/subscriptions/{id}/transfer", face::v1, true, act<transfer>},
  };
}

}  // namespace syndicated::api
