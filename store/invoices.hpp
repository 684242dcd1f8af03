// The rows of invoices: parts of their subscription, whose actor is their only writer.
//
// Reads see committed rows. Threads: any. Errors: errc::corrupt, errc::io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/lifecycle/invoice.hpp"
#include "store/database.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

std::string encode(const core::invoice& i);  // without its key
core::result<core::invoice> decode_invoice(core::invoice_id id, std::string_view value);
key_bytes invoice_key(core::invoice_id id);

class invoices {
 public:
  explicit invoices(const database& db) : db_(db) {}

  core::result<std::optional<core::invoice>> find(core::invoice_id id) const;
  // Of one subscription in the order of their numbers, those behind `after`, until the visitor
  // returns false.
  core::result<void> of(core::subscription_id owner, core::invoice_id after,
                        const std::function<bool(core::invoice&&)>& visit) const;
  static void put(write_plan& plan, const core::invoice& i);

 private:
  const database& db_;
};

}  // namespace syndicated::store
