// Orders and views of what belongs to a subscription: its sub-resources and its usage. Plain
// values; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/commands.hpp"
#include "core/lifecycle/metric_poll.hpp"
#include "core/lifecycle/resource.hpp"
#include "core/lifecycle/usage.hpp"

namespace syndicated::actors {

// If-Match of the options is about the sub-resource.
struct resource_step {
  core::resource_id id;
  core::resource_command command;
};
struct link_step {
  core::resource_id id;
  core::resource_link link;
  core::party by = core::party::provider;
  bool take_off = false;
};
using resource_order = std::variant<core::new_resource, resource_step, link_step>;

struct usage_item {
  core::subscription_id subscription;
  core::usage_report report;
};
// In the order of the items given; an error says why this one was not taken.
using usage_outcomes = std::vector<core::result<core::usage_outcome>>;
using usage_renderer = std::function<answer(const usage_outcomes&)>;

struct resource_filter {
  std::string type;
  std::optional<core::resource_status> status;
};
struct usage_filter {
  std::string metric, source;                   // empty = any
  std::optional<core::timestamp> since, until;  // of the window's start
};

}  // namespace syndicated::actors
