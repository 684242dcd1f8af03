// A tenant while it is awake. See entity.hpp for the contract.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/entity.hpp"
#include "store/usages.hpp"

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
  // ---- tenant_quotas.cpp
  // What is to be told of its quotas, and kept of that once it is in a plan.
  struct quota_news {
    std::vector<core::event_draft> events;
    std::map<std::string, core::quota_told> told;
    store::write_plan plan;
  };
  core::result<core::offering_list> own_items() const;
  // One item's level with what was told of it. `tried`: more was wanted, and refused.
  core::result<void> compare(quota_news& news, const core::offering_list& own,
                             const std::string& item, std::optional<std::int64_t> tried);
  void keep(const quota_news& news);
  void tell_quotas(entity_request& request);
  core::result<void> follow_quotas(quota_news& news, const core::offering_list& before,
                                   const core::offering_list& after);
  // Errors: errc::conflict "quota_exceeded" above the new place.
  core::result<void> bears_move(const core::tenant& parent) const;
  core::result<void> bears_item(const core::offering_key& item,
                                const std::vector<core::tenant>& moved,
                                const std::vector<core::tenant_id>& above) const;
  // Those that the ledger has yet to look at. Errors: errc::unavailable when there are many.
  core::result<std::vector<core::tenant>> in_motion() const;

  // New load is refused while an owner of a recipient has too much (load_gate.hpp).
  void write(entity_request& request, core::tenant_decision decided, bool is_load,
             const renderer<core::tenant>& render, std::function<void()> after = {},
             store::write_plan plan = {});

  std::optional<core::tenant> record_;
  std::optional<core::offering_list> offerings_;  // as last set here; else as stored
  store::usages usages_;
  std::map<std::string, core::quota_told> told_;  // of quotas, as last written here; else as stored
};

}  // namespace syndicated::actors
