// Vendors.
#include "api/routes.hpp"
#include "api/v1/catalog_parts.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr auto vendor_text = [](const core::vendor& v) { return core::to_json(v); };

std::optional<int> read_weight(object_reader& in) {
  const auto weight = in.integer("weight", 1, owner_weight_max);
  return weight ? std::optional{static_cast<int>(*weight)} : std::nullopt;
}

void create_vendor(const call_ptr& c) {
  auto w = v1::begin_staff_write(c);
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
  auto w = v1::begin_staff_write(c);
  if (!w) return;
  object_reader in{w->body};
  actors::update_vendor wanted{core::vendor_id{c->id()}, in.text("name", name_bytes_max, 1),
                               in.string_map("metadata"), read_weight(in)};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  c->engine().change_catalog(std::move(wanted), std::move(w->options),
                             rendered_item<core::vendor>(c, 200, vendor_text), finish(c));
}

void get_vendor(const call_ptr& c) {
  const auto found = c->engine().catalog()->find(core::vendor_id{c->id()});
  if (!found || !may_see(*c, *found)) return c->fail(no_such("vendor", c->id()));
  c->send_entity(vendor_text(*found), found->version);
}

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

}  // namespace

route_list vendor_routes() {
  return {
      {"POST", "/v1/vendors", face::v1, true, create_vendor},
      {"GET", "/v1/vendors", face::v1, false, list_vendors, nullptr, true},
      {"GET", "/v1/vendors/{id}", face::v1, false, get_vendor},
      {"PATCH", "/v1/vendors/{id}", face::v1, true, update_vendor},
  };
}

}  // namespace syndicated::api
