// GET /v1/products/{id}/parameters/{code}/values: what the vendor says that a parameter of an order
// may be.
#include <algorithm>

#include "api/access.hpp"
#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "api/vendor_hooks.hpp"

namespace syndicated::api {
namespace {

std::string values_text(const offered_values& values) {
  core::json_writer out;
  out.begin_object().key("values");
  if (!values) {
    out.null();
  } else {
    out.begin_array();
    for (const offered_value& v : *values) {
      out.begin_object().key("value").text(v.value).key("description").text(v.description);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
  return std::move(out).str();
}

void get_values(const call_ptr& c) {
  query_reader q{c->query};
  order_inquiry about;
  about.buyer.value = q.id("tenant_id").value_or(0);
  const core::plan_id plan{q.id("plan_id").value_or(0)};
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  about.product = catalog->find(core::product_id{c->id()});
  if (!about.product || !may_see(*c, *about.product)) return c->fail(no_such("product", c->id()));
  const auto& parameters = about.product->config_parameters;
  const auto found = std::ranges::find(parameters, c->key, &core::config_parameter::code);
  if (found == parameters.end()) {
    return c->fail(core::not_found("the product has no parameter of this code"));
  }
  if (plan) {
    about.plan = catalog->find(plan);
    if (!about.plan || about.plan->product != about.product->id) {
      return c->fail(core::invalid_field("?plan_id", "is no plan of the product"));
    }
  }
  if (about.buyer) {
    const auto tenant = visible_tenant(*c, about.buyer);
    if (!tenant) return c->fail(tenant.failure());
  }
  if (!found->external_values) return c->send(200, values_text({}));
  ask_values(c, about, *found, [c](core::result<offered_values>&& values) {
    if (!values) return c->fail(values.failure());
    c->send(200, values_text(*values));
  });
}

}  // namespace

route_list parameter_value_routes() {
  return {
      {"GET", "/v1/products/{id}/parameters/{key}/values", face::v1, false, get_values, nullptr,
       true},
  };
}

}  // namespace syndicated::api
