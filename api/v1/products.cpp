// Products and the instances of their applications.
#include "api/routes.hpp"
#include "api/v1/offer_fields.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

// Where the vendor is asked is the vendor's and the marketplace's business, not the customers'.
std::string product_text_for(const call& c, const core::product& p) {
  if (c.by.role != core::role::tenant) return core::to_json(p);
  core::product shown = p;
  for (core::metric& m : shown.metrics) {
    m.url.clear();
    m.headers.clear();
  }
  shown.order_validation_urls.clear();
  shown.parameter_value_url.clear();
  return core::to_json(shown);
}

constexpr auto product_text = [](const core::product& p) { return core::to_json(p); };

void create_product(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  core::product product;
  product.vendor.value = in.required("vendor_id", in.id("vendor_id"));
  product.state = v1::read_first_state(in).value_or(product.state);
  if (!in.has("name")) in.refuse("name", "is required");
  v1::read_product(*c, in).edits(product);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (!c->engine().catalog()->find(product.vendor))
    return c->fail(no_such("vendor", product.vendor.value));
  c->engine().change_catalog(actors::create_product{std::move(product)}, std::move(w->options),
                             rendered_item<core::product>(c, 201, product_text), finish(c));
}

void update_product(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  auto given = v1::read_product(*c, in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(actors::update_product{core::product_id{c->id()},
                                                    std::move(given.edits), given.secrets_given},
                             std::move(w->options),
                             rendered_item<core::product>(c, 200, product_text), finish(c));
}

template <core::publication_state To>
void move_product(const call_ptr& c) {
  auto w = v1::begin_staff_write(c, true);
  if (!w) return;
  object_reader in{w->body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(actors::move_product{core::product_id{c->id()}, To},
                             std::move(w->options),
                             rendered_item<core::product>(c, 200, product_text), finish(c));
}

std::shared_ptr<const core::product> visible_product(const call& c) {
  auto found = c.engine().catalog()->find(core::product_id{c.id()});
  return found && may_see(c, *found) ? found : nullptr;
}

void get_product(const call_ptr& c) {
  const auto found = visible_product(*c);
  if (!found) return c->fail(no_such("product", c->id()));
  c->send_entity(product_text_for(*c, *found), found->version);
}

void list_products(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto vendor = q.id("vendor_id");
  const auto name = q.text("name");
  const auto sku = q.text("sku");
  const auto state = q.word("state", core::parse_publication_state, "draft, published, withdrawn");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->products(after, n); },
      [&](const core::product& p) {
        return may_see(*c, p) && (!vendor || p.vendor.value == *vendor) &&
               (!name || p.name == *name) && (!sku || p.sku == *sku) &&
               (!state || p.state == *state);
      },
      [&](const core::product& p) { return product_text_for(*c, p); });
}

// ---- instances

constexpr auto instance_text = [](const core::product_instance& i) { return core::to_json(i); };

// Settings by name; null takes one away.
std::map<std::string, std::optional<core::secret_bytes>> read_settings(object_reader& in,
                                                                       bool may_remove) {
  std::map<std::string, std::optional<core::secret_bytes>> out;
  const json* given = in.value("settings");
  if (given == nullptr) return out;
  const json::object_type* members = given->object();
  if (members == nullptr || members->size() > map_entries_max) {
    in.refuse("settings",
              "must be an object of at most " + std::to_string(map_entries_max) + " texts");
    return out;
  }
  for (const json::member& m : *members) {
    const std::string place = pointer_to("settings", m.name);
    const std::string* text = m.value.text();
    if (m.name.empty() || m.name.size() > map_key_bytes_max) {
      in.refuse(place, "a name has 1 to " + std::to_string(map_key_bytes_max) + " bytes");
    } else if (m.value.is_null() && may_remove) {
      out.emplace(m.name, std::nullopt);
    } else if (text == nullptr || text->empty() || text->size() > map_value_bytes_max) {
      in.refuse(place, "must be a text of 1 to " + std::to_string(map_value_bytes_max) + " bytes");
    } else {
      out.emplace(m.name, core::secret_bytes{*text});
    }
  }
  return out;
}

// Vendors and staff; others do not learn that there are any.
bool sees_instances(const call& c) {
  return c.by.role != core::role::tenant && visible_product(c) != nullptr;
}

void create_instance(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  core::product_instance wanted;
  wanted.product.value = c->id();
  wanted.name = in.required("name", in.text("name", name_bytes_max, 1));
  wanted.tenant.value = in.id("tenant_id").value_or(core::provider_tenant.value);
  for (auto& [name, value] : read_settings(in, false)) wanted.settings.emplace(name, *value);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(actors::create_instance{std::move(wanted)}, std::move(w->options),
                             rendered_item<core::product_instance>(c, 201, instance_text),
                             finish(c));
}

void update_instance(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  actors::update_instance wanted;
  wanted.product.value = c->id();
  wanted.id.value = c->id(1);
  wanted.name = in.text("name", name_bytes_max, 1);
  if (const auto tenant = in.id("tenant_id")) wanted.tenant = core::tenant_id{*tenant};
  wanted.settings = read_settings(in, true);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::product_instance>(c, 200, instance_text),
                             finish(c));
}

void delete_instance(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().change_catalog(
      actors::delete_instance{core::product_id{c->id()}, core::instance_id{c->id(1)}},
      std::move(*options),
      rendered_item<core::product_instance>(
          c, 204, [](const core::product_instance&) { return std::string{}; }),
      finish(c));
}

void get_instance(const call_ptr& c) {
  const auto found = c->engine().catalog()->find(core::instance_id{c->id(1)});
  if (!sees_instances(*c) || !found || found->product.value != c->id())
    return c->fail(no_such("instance", c->id(1)));
  c->send_entity(instance_text(*found), found->version);
}

void list_instances(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (!sees_instances(*c)) return c->fail(no_such("product", c->id()));
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->instances(after, n); },
      [&](const core::product_instance& i) { return i.product.value == c->id(); }, instance_text);
}

}  // namespace

route_list product_routes() {
  using core::publication_state;
  return {
      {"POST", "/v1/products", face::v1, true, create_product},
      {"GET", "/v1/products", face::v1, false, list_products, nullptr, true},
      {"GET", "/v1/products/{id}", face::v1, false, get_product},
      {"PATCH", "/v1/products/{id}", face::v1, true, update_product},
      {"POST", "/v1/products/{id}/publish", face::v1, true,
       move_product<publication_state::published>},
      {"POST", "/v1/products/{id}/withdraw", face::v1, true,
       move_product<publication_state::withdrawn>},
      {"POST", "/v1/products/{id}/instances", face::v1, true, create_instance},
      {"GET", "/v1/products/{id}/instances", face::v1, false, list_instances, nullptr, true},
      {"GET", "/v1/products/{id}/instances/{id}", face::v1, false, get_instance},
      {"PATCH", "/v1/products/{id}/instances/{id}", face::v1, true, update_instance},
      {"DELETE", "/v1/products/{id}/instances/{id}", face::v1, true, delete_instance},
  };
}

}  // namespace syndicated::api
