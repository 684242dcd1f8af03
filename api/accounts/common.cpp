#include "api/accounts/common.hpp"

#include "api/contact_input.hpp"
#include "core/base/uuid.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::api::accounts {
namespace {

// Who has none named gets the one of the platform itself.
constexpr std::string_view default_idp = "11111111-1111-1111-1111-111111111111";

std::string_view kind_text(core::tenant_kind kind) {
  switch (kind) {
    case core::tenant_kind::provider: return "root";
    case core::tenant_kind::reseller: return "partner";
    case core::tenant_kind::customer: return "customer";
    case core::tenant_kind::unit: return "unit";
  }
  return "";
}

void text_or_null(core::json_writer& out, const std::string& value) {
  if (value.empty()) {
    out.null();
  } else {
    out.text(value);
  }
}

void uuid_or_null(core::json_writer& out, core::tenant_id id) {
  if (id) {
    out.text(core::to_uuid(id));
  } else {
    out.null();
  }
}

void write_contact(core::json_writer& out, const core::contact& c) {
  out.begin_object();
  out.key("email").text(c.email);
  out.key("firstname").text(c.first_name);
  out.key("lastname").text(c.last_name);
  out.key("phone").text(c.phone);
  core::write_contact_texts(out, c);
  out.end_object();
}

void write_amount(core::json_writer& out, const std::optional<std::int64_t>& amount) {
  if (amount) {
    out.number(*amount);
  } else {
    out.null();
  }
}

void write_texts(core::json_writer& out, const std::vector<std::string>& values) {
  out.begin_array();
  for (const std::string& value : values) out.text(value);
  out.end_array();
}

void write_times(core::json_writer& out, core::timestamp created, core::timestamp updated,
                 const std::optional<core::timestamp>& deleted) {
  out.key("created_at").text(time_text(created));
  out.key("updated_at").text(time_text(updated));
  out.key("deleted_at");
  if (deleted) {
    out.text(time_text(*deleted));
  } else {
    out.null();
  }
}

}  // namespace

core::tenant_id own_tenant(const call& c) {
  return c.by.role == core::role::tenant ? core::tenant_id{c.by.scope} : core::provider_tenant;
}

core::result<void> require_account(const call& c) {
  if (c.by.role == core::role::vendor) return forbidden("vendors have no accounts");
  return {};
}

core::result<void> require_above(const call& c, core::tenant_id id) {
  if (!is_staff(c.by) && c.by.scope == id.value) {
    return forbidden("a tenant is moved, disabled, enabled and deleted by one above it");
  }
  return {};
}

std::string time_text(core::timestamp at) {
  std::string text = core::format_rfc3339_ms(at);
  text.pop_back();
  return text + "+00:00";
}

void write_tenant(core::json_writer& out, const call& c, const core::tenant& t) {
  out.begin_object();
  out.key("ancestral_access").boolean(t.ancestral_access);
  out.key("brand_id").number(t.brand_id);
  write_contact(out.key("contact"), t.contact);
  text_or_null(out.key("customer_id"), t.external_ref);
  out.key("customer_type").text(t.customer_type);
  out.key("default_idp_id");
  out.text(t.default_idp_id.empty() ? default_idp : std::string_view{t.default_idp_id});
  out.key("enabled").boolean(t.state == core::tenant_state::enabled);
  out.key("has_children").boolean(c.engine().has_children(t.id));
  out.key("id").text(core::to_uuid(t.id));
  text_or_null(out.key("internal_tag"), t.internal_tag);
  out.key("kind").text(kind_text(t.kind));
  out.key("language").text(t.language);
  out.key("mfa_status").text("disabled");
  out.key("name").text(t.name);
  out.key("owner_id");
  if (t.personal_of) {
    out.text(core::to_uuid(t.personal_of));
  } else {
    out.null();
  }
  uuid_or_null(out.key("parent_id"), t.parent);
  out.key("pricing_mode").text(core::to_string(t.pricing));
  out.key("update_lock").begin_object().key("enabled").boolean(t.update_lock.enabled);
  uuid_or_null(out.key("owner_id"), t.update_lock.owner);
  out.end_object();
  out.key("version").number(t.version);
  write_times(out, t.created_at, t.updated_at, t.deleted_at);
  out.end_object();
}

void write_user(core::json_writer& out, const core::user& u) {
  out.begin_object();
  out.key("activated").boolean(u.activated);
  write_texts(out.key("business_types"), u.business_types);
  write_contact(out.key("contact"), u.contact);
  out.key("enabled").boolean(u.enabled);
  out.key("id").text(core::to_uuid(u.id));
  out.key("idp_id").text(default_idp);
  out.key("language").text(u.language);
  out.key("login").text(u.login);
  write_texts(out.key("notifications"), u.notifications);
  uuid_or_null(out.key("personal_tenant_id"), u.personal_unit);
  out.key("tenant_id").text(core::to_uuid(u.tenant));
  out.key("terms_accepted").boolean(false);
  out.key("version").number(u.version);
  write_times(out, u.created_at, u.updated_at, u.deleted_at);
  out.end_object();
}

void write_quota(core::json_writer& out, const core::offering_quota& quota) {
  out.begin_object();
  write_amount(out.key("overage"), quota.overage);
  write_amount(out.key("value"), quota.value);
  out.key("version").number(quota.version).end_object();
}

std::string tenant_text(const call& c, const core::tenant& t) {
  core::json_writer out;
  write_tenant(out, c, t);
  return std::move(out).str();
}

std::string user_text(const core::user& u) {
  core::json_writer out;
  write_user(out, u);
  return std::move(out).str();
}

std::optional<std::string> nullable_text(object_reader& in, std::string_view name,
                                         std::size_t bytes_max) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return std::string{};
  return in.text(name, bytes_max);
}

std::optional<core::tenant_id> tenant_field(object_reader& in, std::string_view name) {
  const auto text = nullable_text(in, name, core::limits::name_bytes_max);
  if (!text || text->empty()) return std::nullopt;
  const auto id = core::parse_uuid(*text, core::uuid_kind::tenant);
  if (!id) in.refuse(name, "is not the id of a tenant");
  return id ? std::optional{core::tenant_id{*id}} : std::nullopt;
}

std::optional<core::contact> contact_field(object_reader& in) {
  const json* given = in.value("contact");
  if (given == nullptr || given->is_null()) return std::nullopt;
  object_reader nested{*given, "/contact", true};
  using namespace core::limits;
  core::contact out;
  out.email = nullable_text(nested, "email", 320).value_or(std::string{});
  out.first_name = nullable_text(nested, "firstname", name_bytes_max).value_or(std::string{});
  out.last_name = nullable_text(nested, "lastname", name_bytes_max).value_or(std::string{});
  out.phone = nullable_text(nested, "phone", 64).value_or(std::string{});
  read_contact_texts(nested, out, true);
  if (!out.email.empty() && !is_email(out.email)) {
    nested.refuse("email", "must be an e-mail address");
  }
  in.absorb(std::move(nested));
  return out;
}

std::optional<std::uint64_t> version_field(object_reader& in) {
  return in.required("version", in.id("version"));
}

std::optional<std::uint64_t> version_query(query_reader& q) {
  const auto version = q.id("version");
  if (!version) q.refuse("version", "is required");
  return version;
}

std::optional<core::tenant_id> tenant_query(query_reader& q, std::string_view name) {
  const auto text = q.text(name);
  if (!text) return std::nullopt;
  const auto id = core::parse_uuid(*text, core::uuid_kind::tenant);
  if (!id) q.refuse(name, "is not the id of a tenant");
  return id ? std::optional{core::tenant_id{*id}} : std::nullopt;
}

actors::page_request page_query(query_reader& q) {
  actors::page_request page;
  const auto limit = q.integer("limit", 1, 1'000'000);
  page.limit = limit ? std::min(static_cast<std::size_t>(*limit), core::limits::page_items_max)
                     : core::limits::page_items_default;
  page.after = q.text("after").value_or(std::string{});
  return page;
}

}  // namespace syndicated::api::accounts
