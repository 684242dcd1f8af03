// Declared event types: published data must fit the JSON Schema of its name.
//
// A schema is compiled when it is first needed and kept until its type changes. Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/input.hpp"
#include "api/schema.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::api {

class call;

// Bound: limits::event_types_max types exist, and a name keeps one schema.
class schema_cache {
 public:
  // nullptr: the type has no schema, or one that an older version let pass and this one does not:
  // then its data is refused.
  std::shared_ptr<const schema> of(const std::shared_ptr<const core::event_type>& type);

 private:
  struct entry {
    std::shared_ptr<const core::event_type> type;
    std::shared_ptr<const api::schema> rules;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, entry> entries_;
};

// Notes in `in` what is wrong with the event's name, or its data as the declared schema has it.
void check_declared(const call& c, std::string_view name, std::string_view data, object_reader& in);

}  // namespace syndicated::api
