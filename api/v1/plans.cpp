// Plans: what can be ordered of a product, for how much.
#include "api/access.hpp"
#include "api/routes.hpp"
#include "api/v1/offer_fields.hpp"
#include "api/v1/quote.hpp"
#include "api/vendor_hooks.hpp"

namespace syndicated::api {
namespace {

using state = core::publication_state;

constexpr auto plan_text = [](const core::plan& p) { return core::to_json(p); };

// Drafts are not the customers' business yet; deleted plans are nobody's any more.
bool shows(const call& c, const core::plan& p) {
  if (p.state == state::deleted || !may_see(c, p)) return false;
  return p.state != state::draft || c.by.role != core::role::tenant;
}

std::shared_ptr<const core::plan> visible_plan(const call& c) {
  auto found = c.engine().catalog()->find(core::plan_id{c.id()});
  return found && shows(c, *found) ? found : nullptr;
}

void create_plan(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  core::plan plan;
  plan.product.value = in.required("product_id", in.id("product_id"));
  plan.state = v1::read_first_state(in).value_or(plan.state);
  if (!in.has("name")) in.refuse("name", "is required");
  v1::read_plan(in)(plan);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  if (!c->engine().catalog()->find(plan.product))
    return c->fail(no_such("product", plan.product.value));
  c->engine().change_catalog(actors::create_plan{std::move(plan)}, std::move(w->options),
                             rendered_item<core::plan>(c, 201, plan_text), finish(c));
}

void update_plan(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  auto edits = v1::read_plan(in);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(actors::update_plan{core::plan_id{c->id()}, std::move(edits)},
                             std::move(w->options), rendered_item<core::plan>(c, 200, plan_text),
                             finish(c));
}

template <state To>
void move_plan(const call_ptr& c) {
  auto w = v1::begin_staff_write(c, true);
  if (!w) return;
  object_reader in{w->body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(actors::move_plan{core::plan_id{c->id()}, To}, std::move(w->options),
                             rendered_item<core::plan>(c, 200, plan_text), finish(c));
}

void delete_plan(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  const auto nothing = [](const core::plan&) { return std::string{}; };
  c->engine().change_catalog(actors::move_plan{core::plan_id{c->id()}, state::deleted},
                             std::move(*options), rendered_item<core::plan>(c, 204, nothing),
                             finish(c));
}

void get_plan(const call_ptr& c) {
  const auto found = visible_plan(*c);
  if (!found) return c->fail(no_such("plan", c->id()));
  c->send_entity(plan_text(*found), found->version);
}

void list_plans(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto product = q.id("product_id");
  const auto vendor = q.id("vendor_id");
  const auto name = q.text("name");
  const auto external = q.text("external_id");
  const auto wanted = q.word("state", core::parse_publication_state, "draft, published, withdrawn");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->plans(after, n); },
      [&](const core::plan& p) {
        return shows(*c, p) && (!product || p.product.value == *product) &&
               (!vendor || p.vendor.value == *vendor) && (!name || p.name == *name) &&
               (!external || p.external_id == *external) && (!wanted || p.state == *wanted);
      },
      plan_text);
}

// It keeps nothing: a question, though it has a body. The vendor is asked as with an order.
void quote_plan(const call_ptr& c) {
  const auto plan = visible_plan(*c);
  if (!plan) return c->fail(no_such("plan", c->id()));
  const auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  const auto product = c->engine().catalog()->find(plan->product);
  auto quote = v1::quote_of(*plan, product.get(), *body);
  if (!quote) return c->fail(quote.failure());
  if (quote->buyer) {
    const auto tenant = visible_tenant(*c, quote->buyer);
    if (!tenant) return c->fail(core::invalid_field("/tenant_id", "no such tenant"));
  }
  std::optional<order_inquiry> about;
  if (quote->of_order && product) {
    about = order_inquiry{product,           plan,         "ESTIMATE", quote->buyer, {},
                          quote->quantities, quote->config};
  }
  ask_vendor_first(c, about,
                   [c, text = std::move(quote->text)]() mutable { c->send(200, std::move(text)); });
}

}  // namespace

route_list plan_routes() {
  return {
      {"POST", "/v1/plans", face::v1, true, create_plan},
      {"GET", "/v1/plans", face::v1, false, list_plans, nullptr, true},
      {"GET", "/v1/plans/{id}", face::v1, false, get_plan},
      {"PATCH", "/v1/plans/{id}", face::v1, true, update_plan},
      {"DELETE", "/v1/plans/{id}", face::v1, true, delete_plan},
      {"POST", "/v1/plans/{id}/publish", face::v1, true, move_plan<state::published>},
      {"POST", "/v1/plans/{id}/withdraw", face::v1, true, move_plan<state::withdrawn>},
      {"POST", "/v1/plans/{id}/quote", face::v1, false, quote_plan},
  };
}

}  // namespace syndicated::api
