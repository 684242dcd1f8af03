// The catalog keeper's products, their instances, and plans: decisions, and what is told of them.
#include <algorithm>

#include "actors/catalog_change.hpp"
#include "actors/catalog_keeper.hpp"
#include "actors/event_data.hpp"
#include "core/base/limits.hpp"
#include "core/lifecycle/catalog_rules.hpp"

namespace syndicated::actors {
namespace {

using state = core::publication_state;

const char* truth(bool value) { return value ? "true" : "false"; }

// `seq` is added when it is told.
template <class Record>
core::event news_of(const Record& r, core::stream_id stream, std::string_view name,
                    core::wire_type type, bool published, bool approved) {
  core::event e;
  e.stream = stream;
  e.name = name;
  e.type = type;
  e.entity_version = r.version;
  e.vendor = r.vendor;
  e.metadata = {{"published", truth(published)}, {"approved", truth(approved)}};
  core::json_writer data;
  data.begin_object();
  core::write_members(data, r);
  data.end_object();
  e.data = std::move(data).str();
  return e;
}

core::wire_type type_of(std::string_view name) {
  if (name == "plan.created") return core::wire_type::created;
  return name == "plan.deleted" ? core::wire_type::deleted : core::wire_type::modified;
}

// What a move to a state is called; empty: it is not possible.
struct move_names {
  std::string_view product, plan;
};
move_names names_of_move(state from, state to) {
  if (to == state::published && from != state::deleted) {
    return {"product.published", "plan.published"};
  }
  if (to == state::withdrawn && from == state::published) {
    return {"product.withdrawn", "plan.withdrawn"};
  }
  if (to == state::deleted && from != state::published) return {{}, "plan.deleted"};
  return {};
}

core::error wrong_move(state from, state to) {
  const char* action = to == state::published ? "publish"
                       : to == state::deleted ? "delete"
                                              : "withdraw";
  return core::transition_not_allowed(core::to_string(from), action);
}

}  // namespace

// Known codes keep their id, so that what vendors stored goes on naming the same parameter.
void catalog_keeper::number_parameters(core::product& p) const {
  const auto before = newest_->find(p.id);
  for (core::config_parameter& c : p.config_parameters) {
    c.id = {};
    if (before) {
      const auto known =
          std::ranges::find(before->config_parameters, c.code, &core::config_parameter::code);
      if (known != before->config_parameters.end()) c.id = known->id;
    }
    if (!c.id) c.id = s_.ids.next_parameter();
  }
}

// Plans name resource types; a product may not take away what one of them sells.
core::result<void> catalog_keeper::still_sold(const core::product& p) const {
  std::uint64_t after = 0;
  while (true) {
    const auto plans = newest_->plans(after, core::limits::page_items_max);
    if (plans.empty()) return {};
    for (const auto& plan : plans) {
      if (plan->product != p.id || plan->state == state::deleted) continue;
      if (!core::declares(p, *plan)) {
        return core::invalid_field(
            "/resource_types",
            "does not have all that plan " + std::to_string(plan->id.value) + " sells");
      }
    }
    after = plans.back()->id.value;
  }
}

catalog_keeper::change catalog_keeper::told(core::product p, std::string_view name,
                                            bool created) const {
  const bool published = p.state == state::published;
  auto news = news_of(p, core::stream_of(p.id), name, type_of(name), published, published);
  return change{std::move(p), true, created, std::move(news)};
}

// A version of a product counts as approved while the product itself is published.
catalog_keeper::change catalog_keeper::told(core::plan p, std::string_view name,
                                            bool created) const {
  const auto product = newest_->find(p.product);
  const bool approved = product && product->state == state::published;
  auto news =
      news_of(p, core::stream_of(p.id), name, type_of(name), p.state == state::published, approved);
  return change{std::move(p), true, created, std::move(news)};
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_product& c) const {
  if (!newest_->find(c.product.vendor)) return core::invalid_field("/vendor_id", "no such vendor");
  if (auto ok = core::check(c.product); !ok) return std::move(ok).failure();
  core::product p = c.product;
  p.id = s_.ids.next_product();
  number_parameters(p);
  begin(p, s_.now());
  if (p.state != state::published) return change{std::move(p), true, true};
  return told(std::move(p), "product.published", true);
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_product& c) const {
  auto p = present<core::product>(*newest_, c.id, "product");
  if (!p) return std::move(p).failure();
  const std::string before = core::to_json(*p);
  if (c.edit) c.edit(*p);
  if (auto ok = core::check(*p); !ok) return std::move(ok).failure();
  if (auto ok = still_sold(*p); !ok) return std::move(ok).failure();
  number_parameters(*p);
  if (!c.secrets_given && core::to_json(*p) == before) return change{std::move(*p), false, false};
  touch(*p, s_.now());
  return told(std::move(*p), "product.updated", false);
}

core::result<catalog_keeper::change> catalog_keeper::on(const move_product& c) const {
  auto p = present<core::product>(*newest_, c.id, "product");
  if (!p) return std::move(p).failure();
  if (p->state == c.to) return change{std::move(*p), false, false};
  const std::string_view name = names_of_move(p->state, c.to).product;
  if (name.empty()) return wrong_move(p->state, c.to);
  p->state = c.to;
  touch(*p, s_.now());
  return told(std::move(*p), name, false);
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_plan& c) const {
  const auto product = newest_->find(c.plan.product);
  if (!product) return core::invalid_field("/product_id", "no such product");
  if (auto ok = core::check(c.plan, *product); !ok) return std::move(ok).failure();
  core::plan p = c.plan;
  p.id = s_.ids.next_plan();
  p.vendor = product->vendor;
  begin(p, s_.now());
  return told(std::move(p), "plan.created", true);
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_plan& c) const {
  auto p = present<core::plan>(*newest_, c.id, "plan");
  if (!p) return std::move(p).failure();
  if (p->state == state::deleted) return core::not_found("no such plan");
  const std::string before = core::to_json(*p);
  if (c.edit) c.edit(*p);
  const auto product = newest_->find(p->product);
  if (!product) return core::not_found("no such product");
  if (auto ok = core::check(*p, *product); !ok) return std::move(ok).failure();
  if (core::to_json(*p) == before) return change{std::move(*p), false, false};
  touch(*p, s_.now());
  return told(std::move(*p), "plan.updated", false);
}

core::result<catalog_keeper::change> catalog_keeper::on(const move_plan& c) const {
  auto p = present<core::plan>(*newest_, c.id, "plan");
  if (!p) return std::move(p).failure();
  if (p->state == state::deleted) return core::not_found("no such plan");
  if (p->state == c.to) return change{std::move(*p), false, false};
  const std::string_view name = names_of_move(p->state, c.to).plan;
  if (name.empty()) return wrong_move(p->state, c.to);
  p->state = c.to;
  touch(*p, s_.now());
  return told(std::move(*p), name, false);
}

core::result<core::product_instance> catalog_keeper::instance_of(core::product_id product,
                                                                 core::instance_id id) const {
  auto i = present<core::product_instance>(*newest_, id, "instance");
  if (i && i->product != product) return core::not_found("no such instance");
  return i;
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_instance& c) const {
  const auto product = newest_->find(c.instance.product);
  if (!product) return core::not_found("no such product");
  const auto tenant = s_.repo.find(c.instance.tenant);
  if (!tenant) return tenant.failure();
  if (!*tenant) return core::invalid_field("/tenant_id", "no such tenant");
  std::size_t count = 0;
  for (const auto& other : newest_->instances(0, core::limits::scan_rows_max)) {
    if (other->product == product->id) ++count;
  }
  if (count >= core::limits::product_instances_max) {
    return core::error{core::errc::conflict,
                       "too_many_instances",
                       "the product has as many instances as it may have",
                       {},
                       {}};
  }
  core::product_instance i = c.instance;
  i.id = s_.ids.next_instance();
  i.vendor = product->vendor;
  begin(i, s_.now());
  return change{std::move(i), true, true};
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_instance& c) const {
  auto i = instance_of(c.product, c.id);
  if (!i) return std::move(i).failure();
  if (c.tenant) {
    const auto tenant = s_.repo.find(*c.tenant);
    if (!tenant) return tenant.failure();
    if (!*tenant) return core::invalid_field("/tenant_id", "no such tenant");
  }
  bool changed = false;
  take(i->name, c.name, changed);
  take(i->tenant, c.tenant, changed);
  for (const auto& [name, value] : c.settings) {
    if (value) {
      i->settings.insert_or_assign(name, *value);
      changed = true;
    } else {
      changed = i->settings.erase(name) > 0 || changed;
    }
  }
  if (i->settings.size() > core::limits::map_entries_max) {
    return core::invalid_field(
        "/settings", "at most " + std::to_string(core::limits::map_entries_max) + " settings");
  }
  if (changed) touch(*i, s_.now());
  return change{std::move(*i), changed, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const delete_instance& c) const {
  auto i = instance_of(c.product, c.id);
  if (!i) return std::move(i).failure();
  i->deleted = true;
  i->settings.clear();  // nobody needs them any more
  touch(*i, s_.now());
  return change{std::move(*i), true, false};
}

}  // namespace syndicated::actors
