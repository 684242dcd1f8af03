// Calls that need no token: liveness, readiness, metrics, the API document.
#include "api/routes.hpp"

namespace syndicated::api {
namespace {

void healthz(const call_ptr& c) { c->send(200, R"({"status":"alive"})"); }

void readyz(const call_ptr& c) {
  const actors::engine_status status = c->engine().status();
  const bool ready = status.ready && status.accepting;
  core::json_writer out;
  out.begin_object().key("status").text(ready ? "ready" : "not_ready");
  if (!ready) out.key("reason").text(status.why_not);
  out.end_object();
  c->send(ready ? 200 : 503, std::move(out).str());
}

void metrics(const call_ptr& c) {
  if (!c->shared->settings.metrics_text) {
    return c->fail({core::errc::not_found, "not_found", "metrics are not served here", {}, {}});
  }
  net::http_response answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = c->shared->settings.metrics_text();
  c->send(std::move(answer));
}

void openapi(const call_ptr& c) { c->send(200, std::string{openapi_document()}); }

}  // namespace

route_list open_routes() {
  return {
      {"GET", "/healthz", face::open, false, healthz},
      {"GET", "/readyz", face::open, false, readyz},
      {"GET", "/metrics", face::open, false, metrics},
      {"GET", "/openapi.json", face::open, false, openapi},
  };
}

}  // namespace syndicated::api
