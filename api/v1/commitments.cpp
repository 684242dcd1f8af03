// Aggregate commitments: the licences of a reseller's customers, counted together for a tier. The
// marketplace makes and steers them; tenants see those of their subtree.
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;
using core::aggregate_action;

constexpr auto commitment_text = [](const core::aggregate& a) { return core::to_json(a); };
constexpr std::string_view states = "ACTIVE, RENEWED, LAPSED, CANCELLED";

bool may_see(const call& c, const core::aggregate& a) {
  if (is_staff(c.by)) return true;
  return c.by.role == core::role::tenant &&
         c.engine().tenant_within(a.group.reseller, core::tenant_id{c.by.scope});
}

std::uint32_t read_tier(object_reader& in, std::string_view name) {
  return static_cast<std::uint32_t>(in.integer(name, 1, commitment_tiers_max).value_or(0));
}

// The least units of each tier, as in [0,100,500].
std::vector<std::int64_t> read_tiers(object_reader& in) {
  std::vector<std::int64_t> tiers;
  const json* given = in.value("tiers");
  if (given == nullptr) {
    in.refuse("tiers", "is required");
    return tiers;
  }
  const json::array_type* list = given->array();
  if (list == nullptr || list->empty() || list->size() > commitment_tiers_max) {
    in.refuse("tiers", "must be a list of 1 to " + std::to_string(commitment_tiers_max) +
                           " minimum quantities");
    return tiers;
  }
  for (const json& one : *list) {
    const std::int64_t* minimum = one.integer();
    if (minimum == nullptr) {
      in.refuse("tiers", "must be whole numbers that rise from 0");
      break;
    }
    tiers.push_back(*minimum);
  }
  return tiers;
}

// One of vendor_id and product_id. Mistakes through `in`.
void read_group(object_reader& in, const actors::catalog& catalog, core::new_aggregate& wanted) {
  const auto vendor = in.id("vendor_id");
  const auto product = in.id("product_id");
  if (vendor.has_value() == product.has_value()) {
    return in.refuse("product_id", "is given, or vendor_id: one of them");
  }
  if (vendor) {
    if (!catalog.find(core::vendor_id{*vendor})) return in.refuse("vendor_id", "no such vendor");
    wanted.vendor = {*vendor};
    wanted.group.kind = core::entity_kind::vendor;
    wanted.group.of = *vendor;
    return;
  }
  const auto found = catalog.find(core::product_id{*product});
  if (!found) return in.refuse("product_id", "no such product");
  wanted.vendor = found->vendor;
  wanted.group.kind = core::entity_kind::product;
  wanted.group.of = *product;
}

void create_commitment(const call_ptr& c) {
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::new_aggregate wanted;
  wanted.group.reseller.value = in.required("reseller_id", in.id("reseller_id"));
  read_group(in, *c->engine().catalog(), wanted);
  wanted.group.resource = in.text("resource", map_key_bytes_max).value_or(std::string{});
  wanted.tiers = read_tiers(in);
  wanted.committed = read_tier(in, "committed_tier");
  wanted.term_months = static_cast<int>(in.integer("term_months", 1, plan_months_max).value_or(0));
  wanted.auto_renew = in.boolean("auto_renew").value_or(true);
  wanted.allow_early_cancel = in.boolean("allow_early_cancel").value_or(false);
  wanted.cancel_fee = in.boolean("cancel_fee").value_or(false);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().create_commitment(std::move(wanted), std::move(*options),
                                rendered<core::aggregate>(c, 201, commitment_text), finish(c));
}

void get_commitment(const call_ptr& c) {
  const auto found = c->engine().commitment({c->id()});
  if (!found) return c->fail(found.failure());
  if (!may_see(*c, *found)) return c->fail(no_such("commitment", c->id()));
  c->send_entity(commitment_text(*found), found->version);
}

void list_commitments(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  actors::aggregate_filter filter;
  filter.reseller.value = q.id("reseller_id").value_or(0);
  filter.within.value = q.id("within").value_or(0);
  filter.vendor.value = q.id("vendor_id").value_or(0);
  filter.product.value = q.id("product_id").value_or(0);
  filter.state = q.word("state", core::parse_commitment_state, states);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  if (c->by.role == core::role::tenant) {
    const core::tenant_id own{c->by.scope};
    for (const core::tenant_id wish : {filter.reseller, filter.within}) {
      if (wish && !c->engine().tenant_within(wish, own)) {
        return c->fail(no_such("tenant", wish.value));
      }
    }
    if (!filter.within) filter.within = own;
  } else if (const auto ok = require_staff(*c); !ok) {
    return c->fail(ok.failure());
  }
  const auto found = c->engine().commitments(filter, page);
  if (!found) return c->fail(found.failure());
  c->send(200, v1::page_text(found->items, found->next, commitment_text));
}

// Reads with `fill`, which knows the fields of the body.
template <class Fill>
void steer(const call_ptr& c, bool optional_body, core::aggregate_command command, Fill fill) {
  if (const auto ok = require_staff(*c); !ok) return c->fail(ok.failure());
  auto body = c->body(optional_body);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  fill(in, command);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().command(core::commitment_id{c->id()}, command, std::move(*options),
                      rendered<core::aggregate>(c, 200, commitment_text), finish(c));
}

void update_commitment(const call_ptr& c) {
  steer(c, false, {aggregate_action::edit}, [](object_reader& in, core::aggregate_command& edit) {
    edit.auto_renew = in.boolean("auto_renew");
    if (const std::uint32_t tier = read_tier(in, "committed_tier")) edit.committed = tier;
    const auto months = in.integer("term_months", 1, plan_months_max);
    if (months) edit.term_months = static_cast<int>(*months);
    edit.allow_early_cancel = in.boolean("allow_early_cancel");
    edit.cancel_fee = in.boolean("cancel_fee");
  });
}

void lower_tier(const call_ptr& c) {
  steer(c, false, {aggregate_action::step_down},
        [](object_reader& in, core::aggregate_command& command) {
          const auto tier = in.integer("tier", 1, commitment_tiers_max);
          command.tier = static_cast<std::uint32_t>(in.required("tier", tier));
        });
}

template <aggregate_action Action>
void act(const call_ptr& c) {
  steer(c, true, {Action}, [](object_reader&, core::aggregate_command&) {});
}

}  // namespace

route_list commitment_routes() {
  using enum aggregate_action;
  constexpr std::string_view all = "/v1/commitments";
  constexpr std::string_view one = "/v1/commitments/{id}";
  return {
      {"GET", all, face::v1, false, list_commitments, nullptr, true},
      {"POST", all, face::v1, true, create_commitment, nullptr, false, true},
      {"GET", one, face::v1, false, get_commitment},
      {"PATCH", one, face::v1, true, update_commitment},
      {"POST", "/v1/commitments/{id}/snapshot", face::v1, true, act<snapshot>},
      {"POST", "/v1/commitments/{id}/step-down", face::v1, true, lower_tier},
      {"POST", "/v1/commitments/{id}/cancel", face::v1, true, act<cancel>},
  };
}

}  // namespace syndicated::api
