// Calls the faces as the servers do, and reads the answers.
#pragma once

#include <boost/json.hpp>

#include "api/router.hpp"
#include "api/token.hpp"
#include "tests/api/fake_engine.hpp"

namespace syndicated::tests {

using headers = std::vector<net::http_header>;

struct reply {
  net::http_response http;
  int status() const { return http.status; }
  boost::json::value json() const { return boost::json::parse(http.body); }
  // The value at a JSON pointer, as text; "" when it is not there.
  std::string at(std::string_view pointer) const;
  std::string header(std::string_view name) const;
};

// A marketplace with a vendor, a product, a plan, a reseller and two customers, and a token each.
struct face {
  explicit face(api::api_settings settings = {});

  // `token` empty: none is sent. A body is sent as application/json unless a type is given.
  reply call(std::string_view method, std::string_view target, std::string body = {},
             headers more = {}, std::string token = "*");
  reply admin(std::string_view method, std::string_view target, std::string body = {});
  // Creates something and returns its id; fails the test when that was refused.
  std::uint64_t make(std::string_view path, std::string body, std::string token = "*");
  std::string make_token(core::role role, std::uint64_t scope = 0,
                         std::optional<core::timestamp> expires = {});
  std::uint64_t subscribe(const std::string& more = R"(,"paid":true)", std::uint64_t tenant = 0);

  fake_engine engine;
  api::router router;
  net::http_handler handler;
  net::http_handler admin_handler;
  std::string staff, market;  // tokens
  std::uint64_t vendor = 0, other_vendor = 0, product = 0, other_product = 0, plan = 0;
  std::uint64_t reseller = 0, customer = 0, stranger = 0;
};

}  // namespace syndicated::tests
