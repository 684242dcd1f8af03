// Sub-resources of a subscription and their state machine (domain.md, 2.3, 2.6 and 10.7).
//
//   proto -> provisioning -> (activating) -> ready <-> configuring, ready <-> disabled,
//   any -> unprovisioning -> deleted; provisioning, activating -> failed -> provisioning
//
// A whole subscription's resources are decided upon together, because links and limits reach from
// one to the other. `decide` answers a command about one of them, `follow` says what a transition
// of the subscription does to all. A refusal leaves no trace; a repeat succeeds without events.
// Thread rule: pure; clock, rules and ids are parameters.
// Limits: limits::subscription_resources_max, resource_links_max. Errors: as core/base/error.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/allowance.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/resource_rule.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

// Persisted: never renumber.
enum class resource_status : std::uint8_t {
  proto = 1,  // waits until those that it hangs on are ready
  provisioning = 2,
  activating = 3,  // the user must finish it
  ready = 4,
  configuring = 5,  // `wanted` is on its way
  disabled = 6,     // <=> somebody holds it
  failed = 7,
  unprovisioning = 8,
  deleted = 9,
};
inline constexpr int resource_status_count = 9;
std::string_view to_string(resource_status status) noexcept;  // "ready" ...
std::optional<resource_status> parse_resource_status(std::string_view text) noexcept;

// What a link leads to. Root: the product's application. Persisted: never renumber.
enum class link_target : std::uint8_t { resource = 1, root = 2, subscription = 3, account = 4 };
std::string_view to_string(link_target target) noexcept;
std::optional<link_target> parse_link_target(std::string_view text) noexcept;

struct resource_link {
  std::string name;  // of the relation
  link_target target = link_target::resource;
  std::uint64_t id = 0;  // of the resource, or of the application's instance; else 0
  link_strength strength = link_strength::weak;
  bool collection = false;  // the relation may lead to several
  friend bool operator==(const resource_link&, const resource_link&) = default;
};

struct resource {
  resource_id id;
  subscription_id subscription;
  std::string type;
  resource_status status = resource_status::proto;
  resource_id parent;  // 0: none, or the application's root
  std::vector<resource_link> links;
  string_map properties;             // in force
  std::optional<string_map> wanted;  // while they are being configured
  bool held_by_command = false;      // disabled until it is enabled
  bool held_by_suspension = false;   // disabled as long as the subscription is suspended
  bool auto_provided = false;
  std::string problem;       // why it failed last
  std::uint64_t serial = 0;  // of its last event
  std::uint64_t version = 0;
  timestamp created_at{};
  timestamp updated_at{};

  bool alive() const noexcept { return status != resource_status::deleted; }
  bool leaving() const noexcept { return !alive() || status == resource_status::unprovisioning; }
  bool held() const noexcept { return held_by_command || held_by_suspension; }
};

std::string to_json(const resource& r);

// All resources of one subscription by id, and which levels of the plan's limits were told.
struct resource_set {
  std::map<resource_id, resource> all;
  std::map<std::string, allowance_level, std::less<>> told;

  const resource* find(resource_id id) const;
  std::int64_t count(std::string_view type) const;  // those that are not deleted
  // Living ones with a strong link to this one, in id order.
  std::vector<resource_id> strong_dependents(resource_id id) const;
};

enum class resource_action : std::uint8_t {
  provision,          // proto, failed -> provisioning
  configure,          // new properties
  report_activating,  // the vendor's words
  report_ready,
  report_failed,
  report_configuring,
  report_removed,
  disable,
  enable,
  remove,
};
inline constexpr int resource_action_count = 10;
std::string_view to_string(resource_action action) noexcept;

struct resource_command {
  resource_action action = resource_action::provision;
  party by = party::provider;
  string_map properties{};  // configure
  std::string problem{};    // report_failed
  bool cascade = false;     // remove
};

struct new_resource {
  std::string type;
  resource_id parent;  // 0: found when there is only one that fits
  std::vector<resource_link> links;
  string_map properties;
  party by = party::provider;
};

struct resource_circumstances {
  timestamp now{};
  subscription_id subscription{};
  subscription_status status = subscription_status::deployed;  // the subscription's, afterwards
  const resource_rules* rules = nullptr;                       // of the plan in force, afterwards
  std::function<resource_id()> next_id{};
};

// What has to be written and told; `put` holds each changed resource once, as it is afterwards.
struct resource_decision {
  std::map<resource_id, resource> put;
  std::map<std::string, allowance_level, std::less<>> told;  // the whole map afterwards
  std::vector<event_draft> events;
  resource_id subject;   // of a command
  bool changed = false;  // false: a repeat; nothing is written
};

result<resource_decision> create_resource(const resource_set& present, const new_resource& wanted,
                                          const resource_circumstances& c);
result<resource_decision> decide(const resource_set& present, resource_id id,
                                 const resource_command& command, const resource_circumstances& c);
// A strong link cannot be taken off, but led to another (relinking); a new one cannot be added.
result<resource_decision> link(const resource_set& present, resource_id id,
                               const resource_link& wanted, party by,
                               const resource_circumstances& c);
result<resource_decision> unlink(const resource_set& present, resource_id id,
                                 const resource_link& wanted, party by,
                                 const resource_circumstances& c);

// The subscription went from `before` (none: it is new) to c.status, or its plan changed.
resource_decision follow(const resource_set& present, std::optional<subscription_status> before,
                         const resource_circumstances& c);

// With these changes every instance that the plan provides of its own accord is ready, and there
// are some.
bool all_provided(const resource_set& present, const resource_decision& changes,
                  const resource_rules& rules);

void adopt(resource_set& present, const resource_decision& d);

}  // namespace syndicated::core
