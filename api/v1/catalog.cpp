// Vendors, products and plans.
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr auto vendor_text = [](const core::vendor& v) { return core::to_json(v); };
constexpr auto product_text = [](const core::product& p) { return core::to_json(p); };
constexpr auto plan_text = [](const core::plan& p) { return core::to_json(p); };

// Body, role and options of a write that only staff may make; answers the refusals itself.
struct staff_write {
  json body;
  actors::write_options options;
};

std::optional<staff_write> begin(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed)
    return c->fail(allowed.failure()), std::nullopt;
  auto body = c->body();
  if (!body) return c->fail(body.failure()), std::nullopt;
  auto options = c->options();
  if (!options) return c->fail(options.failure()), std::nullopt;
  return staff_write{std::move(*body), std::move(*options)};
}

template <class Id, class ToText>
void send_one(const call_ptr& c, std::string_view what, ToText to_text) {
  const auto found = c->engine().catalog()->find(Id{c->id()});
  if (!found || !may_see(*c, *found)) return c->fail(no_such(what, c->id()));
  c->send_entity(to_text(*found), found->version);
}

// ---- vendors

std::optional<int> read_weight(object_reader& in) {
  const auto weight = in.integer("weight", 1, owner_weight_max);
  return weight ? std::optional{static_cast<int>(*weight)} : std::nullopt;
}

void create_vendor(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  actors::create_vendor wanted{in.required("name", in.text("name", name_bytes_max, 1)),
                               in.string_map("metadata").value_or(core::string_map{}),
                               read_weight(in).value_or(1)};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::vendor>(c, 201, vendor_text), finish(c));
}

void update_vendor(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  actors::update_vendor wanted{core::vendor_id{c->id()}, in.text("name", name_bytes_max, 1),
                               in.string_map("metadata"), read_weight(in)};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::vendor>(c, 200, vendor_text), finish(c));
}

void get_vendor(const call_ptr& c) { send_one<core::vendor_id>(c, "vendor", vendor_text); }

void list_vendors(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto name = q.text("name");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->vendors(after, n); },
      [&](const core::vendor& v) { return may_see(*c, v) && (!name || v.name == *name); },
      vendor_text);
}

// ---- products

void create_product(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  actors::create_product wanted;
  wanted.vendor.value = in.required("vendor_id", in.id("vendor_id"));
  wanted.name = in.required("name", in.text("name", name_bytes_max, 1));
  wanted.sku = in.text("sku", name_bytes_max).value_or(std::string{});
  wanted.metadata = in.string_map("metadata").value_or(core::string_map{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (!c->engine().catalog()->find(wanted.vendor))
    return c->fail(no_such("vendor", wanted.vendor.value));
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::product>(c, 201, product_text), finish(c));
}

void update_product(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  actors::update_product wanted{core::product_id{c->id()}, in.text("name", name_bytes_max, 1),
                                in.text("sku", name_bytes_max), in.string_map("metadata")};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::product>(c, 200, product_text), finish(c));
}

void get_product(const call_ptr& c) { send_one<core::product_id>(c, "product", product_text); }

void list_products(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto vendor = q.id("vendor_id");
  const auto name = q.text("name");
  const auto sku = q.text("sku");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->products(after, n); },
      [&](const core::product& p) {
        return may_see(*c, p) && (!vendor || p.vendor.value == *vendor) &&
               (!name || p.name == *name) && (!sku || p.sku == *sku);
      },
      product_text);
}

// ---- plans

core::plan_resource read_resource(object_reader& in) {
  core::plan_resource r;
  r.name = in.required("name", in.text("name", map_key_bytes_max, 1));
  r.min = in.integer("min", 0, id_max).value_or(0);
  r.max = in.integer("max", -1, id_max).value_or(-1);
  r.step = in.integer("step", 1, id_max).value_or(1);
  r.included = in.integer("included", 0, id_max).value_or(0);
  if (r.max >= 0 && r.max < r.min) in.refuse("max", "must not be below min; -1 means unlimited");
  return r;
}

std::optional<std::vector<core::plan_resource>> read_resources(object_reader& in) {
  const json* given = in.value("resources");
  if (given == nullptr) return std::nullopt;
  const json::array_type* items = given->array();
  if (items == nullptr || items->size() > map_entries_max) {
    in.refuse("resources",
              "must be an array of at most " + std::to_string(map_entries_max) + " objects");
    return std::nullopt;
  }
  std::vector<core::plan_resource> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    object_reader nested{(*items)[i], "/resources/" + std::to_string(i)};
    core::plan_resource r = read_resource(nested);
    for (const core::plan_resource& earlier : out) {
      if (earlier.name == r.name) nested.refuse("name", "is used by another resource of the plan");
    }
    out.push_back(std::move(r));
    in.absorb(std::move(nested));
  }
  return out;
}

void create_plan(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  core::plan plan;
  plan.product.value = in.required("product_id", in.id("product_id"));
  plan.name = in.required("name", in.text("name", name_bytes_max, 1));
  plan.external_id = in.text("external_id", name_bytes_max).value_or(std::string{});
  plan.billing_period_months =
      static_cast<int>(in.integer("billing_period_months", 1, 120).value_or(1));
  plan.trial_days = static_cast<int>(in.integer("trial_days", 0, 3'650).value_or(0));
  plan.resources = read_resources(in).value_or(std::vector<core::plan_resource>{});
  plan.metadata = in.string_map("metadata").value_or(core::string_map{});
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (!c->engine().catalog()->find(plan.product))
    return c->fail(no_such("product", plan.product.value));
  c->engine().change_catalog(actors::create_plan{std::move(plan)}, std::move(w->options),
                             rendered_item<core::plan>(c, 201, plan_text), finish(c));
}

std::optional<int> narrow(std::optional<std::int64_t> value) {
  return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
}

void update_plan(const call_ptr& c) {
  auto w = begin(c);
  if (!w) return;
  object_reader in{w->body};
  actors::update_plan wanted;
  wanted.id.value = c->id();
  wanted.name = in.text("name", name_bytes_max, 1);
  wanted.external_id = in.text("external_id", name_bytes_max);
  wanted.billing_period_months = narrow(in.integer("billing_period_months", 1, 120));
  wanted.trial_days = narrow(in.integer("trial_days", 0, 3'650));
  wanted.resources = read_resources(in);
  wanted.metadata = in.string_map("metadata");
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::plan>(c, 200, plan_text), finish(c));
}

void get_plan(const call_ptr& c) { send_one<core::plan_id>(c, "plan", plan_text); }

void list_plans(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto product = q.id("product_id");
  const auto vendor = q.id("vendor_id");
  const auto name = q.text("name");
  const auto external = q.text("external_id");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->plans(after, n); },
      [&](const core::plan& p) {
        return may_see(*c, p) && (!product || p.product.value == *product) &&
               (!vendor || p.vendor.value == *vendor) && (!name || p.name == *name) &&
               (!external || p.external_id == *external);
      },
      plan_text);
}

}  // namespace

route_list catalog_routes() {
  return {
      {"POST", "/v1/vendors", face::v1, true, create_vendor},
      {"GET", "/v1/vendors", face::v1, false, list_vendors, nullptr, true},
      {"GET", "/v1/vendors/{id}", face::v1, false, get_vendor},
      {"PATCH", "/v1/vendors/{id}", face::v1, true, update_vendor},
      {"POST", "/v1/products", face::v1, true, create_product},
      {"GET", "/v1/products", face::v1, false, list_products, nullptr, true},
      {"GET", "/v1/products/{id}", face::v1, false, get_product},
      {"PATCH", "/v1/products/{id}", face::v1, true, update_product},
      {"POST", "/v1/plans", face::v1, true, create_plan},
      {"GET", "/v1/plans", face::v1, false, list_plans, nullptr, true},
      {"GET", "/v1/plans/{id}", face::v1, false, get_plan},
      {"PATCH", "/v1/plans/{id}", face::v1, true, update_plan},
  };
}

}  // namespace syndicated::api
