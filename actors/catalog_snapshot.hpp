// The catalogue in memory: immutable maps, shared piecewise between successive snapshots, so that a
// change copies one map of pointers and readers never wait.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "actors/engine.hpp"
#include "core/lifecycle/event_catalog.hpp"

namespace syndicated::actors {

class event_content;

// Whose endpoints share turns and a backlog: a vendor's and its products', a tenant's, the
// platform's.
struct endpoint_owner {
  core::endpoint_scope scope = core::endpoint_scope::platform;  // never product
  std::uint64_t id = 0;
  // clang-tidy takes the zero that the compiler compares with for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const endpoint_owner&, const endpoint_owner&) = default;
};

template <class T>
using record_map = std::map<std::uint64_t, std::shared_ptr<const T>>;

class catalog_snapshot final : public catalog {
 public:
  catalog_snapshot();

  // Copies with these records put in (or replaced); each map is copied once.
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::vendor> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::product> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::plan> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::product_instance> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::endpoint> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::token> rows) const;
  std::shared_ptr<const catalog_snapshot> with(std::vector<core::event_type> rows) const;
  template <class T>
  std::shared_ptr<const catalog_snapshot> with(T record) const {
    std::vector<T> rows;
    rows.push_back(std::move(record));
    return with(std::move(rows));
  }

  std::shared_ptr<const core::vendor> find(core::vendor_id id) const override;
  std::shared_ptr<const core::product> find(core::product_id id) const override;
  std::shared_ptr<const core::plan> find(core::plan_id id) const override;
  std::shared_ptr<const core::product_instance> find(core::instance_id id) const override;
  std::shared_ptr<const core::endpoint> find(core::endpoint_id id) const override;
  std::shared_ptr<const core::token> find(core::token_id id) const override;
  std::vector<std::shared_ptr<const core::vendor>> vendors(std::uint64_t after,
                                                           std::size_t limit) const override;
  std::vector<std::shared_ptr<const core::product>> products(std::uint64_t after,
                                                             std::size_t limit) const override;
  std::vector<std::shared_ptr<const core::plan>> plans(std::uint64_t after,
                                                       std::size_t limit) const override;
  std::vector<std::shared_ptr<const core::product_instance>> instances(
      std::uint64_t after, std::size_t limit) const override;
  std::vector<std::shared_ptr<const core::endpoint>> endpoints(std::uint64_t after,
                                                               std::size_t limit) const override;
  std::vector<std::shared_ptr<const core::token>> tokens(std::uint64_t after,
                                                         std::size_t limit) const override;

  std::shared_ptr<const core::event_type> find_event_type(std::string_view name) const override;
  std::vector<std::shared_ptr<const core::event_type>> event_types() const override;
  std::shared_ptr<const core::event_type> event_type(core::event_type_id id) const;  // or deleted

  // Deleted ones too: their lanes still have to be cancelled.
  std::shared_ptr<const core::endpoint> find_any(core::endpoint_id id) const;
  endpoint_owner owner_of(const core::endpoint& e) const;
  std::vector<core::endpoint_id> endpoints_of(const endpoint_owner& owner) const;
  // Some endpoint has (or had) settings that change how lanes go on; without one, nobody looks.
  bool special_lanes() const noexcept { return special_lanes_; }
  const record_map<core::endpoint>& all_endpoints() const { return *endpoints_; }
  std::uint64_t endpoints_in(core::endpoint_state state) const noexcept;  // how many

  // Who is told about an event (core/lifecycle/event_catalog.hpp) whose patterns and content
  // filters let it through: the platform's endpoints, the vendor's, the product's (ids of 0 have
  // none) and those of the tenants on `path`; ascending ids, without doubles.
  std::vector<core::endpoint_id> recipients(const core::event& e, core::product_id product,
                                            std::span<const core::tenant_id> path) const;

 private:
  using scope_key = std::pair<core::endpoint_scope, std::uint64_t>;
  using scope_map = std::map<scope_key, std::vector<std::shared_ptr<const core::endpoint>>>;

  void collect(const scope_key& scope, core::hears how, core::hears in_cloudesire_form,
               const core::event& e, event_content& content,
               std::vector<core::endpoint_id>& out) const;

  std::shared_ptr<const record_map<core::vendor>> vendors_;
  std::shared_ptr<const record_map<core::product>> products_;
  std::shared_ptr<const record_map<core::plan>> plans_;
  std::shared_ptr<const record_map<core::product_instance>> instances_;
  std::shared_ptr<const record_map<core::endpoint>> endpoints_;
  std::shared_ptr<const record_map<core::token>> tokens_;
  std::shared_ptr<const record_map<core::event_type>> event_types_;
  std::shared_ptr<const scope_map> by_scope_;  // not deleted ones
  bool special_lanes_ = false;
  std::map<core::endpoint_state, std::uint64_t> endpoints_in_;
};

}  // namespace syndicated::actors
