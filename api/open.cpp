// Calls that need no token: liveness, readiness, metrics, the API document.
#include "api/routes.hpp"
#include "core/delivery/ed25519.hpp"

namespace syndicated::api {
namespace {

void healthz(const call_ptr& c) { c->send(200, R"({"status":"alive"})"); }

void readyz(const call_ptr& c) {
  const actors::engine_status status = c->engine().status();
  // A backlog is no reason to send reads and completions elsewhere.
  const std::string& load = status.refusing_load;
  const bool strained = status.accepting && (load == "store_stalled" || load == "memory");
  const bool ready = status.ready && status.accepting && !strained;
  core::json_writer out;
  out.begin_object().key("status").text(ready ? "ready" : "not_ready");
  if (!ready) out.key("reason").text(strained ? load : status.why_not);
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

void write_key(core::json_writer& out, std::string_view public_key, const std::string& kid) {
  out.begin_object();
  out.key("kty").text("OKP");
  out.key("crv").text("Ed25519");
  out.key("x").text(core::base64url(public_key));
  out.key("kid").text(kid);
  out.key("use").text("sig");
  out.key("alg").text("EdDSA");
  out.end_object();
}

// The public keys that sign notifications now, and the ones before them while their overlap lasts
// (RFC 7517, RFC 8037). ?kid= picks one; without it at most limits::scan_rows_max are listed.
void webhook_keys(const call_ptr& c) {
  query_reader q{c->query};
  const auto wanted = q.text("kid");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto at = c->now();
  core::json_writer out;
  out.begin_object().key("keys").begin_array();
  std::size_t listed = 0;
  const auto add = [&](const core::secret_bytes& key) {
    if (key.empty()) return;
    const auto public_key = core::public_part(key.reveal());
    const std::string kid = core::key_thumbprint(public_key);
    if (wanted && *wanted != kid) return;
    write_key(out, public_key, kid);
    ++listed;
  };
  const auto catalog = c->engine().catalog();
  constexpr std::size_t page = 1'000;
  std::uint64_t after = 0;
  for (bool more = true; more && listed < core::limits::scan_rows_max;) {
    const auto some = catalog->endpoints(after, page);
    for (const auto& e : some) {
      add(e->signing_key);
      if (e->previous_signing_until && at < *e->previous_signing_until) {
        add(e->previous_signing_key);
      }
      after = e->id.value;
    }
    more = some.size() == page;
  }
  out.end_array().end_object();
  net::http_response answer;
  answer.content_type = "application/jwk-set+json";
  answer.headers.push_back({"Cache-Control", "public, max-age=300"});
  answer.body = std::move(out).str();
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
      {"GET", "/.well-known/webhook-keys", face::open, false, webhook_keys, nullptr, true},
  };
}

}  // namespace syndicated::api
