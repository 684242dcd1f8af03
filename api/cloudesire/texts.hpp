// Entities as Cloudesire's platform shows them to vendors (domain.md, 1.7 and 1.11): camelCase,
// numbers as numbers, references as {"url":"type/id"}, whole seconds UTC. Pure.
#pragma once

#include <string>

#include "core/base/json_writer.hpp"
#include "core/lifecycle/catalog.hpp"
#include "core/lifecycle/subscription.hpp"
#include "core/lifecycle/tenant.hpp"

namespace syndicated::api::cloudesire {

// `plan` may be null: then the billing period is left out.
std::string subscription_text(const core::subscription& s, const core::plan* plan);
// `o` may be null: the order that made the subscription.
std::string order_text(const core::subscription& s, const core::operation* o);
std::string product_text(const core::product& p);
std::string plan_text(const core::plan& p);  // productVersion
std::string company_text(const core::tenant& t);
std::string user_text(const core::tenant& t);

}  // namespace syndicated::api::cloudesire
