#include "api/input.hpp"

#include <algorithm>
#include <charconv>

namespace syndicated::api {
namespace {

constexpr std::size_t mistakes_max = 32;  // a body of a thousand unknown keys gets a short answer

bool has_control(std::string_view text, bool lines_allowed) {
  return std::ranges::any_of(text, [lines_allowed](char c) {
    if (lines_allowed && (c == '\n' || c == '\r' || c == '\t')) return false;
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

core::result<void> refusal(std::vector<core::field_error>&& mistakes) {
  if (mistakes.empty()) return {};
  if (mistakes.size() > mistakes_max) mistakes.resize(mistakes_max);
  std::string detail = mistakes.front().pointer + " " + mistakes.front().detail;
  if (mistakes.size() > 1) {
    detail += ", and " + std::to_string(mistakes.size() - 1) + " more";
  }
  return core::error{
      core::errc::invalid, "invalid_input", std::move(detail), std::move(mistakes), {}};
}

std::string length_rule(std::size_t min, std::size_t max) {
  return "must have " + std::to_string(min) + " to " + std::to_string(max) + " bytes";
}

}  // namespace

object_reader::object_reader(const json& value, std::string base, bool lenient)
    : value_(value), base_(std::move(base)), lenient_(lenient) {
  if (value_.object() == nullptr) {
    mistakes_.push_back({base_, "must be an object, is " + std::string{value_.type_name()}});
  }
}

const json* object_reader::value(std::string_view name) {
  known_.push_back(name);
  return value_.find(name);
}

template <class Check>
auto object_reader::scalar(std::string_view name, std::string_view expected, Check check) {
  using pointer = decltype(check(std::declval<const json&>()));
  const json* given = value(name);
  if (given == nullptr) return pointer{nullptr};
  const auto found = check(*given);
  if (found == nullptr) {
    refuse(name, "must be " + std::string{expected} + ", is " + std::string{given->type_name()});
  }
  return found;
}

std::optional<std::string> object_reader::text(std::string_view name, std::size_t bytes_max,
                                               std::size_t bytes_min) {
  const auto* found = scalar(name, "a string", [](const json& v) { return v.text(); });
  if (found == nullptr) return std::nullopt;
  if (found->size() > bytes_max || found->size() < bytes_min) {
    refuse(name, length_rule(bytes_min, bytes_max));
    return std::nullopt;
  }
  if (has_control(*found, false)) {
    refuse(name, "must not contain control characters");
    return std::nullopt;
  }
  return *found;
}

std::optional<std::string> object_reader::long_text(std::string_view name, std::size_t bytes_max) {
  const auto* found = scalar(name, "a string", [](const json& v) { return v.text(); });
  if (found == nullptr) return std::nullopt;
  if (found->size() > bytes_max) {
    refuse(name, length_rule(0, bytes_max));
    return std::nullopt;
  }
  if (has_control(*found, true)) {
    refuse(name, "must not contain control characters");
    return std::nullopt;
  }
  return *found;
}

std::optional<bool> object_reader::boolean(std::string_view name) {
  const bool* found = scalar(name, "a boolean", [](const json& v) { return v.boolean(); });
  return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<std::int64_t> object_reader::integer(std::string_view name, std::int64_t min,
                                                   std::int64_t max) {
  const auto* found = scalar(name, "an integer", [](const json& v) { return v.integer(); });
  if (found == nullptr) return std::nullopt;
  if (*found < min || *found > max) {
    refuse(name, "must be from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return *found;
}

std::optional<std::uint64_t> object_reader::id(std::string_view name) {
  const auto found = integer(name, 1, id_max);
  return found ? std::optional{static_cast<std::uint64_t>(*found)} : std::nullopt;
}

std::optional<core::timestamp> object_reader::time(std::string_view name) {
  const auto given = text(name, 64);
  if (!given) return std::nullopt;
  const auto parsed = core::parse_rfc3339(*given);
  if (!parsed) refuse(name, "must be an RFC 3339 time such as 2026-11-21T08:15:30.000Z");
  return parsed;
}

std::optional<core::string_map> object_reader::string_map(std::string_view name) {
  const auto* members = scalar(name, "an object", [](const json& v) { return v.object(); });
  if (members == nullptr) return std::nullopt;
  if (members->size() > core::limits::map_entries_max) {
    refuse(name, "must have at most " + std::to_string(core::limits::map_entries_max) + " entries");
    return std::nullopt;
  }
  core::string_map out;
  for (const json::member& m : *members) {
    const std::string key = pointer_to(name, m.name);
    const std::string* text = m.value.text();
    if (m.name.empty() || m.name.size() > core::limits::map_key_bytes_max ||
        has_control(m.name, false)) {
      refuse(key, "the key must have 1 to " + std::to_string(core::limits::map_key_bytes_max) +
                      " bytes and no control characters");
    } else if (text == nullptr) {
      refuse(key, "must be a string, is " + std::string{m.value.type_name()});
    } else if (text->size() > core::limits::map_value_bytes_max) {
      refuse(key, length_rule(0, core::limits::map_value_bytes_max));
    } else {
      out.emplace(m.name, *text);
    }
  }
  return out;
}

std::optional<std::vector<std::string>> object_reader::texts(std::string_view name,
                                                             std::size_t count_max,
                                                             std::size_t bytes_max) {
  const auto* items = scalar(name, "an array", [](const json& v) { return v.array(); });
  if (items == nullptr) return std::nullopt;
  if (items->size() > count_max) {
    refuse(name, "must have at most " + std::to_string(count_max) + " items");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string* text = (*items)[i].text();
    const std::string place = pointer_to(name, std::to_string(i));
    if (text == nullptr) {
      refuse(place, "must be a string, is " + std::string{(*items)[i].type_name()});
    } else if (text->empty() || text->size() > bytes_max) {
      refuse(place, length_rule(1, bytes_max));
    } else {
      out.push_back(*text);
    }
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::int64_t>>> object_reader::integers(
    std::string_view name, std::int64_t min, std::int64_t max) {
  const auto* members = scalar(name, "an object", [](const json& v) { return v.object(); });
  if (members == nullptr) return std::nullopt;
  if (members->size() > core::limits::map_entries_max) {
    refuse(name, "must have at most " + std::to_string(core::limits::map_entries_max) + " entries");
    return std::nullopt;
  }
  std::vector<std::pair<std::string, std::int64_t>> out;
  for (const json::member& m : *members) {
    const std::int64_t* number = m.value.integer();
    const std::string key = pointer_to(name, m.name);
    if (m.name.empty() || m.name.size() > core::limits::map_key_bytes_max) {
      refuse(key, "the key must have 1 to " + std::to_string(core::limits::map_key_bytes_max) +
                      " bytes");
    } else if (number == nullptr) {
      refuse(key, "must be an integer, is " + std::string{m.value.type_name()});
    } else if (*number < min || *number > max) {
      refuse(key, "must be from " + std::to_string(min) + " to " + std::to_string(max));
    } else {
      out.emplace_back(m.name, *number);
    }
  }
  return out;
}

const json::array_type* object_reader::array(std::string_view name, std::size_t min,
                                             std::size_t max) {
  const json* given = value(name);
  if (given == nullptr) return nullptr;
  const json::array_type* items = given->array();
  if (items != nullptr && items->size() >= min && items->size() <= max) return items;
  refuse(name, "must be an array of " + std::string{min == 0 ? "at most " : "1 to "} +
                   std::to_string(max) + " objects");
  return nullptr;
}

std::string object_reader::place_of(std::string_view name) const { return pointer_to(base_, name); }

// `name` is a plain field name, or one that already holds the pointer of something inside it.
void object_reader::refuse(std::string_view name, std::string detail) {
  mistakes_.push_back({base_ + '/' + std::string{name}, std::move(detail)});
}

void object_reader::absorb(object_reader&& nested) {
  nested.note_unknown();
  for (core::field_error& m : nested.mistakes_) mistakes_.push_back(std::move(m));
  nested.mistakes_.clear();
}

void object_reader::note_unknown() {
  const auto* members = value_.object();
  if (members == nullptr || lenient_) return;
  for (const json::member& m : *members) {
    if (std::ranges::find(known_, m.name) == known_.end()) {
      mistakes_.push_back({pointer_to(base_, m.name), "is not a known field"});
    }
  }
}

core::result<void> object_reader::finish() {
  note_unknown();
  return refusal(std::move(mistakes_));
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned value = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, failure] =
          std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (failure != std::errc{} || end != text.data() + i + 3 || value == 0) return std::nullopt;
      out += static_cast<char>(value);
      i += 2;
    }
  }
  return out;
}

core::result<query_items> parse_query(std::string_view query) {
  query_items items;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.empty()) continue;
    const std::size_t equals = std::min(item.find('='), item.size());
    auto name = percent_decode(item.substr(0, equals), true);
    auto value = percent_decode(item.substr(std::min(equals + 1, item.size())), true);
    if (!name || !value) {
      return core::error{core::errc::malformed,
                         "malformed_query",
                         "the query has an invalid percent escape",
                         {},
                         {}};
    }
    items.emplace_back(std::move(*name), std::move(*value));
  }
  return items;
}

std::optional<std::string> query_reader::text(std::string_view name) {
  known_.push_back(name);
  std::optional<std::string> found;
  for (const auto& [key, value] : items_) {
    if (key != name) continue;
    if (found) {
      refuse(name, "is given twice");
      return std::nullopt;
    }
    found = value;
  }
  return found;
}

std::optional<std::uint64_t> query_reader::id(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_id(*given);
  if (!parsed) refuse(name, "must be a positive decimal id");
  return parsed;
}

std::optional<std::int64_t> query_reader::integer(std::string_view name, std::int64_t min,
                                                  std::int64_t max) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(given->data(), given->data() + given->size(), number);
  if (failure != std::errc{} || end != given->data() + given->size() || number < min ||
      number > max) {
    refuse(name, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return number;
}

std::optional<core::timestamp> query_reader::time(std::string_view name) {
  auto given = text(name);
  if (!given) return std::nullopt;
  auto parsed = core::parse_rfc3339(*given);
  if (!parsed) {
    // "+02:00" arrives as " 02:00" from clients that do not escape the plus.
    std::ranges::replace(*given, ' ', '+');
    parsed = core::parse_rfc3339(*given);
  }
  if (!parsed) refuse(name, "must be an RFC 3339 time such as 2026-11-21T08:15:30.000Z");
  return parsed;
}

void query_reader::refuse(std::string_view name, std::string detail) {
  mistakes_.push_back({"?" + std::string{name}, std::move(detail)});
}

core::result<void> query_reader::finish() {
  for (const auto& [key, value] : items_) {
    if (std::ranges::find(known_, key) == known_.end()) {
      refuse(key, "is not a known query parameter of this call");
    }
  }
  return refusal(std::move(mistakes_));
}

core::result<void> query_reader::finish_lenient() { return refusal(std::move(mistakes_)); }

bool is_email(std::string_view text) noexcept {
  return text.find('@') != std::string_view::npos && text.find(' ') == std::string_view::npos;
}

std::optional<std::uint64_t> parse_id(std::string_view text) noexcept {
  if (text.empty() || text.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() ||
      value > static_cast<std::uint64_t>(id_max)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace syndicated::api
