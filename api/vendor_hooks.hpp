// Asking the vendor before something is done (domain.md, 1.12): whether an order may be, and which
// values a parameter of the order may have.
//
// All questions of one call go out at once, and all must be answered well; the first refusal in the
// order of the questions is told. A call waits for at most limits::vendor_question_ms and holds its
// write permit and idempotency key meanwhile; nothing has been done when it is refused.
// Threads: `go_on` comes on any thread, or at once when there is nothing to ask.
// Errors: invalid "order_refused" (the vendor's words, or that it gave no usable answer); invalid
// for a value that is not offered; unavailable "overloaded".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "core/lifecycle/subscription_machine.hpp"

namespace syndicated::api {

struct order_inquiry {
  std::shared_ptr<const core::product> product;
  std::shared_ptr<const core::plan> plan;  // what is ordered, or there already
  std::string_view type;                   // Cloudesire's word: "NORMAL", "TERMINATION" ...
  core::tenant_id buyer;                   // 0: an estimate for nobody in particular
  std::optional<core::subscription_id> subscription;  // none: it is to be made
  core::quantities quantities;
  core::string_map config;
};

// None: nobody is asked about such a command, or the engine will answer it without a change.
std::optional<order_inquiry> inquiry_of(const call& c, const core::new_subscription& wanted);
std::optional<order_inquiry> inquiry_of(const call& c, core::subscription_id id,
                                        const core::subscription_command& command);

// Answers refusals itself.
void ask_vendor_first(const call_ptr& c, const std::optional<order_inquiry>& about,
                      std::function<void()> go_on);

struct offered_value {
  std::string value;
  std::string description;
};
// None: any value may be given; an empty list: no value may.
using offered_values = std::optional<std::vector<offered_value>>;
void ask_values(const call_ptr& c, const order_inquiry& about, const core::config_parameter& of,
                std::function<void(core::result<offered_values>&&)> tell);

}  // namespace syndicated::api
