// Reading products and plans: what each field may be by itself; what they may be together is
// checked with the change (core/lifecycle/catalog_rules.hpp). Internal to api/v1.
#pragma once

#include "api/v1/catalog_parts.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::api::v1 {

// The fields of a product except vendor_id and state. `secrets_given`: a metric came with headers.
struct product_fields {
  record_edits<core::product> edits;
  bool secrets_given = false;
};
product_fields read_product(const call& c, object_reader& in);

// The fields of a plan except product_id and state.
record_edits<core::plan> read_plan(object_reader& in);

// draft or published: what a new one may be.
std::optional<core::publication_state> read_first_state(object_reader& in);

// A price or a cost: decimals in text, or a whole number. Never a JSON number with decimals, which
// is no exact one.
std::optional<core::micros> read_money(object_reader& in, std::string_view name);

}  // namespace syndicated::api::v1
