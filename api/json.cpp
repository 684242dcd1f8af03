#include "api/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/stream_parser.hpp>
#include <simdjson.h>
#include <algorithm>
#include <optional>
#include <unordered_set>

#include "core/base/limits.hpp"

namespace syndicated::api {
namespace {

core::error malformed(std::string detail, std::string pointer = {}) {
  core::error e{core::errc::malformed, "malformed_json", detail, {}, {}};
  if (!pointer.empty()) e.fields.push_back({std::move(pointer), std::move(detail)});
  return e;
}

// simdjson does not say where it gave up, so a second, slower reader looks for the place. Only
// refused bodies pay for it.
core::error locate(std::string_view text, std::string_view reason) {
  boost::json::parse_options options;
  options.max_depth = static_cast<std::size_t>(core::limits::json_depth_max);
  boost::json::stream_parser reader{{}, options};
  boost::json::error_code failure;
  std::size_t at = reader.write_some(text.data(), text.size(), failure);
  if (!failure && at == text.size()) {
    reader.finish(failure);
    if (!failure) return malformed("the body is not acceptable JSON: " + std::string{reason});
  }
  at = std::min(at, text.size());
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? at + 1 : at - newline;
  return malformed("the body is not JSON: line " + std::to_string(line) + ", column " +
                   std::to_string(column) + " (byte " + std::to_string(at) +
                   "): " + (failure ? failure.message() : "unexpected text after the value"));
}

// Turns simdjson's document into our own tree; the refusals that simdjson does not make are here.
class converter {
 public:
  core::result<json> convert(simdjson::dom::element value) {
    json out;
    if (auto failure = convert(value, out, 1)) return std::move(*failure);
    return out;
  }

 private:
  std::optional<core::error> convert(simdjson::dom::element value, json& out, int depth) {
    using kind = simdjson::dom::element_type;
    switch (value.type()) {
      case kind::NULL_VALUE: return std::nullopt;
      case kind::BOOL: out = json{value.get_bool().value_unsafe()}; return std::nullopt;
      case kind::INT64: out = json{value.get_int64().value_unsafe()}; return std::nullopt;
      case kind::UINT64: return malformed("an integer is larger than 9223372036854775807", path_);
      case kind::DOUBLE: out = json{value.get_double().value_unsafe()}; return std::nullopt;
      case kind::STRING: return convert_text(value.get_string().value_unsafe(), out);
      case kind::ARRAY: return convert_array(value.get_array().value_unsafe(), out, depth);
      case kind::OBJECT: return convert_object(value.get_object().value_unsafe(), out, depth);
    }
    return malformed("a value of unknown kind", path_);
  }

  std::optional<core::error> convert_text(std::string_view text, json& out) {
    if (text.find('\0') != std::string_view::npos) {
      return malformed("a string contains the character U+0000", path_);
    }
    out = json{std::string{text}};
    return std::nullopt;
  }

  std::optional<core::error> convert_array(simdjson::dom::array values, json& out, int depth) {
    if (depth > core::limits::json_depth_max) return too_deep();
    json::array_type items;
    items.reserve(values.size());
    const std::size_t here = path_.size();
    for (const simdjson::dom::element value : values) {
      path_ += '/' + std::to_string(items.size());
      json item;
      if (auto failure = convert(value, item, depth + 1)) return failure;
      items.push_back(std::move(item));
      path_.resize(here);
    }
    out = json{std::move(items)};
    return std::nullopt;
  }

  std::optional<core::error> convert_object(simdjson::dom::object values, json& out, int depth) {
    if (depth > core::limits::json_depth_max) return too_deep();
    json::object_type members;
    const std::size_t count = values.size();
    members.reserve(count);
    // Small objects are compared pair by pair; large ones by a set, or a body of a hundred thousand
    // keys would cost a quadratic number of comparisons.
    std::unordered_set<std::string_view> seen;
    const std::size_t here = path_.size();
    for (const auto [name, value] : values) {
      path_ = pointer_to(path_, name);
      if (name.find('\0') != std::string_view::npos) {
        return malformed("a key contains the character U+0000");
      }
      const bool repeated =
          count > 16 ? !seen.insert(name).second
                     : std::ranges::any_of(
                           members, [key = name](const json::member& m) { return m.name == key; });
      if (repeated) return malformed("the key '" + std::string{name} + "' appears twice", path_);
      json member;
      if (auto failure = convert(value, member, depth + 1)) return failure;
      members.push_back({std::string{name}, std::move(member)});
      path_.resize(here);
    }
    out = json{std::move(members)};
    return std::nullopt;
  }

  core::error too_deep() const {
    return malformed("more than " + std::to_string(core::limits::json_depth_max) +
                     " levels of nesting");
  }

  std::string path_;
};

}  // namespace

json::json(array_type items) : content_(std::move(items)) {}
json::json(object_type members) : content_(std::move(members)) {}

const json* json::find(std::string_view name) const noexcept {
  const object_type* members = object();
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, name, &member::name);
  return found == members->end() ? nullptr : &found->value;
}

std::string_view json::type_name() const noexcept {
  static constexpr std::string_view names[] = {"null",     "a boolean", "an integer", "a number",
                                               "a string", "an array",  "an object"};
  return names[content_.index()];
}

core::result<json> parse_json(std::string_view text) {
  if (text.empty()) return malformed("the body is empty; a JSON value is expected");
  if (text.starts_with("\xEF\xBB\xBF"))
    return malformed("byte 0: a byte order mark is not allowed");
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  // simdjson copies the text into its own padded buffer, so a plain view is enough.
  const auto failure = parser.parse(text.data(), text.size(), true).get(root);
  if (failure != simdjson::SUCCESS) return locate(text, simdjson::error_message(failure));
  return converter{}.convert(root);
}

std::string pointer_to(std::string_view base, std::string_view name) {
  std::string pointer{base};
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace syndicated::api
