// The stream of one endpoint's operational events: endpoint.degraded, endpoint.recovered,
// endpoint.paused, endpoint.disabled, delivery.exhausted, and for the oldest endpoint of an owner
// quota.reached, quota.blocked, quota.recovered (docs/operations.md). They go to endpoints of the
// platform, never to the one they are about, and each says that something changed.
//
// Who sees a change leaves a notice on disk with it (repository::put_notice): nothing is told that
// is not so, and a crash delays the telling only. See entity.hpp for the contract.
#pragma once

#include <optional>

#include "actors/entity.hpp"

namespace syndicated::actors {

class endpoint_entity final : public entity {
 public:
  endpoint_entity(services& s, core::stream_id stream) : entity(s, stream) {}

 private:
  struct told {
    core::event_draft draft;
    std::string data;          // members behind the endpoint's own, without braces
    bool about_owner = false;  // told in the endpoint's stream, but not about it: it may hear it
  };

  core::result<void> load_record() override;
  void decide(entity_request& request) override;
  void answer_notices(entity_request& request);
  void tell_health(entity_request& request, const endpoint_health_changed& change);
  void tell_quota(entity_request& request, const owner_quota_changed& change);
  // The endpoint's state, when it is another than the one told last.
  void tell_state(std::vector<told>& out, const core::endpoint& e);
  core::result<void> tell_exhausted(std::vector<told>& out, const store::notice_row& notice);
  void write(entity_request& request, store::write_plan plan, std::vector<told> news,
             const core::endpoint& e);
  void write(entity_request& request, told news, const core::endpoint& e);

  store::endpoint_journal record_;
};

}  // namespace syndicated::actors
