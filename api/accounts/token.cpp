// POST /api/2/idp/token: the OAuth2 grant "client_credentials" (RFC 6749, 4.4), so that code
// written for it works. A client is one of our tokens: its id is the token's (a number, or its
// UUID), its secret is the token's secret or the whole token. What is granted is that token:
// nothing is stored, and revoking it ends the grant.
#include "api/token.hpp"
#include "api/accounts/common.hpp"
#include "api/routes.hpp"
#include "core/base/uuid.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::api {
namespace {

constexpr std::chrono::hours told_life{2};  // of a token without an end: ask again after that

struct credentials {
  std::string id, secret;
};

// RFC 6749, 5.2.
void refuse(const call_ptr& c, int status, std::string_view error) {
  net::http_response out;
  out.status = status;
  core::json_writer text;
  text.begin_object().key("error").text(error).end_object();
  out.body = std::move(text).str();
  if (status == 401) out.headers.push_back({"WWW-Authenticate", "Basic realm=\"syndicated\""});
  c->send(std::move(out));
}

std::string field(const query_items& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (key == name) return value;
  }
  return {};
}

credentials presented(const call& c, const query_items& form) {
  const std::string_view given = c.request.header("Authorization");
  if (given.starts_with("Basic ") || given.starts_with("basic ")) {
    const auto pair = core::base64_decode(given.substr(6));
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon != std::string::npos) return {pair->substr(0, colon), pair->substr(colon + 1)};
  }
  return {field(form, "client_id"), field(form, "client_secret")};
}

// The token that these make; empty: none.
std::string token_of(const credentials& who) {
  auto id = parse_id(who.id);
  if (!id) id = core::parse_uuid(who.id, core::uuid_kind::token);
  if (!id) return {};
  const std::string text =
      who.secret.starts_with("syn_") ? who.secret : format_token(core::token_id{*id}, who.secret);
  const auto parts = parse_token(text);
  return parts && parts->id.value == *id ? text : std::string{};
}

void grant(const call_ptr& c) {
  if (!c->has_type("application/x-www-form-urlencoded")) {
    return refuse(c, 400, "invalid_request");
  }
  const auto form = parse_query(c->request.body);
  if (!form) return refuse(c, 400, "invalid_request");
  if (field(*form, "grant_type") != "client_credentials") {
    return refuse(c, 400, "unsupported_grant_type");
  }
  const std::string token = token_of(presented(*c, *form));
  net::http_request asked;
  asked.peer = c->request.peer;
  asked.headers.push_back({"Authorization", "Bearer " + (token.empty() ? "none" : token)});
  const auto known = authenticate(*c->shared, face::accounts, asked);
  if (!known) {
    if (known.failure().kind == core::errc::too_many) return c->fail(known.failure());
    return refuse(c, 401, "invalid_client");
  }
  const auto record = c->engine().catalog()->find(parse_token(token)->id);
  const core::timestamp now = c->now();
  const core::timestamp until =
      record && record->expires_at ? *record->expires_at : now + told_life;
  core::json_writer out;
  out.begin_object();
  out.key("access_token").text(token);
  out.key("token_type").text("bearer");
  out.key("expires_in").number(core::to_unix_seconds(until) - core::to_unix_seconds(now));
  out.key("expires_on").number(core::to_unix_seconds(until));
  out.key("scope").text(core::to_string(known->role));
  out.end_object();
  net::http_response answer;
  answer.headers.push_back({"Cache-Control", "no-store"});
  answer.body = std::move(out).str();
  c->send(std::move(answer));
}

}  // namespace

route_list account_token_routes() {
  route token{"POST", "/api/2/idp/token", face::accounts, false, grant};
  token.without_token = true;
  return {token};
}

}  // namespace syndicated::api
