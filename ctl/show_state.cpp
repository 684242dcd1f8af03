#include <ostream>

#include "core/base/limits.hpp"
#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/report.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

std::string highlighted(const session& s, const std::string& text) {
  return s.colour ? "\x1b[31m" + text + "\x1b[0m" : text;
}

std::string counters_line(const document& n) {
  return n.count("accepted") + " accepted = " + n.count("delivered") + " delivered + " +
         n.count("pending") + " pending + " + n.count("parked") + " parked + " +
         n.count("cancelled") + " cancelled";
}

std::string state_word(const document& endpoint, const document& status, core::timestamp now) {
  const auto hold = status.time("not_before");
  if (endpoint.text("state") == "active" && hold && *hold > now) return "waits";
  const std::string breaker = status.object("breaker").text("state");
  if (endpoint.text("state") == "active" && breaker != "closed" && !breaker.empty()) {
    return "failing";
  }
  return endpoint.text("state");
}

std::string scope_of(const document& endpoint) {
  const std::string scope = endpoint.text("scope");
  return scope == "platform" ? scope : scope + ' ' + endpoint.id("scope_id");
}

std::string blocked_count(const document& status) {
  const bool more = status.number("blocked_lanes") >=
                    static_cast<std::int64_t>(core::limits::blocked_lanes_counted_max);
  return status.count("blocked_lanes") + (more ? "+" : "");
}

std::string breaker_text(const document& b, core::timestamp now) {
  const std::string why = " after " + b.text("reason");
  if (b.text("state") == "half_open") return "half open" + why + ": one request finds out";
  return "open" + why + ": the next request " + human_when(b.time("until"), now);
}

void add_exceptions(facts& f, const session& s, const document& egress) {
  std::string text = egress.words("exceptions");
  if (egress.flag("allow_http")) text += text.empty() ? "plain http" : ", plain http";
  f.add("egress exceptions", text.empty() ? "none" : highlighted(s, text));
}

}  // namespace

void show_status(session& s) {
  const auto body = s.get("/admin/status");
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const document o = document::parse(*body);
  const core::timestamp now = s.now();
  const bool accepting = o.flag("accepting");
  std::string state = o.flag("ready") ? "ready" : highlighted(s, "not ready");
  state += accepting ? ", accepting changes"
                     : ", " + highlighted(s, "not accepting: " + o.text("why_not"));
  facts f;
  f.add("syndicated", o.text("version") + ", " + state);
  if (const auto why = o.text("not_sending"); !why.empty()) {
    f.add("nothing is sent", highlighted(s, why));
  }
  if (!o.text("address").empty()) f.add("API", o.text("address"));
  if (o.flag("simulated_time")) {
    f.add("clock", highlighted(s, "simulated: " + o.text("now")));
  }
  f.add("up", human_when(o.time("started_at"), now));
  f.add("notifications", counters_line(o.object("deliveries")));
  f.add("attempts",
        o.object("deliveries").count("attempts") + ", " + o.count("in_flight") + " in flight now");
  if (o.number("breakers_open") + o.number("breakers_half_open") > 0) {
    f.add("failing", o.count("breakers_open") + " origins left alone, " +
                         o.count("breakers_half_open") + " about to be asked");
  }
  f.add("changes", o.count("commit_plans") + " in " + o.count("commit_batches") + " commits, " +
                       o.count("commit_queue") + " waiting");
  if (const auto why = o.text("refusing_load"); !why.empty()) {
    f.add("new load", highlighted(s, "refused: " + why));
  } else if (o.number("owners_full") > 0) {
    f.add("new load", highlighted(s, "refused for " + o.count("owners_full") +
                                         " owners with too large a backlog"));
  }
  f.add("entities", o.count("subscriptions") + " subscriptions, " + o.count("tenants") +
                        " tenants, " + o.count("endpoints") + " endpoints; " +
                        o.count("awake_entities") + " awake");
  f.add("store", human_bytes(static_cast<std::uint64_t>(o.number("store_bytes"))) + ", " +
                     human_bytes(static_cast<std::uint64_t>(o.number("disk_free_bytes"))) +
                     " free on its disk");
  const document kept = o.object("retention");
  f.add("oldest event", human_when(kept.time("oldest_event_at"), now));
  f.add("requests", o.count("requests_in_progress") + " writes in progress, " +
                        o.count("auth_failures") + " refused credentials");
  add_exceptions(f, s, o.object("egress"));
  f.print(s.out);
}

void compact(session& s) {
  // A large store takes its time; the daemon goes on meanwhile.
  constexpr std::chrono::hours patience{12};
  report(s, s.send("POST", "/admin/compact", "{}", patience), [](const document& o) {
    const auto bytes = [&o](std::string_view name) {
      return human_bytes(static_cast<std::uint64_t>(o.number(name)));
    };
    return "the store had " + bytes("bytes_before") + " and has " + bytes("bytes_after") + "; " +
           o.count("events_dropped") + " events and " + o.count("attempts_dropped") +
           " attempts were dropped";
  });
}

void list_queue(session& s, bool backlog_only, const list_options& o) {
  const auto body =
      s.get_list(std::string{"/admin/queue"} + (backlog_only ? "?backlog=true" : ""), o.limit);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const core::timestamp now = s.now();
  table t{{{"ENDPOINT", table::align::right},
           {"STATE"},
           {"OWNER"},
           {"PENDING", table::align::right},
           {"PARKED", table::align::right},
           {"BLOCKED", table::align::right},
           {"DELIVERED", table::align::right},
           {"IN FLIGHT", table::align::right},
           {"OLDEST", table::align::right},
           {"LAST OK", table::align::right},
           {"LAST ERROR"},
           {"URL"}}};
  const document list = document::parse(*body);
  for (const document& q : list.items("items")) {
    const document e = q.object("endpoint");
    const document n = q.object("counters");
    const std::string error = q.text("last_error");
    t.add({e.id("id"), state_word(e, q, now), scope_of(e), n.count("pending"), n.count("parked"),
           blocked_count(q), n.count("delivered"),
           std::to_string(q.number("in_flight")) + '/' +
               std::to_string(q.number("concurrency_limit")),
           human_when(q.time("oldest"), now), human_when(q.time("last_success"), now),
           error.empty() ? "-" : error, printable(e.text("url"), 48)});
  }
  if (t.empty()) {
    s.out << (backlog_only ? "no endpoint has a backlog\n" : "there are no endpoints\n");
    return;
  }
  t.print(s.out);
}

void show_queue(session& s, std::uint64_t endpoint, const std::string& state,
                const list_options& o) {
  const std::string id = std::to_string(endpoint);
  const auto status = s.get("/admin/queue/" + id);
  if (!status) return;
  const std::string query = state.empty() ? "" : "?state=" + state;
  const auto lanes = s.get_list("/v1/endpoints/" + id + "/lanes" + query, o.limit);
  if (!lanes) return;
  if (s.json) {
    return s.print_document("{\"endpoint\":" + *status + ",\"lanes\":" + *lanes + "}");
  }
  const document q = document::parse(*status);
  const document e = q.object("endpoint");
  const core::timestamp now = s.now();
  facts f;
  f.add("endpoint", id + ", " + scope_of(e) + ", " + e.text("form") + ", " + state_word(e, q, now));
  f.add("url", e.text("url"));
  f.add("notifications", counters_line(q.object("counters")));
  f.add("in flight", std::to_string(q.number("in_flight")) + " of at most " +
                         std::to_string(q.number("concurrency_limit")));
  f.add("oldest pending", human_when(q.time("oldest"), now));
  if (q.number("blocked_lanes") > 0)
    f.add("blocked", blocked_count(q) + " streams stand still behind a parked notification");
  f.add("last success", human_when(q.time("last_success"), now));
  f.add("last failure", human_when(q.time("last_failure"), now) + ' ' + q.text("last_error"));
  if (const auto since = q.time("failing_since")) f.add("failing since", human_when(since, now));
  if (const auto hold = q.time("not_before"); hold && *hold > now)
    f.add("asked to wait", human_when(hold, now));
  const document breaker = q.object("breaker");
  if (const auto word = breaker.text("state"); !word.empty() && word != "closed")
    f.add("breaker", breaker_text(breaker, now));
  f.print(s.out);
  s.out << '\n';
  table t{{{"STREAM"},
           {"STATE"},
           {"NEXT SEQ", table::align::right},
           {"BACKLOG", table::align::right},
           {"TRIES", table::align::right},
           {"DUE", table::align::right},
           {"AGE", table::align::right},
           {"LAST ERROR"},
           {"EVENT", table::align::right}}};
  const document list = document::parse(*lanes);
  for (const document& l : list.items("items")) {
    const auto due = l.time("due_at");
    const std::string error = l.text("last_error");
    const std::string named = l.text("stream_name");
    t.add({l.text("stream") + (named.empty() ? "" : " (" + named + ")") +
               (l.number("replay_of") != 0 ? " (replay)" : ""),
           l.text("state"), l.id("next_seq"), l.count("backlog"), l.count("attempts"),
           due && *due <= now ? "now" : human_when(due, now), human_when(l.time("event_at"), now),
           error.empty() ? "-" : error, l.id("event_id")});
  }
  if (t.empty()) {
    s.out << "nothing is " << (state.empty() ? "waiting" : state) << '\n';
    return;
  }
  t.print(s.out);
}

}  // namespace syndicated::ctl
