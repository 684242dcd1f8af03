// What an endpoint wants to hear of, judged by an event's `data`: a small language without regular
// expressions, so that a filter costs at most its own size (docs/filters.md has the table).
//
// A filter is a tree, kept flat in preorder. core has no JSON library: values come from a lookup
// that the caller provides, asked once for each condition. A field is a dotted path through
// objects; what it names is missing, one scalar, an array, or an object. A condition on an array
// holds when it holds for one of its scalars. Values of different types are never equal and have no
// order; integers and reals compare as exact numbers.
// Pure; any thread. Limits: below; a tree from outside passes check_filter() before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.hpp"

namespace syndicated::core {

inline constexpr std::size_t filter_nodes_max = 64;
inline constexpr std::size_t filter_depth_max = 8;
inline constexpr std::size_t filter_values_max = 64;  // of one `in`
inline constexpr std::size_t filter_text_bytes_max = 256;
inline constexpr std::size_t filter_path_parts_max = 16;

// Persisted: never renumber.
enum class filter_op : std::uint8_t {
  all_of = 1,  // "and"
  any_of = 2,  // "or"
  negate = 3,  // "not"
  eq = 4,
  ne = 5,  // not eq: holds for a missing field
  in = 6,
  lt = 7,
  lte = 8,
  gt = 9,
  gte = 10,
  exists = 11,  // its value says whether the field must be there; null is there
  prefix = 12,
};
std::string_view to_string(filter_op op) noexcept;  // "and", "eq" ...
std::optional<filter_op> parse_filter_op(std::string_view text) noexcept;

using filter_literal = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;

struct filter_node {
  filter_op op = filter_op::all_of;
  std::string field;                   // conditions: "plan.tier"
  std::vector<filter_literal> values;  // conditions: one, or those of `in`
  std::uint32_t children = 0;          // and, or, not: how many follow, each with its own children

  bool operator==(const filter_node&) const = default;
};

struct content_filter {
  std::vector<filter_node> nodes;  // preorder; empty: everything is wanted

  bool empty() const noexcept { return nodes.empty(); }
  bool operator==(const content_filter&) const = default;
};

// What a lookup finds. Texts must live until the condition is judged.
using filter_scalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view>;
struct filter_field {
  bool present = false;
  std::vector<filter_scalar> scalars;  // one, or an array's; none: an object or an empty array
};
using filter_lookup = std::function<filter_field(std::string_view path)>;

bool accepts(const content_filter& filter, const filter_lookup& find);

// The bounds above, and that each operator has what it needs. Errors: errc::invalid.
result<void> check_filter(const content_filter& filter);

// {"and":[{"field":"plan.tier","eq":"gold"}]}; "null" when empty.
std::string to_json(const content_filter& filter);

}  // namespace syndicated::core
