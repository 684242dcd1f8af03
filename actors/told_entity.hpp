// The stream of a product or a plan: product.published, product.updated, product.withdrawn,
// plan.created, plan.updated, plan.published, plan.withdrawn, plan.deleted (domain.md, 10.11).
//
// The record belongs to the catalog keeper. With each change it leaves the event on disk
// (repository::put_untold), and here the event gets its seq and its recipients: nothing is told
// that is not so, and a crash delays the telling only. See entity.hpp for the contract.
#pragma once

#include "actors/entity.hpp"

namespace syndicated::actors {

class catalog_entity final : public entity {
 public:
  catalog_entity(services& s, core::stream_id stream) : entity(s, stream) {}

 private:
  core::result<void> load_record() override;
  void decide(entity_request& request) override;
  void tell_news(entity_request& request);

  std::uint64_t seq_ = 0;
  // Versions up to this one are told; their rows may stay on disk until that is committed.
  std::uint64_t told_ = 0;
};

}  // namespace syndicated::actors
