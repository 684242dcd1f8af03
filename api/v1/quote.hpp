// POST /v1/plans/{id}/quote: what quantities, changes of quantities and usage cost. Nothing is
// stored and nothing is an invoice. The arithmetic is core/lifecycle/pricing.hpp.
#pragma once

#include <string>

#include "api/json.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/operation.hpp"

namespace syndicated::api::v1 {

struct quote {
  std::string text;  // the answer's body
  // What the vendor is asked about, unless only usage is computed, which nobody orders.
  bool of_order = false;
  core::quantities quantities;
  core::string_map config;
  core::tenant_id buyer;  // 0: not named
};

// `product` may be missing: it tells how a metric is counted. Errors: invalid.
core::result<quote> quote_of(const core::plan& plan, const core::product* product,
                             const json& body);

}  // namespace syndicated::api::v1
