// Entities as Cloudesire's platform shows them to vendors (domain.md, 1.7 and 1.11): camelCase,
// numbers as numbers, references as {"url":"type/id"}, whole seconds UTC. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/invoice.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::api::cloudesire {

// The actions of PATCH, and the plans of SYNDICATED_UPGRADE (prospects.hpp).
struct prospects {
  std::vector<std::string_view> operations;
  std::vector<core::plan_id> upgrades;
};

// What may be null is left out.
struct surroundings {
  const core::plan* plan = nullptr;
  const core::product* product = nullptr;
  const cloudesire::prospects* prospects = nullptr;
};
std::string subscription_text(const core::subscription& s, const surroundings& around);
// The order that made the subscription, or a later one.
std::string order_text(const core::subscription& s, const core::operation& o);
std::string invoice_text(const core::invoice& i);
// `of` is one of the product's.
std::string parameter_text(const core::product& p, const core::config_parameter& of);
std::string product_text(const core::product& p);
std::string plan_text(const core::plan& p);  // productVersion
std::string company_text(const core::tenant& t);
std::string user_text(const core::tenant& t);

}  // namespace syndicated::api::cloudesire
