// A user while it is awake. See entity.hpp for the contract.
//
// Its login is held by who asked for the creation (engine_accounts.cpp), so that no two at a time
// find it free. The personal unit that comes with a user of a customer is written with it, in one
// plan: nobody else can know of that tenant yet.
#pragma once

#include <optional>

#include "actors/entity.hpp"

namespace syndicated::actors {

class user_entity final : public entity {
 public:
  user_entity(services& s, core::stream_id stream) : entity(s, stream) {}

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;

  void create(entity_request& request, user_creation& creation);
  core::result<void> add_personal_unit(store::write_plan& plan, follow_ups& follow,
                                       const core::tenant& owner, core::tenant_id unit,
                                       const std::string& cause);
  void apply(entity_request& request, const core::user_command& command,
             const renderer<core::user>& render);
  void timer(entity_request& request);
  void purge_on(entity_request& request);
  void write(entity_request& request, store::write_plan plan, follow_ups follow,
             core::user_decision decided, const renderer<core::user>& render,
             std::function<void()> after = {});

  std::optional<core::user> record_;
};

}  // namespace syndicated::actors
