#include "ctl/document.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

constexpr std::size_t text_width_max = 120;

using boost::json::value;

const value* at(const std::shared_ptr<const void>& from, std::string_view key) {
  const auto* whole = static_cast<const value*>(from.get());
  return whole != nullptr && whole->is_object() ? whole->as_object().if_contains(key) : nullptr;
}

std::string plain(const value& v) {
  if (v.is_string()) return std::string{v.as_string()};
  return v.is_null() ? "-" : boost::json::serialize(v);
}

}  // namespace

core::timestamp current_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

document document::parse(std::string_view text) {
  boost::json::error_code failure;
  auto whole = std::make_shared<const value>(boost::json::parse(text, failure));
  return failure ? document{} : document{std::move(whole)};
}

std::string document::raw_text(std::string_view key) const {
  const value* v = at(value_, key);
  return v != nullptr && v->is_string() ? std::string{v->as_string()} : std::string{};
}

std::string document::text(std::string_view key) const {
  return printable(raw_text(key), text_width_max);
}

std::int64_t document::number(std::string_view key) const {
  const value* v = at(value_, key);
  if (v == nullptr) return 0;
  if (v->is_double()) return static_cast<std::int64_t>(v->as_double());
  boost::json::error_code failure;
  const auto n = v->to_number<std::int64_t>(failure);
  return failure ? 0 : n;
}

std::string document::figure(std::string_view key) const {
  const value* v = at(value_, key);
  if (v == nullptr || !v->is_double()) return std::to_string(number(key));
  std::string text = std::to_string(v->as_double());  // six decimals, as usage has
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string document::count(std::string_view key) const {
  return human_count(static_cast<std::uint64_t>(std::max<std::int64_t>(number(key), 0)));
}

std::string document::id(std::string_view key) const {
  const auto n = number(key);
  return n == 0 ? "-" : std::to_string(n);
}

std::string document::milliseconds(std::string_view key) const {
  const value* v = at(value_, key);
  boost::json::error_code failure;
  const double ms = v == nullptr ? 0.0 : v->to_number<double>(failure);
  if (failure || ms < 0.0 || ms >= 100.0) return count(key) + "ms";
  const auto tenths = static_cast<std::int64_t>(ms * 10.0);
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + "ms";
}

bool document::flag(std::string_view key) const {
  const value* v = at(value_, key);
  return v != nullptr && v->is_bool() && v->as_bool();
}

bool document::has(std::string_view key) const {
  const value* v = at(value_, key);
  return v != nullptr && !v->is_null();
}

std::optional<core::timestamp> document::time(std::string_view key) const {
  return core::parse_rfc3339(raw_text(key));
}

document document::object(std::string_view key) const {
  const value* v = at(value_, key);
  return v == nullptr ? document{} : document{std::shared_ptr<const void>{value_, v}};
}

std::vector<document> document::items(std::string_view key) const {
  std::vector<document> out;
  const value* v = at(value_, key);
  if (v == nullptr || !v->is_array()) return out;
  for (const value& item : v->as_array()) {
    if (item.is_object()) out.push_back(document{std::shared_ptr<const void>{value_, &item}});
  }
  return out;
}

std::string document::words(std::string_view key) const {
  std::string out;
  const value* v = at(value_, key);
  if (v == nullptr || !v->is_array()) return out;
  for (const value& item : v->as_array()) {
    if (!out.empty()) out += ' ';
    out += printable(plain(item), text_width_max);
  }
  return out;
}

bool document::is_object() const {
  const auto* whole = static_cast<const value*>(value_.get());
  return whole != nullptr && whole->is_object();
}

bool document::is_list() const {
  const value* v = at(value_, "items");
  return v != nullptr && v->is_array();
}

std::vector<std::pair<std::string, std::string>> document::members() const {
  std::vector<std::pair<std::string, std::string>> out;
  if (!is_object()) return out;
  for (const auto& [key, v] : static_cast<const value*>(value_.get())->as_object()) {
    out.emplace_back(std::string{key}, printable(plain(v), 2 * text_width_max));
  }
  return out;
}

std::string document::serialized() const {
  const auto* whole = static_cast<const value*>(value_.get());
  return whole == nullptr ? "null" : boost::json::serialize(*whole);
}

}  // namespace syndicated::ctl
