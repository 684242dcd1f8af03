// A subscription while it is awake. See entity.hpp for the contract.
#pragma once

#include <memory>
#include <optional>

#include "actors/entity.hpp"
#include "actors/invoice_keeper.hpp"
#include "actors/part_keeper.hpp"

namespace syndicated::actors {

class subscription_entity final : public entity {
 public:
  subscription_entity(services& s, core::stream_id stream);

 private:
  core::result<void> load_record() override;
  bool known_by_id() const noexcept override { return record_.has_value() || had_lanes(); }
  void decide(entity_request& request) override;

  core::circumstances circumstances_now(const actors::catalog& catalog, core::plan_id plan) const;
  // Of a command on what there is. `catalog` keeps the plans alive. Errors: the store's.
  core::result<core::circumstances> circumstances_of(const actors::catalog& catalog,
                                                     const core::subscription_command& command);
  core::result<void> look_at_owner(core::tenant_id owner, core::circumstances& c);
  // Its tenant stands elsewhere now, or is disabled or enabled: compares with what is on disk.
  void create(entity_request& request, subscription_creation& creation);
  void apply(entity_request& request, const core::subscription_command& command,
             const renderer<core::subscription>& render);
  void reconsider(entity_request& request);
  // New load is refused while an owner of a recipient has too much (load_gate.hpp).
  void write(entity_request& request, core::subscription_decision decided, bool is_load,
             const renderer<core::subscription>& render, std::function<void()> after);

  // The rest of write(), with what happens to the subscription's parts.
  void persist(entity_request& request, core::subscription_decision decided, part_changes changes,
               bool is_load, const renderer<core::subscription>& render,
               std::function<void()> after);
  void change_part(entity_request& request, const resource_change& change);
  void take_usage(entity_request& request, usage_intake& intake);
  void change_invoice(entity_request& request, const invoice_change& change);
  // Of a decision; after the commit the streams that have something to tell are asked to.
  std::function<void()> put_invoices(store::write_plan& plan, invoice_rows&& rows,
                                     const core::subscription& next, const std::string& cause,
                                     std::function<void()> after);
  // Answered: a window of usage closed, or a metric was asked for.
  bool part_timer(entity_request& request);

  part_keeper parts_;
  invoice_keeper invoices_;
  std::optional<core::subscription> record_;
  std::optional<core::tenant> owner_;  // keeps the circumstances' new owner alive
};

}  // namespace syndicated::actors
