// The filter language: every operator against every kind of value, and the bounds of a tree.
#include <boost/test/unit_test.hpp>

#include <map>
#include <vector>

#include "core/delivery/content_filter.hpp"

using namespace syndicated::core;

namespace {

using scalars = std::vector<filter_scalar>;

// What docs/filters.md calls the example: {"tier":"gold","amount":100,"rate":1.5,"on":true,
// "none":null,"tags":["a","b"],"sizes":[1,10],"empty":[],"plan":{...},"big":9007199254740993}
filter_field look_up(std::string_view path) {
  static const std::map<std::string_view, scalars> content{
      {"tier", {std::string_view{"gold"}}},
      {"amount", {std::int64_t{100}}},
      {"rate", {1.5}},
      {"on", {true}},
      {"none", {nullptr}},
      {"tags", {std::string_view{"a"}, std::string_view{"b"}}},
      {"sizes", {std::int64_t{1}, std::int64_t{10}}},
      {"empty", {}},
      {"plan", {}},
      {"plan.tier", {std::string_view{"silver"}}},
      {"big", {std::int64_t{9'007'199'254'740'993}}},
  };
  const auto found = content.find(path);
  if (found == content.end()) return {};
  return {true, found->second};
}

filter_node condition(std::string field, filter_op op, std::vector<filter_literal> values) {
  return {op, std::move(field), std::move(values), 0};
}

filter_literal text(const char* t) { return std::string{t}; }
filter_literal number(std::int64_t n) { return n; }

bool holds(filter_node node) { return accepts({{std::move(node)}}, look_up); }

struct row {
  const char* field;
  filter_op op;
  std::vector<filter_literal> values;
  bool expected;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(content_filters)

BOOST_AUTO_TEST_CASE(each_operator_on_each_kind_of_value) {
  using enum filter_op;
  const std::vector<row> rows{
      {"tier", eq, {text("gold")}, true},
      {"tier", eq, {text("Gold")}, false},
      {"tier", eq, {number(1)}, false},
      {"amount", eq, {number(100)}, true},
      {"amount", eq, {100.0}, true},
      {"amount", eq, {text("100")}, false},
      {"rate", eq, {1.5}, true},
      {"on", eq, {true}, true},
      {"on", eq, {number(1)}, false},
      {"none", eq, {nullptr}, true},
      {"missing", eq, {nullptr}, false},
      {"plan", eq, {nullptr}, false},
      {"plan.tier", eq, {text("silver")}, true},
      {"big", eq, {9007199254740992.0}, false},  // a double would call them equal
      {"big", gt, {9007199254740992.0}, true},
      {"tier", ne, {text("gold")}, false},
      {"tier", ne, {text("tin")}, true},
      {"missing", ne, {text("gold")}, true},
      {"tags", ne, {text("a")}, false},
      {"tags", ne, {text("c")}, true},
      {"tier", in, {text("tin"), text("gold")}, true},
      {"tier", in, {text("tin")}, false},
      {"missing", in, {nullptr}, false},
      {"tags", in, {text("x"), text("b")}, true},
      {"amount", lt, {number(101)}, true},
      {"amount", lt, {number(100)}, false},
      {"amount", lte, {number(100)}, true},
      {"amount", gt, {99.5}, true},
      {"amount", gte, {100.5}, false},
      {"rate", lt, {number(2)}, true},
      {"rate", gte, {number(2)}, false},
      {"rate", gt, {number(1)}, true},
      {"tier", lt, {text("golf")}, true},
      {"tier", gt, {number(1)}, false},
      {"missing", lt, {number(1)}, false},
      {"sizes", gt, {number(5)}, true},
      {"sizes", gt, {number(10)}, false},
      {"empty", gt, {number(0)}, false},
      {"empty", ne, {number(0)}, true},
      {"on", gte, {number(0)}, false},
      {"none", exists, {true}, true},
      {"none", exists, {false}, false},
      {"missing", exists, {true}, false},
      {"missing", exists, {false}, true},
      {"plan", exists, {true}, true},
      {"empty", exists, {true}, true},
      {"tier", prefix, {text("go")}, true},
      {"tier", prefix, {text("")}, true},
      {"tier", prefix, {text("goldy")}, false},
      {"tags", prefix, {text("b")}, true},
      {"amount", prefix, {text("1")}, false},
      {"missing", prefix, {text("")}, false},
  };
  for (const row& r : rows) {
    BOOST_TEST(holds(condition(r.field, r.op, r.values)) == r.expected,
               r.field << ' ' << to_string(r.op) << ' '
                       << to_json(content_filter{{condition(r.field, r.op, r.values)}}));
    BOOST_TEST(check_filter({{condition(r.field, r.op, r.values)}}).ok());
  }
}

BOOST_AUTO_TEST_CASE(groups) {
  const auto yes = condition("on", filter_op::eq, {true});
  const auto no = condition("on", filter_op::eq, {false});
  const auto group = [](filter_op op, std::uint32_t n) { return filter_node{op, {}, {}, n}; };
  const auto judge = [](std::vector<filter_node> nodes) {
    const content_filter f{std::move(nodes)};
    BOOST_TEST_REQUIRE(check_filter(f).ok());
    return accepts(f, look_up);
  };
  using enum filter_op;
  BOOST_TEST(judge({group(all_of, 2), yes, yes}));
  BOOST_TEST(!judge({group(all_of, 2), yes, no}));
  BOOST_TEST(judge({group(any_of, 2), no, yes}));
  BOOST_TEST(!judge({group(any_of, 2), no, no}));
  BOOST_TEST(judge({group(negate, 1), no}));
  // The children of a group that was skipped are not taken for those of the one around it.
  BOOST_TEST(judge({group(all_of, 2), group(any_of, 3), yes, no, no, yes}));
  BOOST_TEST(!judge({group(all_of, 2), group(any_of, 3), yes, no, no, no}));
  BOOST_TEST(judge({group(any_of, 2), group(all_of, 2), no, group(negate, 1), yes, yes}));
  BOOST_TEST(judge({}));
}

BOOST_AUTO_TEST_CASE(a_filter_has_bounds) {
  const auto good = condition("a", filter_op::eq, {true});
  const auto refused = [](std::vector<filter_node> nodes) {
    return !check_filter({std::move(nodes)}).ok();
  };
  std::vector<filter_node> many{{filter_op::all_of, {}, {}, 63}};
  many.insert(many.end(), 63, good);
  BOOST_TEST(!refused(many));
  many.front().children = 64;
  many.push_back(good);
  BOOST_TEST(refused(many));
  std::vector<filter_node> deep(7, {filter_op::negate, {}, {}, 1});
  deep.push_back(good);
  BOOST_TEST(!refused(deep));
  deep.insert(deep.begin(), deep.front());
  BOOST_TEST(refused(deep));
  BOOST_TEST(refused({{filter_op::all_of, {}, {}, 0}}));
  BOOST_TEST(refused({{filter_op::negate, {}, {}, 2}, good, good}));
  BOOST_TEST(refused({{filter_op::all_of, {}, {}, 2}, good}));
  BOOST_TEST(refused({good, good}));
  BOOST_TEST(refused({condition("", filter_op::eq, {true})}));
  BOOST_TEST(refused({condition("a..b", filter_op::eq, {true})}));
  BOOST_TEST(refused({condition(".a", filter_op::eq, {true})}));
  BOOST_TEST(refused({condition(std::string(257, 'a'), filter_op::eq, {true})}));
  BOOST_TEST(refused({condition("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", filter_op::eq, {true})}));
  BOOST_TEST(refused({condition("a", filter_op::eq, {})}));
  BOOST_TEST(refused({condition("a", filter_op::eq, {true, true})}));
  BOOST_TEST(refused({condition("a", filter_op::in, std::vector<filter_literal>(65, true))}));
  BOOST_TEST(refused({condition("a", filter_op::lt, {nullptr})}));
  BOOST_TEST(refused({condition("a", filter_op::gte, {true})}));
  BOOST_TEST(refused({condition("a", filter_op::exists, {number(1)})}));
  BOOST_TEST(refused({condition("a", filter_op::prefix, {number(1)})}));
  BOOST_TEST(refused({condition("a", filter_op::eq, {std::string(257, 'x')})}));
}

BOOST_AUTO_TEST_CASE(it_is_written_as_it_is_read) {
  const content_filter f{{{filter_op::all_of, {}, {}, 2},
                          condition("plan.tier", filter_op::in, {text("gold"), nullptr}),
                          {filter_op::negate, {}, {}, 1},
                          condition("x", filter_op::exists, {true})}};
  BOOST_TEST(to_json(f) == R"({"and":[{"field":"plan.tier","in":["gold",null]},)"
                           R"({"not":{"field":"x","exists":true}}]})");
  BOOST_TEST(to_json(content_filter{}) == "null");
  for (int i = 1; i <= 12; ++i) {
    const auto op = static_cast<filter_op>(i);
    BOOST_TEST((parse_filter_op(to_string(op)) == op));
  }
  BOOST_TEST(!parse_filter_op("field").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
