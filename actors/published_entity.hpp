// The owner of events that publishers handed in: a named stream, which orders them, or a few events
// without an order that came together. See entity.hpp for the contract.
//
// A named stream has no record but its last seq. Unordered events have none at all: their owner is
// new with them, so nothing is read to make it, and each of their deliveries is a lane of its own.
#pragma once

#include "actors/entity.hpp"

namespace syndicated::actors {

class published_entity final : public entity {
 public:
  published_entity(services& s, core::stream_id stream) : entity(s, stream) {}

 private:
  core::result<void> load_record() override;
  bool starts_empty(const entity_request& request) const override;
  void decide(entity_request& request) override;
  void publish(entity_request& request, publish_group& group);

  bool ordered() const noexcept { return stream_.kind == core::entity_kind::published; }

  std::uint64_t seq_ = 0;
};

}  // namespace syndicated::actors
