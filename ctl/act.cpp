#include <ostream>

#include "core/base/json_writer.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/report.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

std::string endpoint_path(std::uint64_t id, std::string_view action) {
  return "/v1/endpoints/" + std::to_string(id) + '/' + std::string{action};
}

}  // namespace

void pause_endpoint(session& s, std::uint64_t id, const std::string& reason) {
  core::json_writer body;
  body.begin_object();
  if (!reason.empty()) body.key("reason").text(reason);
  body.end_object();
  report(s, s.send("POST", endpoint_path(id, "pause"), body.str()),
         [](const document& e) { return "endpoint " + e.id("id") + " is " + e.text("state"); });
}

void resume_endpoint(session& s, std::uint64_t id) {
  report(s, s.send("POST", endpoint_path(id, "resume"), "{}"),
         [](const document& e) { return "endpoint " + e.id("id") + " is " + e.text("state"); });
}

void test_endpoint(session& s, std::uint64_t id) {
  const auto body = s.send("POST", endpoint_path(id, "test"), "{}");
  report(s, body, [id](const document& t) {
    std::string text = "endpoint " + std::to_string(id) + ": " + t.text("outcome");
    if (t.number("status") != 0) text += ", status " + std::to_string(t.number("status"));
    if (!t.text("error").empty()) text += ", " + t.text("error");
    return text + ", took " + t.milliseconds("total_ms");
  });
  // What did not arrive is a refusal for scripts.
  if (body && document::parse(*body).text("outcome") != "delivered") s.code = 1;
}

void discard_head(session& s, std::uint64_t endpoint, const std::string& stream,
                  std::uint64_t replay_of) {
  core::json_writer body;
  body.begin_object().key("stream").text(stream);
  if (replay_of != 0) body.key("replay_of").number(replay_of);
  body.end_object();
  report(s, s.send("POST", endpoint_path(endpoint, "lanes/discard"), body.str()),
         [&](const document&) {
           if (replay_of != 0) {
             return "the parked replay of event " + std::to_string(replay_of) + " was given up";
           }
           return "the parked notification of " + stream + " was given up; the next one follows";
         });
}

void replay_event(session& s, std::uint64_t id, std::uint64_t endpoint) {
  core::json_writer body;
  body.begin_object();
  if (endpoint != 0) body.key("endpoint_id").number(endpoint);
  body.end_object();
  report(s, s.send("POST", "/v1/events/" + std::to_string(id) + "/replay", body.str()),
         [&](const document&) { return "event " + std::to_string(id) + " will be sent again"; });
}

void discard_event(session& s, std::uint64_t id, std::uint64_t endpoint) {
  core::json_writer body;
  body.begin_object().key("endpoint_id").number(endpoint).end_object();
  report(s, s.send("POST", "/v1/events/" + std::to_string(id) + "/discard", body.str()),
         [&](const document&) {
           return "event " + std::to_string(id) + " was given up at endpoint " +
                  std::to_string(endpoint);
         });
}

void create_token(session& s, const token_options& o) {
  core::json_writer body;
  body.begin_object().key("role").text(o.role);
  if (o.scope != 0) body.key("scope_id").number(o.scope);
  if (!o.name.empty()) body.key("name").text(o.name);
  if (o.expires_days != 0) body.key("expires_days").number(o.expires_days);
  body.end_object();
  const auto answer = s.send("POST", "/admin/tokens", body.str());
  report(s, answer, [](const document& t) { return t.text("token"); });
  // Standard output holds the token alone, so that it can be piped into a file.
  if (answer && !s.json) {
    s.err << "token " << document::parse(*answer).id("id") << " for the role " << printable(o.role)
          << "; it is shown this once\n";
  }
}

void list_tokens(session& s, const list_options& o) {
  const auto body = s.get_list("/admin/tokens", o.limit);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const core::timestamp now = s.now();
  table t{{{"ID", table::align::right},
           {"ROLE"},
           {"SCOPE", table::align::right},
           {"NAME"},
           {"STATE"},
           {"MADE", table::align::right},
           {"EXPIRES", table::align::right}}};
  const document list = document::parse(*body);
  for (const document& k : list.items("items")) {
    const auto expires = k.time("expires_at");
    const std::string state = k.flag("revoked")            ? "revoked"
                              : expires && *expires <= now ? "expired"
                                                           : "valid";
    t.add({k.id("id"), k.text("role"), k.id("scope_id"), k.text("name"), state,
           human_when(k.time("created_at"), now), expires ? human_when(expires, now) : "never"});
  }
  if (t.empty()) {
    s.out << "there are no tokens\n";
    return;
  }
  t.print(s.out);
}

void revoke_token(session& s, std::uint64_t id) {
  report(s, s.send("DELETE", "/admin/tokens/" + std::to_string(id), {}),
         [id](const document&) { return "token " + std::to_string(id) + " is revoked"; });
}

}  // namespace syndicated::ctl
