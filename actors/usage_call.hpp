// A call that reports usage: each subscription judges its own items, the ledger those of tenants,
// and the answer comes when all have. A repeat of the call is harmless by itself, since records are
// known by their keys; with an idempotency key it also gets the same answer. Threads: any.
// Lifetime: the services outlive the call.
#pragma once

#include <vector>

#include "actors/parts.hpp"
#include "actors/services.hpp"

namespace syndicated::actors {

void push_usages(services& s, usage_push push, write_options options, usage_push_renderer render,
                 write_reply reply);

void report_usage(services& s, std::vector<usage_item> items, write_options options,
                  usage_renderer render, write_reply reply);

}  // namespace syndicated::actors
