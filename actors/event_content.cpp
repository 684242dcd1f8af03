#include "actors/event_content.hpp"

#include <simdjson.h>

#include <optional>

namespace syndicated::actors {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

std::optional<core::filter_scalar> scalar(element value) {
  switch (value.type()) {
    case element_type::NULL_VALUE: return nullptr;
    case element_type::BOOL: return value.get_bool().value_unsafe();
    case element_type::INT64: return value.get_int64().value_unsafe();
    case element_type::DOUBLE: return value.get_double().value_unsafe();
    case element_type::STRING: return value.get_string().value_unsafe();
    case element_type::UINT64:  // refused where data comes in
    case element_type::ARRAY:
    case element_type::OBJECT: break;
  }
  return std::nullopt;
}

}  // namespace

struct event_content::parsed {
  std::optional<element> root;
};

event_content::event_content(std::string_view data) noexcept : data_(data) {}

event_content::~event_content() = default;

bool event_content::passes(const core::content_filter& filter) {
  if (!parsed_) {
    thread_local simdjson::dom::parser parser;
    parsed_ = std::make_unique<parsed>();
    element root;
    if (parser.parse(data_.data(), data_.size(), true).get(root) == simdjson::SUCCESS) {
      parsed_->root = root;
    }
  }
  return core::accepts(filter, [this](std::string_view path) { return find(path); });
}

core::filter_field event_content::find(std::string_view path) {
  core::filter_field out;
  if (!parsed_->root) return out;
  element at = *parsed_->root;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    simdjson::dom::object object;
    if (at.get(object) != simdjson::SUCCESS) return out;
    if (object.at_key(path.substr(0, dot)).get(at) != simdjson::SUCCESS) return out;
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  out.present = true;
  simdjson::dom::array items;
  if (at.get(items) == simdjson::SUCCESS) {
    for (const element item : items) {
      if (auto value = scalar(item)) out.scalars.push_back(*value);
    }
  } else if (auto value = scalar(at)) {
    out.scalars.push_back(*value);
  }
  return out;
}

}  // namespace syndicated::actors
