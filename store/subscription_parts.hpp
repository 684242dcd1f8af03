// What belongs to a subscription and has rows of its own: sub-resources, and records of usage.
//
// Reads see committed rows; the subscription's actor, which is the only writer, keeps what it has
// written until that is on disk. Threads: any. Errors: errc::corrupt, errc::io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lifecycle/metric_poll.hpp"
#include "core/lifecycle/resource.hpp"
#include "core/lifecycle/usage.hpp"
#include "store/database.hpp"
#include "store/write_plan.hpp"

namespace syndicated::store {

// The levels that were told, and what usage has come to.
struct parts_book {
  std::map<std::string, core::allowance_level, std::less<>> resources_told;
  core::usage_book usage;
  core::metric_polls polls;
};

std::string encode(const core::resource& r);      // without its key
std::string encode(const core::usage_record& r);  // without its subscription
std::string encode(const parts_book& b);          // without open windows
core::result<core::resource> decode_resource(core::subscription_id owner, core::resource_id id,
                                             std::string_view value);
core::result<core::usage_record> decode_usage(core::subscription_id owner, std::string_view value);
core::result<parts_book> decode_parts_book(std::string_view value);

key_bytes resource_key(core::subscription_id owner, core::resource_id id);
key_bytes book_key(core::subscription_id owner);
key_bytes usage_key(char kind, core::subscription_id owner, const core::usage_key& key);

class subscription_parts {
 public:
  explicit subscription_parts(const database& db) : db_(db) {}

  core::result<std::optional<core::resource>> find(core::subscription_id owner,
                                                   core::resource_id id) const;
  // In id order, those behind `after`, until the visitor returns false.
  core::result<void> resources(core::subscription_id owner, core::resource_id after,
                               const std::function<bool(core::resource&&)>& visit) const;
  core::result<parts_book> book(core::subscription_id owner) const;  // with its open windows
  core::result<std::optional<core::usage_record>> find(core::subscription_id owner,
                                                       const core::usage_key& key) const;
  // By window, oldest first. `place` is where the next page goes on behind.
  core::result<void> usage(
      core::subscription_id owner, core::timestamp from, std::string_view after_place,
      const std::function<bool(core::usage_record&&, std::string_view place)>& visit) const;

  static void put(write_plan& plan, const core::resource& r);
  static void erase(write_plan& plan, const core::resource& r);
  static void put(write_plan& plan, core::subscription_id owner, const parts_book& b);
  static void put(write_plan& plan, const core::usage_record& r, bool open);
  // The timer of the next window that closes, or metric that is asked for.
  static void move_timer(write_plan& plan, core::subscription_id owner,
                         std::optional<core::timestamp> before,
                         std::optional<core::timestamp> after);
  // Closed windows that began before; a bounded number of them.
  core::result<void> forget_usage(write_plan& plan, core::subscription_id owner,
                                  core::timestamp before) const;

 private:
  const database& db_;
};

}  // namespace syndicated::store
