#include "api/v1/filter.hpp"

#include <string>

namespace syndicated::api::v1 {
namespace {

std::optional<core::filter_literal> literal(const json& from) {
  if (from.is_null()) return core::filter_literal{nullptr};
  if (const bool* v = from.boolean()) return core::filter_literal{*v};
  if (const std::int64_t* v = from.integer()) return core::filter_literal{*v};
  if (const double* v = from.real()) return core::filter_literal{*v};
  if (const std::string* v = from.text()) return core::filter_literal{*v};
  return std::nullopt;
}

class filter_reader {
 public:
  explicit filter_reader(object_reader& in) : in_(in) {}

  void read(const json& from, const std::string& place) {
    const json::object_type* members = from.object();
    if (members == nullptr) return refuse(place, "must be an object");
    // What is too large is refused by its size; reading on would only cost time.
    if (out.nodes.size() > core::filter_nodes_max) return;
    const json* field = from.find("field");
    const std::size_t wanted = field == nullptr ? 1 : 2;
    std::optional<core::filter_op> op;
    for (const json::member& m : *members) {
      if (m.name == "field") continue;
      op = core::parse_filter_op(m.name);
      if (!op) return refuse(pointer_to(place, m.name), "is not an operator of filters");
    }
    if (!op || members->size() != wanted) {
      return refuse(place, "must have one of and, or, not, or field and one operator");
    }
    const bool group = *op <= core::filter_op::negate;
    if (group != (field == nullptr)) {
      return refuse(place, group ? "a group has no field" : "field is required");
    }
    const std::string inside = pointer_to(place, core::to_string(*op));
    const json& value = *from.find(core::to_string(*op));
    group ? read_group(*op, value, inside) : read_condition(*op, *field, value, place, inside);
  }

  core::content_filter out;

 private:
  void refuse(const std::string& place, std::string detail) {
    in_.refuse(place, std::move(detail));
  }

  void read_group(core::filter_op op, const json& value, const std::string& place) {
    if (op == core::filter_op::negate) {
      out.nodes.push_back({op, {}, {}, 1});
      return read(value, place);
    }
    const json::array_type* items = value.array();
    if (items == nullptr || items->empty()) return refuse(place, "must be a list of conditions");
    out.nodes.push_back({op, {}, {}, static_cast<std::uint32_t>(items->size())});
    for (std::size_t i = 0; i < items->size(); ++i) {
      read((*items)[i], place + '/' + std::to_string(i));
    }
  }

  void read_condition(core::filter_op op, const json& field, const json& value,
                      const std::string& place, const std::string& inside) {
    if (field.text() == nullptr) return refuse(place + "/field", "must be a string");
    core::filter_node node{op, *field.text(), {}, 0};
    const json::array_type* items = value.array();
    if (op == core::filter_op::in && items == nullptr) return refuse(inside, "must be a list");
    for (std::size_t i = 0; i < (op == core::filter_op::in ? items->size() : 1); ++i) {
      auto one = literal(op == core::filter_op::in ? (*items)[i] : value);
      if (!one) return refuse(inside, "takes strings, numbers, truth values and null");
      node.values.push_back(std::move(*one));
    }
    out.nodes.push_back(std::move(node));
  }

  object_reader& in_;
};

}  // namespace

std::optional<core::content_filter> read_filter(object_reader& in, std::string_view name) {
  const json* given = in.value(name);
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return core::content_filter{};
  const bool clean = in.clean();
  filter_reader reader{in};
  reader.read(*given, std::string{name});
  if (clean && !in.clean()) return std::nullopt;
  if (const auto ok = core::check_filter(reader.out); !ok) {
    in.refuse(name, ok.failure().detail);
    return std::nullopt;
  }
  return std::move(reader.out);
}

}  // namespace syndicated::api::v1
