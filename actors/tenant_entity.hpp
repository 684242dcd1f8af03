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
  // New load is refused while an owner of a recipient has too much (load_gate.hpp).
  void write(entity_request& request, core::tenant_decision decided, bool is_load,
             const renderer<core::tenant>& render);

  std::optional<core::tenant> record_;
};

}  // namespace syndicated::actors
