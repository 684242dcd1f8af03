// A stream whose record another entity owns: that of a product or a plan (the catalog keeper), of
// an invoice or an order (their subscription).
//
// The owner leaves each event on disk with its change (repository::put_untold), and here the event
// gets its seq and its recipients: nothing is told that is not so, and a crash delays the telling
// only. Whom it concerns is in the event: its tenant and vendor decide who may read it. Endpoints
// of tenants hear none of these: the tenant's path is not looked up. See entity.hpp for the
// contract.
#pragma once

#include "actors/entity.hpp"

namespace syndicated::actors {

class told_entity final : public entity {
 public:
  told_entity(services& s, core::stream_id stream) : entity(s, stream) {}

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;
  void tell(entity_request& request);

  std::uint64_t seq_ = 0;
  // Versions up to this one are told; their rows may stay on disk until that is committed.
  std::uint64_t told_ = 0;
};

}  // namespace syndicated::actors
