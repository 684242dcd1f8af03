// JSON Schema (draft 7) for published data: compiled once, asked for each event.
//
// Refused, because an event must be judged in bounded time and without looking elsewhere: `$ref`
// and `$id` (a schema is written out in one piece), `pattern` and `patternProperties` (regular
// expressions), `uniqueItems` (compares all with all). `format` is taken as a remark, as draft 7
// lets it be. Limits: limits::event_schema_bytes_max bytes, 512 subschemas.
// Threads: a compiled schema may be used by any number of threads. What the library throws is
// caught here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::api {

class schema {
 public:
  // Errors: errc::invalid with pointers into the schema.
  static core::result<std::shared_ptr<const schema>> compile(std::string_view text);
  ~schema();
  schema(const schema&) = delete;
  schema& operator=(const schema&) = delete;

  // What is wrong with the JSON value, with pointers into it; at most eight mistakes.
  std::vector<core::field_error> mistakes_in(std::string_view data) const;

 private:
  struct compiled;
  explicit schema(std::unique_ptr<compiled> body);
  std::unique_ptr<const compiled> body_;
};

}  // namespace syndicated::api
