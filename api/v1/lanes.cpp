// What is on its way to an endpoint and what was tried, and the levers on it: test, discard.
#include "api/routes.hpp"
#include "api/v1/common.hpp"
#include "core/delivery/response.hpp"

namespace syndicated::api {
namespace {

// `name` is the publisher's; other streams have none.
std::string lane_json(const core::lane& l, const std::string& name) {
  core::json_writer out;
  out.begin_object();
  out.key("stream").text(core::to_string(l.key.stream));
  out.key("stream_name");
  if (name.empty()) {
    out.null();
  } else {
    out.text(name);
  }
  out.key("replay_of");
  if (l.key.replay) {
    out.number(l.key.replay.value);
  } else {
    out.null();
  }
  out.key("state").text(core::to_string(l.state));
  out.key("event_id").number(l.head.value);
  out.key("next_seq").number(l.next_seq);
  out.key("backlog").number(l.backlog);
  out.key("attempts").number(static_cast<std::uint64_t>(l.attempts));
  out.key("due_at");
  if (l.state == core::lane_state::pending) {
    out.time(l.next_attempt());
  } else {
    out.null();
  }
  out.key("event_at").time(l.head_at);
  out.key("last_status").number(l.last_status);
  out.key("last_error").text(l.last_error);
  out.end_object();
  return std::move(out).str();
}

void list_lanes(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const auto state = q.word(
      "state",
      [](std::string_view text) -> std::optional<core::lane_state> {
        for (const auto s : {core::lane_state::pending, core::lane_state::parked}) {
          if (core::to_string(s) == text) return s;
        }
        return std::nullopt;
      },
      "pending, parked");
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const core::endpoint_id id{c->id()};
  if (const auto found = visible_endpoint(*c, id); !found) return c->fail(found.failure());
  const auto lanes = c->engine().lanes(id, state, page);
  if (!lanes) return c->fail(lanes.failure());
  const auto text = [&c](const core::lane& l) {
    if (l.key.stream.kind != core::entity_kind::published) return lane_json(l, {});
    const auto head = c->engine().event(l.head);
    return lane_json(l, head ? head->stream_name : std::string{});
  };
  c->send(200, v1::page_text(lanes->items, lanes->next, text));
}

void discard_lane(const call_ptr& c) {
  c->audited = true;
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::lane_key lane;
  lane.stream = in.required(
      "stream", in.word("stream", v1::parse_stream, "the streams, such as subscription/2388"));
  lane.replay.value = in.id("replay_of").value_or(0);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  lane.endpoint.value = c->id();
  if (const auto found = visible_endpoint(*c, lane.endpoint); !found)
    return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().discard(lane, std::move(*options), finish(c));
}

std::string test_json(const core::attempt_result& r, const core::endpoint& to,
                      core::timestamp now) {
  const core::verdict verdict = core::classify(r, to, now);
  core::json_writer out;
  out.begin_object();
  out.key("outcome").text(core::to_string(verdict.kind));
  out.key("status").number(r.status);
  out.key("error").text(verdict.error);
  out.key("excerpt").text(r.excerpt);
  out.key("total_ms").real(static_cast<double>(r.timing.total_us) / 1000.0);
  out.end_object();
  return std::move(out).str();
}

void test_endpoint(const call_ptr& c) {
  auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const core::endpoint_id id{c->id()};
  auto found = visible_endpoint(*c, id);
  if (!found) return c->fail(found.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().test_endpoint(
      id, std::move(*options),
      [c, to = std::move(*found)](const core::attempt_result& r) {
        return actors::answer{200, test_json(r, *to, c->now())};
      },
      finish(c));
}

void list_attempts(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  const actors::attempt_filter filter = v1::attempt_query(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const core::endpoint_id id{c->id()};
  if (const auto found = visible_endpoint(*c, id); !found) return c->fail(found.failure());
  const auto attempts = c->engine().attempts_at(id, filter, page);
  if (!attempts) return c->fail(attempts.failure());
  c->send(200, v1::page_text(attempts->items, attempts->next, v1::attempt_json));
}

}  // namespace

route_list lane_routes() {
  return {
      {"GET", "/v1/endpoints/{id}/lanes", face::v1, false, list_lanes, nullptr, true},
      {"POST", "/v1/endpoints/{id}/lanes/discard", face::v1, true, discard_lane},
      {"POST", "/v1/endpoints/{id}/test", face::v1, true, test_endpoint},
      {"GET", "/v1/endpoints/{id}/attempts", face::v1, false, list_attempts, nullptr, true},
  };
}

}  // namespace syndicated::api
