// What the calls about vendors, products and plans share. Internal to api/v1.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "api/v1/common.hpp"

namespace syndicated::api::v1 {

// Body, role and options of a write that only staff may make.
struct staff_write {
  json body;
  actors::write_options options;
};

// Answers the refusals itself. `optional_body`: none counts as {}.
inline std::optional<staff_write> begin_staff_write(const call_ptr& c, bool optional_body = false) {
  if (const auto allowed = require_staff(*c); !allowed)
    return c->fail(allowed.failure()), std::nullopt;
  auto body = c->body(optional_body);
  if (!body) return c->fail(body.failure()), std::nullopt;
  auto options = c->options();
  if (!options) return c->fail(options.failure()), std::nullopt;
  return staff_write{std::move(*body), std::move(*options)};
}

// The fields of a body, to be put into a new record or into the present one.
template <class Record>
class record_edits {
 public:
  void add(std::function<void(Record&)> step) { steps_.push_back(std::move(step)); }
  // Nothing when the field was not given.
  template <class Field, class Value>
  void set(Field Record::*field, std::optional<Value> value) {
    if (!value) return;
    add([field, v = std::move(*value)](Record& r) { r.*field = static_cast<Field>(v); });
  }
  void operator()(Record& r) const {
    for (const auto& step : steps_) step(r);
  }

 private:
  std::vector<std::function<void(Record&)>> steps_;
};

}  // namespace syndicated::api::v1
