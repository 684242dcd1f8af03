#include "api/cloudesire/texts.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/lifecycle/money.hpp"

namespace syndicated::api::cloudesire {
namespace {

std::string path(std::string_view type, std::uint64_t id) {
  return std::string{type} + '/' + std::to_string(id);
}

void reference(core::json_writer& out, core::json_name key, const std::string& url) {
  out.key(key).begin_object().key("url").text(url).end_object();
}

void date(core::json_writer& out, core::json_name key, const std::optional<core::timestamp>& at) {
  out.key(key);
  if (at) {
    out.text(core::format_rfc3339_seconds(*at));
  } else {
    out.null();
  }
}

void head(core::json_writer& out, std::string_view type, std::uint64_t id) {
  out.key("id").number(id);
  out.key("self").text(path(type, id));
}

void write_vendor_part(core::json_writer& out, const core::subscription& s) {
  out.key("endpoints").begin_array();
  for (const core::access_point& p : s.endpoints) {
    out.begin_object().key("endpoint").text(p.endpoint).key("description").text(p.description);
    out.key("category").text(p.category).end_object();
  }
  out.end_array();
  out.key("syndicatedEndpoints").begin_array();
  for (const core::access_point& p : s.endpoints) out.text(p.endpoint);
  out.end_array();
  out.key("endUserInstructions");
  const auto english = s.instructions.find("en");
  if (s.instructions.empty()) {
    out.null();
  } else {
    out.text(english != s.instructions.end() ? english->second : s.instructions.begin()->second);
  }
}

// A parameter that the product declares is named by its URL, any other by its code.
void write_config(core::json_writer& out, const core::subscription& s, const core::product* p) {
  if (s.config.empty()) return;
  out.key("configurationParameters").begin_object();
  for (const auto& [code, value] : s.config) {
    std::string name = code;
    if (p != nullptr) {
      const auto declared =
          std::ranges::find(p->config_parameters, code, &core::config_parameter::code);
      if (declared != p->config_parameters.end()) {
        name = path("configurationParameter", declared->id.value);
      }
    }
    out.given_key(name).text(value);
  }
  out.end_object();
}

void write_prospects(core::json_writer& out, const prospects& p) {
  out.key("availableOperations").begin_array();
  for (const std::string_view word : p.operations) out.text(word);
  out.end_array();
  out.key("possibleUpgrades").begin_array();
  for (const core::plan_id id : p.upgrades) {
    out.begin_object().key("url").text(path("productVersion", id.value)).end_object();
  }
  out.end_array();
}

void write_entries(core::json_writer& out, const std::vector<core::invoice_line>& lines) {
  out.begin_array();
  for (const core::invoice_line& l : lines) {
    out.begin_object();
    out.key("description").text(l.description);
    if (!l.identifier.empty()) out.key("identifier").text(l.identifier);
    out.key("price").begin_object().key("price").text(core::money_text(l.price));
    if (!l.currency.empty()) out.key("currency").text(l.currency);
    if (l.vat) out.key("vat").raw(core::to_string(*l.vat));
    out.end_object();
    out.key("quantity").raw(core::to_string(l.quantity));
    if (!l.unit.empty()) out.key("unit").text(l.unit);
    if (l.purchased) date(out, "purchased", l.purchased);
    out.end_object();
  }
  out.end_array();
}

// The newest ones, oldest first; and what the vendor wants on later ones.
void write_invoices(core::json_writer& out, const core::subscription& s) {
  constexpr auto shown = static_cast<std::uint32_t>(core::limits::invoices_shown_max);
  out.key("invoices").begin_array();
  const std::uint32_t first = s.last_invoice > shown ? s.last_invoice - shown + 1 : 1;
  for (std::uint32_t number = first; number <= s.last_invoice; ++number) {
    const std::string url = path("invoice", core::invoice_of(s.id, number).value);
    out.begin_object().key("url").text(url).end_object();
  }
  out.end_array();
  write_entries(out.key("oneshotCosts"), s.oneshot_costs);
  write_entries(out.key("recurringCosts"), s.recurring_costs);
}

// With the renewal, if there is to be one.
std::optional<core::timestamp> next_invoice(const core::subscription& s) {
  const bool renews = s.status == core::subscription_status::deployed && s.auto_renew &&
                      s.type == core::subscription_type::normal;
  return renews ? s.period_end : std::nullopt;
}

std::string order_path(const core::subscription& s, std::uint32_t number) {
  return path("order", core::operation_of(s.id, number).value);
}

void write_order_reference(core::json_writer& out, const core::subscription& s,
                           std::uint32_t number) {
  out.begin_object().key("url").text(order_path(s, number)).end_object();
}

// Cloudesire's words for orders (domain.md, 1.10).
std::string_view order_type(core::operation_kind kind) {
  switch (kind) {
    case core::operation_kind::first: return "NORMAL";
    case core::operation_kind::trial: return "TRIAL";
    case core::operation_kind::renewal: return "RENEWAL";
    case core::operation_kind::plan_change: return "SYNDICATED_UPGRADE";
    case core::operation_kind::quantity_change: return "BILLING_ITEM_UPGRADE";
    case core::operation_kind::conversion: return "UPGRADE";
    case core::operation_kind::unsubscribe: return "UNSUBSCRIBE";
    case core::operation_kind::termination: return "TERMINATION";
    case core::operation_kind::transfer: return "UNMANAGED";
  }
  return "";
}

std::string_view order_status(const core::operation& o) {
  // Of the first order the status is the subscription's own word.
  const bool first = o.number == core::first_order;
  switch (o.state) {
    case core::operation_state::scheduled: return first ? "POSTPONED" : "DEFERRED";
    // A change in progress is one that the vendor is asked about: it can be approved.
    case core::operation_state::in_progress: return first ? "IN_PROGRESS" : "REQUIRES_APPROVAL";
    case core::operation_state::succeeded: return "COMPLETED";
    case core::operation_state::failed: return first ? "FAILED" : "REJECTED";
    case core::operation_state::cancelled: return "CANCELLED";
    case core::operation_state::requires_approval: return "REQUIRES_APPROVAL";
    case core::operation_state::pending: return "PENDING";
    case core::operation_state::rejected: return "REJECTED";
  }
  return "";
}

}  // namespace

std::string order_text(const core::subscription& s, const core::operation& o) {
  core::json_writer out;
  out.begin_object();
  head(out, "order", core::operation_of(s.id, o.number).value);
  out.key("type").text(o.number == core::first_order ? core::to_string(s.type)
                                                     : order_type(o.kind));
  out.key("status").text(order_status(o));
  reference(out, "subscription", path("subscription", s.id.value));
  reference(out, "buyer", path("user", s.tenant.value));
  reference(out, "company", path("company", s.tenant.value));
  reference(out, "product", path("product", s.product.value));
  reference(out, "productVersion", path("productVersion", o.plan_to.value_or(s.plan).value));
  date(out, "createdAt", o.requested_at);
  if (o.ended_at) date(out, "completedAt", o.ended_at);
  if (o.due_at) date(out, "effectiveAt", o.due_at);
  out.key("billingItems").begin_array();
  for (const auto& [name, value] : o.to) {
    out.begin_object().key("identifier").text(name).key("value").number(value).end_object();
  }
  out.end_array();
  out.end_object();
  return std::move(out).str();
}

std::string subscription_text(const core::subscription& s, const surroundings& around) {
  core::json_writer out;
  out.begin_object();
  head(out, "subscription", s.id.value);
  out.key("name").text(s.name);
  out.key("deploymentStatus").text(core::to_string(s.status));
  out.key("type").text(core::to_string(s.type));
  out.key("paid").boolean(s.paid);
  out.key("autoRenew").boolean(s.auto_renew);
  if (around.plan != nullptr) out.key("billingPeriod").number(around.plan->billing_period_months);
  reference(out, "buyer", path("user", s.tenant.value));
  reference(out, "company", path("company", s.tenant.value));
  reference(out, "product", path("product", s.product.value));
  reference(out, "productVersion", path("productVersion", s.plan.value));
  date(out, "createdAt", s.created_at);
  date(out, "updatedAt", s.updated_at);
  date(out, "startDate", s.start_date);
  date(out, "endDate", s.end_date);
  date(out, "billingPeriodStart", s.period_start);
  date(out, "billingPeriodEnd", s.period_end);
  date(out, "lastInvoice", s.last_invoice_at);
  date(out, "nextInvoice", next_invoice(s));
  write_invoices(out, s);
  out.key("orders").begin_array();
  write_order_reference(out, s, core::first_order);
  for (const core::operation& o : s.operations) write_order_reference(out, s, o.number);
  out.end_array();
  write_config(out, s, around.product);
  out.key("billingItems").begin_array();
  for (const auto& [name, value] : s.quantities) {
    out.begin_object().key("identifier").text(name).key("value").number(value).end_object();
  }
  out.end_array();
  write_vendor_part(out, s);
  if (around.prospects != nullptr) write_prospects(out, *around.prospects);
  reference(out, "metadata", path("subscription", s.id.value) + "/metadata");
  out.end_object();
  return std::move(out).str();
}

std::string invoice_text(const core::invoice& i) {
  core::json_writer out;
  out.begin_object();
  head(out, "invoice", i.id.value);
  out.key("type").text(core::to_string(i.kind));
  date(out, "date", i.created_at);
  date(out, "dueDate", i.due_at);
  out.key("paid").boolean(core::counts_as_paid(i.state));
  out.key("status").text(core::to_string(i.state));
  out.key("paymentStatus").text(core::to_string(i.state));
  out.key("cashed").boolean(i.kind == core::invoice_kind::cashed);
  if (!i.reference.empty()) out.key("remoteId").text(i.reference);
  reference(out, "subscription", path("subscription", i.subscription.value));
  write_entries(out.key("entries"), i.lines);
  date(out, "createdAt", i.created_at);
  date(out, "updatedAt", i.updated_at);
  out.end_object();
  return std::move(out).str();
}

std::string parameter_text(const core::product& p, const core::config_parameter& of) {
  core::json_writer out;
  out.begin_object();
  head(out, "configurationParameter", of.id.value);
  out.key("identifier").text(of.code);
  out.key("parameter").text(of.code);
  out.key("name").text(of.name);
  out.key("description").text(of.description);
  out.key("type").text("STRING");
  out.key("required").boolean(of.required);
  out.key("externalValues").boolean(of.external_values);
  reference(out, "product", path("product", p.id.value));
  out.end_object();
  return std::move(out).str();
}

std::string product_text(const core::product& p) {
  core::json_writer out;
  out.begin_object();
  head(out, "product", p.id.value);
  out.key("name").text(p.name);
  out.key("identifier").text(p.sku);
  out.key("metadata").map(p.metadata);
  date(out, "createdAt", p.created_at);
  date(out, "updatedAt", p.updated_at);
  out.end_object();
  return std::move(out).str();
}

std::string plan_text(const core::plan& p) {
  core::json_writer out;
  out.begin_object();
  head(out, "productVersion", p.id.value);
  out.key("name").text(p.name);
  out.key("identifier").text(p.external_id);
  reference(out, "product", path("product", p.product.value));
  out.key("billingPeriod").number(p.billing_period_months);
  out.key("trialDays").number(p.trial_days);
  out.key("metadata").map(p.metadata);
  date(out, "createdAt", p.created_at);
  date(out, "updatedAt", p.updated_at);
  out.end_object();
  return std::move(out).str();
}

std::string company_text(const core::tenant& t) {
  core::json_writer out;
  out.begin_object();
  head(out, "company", t.id.value);
  out.key("name").text(t.name);
  out.key("email").text(t.contact.email);
  out.key("phoneNumber").text(t.contact.phone);
  out.key("externalReference").text(t.external_ref);
  date(out, "createdAt", t.created_at);
  date(out, "updatedAt", t.updated_at);
  out.end_object();
  return std::move(out).str();
}

std::string user_text(const core::tenant& t) {
  core::json_writer out;
  out.begin_object();
  head(out, "user", t.id.value);
  out.key("username").text(t.contact.email.empty() ? t.name : t.contact.email);
  out.key("email").text(t.contact.email);
  out.key("firstName").text(t.contact.first_name);
  out.key("lastName").text(t.contact.last_name);
  out.key("phoneNumber").text(t.contact.phone);
  reference(out, "company", path("company", t.id.value));
  date(out, "createdAt", t.created_at);
  date(out, "updatedAt", t.updated_at);
  out.end_object();
  return std::move(out).str();
}

}  // namespace syndicated::api::cloudesire
