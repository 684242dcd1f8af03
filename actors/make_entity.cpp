// Which kind of entity owns which kind of stream.
#include "actors/aggregate_entity.hpp"
#include "actors/endpoint_entity.hpp"
#include "actors/published_entity.hpp"
#include "actors/subscription_entity.hpp"
#include "actors/tenant_entity.hpp"
#include "actors/told_entity.hpp"
#include "actors/usage_ledger.hpp"
#include "actors/user_entity.hpp"

namespace syndicated::actors {

std::unique_ptr<entity> make_entity(services& s, core::stream_id stream) {
  switch (stream.kind) {
    case core::entity_kind::endpoint: return std::make_unique<endpoint_entity>(s, stream);
    case core::entity_kind::tenant: return std::make_unique<tenant_entity>(s, stream);
    case core::entity_kind::user: return std::make_unique<user_entity>(s, stream);
    case core::entity_kind::usages: return std::make_unique<usage_ledger>(s, stream);
    case core::entity_kind::commitment: return std::make_unique<aggregate_entity>(s, stream);
    case core::entity_kind::product:
    case core::entity_kind::plan:
    case core::entity_kind::invoice:
    case core::entity_kind::operation: return std::make_unique<told_entity>(s, stream);
    case core::entity_kind::published:
    case core::entity_kind::unordered: return std::make_unique<published_entity>(s, stream);
    default: return std::make_unique<subscription_entity>(s, stream);
  }
}

}  // namespace syndicated::actors
