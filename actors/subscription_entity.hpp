// A subscription while it is awake. See entity.hpp for the contract.
#pragma once

#include <memory>
#include <optional>

#include "actors/entity.hpp"

namespace syndicated::actors {

class subscription_entity final : public entity {
 public:
  subscription_entity(services& s, core::stream_id stream);

 private:
  core::result<void> load_record() override;
  bool known_by_id() const noexcept override { return record_.has_value() || had_lanes(); }
  void decide(entity_request& request) override;

  core::circumstances circumstances_now(const actors::catalog& catalog, core::plan_id plan);
  void create(entity_request& request, subscription_creation& creation);
  void apply(entity_request& request, const core::subscription_command& command,
             const renderer<core::subscription>& render);
  void reconsider(entity_request& request);
  // New load is refused while an owner of a recipient has too much (load_gate.hpp).
  void write(entity_request& request, core::subscription_decision decided, bool is_load,
             const renderer<core::subscription>& render, std::function<void()> after);

  std::optional<core::subscription> record_;
  std::shared_ptr<const core::plan> plan_;  // keeps the circumstances' plan alive
};

}  // namespace syndicated::actors
