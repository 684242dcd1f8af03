// Reading subscriptions, and reporting what became of them (domain.md, 10.13).
//
// Lenient where vendors' code in the field needs it: unknown fields and parameters are ignored,
// actions are read in any case, a missing Content-Type counts as JSON.
#include <algorithm>

#include "api/access.hpp"
#include "api/cloudesire/pages.hpp"
#include "api/cloudesire/prospects.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

using core::subscription_status;

std::string text_of(const call& c, const core::subscription& s,
                    const cloudesire::prospects* prospects = nullptr) {
  const auto plan = c.engine().catalog()->find(s.plan);
  const auto product = c.engine().catalog()->find(s.product);
  return cloudesire::subscription_text(s, {plan.get(), product.get(), prospects});
}

void get_subscription(const call_ptr& c) {
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure());
  if (found->status == subscription_status::purged) {
    return c->fail({core::errc::gone,
                    "subscription_purged",
                    "the subscription has ended, and what was known of it is erased",
                    {},
                    {}});
  }
  const auto prospects = cloudesire::prospects_of(*c, *found);
  c->send_entity(text_of(*c, *found, &prospects), found->version);
}

// "product/7" as well as "7".
std::optional<std::uint64_t> parse_product(std::string_view text) {
  if (text.starts_with("product/")) text.remove_prefix(8);
  return parse_id(text);
}

// The list is walked up to limits::scan_rows_max entries; what lies behind that is neither shown
// nor counted (reconcile with status= or updated_since=).
void list_subscriptions(const call_ptr& c) {
  query_reader q{c->query};
  cloudesire::numbered_list list{q};
  actors::subscription_filter filter;
  filter.status = q.word("status", core::parse_subscription_status, "the deployment statuses");
  filter.product.value = q.word("product", parse_product, "the product ids").value_or(0);
  filter.updated_since = q.time("updated_since");
  filter.type = q.word("type", core::parse_subscription_type, "NORMAL, TRIAL, SANDBOX");
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  if (c->by.role == core::role::vendor) filter.vendor.value = c->by.scope;
  if (c->by.role == core::role::tenant) filter.within.value = c->by.scope;
  const auto walked = cloudesire::walk(
      [&](const actors::page_request& page) { return c->engine().subscriptions(filter, page); },
      [&](const core::subscription& s) {
        list.add([&] { return text_of(*c, s); });
        return true;
      });
  if (!walked) return c->fail(walked.failure());
  list.send(*c);
}

std::string change_text(const core::event& e) {
  core::json_writer out;
  out.begin_object();
  out.key("id").number(e.id.value);
  out.key("date").text(core::format_rfc3339_seconds(e.at));
  out.key("name").text(e.name);
  out.key("type");
  if (e.type == core::wire_type::none) {
    out.null();
  } else {
    out.text(core::to_string(e.type));
  }
  out.key("by").text(e.cause);
  out.key("version").number(e.entity_version);
  const auto data = parse_json(e.data);
  const json* status = data ? data->find("status") : nullptr;
  out.key("deploymentStatus");
  if (status != nullptr && status->text() != nullptr) {
    out.text(*status->text());
  } else {
    out.null();
  }
  out.end_object();
  return std::move(out).str();
}

// What the stream of the subscription's events tells, oldest first.
void get_changelog(const call_ptr& c) {
  query_reader q{c->query};
  cloudesire::numbered_list list{q};
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  const auto found = visible_subscription(*c, core::subscription_id{c->id()});
  if (!found) return c->fail(found.failure());
  actors::event_filter filter;
  filter.stream = core::stream_of(found->id);
  const auto walked = cloudesire::walk(
      [&](const actors::page_request& page) { return c->engine().events(filter, page); },
      [&](const core::event& e) {
        list.add([&] { return change_text(e); });
        return true;
      });
  if (!walked) return c->fail(walked.failure());
  list.send(*c);
}

}  // namespace

route_list cloudesire_subscription_routes() {
  return {
      {"GET", "/api/subscription", face::cloudesire, false, list_subscriptions},
      {"GET", "/api/subscription/{id}", face::cloudesire, false, get_subscription},
      {"GET", "/api/subscription/{id}/changelog", face::cloudesire, false, get_changelog},
  };
}

}  // namespace syndicated::api
