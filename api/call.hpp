// One request on its way through a face: what came, who asks, and the one answer.
//
// Handlers get a shared pointer, because the engine's replies outlive them. The answer is counted,
// the write permit returned and the idempotency key released when the answer is sent, or at the
// latest when the last owner lets go (then the responder answers 500 by itself).
// Threads: one at a time; the engine's reply comes after the handler passed the call on.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/engine.hpp"
#include "api/event_types.hpp"
#include "api/failed_auth.hpp"
#include "api/input.hpp"
#include "api/json.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "api/token_rates.hpp"
#include "core/base/json_writer.hpp"
#include "core/lifecycle/access.hpp"

namespace syndicated::api {

// What all requests share. Owned by the router and by every request in progress.
struct context {
  context(actors::engine& e, api_settings s) : engine(e), settings(std::move(s)) {
    rates.configure(settings.requests_per_token_per_s);
  }

  actors::engine& engine;
  api_settings settings;
  api::stats stats;
  failed_auth failures;
  token_rates rates;
  schema_cache schemas;
  std::atomic<std::size_t> writes{0};
  std::atomic<std::size_t> events{0};       // published ones under way
  std::atomic<std::size_t> event_bytes{0};  // of the requests they came in
};

class call {
 public:
  call(std::shared_ptr<context> shared, net::http_request&& received, net::responder&& answer,
       api::face where);
  ~call();
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  actors::engine& engine() const noexcept { return shared->engine; }
  core::timestamp now() const { return engine().now(); }

  // ---- reading the request
  std::uint64_t id(std::size_t index = 0) const noexcept { return ids.at(index); }
  // The body is of this media type, and not encoded. Errors: 415.
  bool has_type(std::string_view media_type) const;
  core::result<void> plain_body() const;
  // The body must be JSON (415, 400). An empty body counts as {} when `optional`.
  core::result<json> body(bool optional = false);
  // If-Match and the caller; errors: errc::malformed.
  core::result<actors::write_options> options() const;

  // ---- answering; the first answer counts
  void send(net::http_response&& response);
  void send(int status, std::string&& body);
  // A single entity with its version as ETag.
  void send_entity(std::string&& body, std::uint64_t version);
  void fail(const core::error& why);
  void fail(int status, const core::error& why);
  // The engine's answer to a write.
  void finish(core::result<actors::answer>&& outcome);

  // Called by the dispatcher for writes; false: the call has been answered. `repeated` is the
  // stored answer of a request with the same idempotency key.
  bool begin_write(std::optional<actors::answer>& repeated);

  // Admits `count` published events, and the bytes of the request, until the answer; false: the
  // call has been answered.
  bool admit_events(std::size_t count);

  std::shared_ptr<context> shared;
  net::http_request request;
  api::face face;
  bool trusted = false;  // came over the admin socket: an operator of the host, no token needed
  bool audited = false;  // set by handlers of what ends deliveries: leaves a line, whoever asks
  core::caller by{};
  query_items query;
  std::vector<std::uint64_t> ids;
  std::string key;            // of routes that end in {key}
  std::uint64_t version = 0;  // set by renderers: the ETag of a write's answer
  int retry_after_s = 0;      // set by renderers: what is unfinished may be asked again after it
  std::string location;       // set by renderers: where what was made is found
  // Last touch on a successful answer's body: adds what must not be stored with it as the answer of
  // an idempotency key, such as a secret. Routes that use it have a `repeat` for stored answers.
  std::function<void(std::string&)> complete_body{};

 private:
  void release();
  void audit(int status) const;

  net::responder responder_;
  std::chrono::steady_clock::time_point began_;
  std::optional<actors::idempotency> idempotency_;
  std::size_t events_ = 0;  // admitted
  std::size_t event_bytes_ = 0;
  bool permit_ = false;
  bool write_ = false;
};

using call_ptr = std::shared_ptr<call>;

// A renderer that answers `status` with `to_text(entity)` and remembers the version for the ETag.
template <class Entity, class ToText>
actors::renderer<Entity> rendered(const call_ptr& c, int status, ToText to_text) {
  return [c, status, to_text](const Entity& entity, bool) {
    c->version = entity.version;
    return actors::answer{status, to_text(entity)};
  };
}

// The same for catalogue entities, which come as a variant.
template <class Entity, class ToText>
actors::renderer<actors::catalog_item> rendered_item(const call_ptr& c, int status,
                                                     ToText to_text) {
  return [c, status, to_text](const actors::catalog_item& item, bool) {
    const Entity* entity = std::get_if<Entity>(&item);
    if (entity == nullptr) return actors::answer{500, {}};
    c->version = entity->version;
    return actors::answer{status, to_text(*entity)};
  };
}

// Reply that ends the call.
inline actors::write_reply finish(const call_ptr& c) {
  return [c](core::result<actors::answer>&& outcome) { c->finish(std::move(outcome)); };
}

}  // namespace syndicated::api
