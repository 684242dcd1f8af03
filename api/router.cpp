#include "api/router.hpp"

#include <algorithm>

#include "api/access.hpp"
#include "api/call.hpp"
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

face face_of(std::string_view path) noexcept {
  if (path.starts_with("/v1/")) return face::v1;
  if (path.starts_with("/api/2/")) return face::accounts;
  if (path.starts_with("/api/")) return face::cloudesire;
  if (path.starts_with("/admin/")) return face::admin;
  return face::open;
}

net::http_response unmatched(const net::http_request& r, const route_match& match) {
  const bool wrong_method = !match.allow.empty();
  core::error why{core::errc::not_found,
                  wrong_method ? "method_not_allowed" : "not_found",
                  wrong_method ? "this path does not know the method " + r.method
                               : "there is nothing at this path",
                  {},
                  {}};
  net::http_response answer = problem(face_of(r.path), wrong_method ? 405 : 404, why);
  if (wrong_method) answer.headers.push_back({"Allow", match.allow});
  return answer;
}

// Why a request is refused whatever its body says.
core::result<void> look_at_head(context& shared, const route& r, const net::http_request& head) {
  // Who needs no token has nothing to send.
  if (r.face == face::open) {
    return core::error{core::errc::too_large, "body_too_large", "this call takes no body", {}, {}};
  }
  if (!r.without_token) {
    if (auto caller = authenticate(shared, r.face, head); !caller) {
      return std::move(caller).failure();
    }
  }
  if (!r.write) return {};
  if (auto why = r.adds_load ? shared.engine.load_refusal() : shared.engine.refusal()) return *why;
  return {};
}

std::optional<net::http_response> refuse_head(context& shared, const route_table& table,
                                              const net::http_request& head) {
  const route_match match = table.find(head.method, head.path);
  net::http_response answer;
  if (match.found == nullptr) {
    answer = unmatched(head, match);
  } else {
    const auto ok = look_at_head(shared, *match.found, head);
    if (ok) return std::nullopt;
    answer = problem(match.found->face, ok.failure());
  }
  const face where = match.found == nullptr ? face_of(head.path) : match.found->face;
  shared.stats.add(where, head.method, answer.status, std::chrono::microseconds{0});
  return answer;
}

void run(const call_ptr& c, const route& r) {
  if (c->trusted) {
    c->by = {core::role::operator_, 0, "admin-socket"};
  } else if (r.face != face::open && !r.without_token) {
    auto caller = authenticate(*c->shared, c->face, c->request);
    if (!caller) return c->fail(caller.failure());
    c->by = std::move(*caller);
  }
  auto query = parse_query(c->request.query);
  if (!query) return c->fail(query.failure());
  c->query = std::move(*query);
  if (!r.takes_query && (r.face == face::v1 || r.face == face::admin)) {
    if (const auto none = query_reader{c->query}.finish(); !none) return c->fail(none.failure());
  }
  if (r.write) {
    std::optional<actors::answer> repeated;
    if (!c->begin_write(repeated)) return;
    if (repeated) {
      if (r.repeat != nullptr) r.repeat(*c, repeated->body);
      return c->finish(std::move(*repeated));
    }
  }
  r.handle(c);
}

void dispatch(const std::shared_ptr<context>& shared, const route_table& table, bool trusted,
              net::http_request&& request, net::responder&& responder) {
  const face where = face_of(request.path);
  const auto c = std::make_shared<call>(shared, std::move(request), std::move(responder), where);
  c->trusted = trusted;
  route_match match = table.find(c->request.method, c->request.path);
  if (match.found == nullptr) return c->send(unmatched(c->request, match));
  c->face = match.found->face;
  c->ids = std::move(match.ids);
  c->key = std::move(match.key);
  run(c, *match.found);
}

net::http_handler handler(const std::shared_ptr<context>& shared, const route_table& table,
                          bool trusted = false) {
  return [shared, &table, trusted](net::http_request&& request, net::responder&& responder) {
    dispatch(shared, table, trusted, std::move(request), std::move(responder));
  };
}

}  // namespace

router::router(actors::engine& engine, api_settings settings)
    : context_(std::make_shared<context>(engine, std::move(settings))) {}

router::~router() = default;

net::http_handler router::public_handler() const { return handler(context_, public_routes()); }
net::http_gate router::public_gate() const {
  return [shared = context_](const net::http_request& head) {
    return refuse_head(*shared, public_routes(), head);
  };
}
net::http_handler router::admin_handler() const {
  return handler(context_, admin_socket_routes(), true);
}
net::http_handler router::health_handler() const { return handler(context_, health_routes()); }

void router::set_token_rate(int requests_per_s) { context_->rates.configure(requests_per_s); }

const api::stats& router::stats() const noexcept { return context_->stats; }

net::http_response refusal(int status, std::string_view code, std::string_view sentence) {
  return problem(face::v1, status,
                 {core::errc::malformed, std::string{code}, std::string{sentence}, {}, {}});
}

std::vector<std::string> route_names() {
  std::vector<std::string> names;
  for (const route_table* table : {&public_routes(), &admin_socket_routes()}) {
    for (const route& r : table->all())
      names.push_back(std::string{r.method} + ' ' + std::string{r.pattern});
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace syndicated::api
