// Decides and commits changes of the catalogue; publishes a snapshot after each commit.
// CAF-free; one thread at a time (the catalog actor's).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "actors/messages.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

class catalog_keeper {
 public:
  // Goes on from the published snapshot; load() makes the first one.
  explicit catalog_keeper(services& s) : s_(s), newest_(s.catalog.load()) {}

  // Reads everything and publishes it. Errors: the store's.
  core::result<void> load();
  void handle(catalog_request& request);

 private:
  // The new record, or why not. `changed` false: a repeat.
  struct change {
    catalog_item item;
    bool changed = true;
    bool created = false;
    std::optional<core::event> news{};  // of products and plans: what is to be told of it
  };
  core::result<change> decide(const catalog_command& command) const;
  core::result<change> on(const create_vendor& c) const;
  core::result<change> on(const update_vendor& c) const;
  core::result<change> on(const create_product& c) const;
  core::result<change> on(const update_product& c) const;
  core::result<change> on(const move_product& c) const;
  core::result<change> on(const create_plan& c) const;
  core::result<change> on(const update_plan& c) const;
  core::result<change> on(const move_plan& c) const;
  core::result<change> on(const create_instance& c) const;
  core::result<change> on(const update_instance& c) const;
  core::result<change> on(const delete_instance& c) const;
  core::result<change> on(const create_endpoint& c) const;
  core::result<change> on(const update_endpoint& c) const;
  core::result<change> on(const set_endpoint_state& c) const;
  core::result<change> on(const rotate_secret& c) const;
  core::result<change> on(const create_token& c) const;
  core::result<change> on(const revoke_token& c) const;
  core::result<change> on(const create_event_type& c) const;
  core::result<change> on(const update_event_type& c) const;
  core::result<change> on(const delete_event_type& c) const;

  void number_parameters(core::product& p) const;
  core::result<void> still_sold(const core::product& p) const;
  change told(core::product p, std::string_view name, bool created) const;
  change told(core::plan p, std::string_view name, bool created) const;
  core::result<core::product_instance> instance_of(core::product_id product,
                                                   core::instance_id id) const;
  void notice_state(store::write_plan& plan, const core::endpoint& e) const;
  void commit(catalog_request& request, change done);

  services& s_;
  std::shared_ptr<const catalog_snapshot> newest_;  // ahead of what is published
  std::shared_ptr<store::plan_chain> chain_ = std::make_shared<store::plan_chain>();
};

}  // namespace syndicated::actors
