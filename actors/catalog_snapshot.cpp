#include "actors/catalog_snapshot.hpp"

#include <algorithm>

#include "actors/event_content.hpp"
#include "core/delivery/envelope.hpp"

namespace syndicated::actors {
namespace {

template <class T>
std::shared_ptr<const record_map<T>> with_records(const record_map<T>& from,
                                                  std::vector<T>&& rows) {
  auto copy = std::make_shared<record_map<T>>(from);
  for (T& row : rows) {
    const std::uint64_t id = row.id.value;
    (*copy)[id] = std::make_shared<const T>(std::move(row));
  }
  return copy;
}

template <class T>
std::shared_ptr<const T> look_up(const record_map<T>& in, std::uint64_t id) {
  const auto it = in.find(id);
  return it == in.end() ? nullptr : it->second;
}

template <class T, class Keep>
std::vector<std::shared_ptr<const T>> page_of(const record_map<T>& in, std::uint64_t after,
                                              std::size_t limit, Keep&& keep) {
  std::vector<std::shared_ptr<const T>> out;
  for (auto it = in.upper_bound(after); it != in.end() && out.size() < limit; ++it) {
    if (keep(*it->second)) out.push_back(it->second);
  }
  return out;
}

constexpr auto every = [](const auto&) { return true; };
constexpr auto not_deleted = [](const core::endpoint& e) {
  return e.state != core::endpoint_state::deleted;
};
constexpr auto instance_not_deleted = [](const core::product_instance& i) { return !i.deleted; };

}  // namespace

catalog_snapshot::catalog_snapshot()
    : vendors_(std::make_shared<record_map<core::vendor>>()),
      products_(std::make_shared<record_map<core::product>>()),
      plans_(std::make_shared<record_map<core::plan>>()),
      instances_(std::make_shared<record_map<core::product_instance>>()),
      endpoints_(std::make_shared<record_map<core::endpoint>>()),
      tokens_(std::make_shared<record_map<core::token>>()),
      event_types_(std::make_shared<record_map<core::event_type>>()),
      by_scope_(std::make_shared<scope_map>()) {}

std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::vendor> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->vendors_ = with_records(*vendors_, std::move(rows));
  return next;
}
std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::product> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->products_ = with_records(*products_, std::move(rows));
  return next;
}
std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(std::vector<core::plan> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->plans_ = with_records(*plans_, std::move(rows));
  return next;
}
std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::product_instance> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->instances_ = with_records(*instances_, std::move(rows));
  return next;
}
std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::token> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->tokens_ = with_records(*tokens_, std::move(rows));
  return next;
}
std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::event_type> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  next->event_types_ = with_records(*event_types_, std::move(rows));
  return next;
}

std::shared_ptr<const catalog_snapshot> catalog_snapshot::with(
    std::vector<core::endpoint> rows) const {
  auto next = std::make_shared<catalog_snapshot>(*this);
  std::vector<std::uint64_t> ids;
  for (const core::endpoint& e : rows) {
    ids.push_back(e.id.value);
    if (const auto before = find_any(e.id)) --next->endpoints_in_[before->state];
    ++next->endpoints_in_[e.state];
  }
  next->endpoints_ = with_records(*endpoints_, std::move(rows));
  auto scopes = std::make_shared<scope_map>(*by_scope_);
  for (const std::uint64_t id : ids) {
    const auto& record = next->endpoints_->at(id);
    next->special_lanes_ =
        next->special_lanes_ || record->ordering != core::ordering_mode::stream ||
        record->termination != core::termination_signal::modified || record->coalesce_modified;
    auto& group = (*scopes)[{record->scope, record->scope_id}];
    std::erase_if(group, [id](const auto& other) { return other->id.value == id; });
    if (not_deleted(*record)) group.push_back(record);
  }
  next->by_scope_ = std::move(scopes);
  return next;
}

std::uint64_t catalog_snapshot::endpoints_in(core::endpoint_state state) const noexcept {
  const auto it = endpoints_in_.find(state);
  return it == endpoints_in_.end() ? 0 : it->second;
}

std::shared_ptr<const core::vendor> catalog_snapshot::find(core::vendor_id id) const {
  return look_up(*vendors_, id.value);
}
std::shared_ptr<const core::product> catalog_snapshot::find(core::product_id id) const {
  return look_up(*products_, id.value);
}
std::shared_ptr<const core::plan> catalog_snapshot::find(core::plan_id id) const {
  return look_up(*plans_, id.value);
}
std::shared_ptr<const core::product_instance> catalog_snapshot::find(core::instance_id id) const {
  auto found = look_up(*instances_, id.value);
  return found && !found->deleted ? found : nullptr;
}
std::shared_ptr<const core::token> catalog_snapshot::find(core::token_id id) const {
  return look_up(*tokens_, id.value);
}
std::shared_ptr<const core::endpoint> catalog_snapshot::find_any(core::endpoint_id id) const {
  return look_up(*endpoints_, id.value);
}
std::shared_ptr<const core::endpoint> catalog_snapshot::find(core::endpoint_id id) const {
  auto found = find_any(id);
  return found && not_deleted(*found) ? found : nullptr;
}

endpoint_owner catalog_snapshot::owner_of(const core::endpoint& e) const {
  if (e.scope == core::endpoint_scope::product) {
    const auto product = find(core::product_id{e.scope_id});
    if (product) return {core::endpoint_scope::vendor, product->vendor.value};
  }
  return {e.scope, e.scope_id};
}

std::vector<core::endpoint_id> catalog_snapshot::endpoints_of(const endpoint_owner& owner) const {
  std::vector<core::endpoint_id> out;
  for (const auto& [id, endpoint] : *endpoints_) {
    if (owner_of(*endpoint) == owner) out.push_back({id});
  }
  return out;
}

std::vector<std::shared_ptr<const core::vendor>> catalog_snapshot::vendors(
    std::uint64_t after, std::size_t limit) const {
  return page_of(*vendors_, after, limit, every);
}
std::vector<std::shared_ptr<const core::product>> catalog_snapshot::products(
    std::uint64_t after, std::size_t limit) const {
  return page_of(*products_, after, limit, every);
}
std::vector<std::shared_ptr<const core::plan>> catalog_snapshot::plans(std::uint64_t after,
                                                                       std::size_t limit) const {
  return page_of(*plans_, after, limit, every);
}
std::vector<std::shared_ptr<const core::endpoint>> catalog_snapshot::endpoints(
    std::uint64_t after, std::size_t limit) const {
  return page_of(*endpoints_, after, limit, not_deleted);
}
std::vector<std::shared_ptr<const core::product_instance>> catalog_snapshot::instances(
    std::uint64_t after, std::size_t limit) const {
  return page_of(*instances_, after, limit, instance_not_deleted);
}
std::vector<std::shared_ptr<const core::token>> catalog_snapshot::tokens(std::uint64_t after,
                                                                         std::size_t limit) const {
  return page_of(*tokens_, after, limit, every);
}

std::shared_ptr<const core::event_type> catalog_snapshot::event_type(core::event_type_id id) const {
  return look_up(*event_types_, id.value);
}
std::shared_ptr<const core::event_type> catalog_snapshot::find_event_type(
    std::string_view name) const {
  auto found = event_types_->empty() ? nullptr : event_type(core::type_id_of(name));
  return found && !found->deleted && found->name == name ? found : nullptr;
}
std::vector<std::shared_ptr<const core::event_type>> catalog_snapshot::event_types() const {
  std::vector<std::shared_ptr<const core::event_type>> out;
  for (const auto& [id, type] : *event_types_) {
    if (!type->deleted) out.push_back(type);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  return out;
}

void catalog_snapshot::collect(const scope_key& scope, core::hears how,
                               core::hears in_cloudesire_form, const core::event& e,
                               event_content& content, std::vector<core::endpoint_id>& out) const {
  if (how == core::hears::never) return;
  const auto group = by_scope_->find(scope);
  if (group == by_scope_->end()) return;
  const auto asked = [&](const core::endpoint& to) {
    const bool cloudesire = to.form == core::wire_form::cloudesire;
    return core::asks_for(to.events, e.name, how) &&
           (!cloudesire || core::asks_for(to.events, e.name, in_cloudesire_form));
  };
  for (const auto& endpoint : group->second) {
    if (!core::sent_in(endpoint->form, e) || !asked(*endpoint)) continue;
    if (endpoint->filter.empty() || content.passes(endpoint->filter)) out.push_back(endpoint->id);
  }
}

std::vector<core::endpoint_id> catalog_snapshot::recipients(
    const core::event& e, core::product_id product, std::span<const core::tenant_id> path) const {
  std::vector<core::endpoint_id> out;
  event_content content{e.data};
  const core::audience told = core::audience_of(e);
  const auto ask = [&](core::endpoint_scope scope, std::uint64_t id, core::hears how) {
    collect({scope, id}, how, told.cloudesire, e, content, out);
  };
  using core::endpoint_scope;
  ask(endpoint_scope::platform, 0, told.platform);
  if (e.vendor) ask(endpoint_scope::vendor, e.vendor.value, told.vendor);
  if (product) ask(endpoint_scope::product, product.value, told.vendor);
  for (core::tenant_id tenant : path) ask(endpoint_scope::tenant, tenant.value, told.tenants);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace syndicated::actors
