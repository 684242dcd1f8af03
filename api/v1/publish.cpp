// Publishing: one event, or one on each line (docs/publishing.md).
#include <algorithm>

#include "api/event_types.hpp"
#include "api/raw_json.hpp"
#include "api/routes.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

using namespace core::limits;

constexpr std::string_view line_type = "application/x-ndjson";

void read_scope(object_reader& in, actors::published_event& e) {
  const json* given = in.value("endpoint_scope");
  if (given == nullptr) return;
  object_reader scope{*given, "/endpoint_scope"};
  e.scope = scope.required("scope", scope.word("scope", core::parse_endpoint_scope,
                                               "platform, vendor, product, tenant"));
  e.scope_id = scope.id("scope_id").value_or(0);
  if (scope.clean() && (e.scope == core::endpoint_scope::platform) != (e.scope_id == 0)) {
    scope.refuse("scope_id",
                 e.scope_id == 0 ? "is required" : "is not allowed for the scope platform");
  }
  in.absorb(std::move(scope));
}

void read_data(object_reader& in, const json& event, std::string_view text,
               actors::published_event& e) {
  const json* data = in.value("data");
  if (data == nullptr) return in.refuse("data", "is required");
  if (data->object() == nullptr) {
    return in.refuse("data", "must be an object, is " + std::string{data->type_name()});
  }
  const auto& members = *event.object();
  const auto at = std::ranges::find(members, "data", &json::member::name);
  const std::string_view raw = raw_member(text, static_cast<std::size_t>(at - members.begin()));
  if (raw.size() > event_data_bytes_max) {
    return in.refuse("data", "has more than " + std::to_string(event_data_bytes_max) + " bytes");
  }
  e.data = raw;
}

core::result<actors::published_event> read_event(const call& c, std::string_view text,
                                                 std::size_t line) {
  const auto body = parse_json(text);
  if (!body) return body.failure();
  object_reader in{*body};
  actors::published_event e;
  e.line = line;
  e.name = in.required("name", in.text("name", map_key_bytes_max));
  if (in.clean()) {
    if (auto why = core::why_not_publishable(e.name); !why.empty()) {
      in.refuse("name", std::move(why));
    }
  }
  if (body->object() != nullptr) read_data(in, *body, text, e);
  e.stream = in.text("stream", stream_name_bytes_max, 1).value_or(std::string{});
  e.dedup_id = in.text("dedup_id", dedup_id_bytes_max, 1).value_or(std::string{});
  e.metadata = in.string_map("metadata").value_or(core::string_map{});
  read_scope(in, e);
  if (in.clean()) check_declared(c, e.name, e.data, in);
  if (auto ok = in.finish(); !ok) return std::move(ok).failure();
  return e;
}

// ---- one event

void publish_one(const call_ptr& c) {
  if (!c->has_type("application/json")) {
    // Says what is accepted here.
    return c->fail({core::errc::malformed,
                    "unsupported_media_type",
                    "the body must be application/json or application/x-ndjson",
                    {},
                    {}});
  }
  auto event = read_event(*c, c->request.body, 0);
  if (!event) return c->fail(event.failure());
  if (!c->admit_events(1)) return;
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  std::vector<actors::published_event> events;
  events.push_back(std::move(*event));
  c->engine().publish(
      std::move(events), std::move(*options),
      [](const actors::publish_outcomes& outcomes) -> core::result<actors::answer> {
        if (!outcomes.front()) return outcomes.front().failure();
        return actors::answer{202, R"({"id":)" + std::to_string(outcomes.front()->value) + '}'};
      },
      finish(c));
}

// ---- lines

struct lines_read {
  std::vector<actors::published_event> good;
  // For each line: none when it is the next of the good ones, or why it was refused.
  std::vector<std::optional<core::error>> refused;
};

core::result<lines_read> read_lines(const call& c, std::string_view body) {
  lines_read out;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (out.refused.size() == publish_lines_max) {
      return core::error{core::errc::too_large,
                         "too_many_lines",
                         "more than " + std::to_string(publish_lines_max) + " events",
                         {},
                         {}};
    }
    auto event = read_event(c, line, out.refused.size());
    out.refused.emplace_back();
    if (event) {
      out.good.push_back(std::move(*event));
    } else {
      out.refused.back() = std::move(event).failure();
    }
  }
  if (!out.refused.empty()) return out;
  return core::error{
      core::errc::malformed, "no_events", "the body has no line with an event", {}, {}};
}

void write_refusal(core::json_writer& out, const core::error& why) {
  out.begin_object().key("error").begin_object();
  out.key("code").text(why.code);
  out.key("detail").text(why.detail);
  out.key("pointer");
  if (why.fields.empty()) {
    out.null();
  } else {
    out.text(why.fields.front().pointer);
  }
  out.end_object().end_object();
}

std::string items_json(const std::vector<std::optional<core::error>>& refused,
                       const actors::publish_outcomes& outcomes) {
  core::json_writer out;
  out.begin_object().key("items").begin_array();
  auto next = outcomes.begin();
  for (const auto& line : refused) {
    if (line) {
      write_refusal(out, *line);
      continue;
    }
    if (next->ok()) {
      out.begin_object().key("id").number((*next)->value).end_object();
    } else {
      write_refusal(out, next->failure());
    }
    ++next;
  }
  out.end_array().end_object();
  return std::move(out).str();
}

void publish_lines(const call_ptr& c) {
  if (const auto plain = c->plain_body(); !plain) return c->fail(plain.failure());
  auto lines = read_lines(*c, c->request.body);
  if (!lines) return c->fail(lines.failure());
  if (!c->admit_events(lines->good.size())) return;
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().publish(
      std::move(lines->good), std::move(*options),
      [refused = std::move(lines->refused)](const actors::publish_outcomes& outcomes) {
        return core::result<actors::answer>{actors::answer{202, items_json(refused, outcomes)}};
      },
      finish(c));
}

void publish(const call_ptr& c) {
  if (const auto allowed = require_staff(*c); !allowed) return c->fail(allowed.failure());
  if (c->has_type(line_type)) return publish_lines(c);
  if (const auto plain = c->plain_body(); !plain) return c->fail(plain.failure());
  publish_one(c);
}

}  // namespace

route_list publish_routes() {
  return {{"POST", "/v1/events", face::v1, true, publish, nullptr, false, true}};
}

}  // namespace syndicated::api
