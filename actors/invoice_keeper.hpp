// The rows of one subscription's invoices, and the telling of what becomes of them and of orders.
//
// The subscription's machine decides (core/lifecycle/subscription_invoices.cpp); here the steps
// become rows and events in the subscription's plan. The events have streams of their own
// (told_entity.hpp). Owned by the subscription's entity and used on its thread only; nothing
// changes before write(), so a plan that is refused leaves no trace. Limits:
// limits::subscription_invoices_max. Errors: the store's.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/services.hpp"
#include "store/invoices.hpp"

namespace syndicated::actors {

// Rows as they are from now on.
struct invoice_rows {
  struct row {
    core::invoice now;
    std::string_view told;  // empty: nothing
  };
  std::vector<row> all;
};

class invoice_keeper {
 public:
  explicit invoice_keeper(services& s) : s_(s), stored_(s.repo.db()) {}

  // What is on disk counts again: all that was written is there, or nothing of it.
  void forget() noexcept { ahead_.clear(); }

  // None: there is no such invoice.
  core::result<std::optional<core::invoice>> find(core::invoice_id id) const;
  // What a decision makes of them. None before: the subscription is new.
  core::result<invoice_rows> follow(const core::subscription* before,
                                    const core::subscription_decision& decided) const;
  // Adds the streams that have something to tell.
  void write(store::write_plan& plan, invoice_rows&& rows, const core::subscription& owner,
             const std::string& cause, std::vector<core::stream_id>& told);

 private:
  services& s_;
  store::invoices stored_;
  std::map<core::invoice_id, core::invoice> ahead_;  // written, perhaps not on disk yet
};

// Of the daemon's metrics: one of these was committed.
void count_invoice(services& s, std::string_view event_name) noexcept;

// order.created and order.changed: what is new of what was asked for.
void put_orders(services& s, store::write_plan& plan, const core::subscription* before,
                const core::subscription& after, const std::string& cause,
                std::vector<core::stream_id>& told);

}  // namespace syndicated::actors
