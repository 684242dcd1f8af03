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

using core::subscription_action;
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

// ---- PATCH

core::error wrong(std::string_view field, std::string detail) {
  core::error why{core::errc::malformed, "invalid_field", std::move(detail), {}, {}};
  why.fields.push_back({'/' + std::string{field}, why.detail});
  return why;
}

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return out;
}

const json* present(const json& body, std::string_view name) {
  const json* value = body.find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// The report that leads to a status; nothing: no vendor's report leads there.
std::optional<subscription_action> report_of(subscription_status status) {
  switch (status) {
    case subscription_status::deployed: return subscription_action::report_deployed;
    case subscription_status::post_configuration:
      return subscription_action::report_post_configuration;
    case subscription_status::failed: return subscription_action::report_failed;
    case subscription_status::stopped: return subscription_action::report_stopped;
    case subscription_status::undeployed: return subscription_action::report_undeployed;
    default: return std::nullopt;
  }
}

core::result<core::subscription_command> read_action(const call& c, const json& body,
                                                     const std::string& action) {
  core::subscription_command command;
  if (action == "RENEW") {
    command.action = subscription_action::renew;
  } else if (action == "DEPLOY") {
    command.action = subscription_action::redeploy;
  } else if (action == "KILL") {
    command.action = subscription_action::terminate;
  } else if (action == "AUTORENEW") {
    const json* wanted = present(body, "autoRenew");
    if (wanted == nullptr || wanted->boolean() == nullptr)
      return wrong("autoRenew", "must be true or false");
    command.action = subscription_action::edit;
    command.auto_renew = *wanted->boolean();
  } else if (action == "SET_NAME") {
    const json* wanted = present(body, "name");
    if (wanted == nullptr || wanted->text() == nullptr ||
        wanted->text()->size() > core::limits::name_bytes_max) {
      return wrong("name", "must be a string of at most 200 bytes");
    }
    command.action = subscription_action::edit;
    command.name = *wanted->text();
  } else {
    return wrong("action", "is not one of RENEW, AUTORENEW, DEPLOY, SET_NAME, KILL");
  }
  command.by = party_of(c, command.action);
  // Vendors may order a renewal here (domain.md, 10.13); the machine knows that as a seller's
  // order.
  if (action == "RENEW" && command.by == core::party::vendor) command.by = core::party::reseller;
  return command;
}

core::result<core::subscription_command> read_patch(const call& c, const json& body,
                                                    const core::subscription& s) {
  const json* status = present(body, "deploymentStatus");
  const json* action = present(body, "action");
  if (body.object() == nullptr || (status == nullptr) == (action == nullptr)) {
    return wrong("deploymentStatus", "either deploymentStatus or action is needed");
  }
  const json* word = status != nullptr ? status : action;
  if (word->text() == nullptr)
    return wrong(status != nullptr ? "deploymentStatus" : "action", "must be a string");
  if (action != nullptr) return read_action(c, body, upper(*action->text()));
  const auto target = core::parse_subscription_status(upper(*status->text()));
  if (!target) return wrong("deploymentStatus", "is not a deployment status");
  const auto report = report_of(*target);
  if (!report) return core::transition_not_allowed(core::to_string(s.status), *status->text());
  core::subscription_command command;
  command.action = *report;
  // A report counts as the vendor's word, also when staff makes it in the vendor's place.
  command.by = core::party::vendor;
  return command;
}

void patch_subscription(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  const core::subscription_id id{c->id()};
  const auto found = visible_subscription(*c, id);
  if (!found) return c->fail(found.failure());
  if (c->by.role == core::role::tenant) return c->fail(forbidden("only the vendor reports"));
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  const json* wanted = present(*body, "deploymentStatus");
  if (wanted != nullptr && wanted->text() != nullptr && present(*body, "action") == nullptr &&
      core::parse_subscription_status(upper(*wanted->text())) == found->status &&
      !report_of(found->status)) {
    return c->send(204, {});  // already there, in a status that no report leads to
  }
  auto command = read_patch(*c, *body, *found);
  if (!command) return c->fail(command.failure());
  c->engine().command(
      id, std::move(*command), std::move(*options),
      rendered<core::subscription>(c, 204, [](const core::subscription&) { return std::string{}; }),
      finish(c));
}

}  // namespace

route_list cloudesire_subscription_routes() {
  return {
      {"GET", "/api/subscription", face::cloudesire, false, list_subscriptions},
      {"GET", "/api/subscription/{id}", face::cloudesire, false, get_subscription},
      {"PATCH", "/api/subscription/{id}", face::cloudesire, true, patch_subscription},
  };
}

}  // namespace syndicated::api
