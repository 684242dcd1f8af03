// Reading request bodies and query strings field by field, collecting every mistake.
//
// Each getter marks its field as known, checks type and limits, and returns nothing when the field
// is absent or wrong; finish() then refuses with one problem that lists all mistakes, unknown
// fields included. Errors: errc::invalid, "invalid_input", fields with RFC 6901 pointers (query:
// "?name"). Limits: core/base/limits.hpp. Not shared between threads.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json.hpp"
#include "core/base/error.hpp"
#include "core/base/limits.hpp"
#include "core/base/time.hpp"
#include "core/lifecycle/catalog.hpp"

namespace syndicated::api {

inline constexpr std::int64_t id_max = std::numeric_limits<std::int64_t>::max();

class object_reader {
 public:
  // `value` must outlive the reader. `base` is the pointer of the object itself. `lenient`: unknown
  // fields are ignored (/api/2).
  explicit object_reader(const json& value, std::string base = {}, bool lenient = false);

  bool has(std::string_view name) const noexcept { return value_.find(name) != nullptr; }
  const json* value(std::string_view name);  // marks it known; nullptr when absent

  std::optional<std::string> text(std::string_view name, std::size_t bytes_max,
                                  std::size_t bytes_min = 0);
  // May contain line breaks and tabs.
  std::optional<std::string> long_text(std::string_view name, std::size_t bytes_max);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::uint64_t> id(std::string_view name);
  std::optional<core::timestamp> time(std::string_view name);
  std::optional<core::string_map> string_map(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t count_max,
                                                std::size_t bytes_max);
  // name -> integer
  std::optional<std::vector<std::pair<std::string, std::int64_t>>> integers(std::string_view name,
                                                                            std::int64_t min,
                                                                            std::int64_t max);

  // The items of an array of objects, each read by `read(reader)`; `count_min` is 0 or 1.
  template <class Read>
  auto objects(std::string_view name, std::size_t count_max, Read read, std::size_t count_min = 0)
      -> std::optional<std::vector<decltype(read(std::declval<object_reader&>()))>> {
    const json::array_type* items = array(name, count_min, count_max);
    if (items == nullptr) return std::nullopt;
    std::vector<decltype(read(std::declval<object_reader&>()))> out;
    for (std::size_t i = 0; i < items->size(); ++i) {
      object_reader item{(*items)[i], place_of(name) + '/' + std::to_string(i), lenient_};
      out.push_back(read(item));
      absorb(std::move(item));
    }
    return out;
  }

  // The pointer of a field.
  std::string place_of(std::string_view name) const;

  // A field that parses with `parse(text) -> optional<E>`; `allowed` is told when it does not.
  template <class Parse>
  auto word(std::string_view name, Parse parse, std::string_view allowed)
      -> decltype(parse(std::string_view{})) {
    const auto given = text(name, core::limits::name_bytes_max);
    if (!given) return std::nullopt;
    auto parsed = parse(*given);
    if (!parsed) refuse(name, "is not one of " + std::string{allowed});
    return parsed;
  }

  // The field was needed and is not there.
  template <class T>
  T required(std::string_view name, std::optional<T> value) {
    if (!value && !has(name)) refuse(name, "is required");
    return value ? *std::move(value) : T{};
  }

  void refuse(std::string_view name, std::string detail);
  bool clean() const noexcept { return mistakes_.empty(); }
  // Takes over the mistakes of a nested reader.
  void absorb(object_reader&& nested);

  core::result<void> finish();

 private:
  template <class Check>
  auto scalar(std::string_view name, std::string_view expected, Check check);
  const json::array_type* array(std::string_view name, std::size_t min, std::size_t max);
  void note_unknown();

  const json& value_;
  std::string base_;
  bool lenient_;
  std::vector<std::string_view> known_;
  std::vector<core::field_error> mistakes_;
};

using query_items = std::vector<std::pair<std::string, std::string>>;

// Errors: errc::malformed for an invalid percent escape.
core::result<query_items> parse_query(std::string_view query);
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

class query_reader {
 public:
  explicit query_reader(const query_items& items) : items_(items) {}

  std::optional<std::string> text(std::string_view name);
  std::optional<std::uint64_t> id(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<core::timestamp> time(std::string_view name);

  template <class Parse>
  auto word(std::string_view name, Parse parse, std::string_view allowed)
      -> decltype(parse(std::string_view{})) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    auto parsed = parse(*given);
    if (!parsed) refuse(name, "is not one of " + std::string{allowed});
    return parsed;
  }

  void refuse(std::string_view name, std::string detail);
  core::result<void> finish();          // unknown and repeated parameters are mistakes
  core::result<void> finish_lenient();  // unknown ones are ignored (/api)

 private:
  const query_items& items_;
  std::vector<std::string_view> known_;
  std::vector<core::field_error> mistakes_;
};

bool is_email(std::string_view text) noexcept;  // as far as one can see

// Decimal, positive, below 2^63, without sign or leading zeros.
std::optional<std::uint64_t> parse_id(std::string_view text) noexcept;

}  // namespace syndicated::api
