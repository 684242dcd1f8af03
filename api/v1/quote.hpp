// POST /v1/plans/{id}/quote: what quantities, changes of quantities and usage cost. Nothing is
// stored and nothing is an invoice. The arithmetic is core/lifecycle/pricing.hpp.
#pragma once

#include <string>

#include "api/json.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::api::v1 {

// The answer's body. `product` may be missing: it tells how a metric is counted. Errors: invalid.
core::result<std::string> quote_text(const core::plan& plan, const core::product* product,
                                     const json& body);

}  // namespace syndicated::api::v1
