// Reading subscriptions, and reporting what became of them (domain.md, 10.13).
//
// Lenient where vendors' code in the field needs it: unknown fields and parameters are ignored,
// actions are read in any case, a missing Content-Type counts as JSON.
#include <algorithm>

#include "api/access.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

using core::subscription_status;

constexpr std::int64_t list_size_default = 50;

std::string text_of(const call& c, const core::subscription& s) {
  const auto plan = c.engine().catalog()->find(s.plan);
  return cloudesire::subscription_text(s, plan.get());
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
  c->send_entity(text_of(*c, *found), found->version);
}

struct listing {
  actors::subscription_filter filter;
  std::optional<core::subscription_type> type;
  std::int64_t number = 1;
  std::int64_t size = list_size_default;
};

// "product/7" as well as "7".
std::optional<std::uint64_t> parse_product(std::string_view text) {
  if (text.starts_with("product/")) text.remove_prefix(8);
  return parse_id(text);
}

core::result<listing> read_listing(const call& c) {
  query_reader q{c.query};
  listing out;
  constexpr std::int64_t pages_max = 1'000'000;
  const auto number = q.integer("pageNumber", 1, pages_max);
  const auto page = q.integer("page", 1, pages_max);
  out.number = number.value_or(page.value_or(1));
  constexpr auto size_max = static_cast<std::int64_t>(core::limits::page_items_max);
  const auto page_size = q.integer("pageSize", 1, size_max);
  const auto size = q.integer("size", 1, size_max);
  out.size = page_size.value_or(size.value_or(list_size_default));
  out.filter.status = q.word("status", core::parse_subscription_status, "the deployment statuses");
  out.filter.product.value = q.word("product", parse_product, "the product ids").value_or(0);
  out.filter.updated_since = q.time("updated_since");
  out.type = q.word("type", core::parse_subscription_type, "NORMAL, TRIAL, SANDBOX");
  if (const auto ok = q.finish_lenient(); !ok) return ok.failure();
  if (c.by.role == core::role::vendor) out.filter.vendor.value = c.by.scope;
  if (c.by.role == core::role::tenant) out.filter.within.value = c.by.scope;
  return out;
}

// Pages have numbers here, and a total: the list is walked up to limits::scan_rows_max entries;
// what lies behind that is neither shown nor counted (reconcile with status= or updated_since=).
void list_subscriptions(const call_ptr& c) {
  auto wanted = read_listing(*c);
  if (!wanted) return c->fail(wanted.failure());
  const std::int64_t first = (wanted->number - 1) * wanted->size;
  std::int64_t total = 0;
  std::string body = "[";
  actors::page_request page{core::limits::page_items_max, {}};
  for (std::size_t seen = 0; seen < core::limits::scan_rows_max;) {
    const auto found = c->engine().subscriptions(wanted->filter, page);
    if (!found) return c->fail(found.failure());
    for (const core::subscription& s : found->items) {
      if (wanted->type && s.type != *wanted->type) continue;
      if (total >= first && total < first + wanted->size) {
        if (body.size() > 1) body += ',';
        body += text_of(*c, s);
      }
      ++total;
    }
    seen += std::max<std::size_t>(found->items.size(), 1);
    if (!found->next) break;
    page.after = *found->next;
  }
  net::http_response answer;
  answer.body = body + ']';
  const std::int64_t pages = (total + wanted->size - 1) / wanted->size;
  answer.headers = {{"CMW-PageNumber", std::to_string(wanted->number)},
                    {"CMW-PageSize", std::to_string(wanted->size)},
                    {"CMW-TotalItems", std::to_string(total)},
                    {"CMW-TotalPages", std::to_string(pages)}};
  c->send(std::move(answer));
}

}  // namespace

route_list cloudesire_subscription_routes() {
  return {
      {"GET", "/api/subscription", face::cloudesire, false, list_subscriptions},
      {"GET", "/api/subscription/{id}", face::cloudesire, false, get_subscription},
  };
}

}  // namespace syndicated::api
