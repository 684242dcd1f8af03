#include <ostream>

#include "ctl/commands.hpp"
#include "ctl/document.hpp"
#include "ctl/listing.hpp"
#include "ctl/table.hpp"

namespace syndicated::ctl {
namespace {

void print_deliveries(session& s, const document& event, core::timestamp now) {
  table t{{{"ENDPOINT", table::align::right},
           {"STATE"},
           {"TRIES", table::align::right},
           {"DUE", table::align::right},
           {"LAST STATUS", table::align::right},
           {"LAST ERROR"}}};
  for (const document& d : event.items("deliveries")) {
    const std::string error = d.text("last_error");
    t.add({d.id("endpoint_id"), d.text("state"), d.count("attempts"),
           human_when(d.time("due_at"), now), d.id("last_status"), error.empty() ? "-" : error});
  }
  s.out << '\n';
  if (t.empty()) {
    s.out << "no endpoint was told of it\n";
    return;
  }
  t.print(s.out);
}

// `other`: which of event_id and endpoint_id differs from row to row.
table attempts_table(const std::string& attempts, const char* other, core::timestamp now) {
  table t{{{"ATTEMPT", table::align::right},
           {std::string{other} == "event_id" ? "EVENT" : "ENDPOINT", table::align::right},
           {"AGE", table::align::right},
           {"OUTCOME"},
           {"STATUS", table::align::right},
           {"TOOK", table::align::right},
           {"ERROR"},
           {"ANSWER"}}};
  const document list = document::parse(attempts);
  for (const document& a : list.items("items")) {
    std::string error = a.text("error");
    if (!a.text("cause").empty()) error += " by " + a.text("cause");
    t.add({a.count("number"), a.id(other), human_when(a.time("at"), now), a.text("outcome"),
           a.id("status"), a.object("timing_ms").milliseconds("total"), error.empty() ? "-" : error,
           printable(a.text("excerpt"), 40)});
  }
  return t;
}

// False: it is no time; that has been said.
bool add_time(session& s, std::string& target, const char* name, const std::string& value,
              core::timestamp now) {
  if (value.empty()) return true;
  const auto at = parse_when(value, now);
  if (at) {
    add_filter(target, name, core::format_rfc3339_ms(*at));
  } else {
    s.fail(2, std::string{"--"} + name +
                  " takes a time (2026-11-21T08:00:00Z) or an age (90s, 30m, 2h, 7d)");
  }
  return at.has_value();
}

void print_attempts(session& s, std::string target, const char* other, const attempt_query& q,
                    const list_options& o) {
  const core::timestamp now = s.now();
  add_filter(target, "endpoint_id", std::to_string(q.endpoint));
  add_filter(target, "outcome", q.outcome);
  if (!add_time(s, target, "since", q.since, now)) return;
  if (!add_time(s, target, "until", q.until, now)) return;
  const auto body = s.get_list(target, o.limit);
  if (!body) return;
  if (s.json) return s.print_document(*body);
  const table t = attempts_table(*body, other, now);
  if (t.empty()) {
    s.out << "no such attempts\n";
    return;
  }
  t.print(s.out);
}

}  // namespace

void list_endpoints(session& s, const list_options& o) {
  print_list(s, "/v1/endpoints", o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"OWNER"},
                    {"FORM"},
                    {"SIGNED"},
                    {"EVENTS"},
                    {"URL"}}},
             "there are no endpoints", [](const document& e) -> std::vector<std::string> {
               const std::string scope = e.text("scope");
               const std::string breaker = e.object("breaker").text("state");
               const bool failing = e.text("state") == "active" && breaker != "closed";
               return {e.id("id"),
                       failing && !breaker.empty() ? "failing" : e.text("state"),
                       scope == "platform" ? scope : scope + ' ' + e.id("scope_id"),
                       e.text("form"),
                       e.flag("signed") ? "yes" : "NO",
                       printable(e.words("events"), 32),
                       printable(e.text("url"), 60)};
             });
}

void show_endpoint(session& s, std::uint64_t id) {
  show_one(s, "/v1/endpoints/" + std::to_string(id));
}

void list_attempts(session& s, std::uint64_t endpoint, const attempt_query& q,
                   const list_options& o) {
  print_attempts(s, "/v1/endpoints/" + std::to_string(endpoint) + "/attempts", "event_id", q, o);
}

void list_event_attempts(session& s, std::uint64_t event, const attempt_query& q,
                         const list_options& o) {
  print_attempts(s, "/v1/events/" + std::to_string(event) + "/attempts", "endpoint_id", q, o);
}

void list_events(session& s, const event_query& q, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/events";
  if (!q.stream.empty()) {
    const std::size_t slash = q.stream.find('/');
    if (slash == std::string::npos) return s.fail(2, "a stream looks like subscription/2388");
    add_filter(target, "entity", q.stream.substr(0, slash));
    add_filter(target, "entity_id", q.stream.substr(slash + 1));
  }
  add_filter(target, "name", q.name);
  if (!add_time(s, target, "since", q.since, now)) return;
  if (!add_time(s, target, "until", q.until, now)) return;
  print_list(s, target, o,
             table{{{"EVENT", table::align::right},
                    {"AGE", table::align::right},
                    {"STREAM"},
                    {"SEQ", table::align::right},
                    {"NAME"},
                    {"CAUSE"}}},
             "there are no such events", [now](const document& e) -> std::vector<std::string> {
               return {e.id("id"),       human_when(e.time("at"), now),
                       e.text("stream"), e.id("seq"),
                       e.text("name"),   e.text("cause")};
             });
}

void show_event(session& s, std::uint64_t id) {
  const std::string target = "/v1/events/" + std::to_string(id);
  const auto body = s.get(target);
  if (!body) return;
  const auto attempts = s.get_list(target + "/attempts", 100);
  if (!attempts) return;
  if (s.json) return s.print_document("{\"event\":" + *body + ",\"attempts\":" + *attempts + "}");
  const document e = document::parse(*body);
  const core::timestamp now = s.now();
  facts f;
  f.add("event", e.id("id") + "  " + e.text("name"));
  f.add("stream",
        e.text("stream") + ", seq " + e.id("seq") + ", entity version " + e.id("entity_version"));
  f.add("happened", e.text("at") + " (" + human_when(e.time("at"), now) + " ago)");
  f.add("cause", e.text("cause"));
  f.add("tenant", e.id("tenant_id"));
  f.add("vendor", e.id("vendor_id"));
  f.print(s.out);
  print_deliveries(s, e, now);
  table t = attempts_table(*attempts, "endpoint_id", now);
  if (t.empty()) return;
  s.out << '\n';
  t.print(s.out);
}

void list_subscriptions(session& s, const subscription_query& q, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/subscriptions";
  add_filter(target, "status", q.status);
  add_filter(target, "tenant_id", std::to_string(q.tenant));
  add_filter(target, "vendor_id", std::to_string(q.vendor));
  add_filter(target, "product_id", std::to_string(q.product));
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATUS"},
                    {"TYPE"},
                    {"PAID"},
                    {"TENANT", table::align::right},
                    {"VENDOR", table::align::right},
                    {"PRODUCT", table::align::right},
                    {"PLAN", table::align::right},
                    {"VERSION", table::align::right},
                    {"CHANGED", table::align::right}}},
             "there are no such subscriptions",
             [now](const document& x) -> std::vector<std::string> {
               return {x.id("id"),         x.text("status"),
                       x.text("type"),     x.flag("paid") ? "yes" : "no",
                       x.id("tenant_id"),  x.id("vendor_id"),
                       x.id("product_id"), x.id("plan_id"),
                       x.id("version"),    human_when(x.time("updated_at"), now)};
             });
}

void show_subscription(session& s, std::uint64_t id) {
  show_one(s, "/v1/subscriptions/" + std::to_string(id));
}

void list_resources(session& s, std::uint64_t subscription, const list_options& o) {
  const core::timestamp now = s.now();
  print_list(s, "/v1/subscriptions/" + std::to_string(subscription) + "/resources", o,
             table{{{"ID", table::align::right},
                    {"TYPE"},
                    {"STATUS"},
                    {"PARENT", table::align::right},
                    {"SERIAL", table::align::right},
                    {"CHANGED", table::align::right},
                    {"PROBLEM"}}},
             "it has no sub-resources", [now](const document& r) -> std::vector<std::string> {
               return {r.id("id"),
                       r.text("type"),
                       r.text("status"),
                       r.id("parent_id"),
                       r.id("serial"),
                       human_when(r.time("updated_at"), now),
                       printable(r.text("problem"))};
             });
}

void list_usage(session& s, std::uint64_t subscription, const usage_query& q,
                const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/subscriptions/" + std::to_string(subscription) + "/usage";
  add_filter(target, "metric", q.metric);
  add_filter(target, "source", q.source);
  if (!add_time(s, target, "since", q.since, now)) return;
  if (!add_time(s, target, "until", q.until, now)) return;
  print_list(s, target, o,
             table{{{"WINDOW"},
                    {"METRIC"},
                    {"SOURCE"},
                    {"KIND"},
                    {"VALUE", table::align::right},
                    {"STATE"},
                    {"CHANGED", table::align::right}}},
             "there is no such usage", [now](const document& r) -> std::vector<std::string> {
               return {r.text("window_start"),
                       r.text("metric"),
                       r.text("source"),
                       r.text("kind"),
                       r.figure("value"),
                       r.text("state"),
                       human_when(r.time("updated_at"), now)};
             });
}

void list_metrics(session& s, std::uint64_t subscription) {
  const core::timestamp now = s.now();
  print_whole(s, "/v1/subscriptions/" + std::to_string(subscription) + "/metrics",
              table{{{"METRIC"},
                     {"VALUE", table::align::right},
                     {"ANSWERED", table::align::right},
                     {"NEXT", table::align::right},
                     {"FAILURES", table::align::right},
                     {"PROBLEM"}}},
              "no metric is asked for", [now](const document& m) -> std::vector<std::string> {
                return {m.text("metric"),
                        m.has("value") ? m.figure("value") : "-",
                        human_when(m.time("answered_at"), now),
                        human_when(m.time("next_at"), now),
                        m.count("failures"),
                        m.text("problem")};
              });
}

void list_tenants(session& s, std::uint64_t parent, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/tenants";
  add_filter(target, "parent_id", std::to_string(parent));
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"KIND"},
                    {"PARENT", table::align::right},
                    {"NAME"},
                    {"REFERENCE"},
                    {"CHANGED", table::align::right}}},
             "there are no such tenants", [now](const document& t) -> std::vector<std::string> {
               return {t.id("id"),
                       t.text("status"),
                       t.text("kind"),
                       t.id("parent_id"),
                       printable(t.text("name"), 40),
                       printable(t.text("external_ref"), 24),
                       human_when(t.time("updated_at"), now)};
             });
}

void show_tenant(session& s, std::uint64_t id) { show_one(s, "/v1/tenants/" + std::to_string(id)); }

void list_tenant_usages(session& s, std::uint64_t id) {
  print_whole(s, "/v1/tenants/" + std::to_string(id) + "/usages",
              table{{{"ITEM"},
                     {"UNIT"},
                     {"OWN", table::align::right},
                     {"TOTAL", table::align::right},
                     {"QUOTA", table::align::right},
                     {"OVERAGE", table::align::right},
                     {"LEVEL"},
                     {"IN EFFECT"}}},
              "the tenant has no items", [](const document& u) -> std::vector<std::string> {
                const auto bound = [&u](std::string_view name) {
                  return u.has(name) ? u.count(name) : std::string{"-"};
                };
                return {u.text("name"),
                        u.text("measurement_unit"),
                        u.count("own"),
                        u.count("total"),
                        bound("quota"),
                        bound("overage"),
                        u.flag("blocked") ? "blocked" : u.text("level"),
                        u.flag("in_effect") ? "yes" : "no"};
              });
}

void list_users(session& s, std::uint64_t tenant, const list_options& o) {
  const core::timestamp now = s.now();
  std::string target = "/v1/users";
  add_filter(target, "tenant_id", std::to_string(tenant));
  print_list(s, target, o,
             table{{{"ID", table::align::right},
                    {"STATE"},
                    {"TENANT", table::align::right},
                    {"LOGIN"},
                    {"CHANGED", table::align::right}}},
             "there are no such users", [now](const document& u) -> std::vector<std::string> {
               return {u.id("id"), u.text("status"), u.id("tenant_id"),
                       printable(u.text("login"), 40), human_when(u.time("updated_at"), now)};
             });
}

void show_user(session& s, std::uint64_t id) { show_one(s, "/v1/users/" + std::to_string(id)); }

}  // namespace syndicated::ctl
