// The API document describes every call there is, and no other; its references resolve.
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <set>

#include "api/router.hpp"
#include "core/delivery/response.hpp"
#include "tests/api/face.hpp"

using namespace syndicated;

namespace {

const boost::json::value& document() {
  static const boost::json::value whole = boost::json::parse(std::string{api::openapi_document()});
  return whole;
}

// "{key}" and "{id}" alike, "GET /v1/vendors/{}".
std::string shape(std::string name) {
  for (std::size_t open = name.find('{'); open != std::string::npos;
       open = name.find('{', open + 1)) {
    name.erase(open + 1, name.find('}', open) - open - 1);
  }
  return name;
}

std::set<std::string> documented() {
  std::set<std::string> names;
  for (const auto& [path, item] : document().at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters") continue;
      std::string upper{method};
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      names.insert(shape(upper + ' ' + std::string{path}));
    }
  }
  return names;
}

void check_references(const boost::json::value& at, int& count) {
  if (at.is_array()) {
    for (const auto& item : at.as_array()) check_references(item, count);
  } else if (at.is_object()) {
    for (const auto& [key, value] : at.as_object()) {
      check_references(value, count);
      if (key != "$ref") continue;
      ++count;
      const std::string target{value.as_string()};
      BOOST_TEST_REQUIRE(target.starts_with("#/"), target);
      boost::json::error_code failure;
      BOOST_TEST(document().find_pointer(target.substr(1), failure) != nullptr, target);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(it_describes_exactly_the_calls_there_are) {
  std::set<std::string> routes;
  for (const std::string& name : api::route_names()) routes.insert(shape(name));
  const std::set<std::string> described = documented();
  BOOST_TEST(routes.size() > 60U);
  for (const std::string& name : routes)
    BOOST_TEST(described.contains(name), "not described: " << name);
  for (const std::string& name : described)
    BOOST_TEST(routes.contains(name), "does not exist: " << name);
}

BOOST_AUTO_TEST_CASE(it_is_complete) {
  BOOST_TEST(document().at("openapi").as_string() == "3.1.0");
  std::set<std::string> ids;
  for (const auto& [path, item] : document().at("paths").as_object()) {
    std::size_t wanted = static_cast<std::size_t>(std::ranges::count(path, '{'));
    for (const auto& [method, operation] : item.as_object()) {
      const std::string place = std::string{method} + ' ' + std::string{path};
      const auto& o = operation.as_object();
      BOOST_TEST(o.contains("summary"), place);
      BOOST_TEST(!o.at("responses").as_object().empty(), place);
      BOOST_TEST(ids.insert(std::string{o.at("operationId").as_string()}).second, place);
      std::size_t in_path = 0;
      if (o.contains("parameters")) {
        for (const auto& p : o.at("parameters").as_array()) {
          const auto* reference = p.as_object().if_contains("$ref");
          boost::json::error_code failure;
          const auto& parameter = reference == nullptr
                                      ? p
                                      : *document().find_pointer(
                                            std::string{reference->as_string()}.substr(1), failure);
          if (parameter.at("in").as_string() == "path") ++in_path;
        }
      }
      BOOST_TEST(in_path == wanted, place);
      const bool writes = method == "post" || method == "put" || method == "patch";
      BOOST_TEST((!o.contains("requestBody") || writes), place);
    }
  }
}

BOOST_AUTO_TEST_CASE(its_references_resolve) {
  int count = 0;
  check_references(document(), count);
  BOOST_TEST(count > 100);
}

BOOST_AUTO_TEST_CASE(its_words_are_those_of_the_code) {
  const auto words = [](const char* pointer) {
    std::set<std::string> all;
    boost::json::error_code failure;
    const auto* found = document().find_pointer(pointer, failure);
    BOOST_TEST_REQUIRE(found != nullptr, pointer);
    for (const auto& word : found->as_array()) all.emplace(word.as_string());
    return all;
  };
  std::set<std::string> outcomes;
  for (int c = 0; c <= static_cast<int>(core::response_class::local); ++c) {
    outcomes.emplace(core::to_string(static_cast<core::response_class>(c)));
  }
  BOOST_TEST((words("/components/schemas/Attempt/properties/outcome/enum") == outcomes));
  BOOST_TEST((words("/components/schemas/TestOutcome/properties/outcome/enum") == outcomes));

  tests::face f;
  std::set<std::string> reasons;
  const auto ask = [&] {
    const auto r = f.call("GET", "/readyz", {}, {}, "");
    BOOST_TEST(r.status() == 503);
    reasons.insert(r.at("/reason"));
  };
  for (const char* load : {"store_stalled", "memory"}) {
    f.engine.state.refusing_load = load;
    ask();
  }
  f.engine.state.accepting = false;
  for (const char* why : {"starting", "draining", "no_space"}) {
    f.engine.state.why_not = why;
    ask();
  }
  BOOST_TEST((words("/paths/~1readyz/get/responses/503/content/application~1json/schema/"
                    "properties/reason/enum") == reasons));
}

BOOST_AUTO_TEST_CASE(it_is_served) {
  tests::face f;
  const auto r = f.call("GET", "/openapi.json", {}, {}, "");
  BOOST_TEST(r.status() == 200);
  BOOST_TEST(r.http.body == api::openapi_document());
}

BOOST_AUTO_TEST_SUITE_END()
