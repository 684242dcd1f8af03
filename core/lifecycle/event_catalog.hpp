// The events that the daemon tells of its own accord: one table of their names, what they are on
// the wire, whom they go to, and an example of each (domain.md, 10.11). Constant; any thread.
//
// Names are stable: adding is allowed, renaming is not. tests/core/event_catalog_test.cpp holds the
// names in the sources against the table, and the examples against golden files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/lifecycle/event.hpp"

namespace syndicated::core {

enum class hears : std::uint8_t {
  never,
  always,
  by_name,     // an endpoint whose `events` have exactly this name
  by_pattern,  // or a pattern that matches it, and is not "*"
};

// Of the endpoints that could hear of an event, who does.
struct audience {
  hears platform = hears::always;
  hears vendor = hears::never;   // and the product's
  hears tenants = hears::never;  // of the path
  // What an endpoint of Cloudesire's form must ask for besides. That wire has no tenants: they are
  // told as a User, which its receivers take for a person.
  hears cloudesire = hears::always;
};

struct built_in_event {
  std::string_view name;
  entity_kind stream{};
  wire_type type = wire_type::none;
  audience told;
  std::string_view description;
  std::string_view change{};  // `data.change` of the example: a JSON object, or empty
};

std::span<const built_in_event> built_in_events() noexcept;  // in the order of their names
const built_in_event* find_built_in(std::string_view name) noexcept;

// Events of publishers go where their scope says. An own event that is not in the table is a
// defect; it goes to the platform only, so that nobody learns what is not for him.
audience audience_of(const event& e) noexcept;

// Whether these patterns (`events` of an endpoint) ask for an event that is told so.
bool asks_for(const std::vector<std::string>& patterns, std::string_view name, hears how) noexcept;

// "always", "by_name", "by_pattern"; "never".
std::string_view to_string(hears how) noexcept;

// The same event each time: what an envelope of this name looks like.
event example_of(const built_in_event& kind);

}  // namespace syndicated::core
