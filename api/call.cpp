#include "api/call.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "core/delivery/signature.hpp"

namespace syndicated::api {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

bool json_media_type(std::string_view value) noexcept {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return equal_ignoring_case(value, "application/json") ||
         equal_ignoring_case(value, "application/merge-patch+json");
}

core::error bad_request(std::string code, std::string detail) {
  return {core::errc::malformed, std::move(code), std::move(detail), {}, {}};
}

}  // namespace

call::call(std::shared_ptr<context> from, net::http_request&& received, net::responder&& answer,
           api::face where)
    : shared(std::move(from)),
      request(std::move(received)),
      face(where),
      responder_(std::move(answer)),
      began_(std::chrono::steady_clock::now()) {}

call::~call() {
  // A lost reply becomes the responder's 500; it must be counted like any other answer.
  if (responder_.pending()) {
    fail(500, {core::errc::internal, "internal", "the request was not answered", {}, {}});
  }
  release();
}

core::result<json> call::body(bool optional) {
  const std::string_view type = request.header("Content-Type");
  if (optional && request.body.empty()) return json{json::object_type{}};
  // Vendors' code in the field sends PATCH bodies without a Content-Type.
  const bool untyped = type.empty() && face == api::face::cloudesire;
  if (!untyped && (!json_media_type(type) || request.count("Content-Type") > 1)) {
    core::error why = bad_request("unsupported_media_type", "the body must be application/json");
    why.status = "415";
    return why;
  }
  if (const auto plain = plain_body(); !plain) return plain.failure();
  return parse_json(request.body);
}

bool call::has_type(std::string_view media_type) const {
  std::string_view given = request.header("Content-Type");
  given = given.substr(0, given.find(';'));
  while (!given.empty() && (given.back() == ' ' || given.back() == '\t')) given.remove_suffix(1);
  return request.count("Content-Type") == 1 && equal_ignoring_case(given, media_type);
}

core::result<void> call::plain_body() const {
  if (request.header("Content-Encoding").empty()) return {};
  core::error why = bad_request("unsupported_media_type", "encoded bodies are not accepted");
  why.status = "415";
  return why;
}

bool call::admit_events(std::size_t count) {
  const std::size_t bytes = request.body.size();
  const std::size_t before = shared->events.fetch_add(count, std::memory_order_relaxed);
  const std::size_t bytes_before = shared->event_bytes.fetch_add(bytes, std::memory_order_relaxed);
  events_ += count;
  event_bytes_ += bytes;
  if (before + count <= core::limits::events_in_progress_max &&
      bytes_before + bytes <= core::limits::event_bytes_in_progress_max) {
    return true;
  }
  shared->stats.overloaded();
  fail({core::errc::unavailable, "overloaded", "too many events are being accepted", {}, {}});
  return false;
}

core::result<actors::write_options> call::options() const {
  actors::write_options out{by, std::nullopt, idempotency_};
  std::string_view match = request.header("If-Match");
  if (match.empty() && request.count("If-Match") == 0) return out;
  if (match == "*") return out;
  if (match.size() >= 2 && match.front() == '"' && match.back() == '"') {
    match = match.substr(1, match.size() - 2);
  }
  const auto wanted = parse_id(match);
  if (!wanted || request.count("If-Match") > 1) {
    return bad_request("malformed_if_match", "If-Match must be one version number or *");
  }
  out.if_match = *wanted;
  return out;
}

void call::send(net::http_response&& response) {
  if (!responder_.pending()) return;
  const auto took = std::chrono::steady_clock::now() - began_;
  shared->stats.add(face, request.method, response.status,
                    std::chrono::duration_cast<std::chrono::microseconds>(took));
  audit(response.status);
  // First the key and the permit, then the answer: who reads it may come back at once.
  release();
  responder_.send(std::move(response));
}

void call::send(int status, std::string&& body) {
  net::http_response response;
  response.status = status;
  if (body.empty()) response.content_type.clear();
  response.body = std::move(body);
  send(std::move(response));
}

void call::send_entity(std::string&& body, std::uint64_t entity_version) {
  net::http_response response;
  response.body = std::move(body);
  response.headers.push_back({"ETag", '"' + std::to_string(entity_version) + '"'});
  send(std::move(response));
}

void call::fail(const core::error& why) {
  // body() marks the one refusal whose status the error classes do not know.
  if (why.code == "unsupported_media_type") {
    core::error plain = why;
    plain.status.clear();
    return fail(415, plain);
  }
  fail(http_status(why.kind), why);
}

void call::fail(int status, const core::error& why) { send(problem(face, status, why)); }

void call::finish(core::result<actors::answer>&& outcome) {
  if (!outcome) return fail(outcome.failure());
  net::http_response response;
  response.status = outcome->status;
  response.body = std::move(outcome->body);
  if (complete_body) complete_body(response.body);
  if (response.body.empty()) response.content_type.clear();
  if (version != 0 && face != api::face::cloudesire && face != api::face::accounts) {
    response.headers.push_back({"ETag", '"' + std::to_string(version) + '"'});
  }
  if (retry_after_s > 0) response.headers.push_back({"Retry-After", std::to_string(retry_after_s)});
  if (!location.empty()) response.headers.push_back({"Location", std::move(location)});
  send(std::move(response));
}

bool call::begin_write(std::optional<actors::answer>& repeated) {
  write_ = true;
  if (const auto why = engine().refusal()) {
    fail(*why);
    return false;
  }
  if (shared->writes.fetch_add(1, std::memory_order_relaxed) >= shared->settings.writes_max) {
    shared->writes.fetch_sub(1, std::memory_order_relaxed);
    shared->stats.overloaded();
    fail({core::errc::unavailable, "overloaded", "too many requests are in progress", {}, {}});
    return false;
  }
  permit_ = true;
  const std::size_t keys = request.count("Idempotency-Key");
  if (keys == 0) return true;
  const std::string_view given = request.header("Idempotency-Key");
  const bool printable = std::ranges::all_of(given, [](char c) { return c > 0x20 && c < 0x7F; });
  if (keys > 1 || given.empty() || given.size() > core::limits::idempotency_key_bytes_max ||
      !printable) {
    fail({core::errc::invalid,
          "invalid_idempotency_key",
          "Idempotency-Key must be one word of 1 to 255 visible ASCII characters",
          {},
          {}});
    return false;
  }
  std::string hashed = request.method + '\n' + request.path + '?' + request.query + '\n';
  hashed += request.body;
  actors::idempotency wanted{by.name + '\n' + std::string{given}, core::sha256(hashed)};
  auto begun = engine().idempotency_begin(wanted);
  if (!begun) {
    fail(begun.failure());
    return false;
  }
  if (!*begun) {
    idempotency_ = std::move(wanted);
    return true;
  }
  repeated = std::move(**begun);
  return true;
}

// Every change an operator of the host asks for leaves a line (reliability.md, 5.4), and whatever
// ends deliveries that were accepted (R4). Bodies and queries are not in it: they may hold secrets.
void call::audit(int status) const {
  if (!write_ || !(trusted || audited)) return;
  core::log(
      core::log_level::info, trusted ? "admin" : "api", "change asked for",
      {{"by", by.name}, {"method", request.method}, {"path", request.path}, {"status", status}});
}

void call::release() {
  if (idempotency_) {
    engine().idempotency_end(*idempotency_);
    idempotency_.reset();
  }
  shared->events.fetch_sub(std::exchange(events_, 0), std::memory_order_relaxed);
  shared->event_bytes.fetch_sub(std::exchange(event_bytes_, 0), std::memory_order_relaxed);
  if (permit_) {
    permit_ = false;
    shared->writes.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace syndicated::api
