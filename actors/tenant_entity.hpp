// A tenant while it is awake. See entity.hpp for the contract.
#pragma once

#include <optional>

#include "actors/entity.hpp"

namespace syndicated::actors {

class tenant_entity final : public entity {
 public:
  tenant_entity(services& s, core::stream_id stream);

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;

  void create(entity_request& request, tenant_creation& creation);
  void apply(entity_request& request, tenant_change& change);
  void reconsider(entity_request& request);
  void set_offerings(entity_request& request, offerings_change& change);
  void timer(entity_request& request);
  // One look at what is left below: it is sent away, or there is nothing and this one goes.
  void purge_on(entity_request& request);
  core::result<std::optional<std::chrono::milliseconds>> send_away_below();
  // Where it is to be moved to, if anywhere. Errors: of the guards that need others' records.
  core::result<std::optional<core::move_target>> target_of(const core::tenant_command& command);
  core::result<void> refresh_path();
  // New load is refused while an owner of a recipient has too much (load_gate.hpp).
  void write(entity_request& request, core::tenant_decision decided, bool is_load,
             const renderer<core::tenant>& render, std::function<void()> after = {});

  std::optional<core::tenant> record_;
  std::optional<core::offering_list> offerings_;  // as last set here; else as stored
};

}  // namespace syndicated::actors
