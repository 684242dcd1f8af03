// Without it the library ends the process instead of throwing.
#define VALIJSON_USE_EXCEPTIONS 1

#include "api/schema.hpp"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <array>

#include "api/json.hpp"
#include "core/base/limits.hpp"

namespace syndicated::api {
namespace {

constexpr std::size_t subschemas_max = 512;
constexpr std::size_t mistakes_max = 8;
// Bytes of data by bytes of schema: the library collects every mistake, one for each item and rule,
// before the first can be read, each of 200 bytes or so.
constexpr std::size_t explained_max = 2U << 20U;

using words = std::array<std::string_view, 5>;
constexpr words refused{"$ref", "$id", "pattern", "patternProperties", "uniqueItems"};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// Looks at every place where a schema may stand, and nowhere else: a property may be called
// "pattern".
class schema_check {
 public:
  std::vector<core::field_error> mistakes;

  void visit(boost::json::value& at, const std::string& place) {
    if (at.is_bool() || !at.is_object()) return;  // what is neither is the compiler's to refuse
    if (++count_ > subschemas_max) {
      if (count_ == subschemas_max + 1) mistakes.push_back({place, "is one subschema too many"});
      return;
    }
    auto& members = at.as_object();
    members.erase("format");
    for (auto& member : members) {
      const std::string_view name{member.key().data(), member.key().size()};
      const std::string inside = pointer_to(place, name);
      if (std::ranges::find(refused, name) != refused.end() && !harmless(name, member.value())) {
        mistakes.push_back({inside, "is not supported in schemas of event types"});
      } else if (name == "multipleOf" && !is_divisor(member.value())) {
        mistakes.push_back({inside, "must be a whole number from 1 on"});
      } else if (name == "$schema" && !is_draft_7(member.value())) {
        mistakes.push_back(
            {inside, "must be http://json-schema.org/draft-07/schema#, or left out"});
      } else if (is_one_of(name, {"properties", "definitions", "dependencies"})) {
        visit_members(member.value(), inside);
      } else if (is_one_of(name, {"items", "allOf", "anyOf", "oneOf"})) {
        visit_items(member.value(), inside);
      } else if (is_one_of(name, {"additionalItems", "additionalProperties", "contains",
                                  "propertyNames", "not", "if", "then", "else"})) {
        visit(member.value(), inside);
      }
    }
  }

 private:
  // The library divides by it, and compares remainders of fractions with a fixed bound, so that
  // 19.99 would be no multiple of 0.01.
  static bool is_divisor(const boost::json::value& value) {
    return value.is_uint64() || (value.is_int64() && value.as_int64() > 0);
  }
  // Keywords of other drafts would be taken for remarks.
  static bool is_draft_7(const boost::json::value& value) {
    if (!value.is_string()) return false;
    std::string_view text{value.as_string().data(), value.as_string().size()};
    if (text.ends_with('#')) text.remove_suffix(1);
    return is_one_of(text, {"http://json-schema.org/draft-07/schema",
                            "https://json-schema.org/draft-07/schema"});
  }
  static bool harmless(std::string_view name, const boost::json::value& value) {
    return name == "uniqueItems" && value.is_bool() && !value.as_bool();
  }
  void visit_members(boost::json::value& at, const std::string& place) {
    if (!at.is_object()) return;
    for (auto& member : at.as_object()) {
      visit(member.value(), pointer_to(place, {member.key().data(), member.key().size()}));
    }
  }
  void visit_items(boost::json::value& at, const std::string& place) {
    if (!at.is_array()) return visit(at, place);
    std::size_t i = 0;
    for (auto& item : at.as_array()) visit(item, place + '/' + std::to_string(i++));
  }

  std::size_t count_ = 0;
};

core::error bad_schema(std::string detail, std::vector<core::field_error> fields) {
  return {core::errc::invalid, "invalid_schema", std::move(detail), std::move(fields), {}};
}

// "<root>", "[plan]", "[0]" as a pointer.
std::string pointer_of(const std::vector<std::string>& context) {
  std::string out;
  for (const std::string& step : context) {
    if (step.size() < 2 || step.front() != '[') continue;
    out = pointer_to(out, std::string_view{step}.substr(1, step.size() - 2));
  }
  return out;
}

}  // namespace

struct schema::compiled {
  std::size_t bytes = 0;
  valijson::Schema rules;
};

schema::schema(std::unique_ptr<compiled> body) : body_(std::move(body)) {}
schema::~schema() = default;

core::result<std::shared_ptr<const schema>> schema::compile(std::string_view text) {
  if (text.size() > core::limits::event_schema_bytes_max) {
    return bad_schema("the schema is too large", {{"", "is larger than 65536 bytes"}});
  }
  boost::json::error_code failure;
  boost::json::value root = boost::json::parse(text, failure);
  if (failure || !root.is_object()) {
    return bad_schema("the schema is not an object", {{"", "must be an object"}});
  }
  schema_check check;
  check.visit(root, {});
  if (!check.mistakes.empty()) {
    return bad_schema("the schema uses what is not supported", std::move(check.mistakes));
  }
  auto body = std::make_unique<compiled>();
  body->bytes = text.size();
  try {
    valijson::SchemaParser parser{valijson::SchemaParser::kDraft7};
    parser.populateSchema(valijson::adapters::BoostJsonAdapter{root}, body->rules);
  } catch (const std::exception& why) {
    return bad_schema("the schema is not one of draft 7", {{"", why.what()}});
  }
  return std::shared_ptr<const schema>{new schema(std::move(body))};
}

std::vector<core::field_error> schema::mistakes_in(std::string_view data) const {
  boost::json::error_code failure;
  const boost::json::value value = boost::json::parse(data, failure);
  if (failure) return {{"", "is not JSON"}};
  std::vector<core::field_error> out;
  try {
    valijson::Validator validator;
    const valijson::adapters::BoostJsonAdapter target{value};
    // Without a place for mistakes it ends with the first one.
    if (validator.validate(body_->rules, target, nullptr)) return out;
    if (data.size() * body_->bytes > explained_max) {
      return {{"", "does not fit the schema of its event type; too large for more words"}};
    }
    valijson::ValidationResults results;
    validator.validate(body_->rules, target, &results);
    valijson::ValidationResults::Error one;
    while (out.size() < mistakes_max && results.popError(one)) {
      out.push_back({pointer_of(one.context), one.description});
    }
  } catch (const std::exception& why) {
    out.push_back({"", why.what()});
  }
  if (out.empty()) out.push_back({"", "does not fit the schema of its event type"});
  return out;
}

}  // namespace syndicated::api
