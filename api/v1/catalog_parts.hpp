// What the calls about vendors, products and plans share. Internal to api/v1.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
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

// The items of an array of objects, each read by `read(reader)`; nothing when it was not given.
template <class Read>
auto read_list(object_reader& in, const std::string& base, std::string_view name,
               std::size_t count_max, Read read)
    -> std::optional<std::vector<decltype(read(std::declval<object_reader&>()))>> {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  const json::array_type* items = given->array();
  if (items == nullptr || items->size() > count_max) {
    in.refuse(name, "must be an array of at most " + std::to_string(count_max) + " objects");
    return std::nullopt;
  }
  std::vector<decltype(read(std::declval<object_reader&>()))> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    object_reader item{(*items)[i], pointer_to(base, name) + '/' + std::to_string(i)};
    out.push_back(read(item));
    in.absorb(std::move(item));
  }
  return out;
}

}  // namespace syndicated::api::v1
