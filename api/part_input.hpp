// Sub-resources and usage as both faces read and write them: snake_case on /v1, camelCase on /api.
// Errors: those of object_reader. Not shared between threads.
#pragma once

#include <string>
#include <vector>

#include "actors/engine.hpp"
#include "api/call.hpp"
#include "api/input.hpp"

namespace syndicated::api {

// The names of fields as a face spells them.
struct part_names {
  const char* parent;
  const char* resource;
  const char* window_start;
  const char* window_end;
};
inline constexpr part_names native_names{"parent_id", "resource_id", "window_start", "window_end"};
inline constexpr part_names cloudesire_names{"parent", "resource", "windowStart", "windowEnd"};

core::result<core::new_resource> read_new_resource(const json& body, const part_names& names);
// Either new `properties`, or a `status` with, for failed, a `problem`.
core::result<core::resource_command> read_resource_patch(const json& body);
core::result<core::resource_link> read_link(const json& body);
// ?cascade=true
bool read_cascade(query_reader& q);

// A number with at most six decimals that count.
core::decimal read_amount(object_reader& in, std::string_view name);
// {"items":[...]}; `owner` names the field with the subscription, or is nullptr.
core::result<std::vector<actors::usage_item>> read_usage(const json& body, const part_names& names,
                                                         const char* owner);
// Reports them and answers the call: an entry for each item, in their order, with its HTTP status,
// and the record or the error.
void send_usage(const call_ptr& c, std::vector<actors::usage_item> items,
                actors::write_options options);

}  // namespace syndicated::api
