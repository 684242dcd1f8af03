// Stubs that a vendor's code can be tried on without an order (domain.md, 1.6): whatever the id,
// there is one, it always looks the same, and what is written to it is forgotten.
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

constexpr std::int64_t created_s = 1'420'070'400;  // 2015-01-01T00:00:00Z

core::timestamp created() { return core::from_unix_ms(created_s * 1'000); }

core::tenant stub_tenant(std::uint64_t id) {
  core::tenant out;
  out.id.value = id;
  out.name = "Test company";
  out.contact = {"test@example.com", "Test", "User", "+390000000000"};
  out.created_at = out.updated_at = created();
  return out;
}

void get_subscription(const call_ptr& c) {
  core::subscription out;
  out.id.value = c->id();
  out.tenant.value = out.plan.value = out.product.value = out.vendor.value = 1;
  out.name = "Test subscription";
  out.paid = true;
  out.created_at = out.updated_at = created();
  c->send(200, cloudesire::subscription_text(out, {}));
}

void accept(const call_ptr& c) {
  const auto body = c->body();
  if (!body) return c->fail(body.failure());
  if (body->object() == nullptr) {
    return c->fail({core::errc::malformed, "invalid_field", "the body must be an object", {}, {}});
  }
  c->send(204, {});
}

void get_user(const call_ptr& c) { c->send(200, cloudesire::user_text(stub_tenant(c->id()))); }
void get_company(const call_ptr& c) {
  c->send(200, cloudesire::company_text(stub_tenant(c->id())));
}
void get_metadata(const call_ptr& c) { c->send(200, "{}"); }

void get_invoice(const call_ptr& c) {
  core::invoice out;
  out.id.value = c->id();
  out.subscription.value = 1;
  out.state = core::invoice_state::paid;
  out.created_at = out.updated_at = created();
  c->send(200, cloudesire::invoice_text(out));
}

}  // namespace

route_list cloudesire_stub_routes() {
  return {
      {"GET", "/api/test/subscription/{id}", face::cloudesire, false, get_subscription},
      {"PATCH", "/api/test/subscription/{id}", face::cloudesire, false, accept},
      {"GET", "/api/test/user/{id}", face::cloudesire, false, get_user},
      {"GET", "/api/test/user/{id}/metadata", face::cloudesire, false, get_metadata},
      {"PUT", "/api/test/user/{id}/metadata", face::cloudesire, false, accept},
      {"GET", "/api/test/invoicePaid/{id}", face::cloudesire, false, get_invoice},
      {"GET", "/api/test/userCompany/{id}", face::cloudesire, false, get_company},
  };
}

}  // namespace syndicated::api
