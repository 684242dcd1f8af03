// Aggregate commitments, and what each has counted: a row for each subscription, so that a repeated
// or late word of it changes nothing and the counter is the sum of the rows.
//
// Reads see committed rows; the commitment's actor, which is the only writer, keeps what it has
// written until that is on disk. Threads: any. Errors: errc::corrupt, errc::io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/lifecycle/aggregate.hpp"
#include "store/database.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

struct counted_row {
  std::uint64_t version = 0;  // of the subscription, when it was counted
  std::int64_t units = 0;
  friend bool operator==(const counted_row&, const counted_row&) = default;
};

std::string encode(const core::aggregate& a);
core::result<core::aggregate> decode_aggregate(std::string_view value);

class aggregates {
 public:
  explicit aggregates(const database& db) : db_(db) {}

  core::result<std::optional<core::aggregate>> find(core::commitment_id id) const;
  // In id order, those behind `after`, until the visitor returns false.
  core::result<void> all(core::commitment_id after,
                         const std::function<bool(core::aggregate&&)>& visit) const;
  core::result<std::optional<counted_row>> counted(core::commitment_id id,
                                                   core::subscription_id subscription) const;

  // With its timer; `before` is what is stored now, or nullptr.
  static void put(write_plan& plan, const core::aggregate& a, const core::aggregate* before);
  static void put(write_plan& plan, core::commitment_id id, core::subscription_id subscription,
                  const counted_row& row);

 private:
  const database& db_;
};

}  // namespace syndicated::store
