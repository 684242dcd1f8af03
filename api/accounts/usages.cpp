// What tenants use of their offering items: told by vendors and staff, read by partners
// (domain.md, 5.4).
#include <algorithm>

#include "api/accounts/common.hpp"
#include "api/part_input.hpp"
#include "api/routes.hpp"
#include "core/base/uuid.hpp"

namespace syndicated::api {
namespace {

using namespace accounts;
using namespace core::limits;

// An item of the call and what it is about; `place`: among those of its kind.
struct pushed_item {
  enum class kind : std::uint8_t { tenant, subscription, unknown };
  kind about = kind::unknown;
  std::size_t place = 0;
  std::string resource_id;
};

struct pushed {
  std::vector<pushed_item> items;
  actors::usage_push push;
};

// The field's text when it is there and not null.
std::optional<std::string> given_text(object_reader& in, std::string_view name,
                                      std::size_t bytes_max) {
  auto text = nullable_text(in, name, bytes_max);
  return text && text->empty() ? std::nullopt : text;
}

// An id that is none of ours is one that does not exist: the others are taken all the same.
pushed_item read_for_tenant(object_reader& in, actors::usage_push& push) {
  actors::tenant_usage_report r;
  const auto id = in.required("tenant_id", in.text("tenant_id", name_bytes_max, 1));
  r.tenant.value = core::parse_uuid(id, core::uuid_kind::tenant).value_or(0);
  r.name = in.required("offering_item", in.text("offering_item", map_key_bytes_max, 1));
  r.application_id = given_text(in, "application_id", 64);
  r.edition = given_text(in, "edition", map_key_bytes_max);
  r.infra_id = given_text(in, "infra_id", 64);
  r.value = in.required("usage_value", in.integer("usage_value", 0, id_max));
  push.tenants.push_back(std::move(r));
  return {pushed_item::kind::tenant, push.tenants.size() - 1, {}};
}

// A subscription, or one of its sub-resources, by its UUID.
pushed_item read_for_subscription(const call& c, object_reader& in, actors::usage_push& push) {
  actors::usage_item one;
  const auto id = in.required("resource_id", in.text("resource_id", name_bytes_max, 1));
  one.report.metric = in.required("usage_type", in.text("usage_type", map_key_bytes_max, 1));
  one.report.value = read_amount(in, "usage_value");
  one.report.source = "vendor";
  const auto parts = core::parse_uuid(id);
  if (!parts) return {pushed_item::kind::unknown, 0, id};
  const bool part = parts->kind == core::uuid_kind::resource;
  if (!part && parts->kind != core::uuid_kind::subscription) {
    return {pushed_item::kind::unknown, 0, id};
  }
  one.subscription = {parts->id};
  if (!visible_subscription(c, one.subscription)) return {pushed_item::kind::unknown, 0, id};
  if (part) {
    one.report.resource = {parts->part};
    one.report.source = "resource/" + std::to_string(parts->part);
  }
  push.subscriptions.push_back(std::move(one));
  return {pushed_item::kind::subscription, push.subscriptions.size() - 1, id};
}

core::result<pushed> read_push(const call& c, const json& body) {
  object_reader in{body, {}, true};
  pushed out;
  const auto read = [&](object_reader& each) {
    return each.has("resource_id") ? read_for_subscription(c, each, out.push)
                                   : read_for_tenant(each, out.push);
  };
  out.items = in.required("items", in.objects("items", tenant_usages_max, read, 1));
  if (const auto ok = in.finish(); !ok) return ok.failure();
  return out;
}

// Of a vendor: those of its products' applications.
actors::item_check items_of(const call& c) {
  if (is_staff(c.by)) return {};
  return [catalog = c.engine().catalog(), vendor = c.by.scope](const core::offering_key& item) {
    const auto id = core::parse_uuid(item.application_id, core::uuid_kind::product);
    const auto product = id ? catalog->find(core::product_id{*id}) : nullptr;
    return product != nullptr && product->vendor.value == vendor;
  };
}

void write_key(core::json_writer& out, const core::offering_key& item) {
  out.key("application_id").text(item.application_id);
  if (!item.edition.empty()) out.key("edition").text(item.edition);
  if (!item.infra_id.empty()) out.key("infra_id").text(item.infra_id);
}

void write_outcome(core::json_writer& out, const core::error& why) {
  write_account_error(out.key("error"), why);
}
void write_outcome(core::json_writer& out, const actors::tenant_usage_taken& taken) {
  out.key("tenant_id").text(core::to_uuid(taken.tenant));
  out.key("offering_item").text(taken.item.name);
  write_key(out, taken.item);
  out.key("usage_value").number(taken.value);
}

std::string outcomes_text(const std::vector<pushed_item>& items,
                          const actors::tenant_usage_outcomes& tenants,
                          const actors::usage_outcomes& subscriptions) {
  core::json_writer out;
  out.begin_object().key("items").begin_array();
  for (const pushed_item& item : items) {
    out.begin_object();
    if (item.about == pushed_item::kind::tenant) {
      const auto& outcome = tenants[item.place];
      outcome ? write_outcome(out, *outcome) : write_outcome(out, outcome.failure());
    } else if (item.about == pushed_item::kind::unknown) {
      write_outcome(out, core::not_found("there is no such resource"));
    } else if (const auto& outcome = subscriptions[item.place]; outcome) {
      out.key("resource_id").text(item.resource_id);
      out.key("usage_type").text(outcome->record.key.metric);
      out.key("usage_value").raw(core::to_string(outcome->record.value));
    } else {
      write_outcome(out, outcome.failure());
    }
    out.end_object();
  }
  out.end_array().end_object();
  return std::move(out).str();
}

void push_usages(const call_ptr& c) {
  if (c->by.role == core::role::tenant) {
    return c->fail(forbidden("usages are told by the vendor or the marketplace"));
  }
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  auto read = read_push(*c, *body);
  if (!read) return c->fail(read.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  read->push.may = items_of(*c);
  c->engine().push_usages(
      std::move(read->push), std::move(*options),
      [items = std::move(read->items)](const auto& tenants, const auto& subs) {
        return actors::answer{200, outcomes_text(items, tenants, subs)};
      },
      finish(c));
}

// ---- reading

// ?name=a,b: one of them; not given: any.
std::vector<std::string> words_query(query_reader& q, std::string_view name) {
  std::vector<std::string> out;
  const std::string text = q.text(name).value_or(std::string{});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool among(const std::vector<std::string>& wanted, const std::string& is) {
  return wanted.empty() || std::ranges::find(wanted, is) != wanted.end();
}

const std::string& usage_name(const core::offering_item& item) {
  return item.usage_name.empty() ? item.name : item.usage_name;
}

void write_usage(core::json_writer& out, core::tenant_id tenant,
                 const actors::tenant_usage_view& one) {
  out.begin_object();
  write_key(out, one.item);
  out.key("name").text(one.item.name);
  out.key("type").text(one.item.type);
  out.key("measurement_unit").text(one.item.measurement_unit);
  out.key("usage_name").text(usage_name(one.item));
  out.key("tenant_id").text(core::to_uuid(tenant));
  out.key("value").number(one.usage.total.value());
  out.key("absolute_value").number(one.usage.total.ever);
  out.key("range_start").text(time_text(one.usage.range_start));
  out.key("offering_item").begin_object().key("status").number(one.item.on ? 1 : 0);
  write_quota(out.key("quota"), one.item.quota);
  out.end_object().end_object();
}

void get_usages(const call_ptr& c) {
  const auto found = visible_tenant(*c, core::tenant_id{c->id()});
  if (!found) return c->fail(found.failure());
  query_reader q{c->query};
  const core::timestamp asked_at = c->now();
  const auto names = words_query(q, "usage_names");
  const auto editions = words_query(q, "editions");
  const auto places = words_query(q, "infra_ids");
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  auto usages = c->engine().tenant_usages(found->id);
  if (!usages) return c->fail(usages.failure());
  std::erase_if(*usages, [&](const actors::tenant_usage_view& one) {
    return !among(names, usage_name(one.item)) || !among(editions, one.item.edition) ||
           !among(places, one.item.infra_id);
  });
  c->send(200, page_text(*usages, std::nullopt, asked_at,
                         [id = found->id](core::json_writer& out, const auto& one) {
                           write_usage(out, id, one);
                         }));
}

}  // namespace

route_list account_usage_routes() {
  constexpr face f = face::accounts;
  return {
      {"PUT", "/api/2/usages", f, true, push_usages},
      {"GET", "/api/2/tenants/{tenant}/usages", f, false, get_usages, nullptr, true},
  };
}

}  // namespace syndicated::api
