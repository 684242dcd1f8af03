#include "core/delivery/content_filter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>

#include "core/base/json_writer.hpp"

namespace syndicated::core {
namespace {

constexpr std::array<std::string_view, 12> names{"and", "or",  "not", "eq",  "ne",     "in",
                                                 "lt",  "lte", "gt",  "gte", "exists", "prefix"};

bool is_group(filter_op op) noexcept {
  return op == filter_op::all_of || op == filter_op::any_of || op == filter_op::negate;
}

// Exact: a 63-bit integer has no double of its own.
std::partial_ordering order(std::int64_t a, double b) {
  constexpr double two_to_63 = 9223372036854775808.0;
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= two_to_63) return std::partial_ordering::less;
  if (b < -two_to_63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  const auto as_integer = static_cast<std::int64_t>(whole);
  if (a != as_integer) return a <=> as_integer;
  return 0.0 <=> (b - whole);
}

std::partial_ordering reversed(std::partial_ordering o) {
  if (std::is_lt(o)) return std::partial_ordering::greater;
  if (std::is_gt(o)) return std::partial_ordering::less;
  return o;
}

struct compare_values {
  std::partial_ordering operator()(std::nullptr_t, std::nullptr_t) const {
    return std::partial_ordering::equivalent;
  }
  std::partial_ordering operator()(bool a, bool b) const {
    // Equal or not; truth has no order.
    return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  }
  std::partial_ordering operator()(std::int64_t a, std::int64_t b) const { return a <=> b; }
  std::partial_ordering operator()(double a, double b) const { return a <=> b; }
  std::partial_ordering operator()(std::int64_t a, double b) const { return order(a, b); }
  std::partial_ordering operator()(double a, std::int64_t b) const { return reversed(order(b, a)); }
  std::partial_ordering operator()(std::string_view a, const std::string& b) const {
    return a <=> std::string_view{b};
  }
  template <class A, class B>
  std::partial_ordering operator()(const A&, const B&) const {
    return std::partial_ordering::unordered;
  }
};

std::partial_ordering compare(const filter_scalar& a, const filter_literal& b) {
  return std::visit(compare_values{}, a, b);
}

bool has_order(const filter_literal& v) {
  return !std::holds_alternative<std::nullptr_t>(v) && !std::holds_alternative<bool>(v);
}

bool holds(const filter_node& node, const filter_scalar& found) {
  const filter_literal& wanted = node.values.front();
  switch (node.op) {
    case filter_op::eq:
    case filter_op::ne:
      return std::is_eq(compare(found, wanted));  // ne is turned round for the field
    case filter_op::in:
      return std::any_of(node.values.begin(), node.values.end(),
                         [&](const filter_literal& v) { return std::is_eq(compare(found, v)); });
    case filter_op::lt: return std::is_lt(compare(found, wanted));
    case filter_op::lte: return std::is_lteq(compare(found, wanted));
    case filter_op::gt: return std::is_gt(compare(found, wanted));
    case filter_op::gte: return std::is_gteq(compare(found, wanted));
    case filter_op::prefix: {
      const auto* text = std::get_if<std::string_view>(&found);
      const auto* start = std::get_if<std::string>(&wanted);
      return text != nullptr && start != nullptr && text->starts_with(*start);
    }
    case filter_op::all_of:
    case filter_op::any_of:
    case filter_op::negate:
    case filter_op::exists: break;
  }
  return false;
}

bool condition_holds(const filter_node& node, const filter_lookup& find) {
  const filter_field field = find(node.field);
  if (node.op == filter_op::exists) {
    const bool* wanted = std::get_if<bool>(&node.values.front());
    return field.present == (wanted == nullptr || *wanted);
  }
  const bool any = std::any_of(field.scalars.begin(), field.scalars.end(),
                               [&](const filter_scalar& s) { return holds(node, s); });
  return node.op == filter_op::ne ? !any : any;
}

std::size_t end_of(const std::vector<filter_node>& nodes, std::size_t at) {
  std::size_t open = 1;
  while (open > 0 && at < nodes.size()) open = open - 1 + nodes[at++].children;
  return at;
}

bool node_holds(const std::vector<filter_node>& nodes, std::size_t at, const filter_lookup& find) {
  const filter_node& node = nodes[at];
  if (!is_group(node.op)) return condition_holds(node, find);
  const bool stop_at = node.op == filter_op::any_of;
  std::size_t child = at + 1;
  for (std::uint32_t i = 0; i < node.children; ++i, child = end_of(nodes, child)) {
    const bool one = node_holds(nodes, child, find);
    if (node.op == filter_op::negate) return !one;
    if (one == stop_at) return stop_at;
  }
  return !stop_at;
}

error broken(std::string detail) {
  return {errc::invalid, "invalid_filter", std::move(detail), {}, {}};
}

std::string quoted(filter_op op) { return "'" + std::string{to_string(op)} + "'"; }

result<void> check_condition(const filter_node& node) {
  const auto bad_path = [](std::string_view path) {
    return path.empty() || path.size() > filter_text_bytes_max || path.front() == '.' ||
           path.back() == '.' || path.find("..") != std::string_view::npos ||
           std::count(path.begin(), path.end(), '.') >=
               static_cast<std::ptrdiff_t>(filter_path_parts_max);
  };
  if (node.children != 0) return broken(quoted(node.op) + " holds no other conditions");
  if (bad_path(node.field)) {
    return broken("a field is 1 to " + std::to_string(filter_path_parts_max) +
                  " names with dots between them, at most " +
                  std::to_string(filter_text_bytes_max) + " bytes");
  }
  if (node.values.empty() || node.values.size() > filter_values_max ||
      (node.op != filter_op::in && node.values.size() != 1)) {
    return broken("'in' takes 1 to " + std::to_string(filter_values_max) +
                  " values, every other operator one");
  }
  for (const filter_literal& v : node.values) {
    if (const auto* text = std::get_if<std::string>(&v);
        text != nullptr && text->size() > filter_text_bytes_max) {
      return broken("a text has at most " + std::to_string(filter_text_bytes_max) + " bytes");
    }
  }
  const filter_literal& first = node.values.front();
  const bool ordered = node.op >= filter_op::lt && node.op <= filter_op::gte;
  if (ordered && !has_order(first)) return broken(quoted(node.op) + " takes a number or a text");
  if (node.op == filter_op::exists && !std::holds_alternative<bool>(first)) {
    return broken("'exists' takes true or false");
  }
  if (node.op == filter_op::prefix && !std::holds_alternative<std::string>(first)) {
    return broken("'prefix' takes a text");
  }
  return {};
}

// Checks the node at `at` and what is below; `at` is moved behind it.
result<void> check_node(const std::vector<filter_node>& nodes, std::size_t& at, std::size_t depth) {
  if (depth > filter_depth_max) {
    return broken("more than " + std::to_string(filter_depth_max) + " levels");
  }
  if (at >= nodes.size()) return broken("a condition is missing");
  const filter_node& node = nodes[at++];
  if (!is_group(node.op)) return check_condition(node);
  if (node.children == 0 || (node.op == filter_op::negate && node.children != 1)) {
    return broken(quoted(node.op) +
                  (node.op == filter_op::negate ? " takes one condition" : " takes conditions"));
  }
  for (std::uint32_t i = 0; i < node.children; ++i) {
    if (auto ok = check_node(nodes, at, depth + 1); !ok) return ok;
  }
  return {};
}

struct write_literal {
  json_writer& out;
  void operator()(std::nullptr_t) const { out.null(); }
  void operator()(bool v) const { out.boolean(v); }
  void operator()(std::int64_t v) const { out.number(v); }
  void operator()(double v) const { out.real(v); }
  void operator()(const std::string& v) const { out.text(v); }
};

std::size_t write_node(json_writer& out, const std::vector<filter_node>& nodes, std::size_t at) {
  const filter_node& node = nodes[at++];
  out.begin_object();
  if (is_group(node.op)) {
    out.given_key(to_string(node.op));
    const bool list = node.op != filter_op::negate;
    if (list) out.begin_array();
    for (std::uint32_t i = 0; i < node.children; ++i) at = write_node(out, nodes, at);
    if (list) out.end_array();
  } else {
    out.key("field").text(node.field).given_key(to_string(node.op));
    if (node.op == filter_op::in) out.begin_array();
    for (const filter_literal& v : node.values) std::visit(write_literal{out}, v);
    if (node.op == filter_op::in) out.end_array();
  }
  out.end_object();
  return at;
}

}  // namespace

std::string_view to_string(filter_op op) noexcept {
  const auto at = static_cast<std::size_t>(op) - 1;
  return at < names.size() ? names[at] : std::string_view{};
}

std::optional<filter_op> parse_filter_op(std::string_view text) noexcept {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<filter_op>(at - names.begin() + 1);
}

bool accepts(const content_filter& filter, const filter_lookup& find) {
  return filter.empty() || node_holds(filter.nodes, 0, find);
}

result<void> check_filter(const content_filter& filter) {
  if (filter.empty()) return {};
  if (filter.nodes.size() > filter_nodes_max) {
    return broken("more than " + std::to_string(filter_nodes_max) + " conditions and groups");
  }
  std::size_t at = 0;
  if (auto ok = check_node(filter.nodes, at, 1); !ok) return ok;
  return at == filter.nodes.size() ? result<void>{} : broken("conditions without a group");
}

std::string to_json(const content_filter& filter) {
  if (filter.empty()) return "null";
  json_writer out;
  write_node(out, filter.nodes, 0);
  return std::move(out).str();
}

}  // namespace syndicated::core
