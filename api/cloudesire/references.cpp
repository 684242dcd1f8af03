// The resources that a subscription refers to, and the login that older vendor code begins with.
#include <algorithm>

#include "api/access.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

void get_product(const call_ptr& c) {
  const auto found = c->engine().catalog()->find(core::product_id{c->id()});
  if (!found || !may_see(*c, *found)) return c->fail(no_such("product", c->id()));
  c->send(200, cloudesire::product_text(*found));
}

void get_plan(const call_ptr& c) {
  const auto found = c->engine().catalog()->find(core::plan_id{c->id()});
  if (!found || !may_see(*c, *found)) return c->fail(no_such("productVersion", c->id()));
  c->send(200, cloudesire::plan_text(*found));
}

// Ids of parameters are not kept by themselves: they are few, and so are the products.
void get_parameter(const call_ptr& c) {
  const auto catalog = c->engine().catalog();
  const core::parameter_id wanted{c->id()};
  std::uint64_t after = 0;
  for (std::size_t seen = 0; seen < core::limits::scan_rows_max;) {
    const auto products = catalog->products(after, core::limits::page_items_max);
    for (const auto& p : products) {
      after = p->id.value;
      if (!may_see(*c, *p)) continue;
      const auto found =
          std::ranges::find(p->config_parameters, wanted, &core::config_parameter::id);
      if (found != p->config_parameters.end()) {
        return c->send(200, cloudesire::parameter_text(*p, *found));
      }
    }
    seen += products.size();
    if (products.size() < core::limits::page_items_max) break;
  }
  c->fail(no_such("configurationParameter", wanted.value));
}

// A vendor sees the customers that have, or had, something of its own.
bool is_customer_of(const call& c, core::tenant_id tenant) {
  actors::subscription_filter filter;
  filter.tenant = tenant;
  filter.vendor.value = c.by.scope;
  actors::page_request page{1, {}};
  while (true) {
    const auto found = c.engine().subscriptions(filter, page);
    if (!found) return false;
    if (!found->items.empty()) return true;
    if (!found->next) return false;
    page.after = *found->next;
  }
}

template <std::string (*Text)(const core::tenant&)>
void get_customer(const call_ptr& c) {
  const core::tenant_id id{c->id()};
  const auto found = c->engine().tenant(id);
  const bool visible =
      found && (c->by.role == core::role::vendor ? is_customer_of(*c, id) : may_see(*c, *found));
  if (!visible)
    return c->fail(no_such(Text == cloudesire::user_text ? "user" : "company", id.value));
  c->send(200, Text(*found));
}

void get_me(const call_ptr& c) {
  core::json_writer out;
  out.begin_object();
  out.key("id").number(c->by.scope);
  out.key("self").text("user/me");
  out.key("username").text(c->by.name);
  out.key("roles").begin_array().text(core::to_string(c->by.role)).end_array();
  out.end_object();
  c->send(200, std::move(out).str());
}

// Vendor code exchanges user and password for a token first. Here the password is the token.
void login(const call_ptr& c) {
  std::string body;
  core::append_json_string(body, presented_token(c->face, c->request).value_or(std::string{}));
  net::http_response answer;
  answer.body = std::move(body);
  answer.headers.push_back({"Cache-Control", "no-store"});
  c->send(std::move(answer));
}

}  // namespace

route_list cloudesire_reference_routes() {
  return {
      {"GET", "/api/login", face::cloudesire, false, login},
      {"GET", "/api/user/me", face::cloudesire, false, get_me},
      {"GET", "/api/user/{id}", face::cloudesire, false, get_customer<cloudesire::user_text>},
      {"GET", "/api/company/{id}", face::cloudesire, false, get_customer<cloudesire::company_text>},
      {"GET", "/api/userCompany/{id}", face::cloudesire, false,
       get_customer<cloudesire::company_text>},
      {"GET", "/api/product/{id}", face::cloudesire, false, get_product},
      {"GET", "/api/productVersion/{id}", face::cloudesire, false, get_plan},
      {"GET", "/api/configurationParameter/{id}", face::cloudesire, false, get_parameter},
  };
}

}  // namespace syndicated::api
