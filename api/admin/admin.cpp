// Calls of the operators of the host, on the admin socket only (api.md, 1).
#include <algorithm>
#include <iterator>

#include "api/routes.hpp"
#include "api/token.hpp"
#include "api/v1/common.hpp"

namespace syndicated::api {
namespace {

void write_counters(core::json_writer& out, const actors::delivery_counters& n) {
  out.begin_object();
  out.key("accepted").number(n.accepted);
  out.key("delivered").number(n.delivered);
  out.key("pending").number(n.pending());
  out.key("parked").number(n.parked);
  out.key("cancelled").number(n.cancelled);
  out.key("attempts").number(n.attempts);
  out.end_object();
}

void write_egress(core::json_writer& out, const core::egress_policy& policy) {
  const core::egress_rules& rules = policy.rules();
  const auto range = [](const core::cidr& r) {
    const int bits = r.base.is_v4() && r.prefix_bits >= 96 ? r.prefix_bits - 96 : r.prefix_bits;
    return core::to_string(r.base) + '/' + std::to_string(bits);
  };
  out.begin_object();
  out.key("allow_http").boolean(rules.allow_http);
  out.key("exceptions").begin_array();
  for (const core::egress_exception& e : rules.allow) {
    out.text(range(e.range) + " port " + (e.port == 0 ? std::string{"*"} : std::to_string(e.port)));
  }
  out.end_array().end_object();
}

void write_families(core::json_writer& out, const std::vector<actors::family_size>& families) {
  out.begin_object();
  for (const actors::family_size& one : families) out.given_key(one.family).number(one.bytes);
  out.end_object();
}

void write_retention(core::json_writer& out, const actors::retention_status& r) {
  out.begin_object();
  out.key("events_from").number(r.events_from.value);
  out.key("attempts_from").number(r.attempts_from.value);
  out.key("oldest_event_at").time(r.oldest_event);
  out.key("events_dropped").number(r.events_dropped);
  out.key("attempts_dropped").number(r.attempts_dropped);
  out.end_object();
}

void get_status(const call_ptr& c) {
  const actors::engine_status s = c->engine().status();
  core::json_writer out;
  out.begin_object();
  out.key("version").text(c->shared->settings.version);
  if (c->shared->settings.address) out.key("address").text(c->shared->settings.address());
  out.key("ready").boolean(s.ready);
  out.key("accepting").boolean(s.accepting);
  out.key("why_not").text(s.why_not);
  out.key("not_sending").text(s.not_sending);
  out.key("now").time(c->now());
  out.key("started_at").time(s.started_at);
  out.key("simulated_time").boolean(s.clock_ahead.has_value());
  out.key("deliveries");
  write_counters(out, s.counters);
  out.key("in_flight").number(s.in_flight);
  out.key("commit_batches").number(s.commits);
  out.key("commit_plans").number(s.plans);
  out.key("commit_queue").number(s.commit_queue);
  out.key("commit_oldest_ms").number(s.commit_oldest_ms);
  out.key("refusing_load").text(s.refusing_load);
  out.key("owners_full").number(s.owners_full);
  out.key("awake_entities").number(s.awake_entities);
  out.key("last_event").number(s.last_event);
  out.key("disk_free_bytes").number(s.disk_free_bytes);
  out.key("store_bytes").number(s.store_bytes);
  out.key("store_families");
  write_families(out, s.families);
  out.key("retention");
  write_retention(out, s.retention);
  out.key("subscriptions").number(s.subscriptions);
  out.key("tenants").number(s.tenants);
  out.key("endpoints").number(s.endpoints);
  out.key("breakers_open").number(s.breakers.open);
  out.key("breakers_half_open").number(s.breakers.half_open);
  out.key("requests_in_progress").number(static_cast<std::uint64_t>(c->shared->writes.load()));
  out.key("auth_failures").number(c->shared->stats.auth_failures());
  out.key("egress");
  write_egress(out, *c->engine().egress());
  out.end_object();
  c->send(200, std::move(out).str());
}

std::string endpoint_status_json(const actors::endpoint_status& s) {
  core::json_writer out;
  out.begin_object();
  out.key("endpoint").raw(v1::endpoint_json(*s.endpoint));
  out.key("counters");
  write_counters(out, s.counters);
  out.key("in_flight").number(s.in_flight);
  out.key("concurrency_limit").number(s.concurrency_limit);
  out.key("oldest").time(s.oldest);
  out.key("blocked_lanes").number(s.blocked_lanes);
  out.key("not_before").time(s.not_before);
  out.key("last_status").number(s.last_status);
  out.key("last_error").text(s.last_error);
  out.key("last_success").time(s.last_success);
  out.key("last_failure").time(s.last_failure);
  out.key("failing_since").time(s.failing_since);
  out.key("breaker");
  v1::write_breaker(out, s.breaker);
  out.end_object();
  return std::move(out).str();
}

// Largest backlog first, so there is no cursor: ?limit= cuts the list. ?backlog=true leaves out
// endpoints without one. At most limits::scan_rows_max endpoints are looked at, and the lanes of
// those that are shown.
void list_queue(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  actors::endpoint_filter filter;
  const auto backlog = q.word(
      "backlog",
      [](std::string_view text) -> std::optional<bool> {
        if (text == "true") return true;
        if (text == "false") return false;
        return std::nullopt;
      },
      "true, false");
  filter.with_backlog_only = backlog.value_or(false);
  filter.without_lanes = true;
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  std::vector<actors::endpoint_status> all;
  actors::page_request chunk{core::limits::page_items_max, {}};
  while (all.size() < core::limits::scan_rows_max) {
    auto found = c->engine().endpoints(filter, chunk);
    std::ranges::move(found.items, std::back_inserter(all));
    if (!found.next) break;
    chunk.after = std::move(*found.next);
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const actors::endpoint_status& s) {
    return s.counters.pending() + s.counters.parked;
  });
  if (all.size() > page.limit) all.resize(page.limit);
  for (actors::endpoint_status& one : all) {
    // One that was deleted meanwhile stays as it was.
    if (auto whole = c->engine().status_of(one.endpoint->id); whole) one = std::move(*whole);
  }
  c->send(200, v1::page_text(all, std::nullopt, endpoint_status_json));
}

void get_queue(const call_ptr& c) {
  const auto found = c->engine().status_of(core::endpoint_id{c->id()});
  if (!found) return c->fail(found.failure());
  c->send(200, endpoint_status_json(*found));
}

// ---- tokens

// The scope must name what the role is about.
void check_scope(const call& c, object_reader& in, core::role role, std::uint64_t scope) {
  const bool scoped = role == core::role::vendor || role == core::role::tenant;
  if (!scoped && scope != 0) in.refuse("scope_id", "is only for the roles vendor and tenant");
  if (scoped && scope == 0) in.refuse("scope_id", "is required for this role");
  if (scope == 0 || !scoped) return;
  const bool exists = role == core::role::vendor
                          ? c.engine().catalog()->find(core::vendor_id{scope}) != nullptr
                          : c.engine().tenant(core::tenant_id{scope}).ok();
  if (!exists) in.refuse("scope_id", "does not exist");
}

void create_token(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  core::token token;
  const auto role = in.word("role", core::parse_role, "operator, marketplace, vendor, tenant");
  token.role = in.required("role", role);
  token.scope = in.id("scope_id").value_or(0);
  token.name = in.text("name", core::limits::name_bytes_max).value_or(std::string{});
  const auto days = in.integer("expires_days", 1, 3'650);
  if (days) token.expires_at = c->now() + std::chrono::days{*days};
  if (role) check_scope(*c, in, *role, token.scope);
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const std::string secret = make_token_secret();
  token.secret_sha256 = token_hash(secret);
  // No idempotency key: an answer with a token in it is never stored.
  actors::write_options options{c->by, std::nullopt, std::nullopt};
  auto id = std::make_shared<core::token_id>();
  c->complete_body = [secret, id](std::string& text) {
    if (text.empty()) return;
    text.pop_back();
    text += ",\"token\":\"" + format_token(*id, secret) + "\"}";
  };
  c->engine().change_catalog(actors::create_token{std::move(token)}, std::move(options),
                             rendered_item<core::token>(c, 201,
                                                        [id](const core::token& t) {
                                                          *id = t.id;
                                                          return v1::token_json(t);
                                                        }),
                             finish(c));
}

void list_tokens(const call_ptr& c) {
  query_reader q{c->query};
  const actors::page_request page = v1::page_query(q);
  if (const auto ok = q.finish(); !ok) return c->fail(ok.failure());
  const auto catalog = c->engine().catalog();
  v1::send_catalog_page(
      c, page, [&](std::uint64_t after, std::size_t n) { return catalog->tokens(after, n); },
      [](const core::token&) { return true; }, v1::token_json);
}

void revoke_token(const call_ptr& c) {
  const core::token_id id{c->id()};
  if (!c->engine().catalog()->find(id)) return c->fail(no_such("token", id.value));
  actors::write_options options{c->by, std::nullopt, std::nullopt};
  c->engine().change_catalog(actors::revoke_token{id}, std::move(options),
                             rendered_item<core::token>(c, 200, v1::token_json), finish(c));
}

// Answered when it is done, which may take minutes. Not a write: it is wanted most when the disk is
// nearly full and writes are refused.
void compact(const call_ptr& c) {
  c->engine().compact([c](core::result<actors::compaction_report>&& done) {
    if (!done) return c->fail(done.failure());
    core::json_writer out;
    out.begin_object();
    out.key("bytes_before").number(done->bytes_before);
    out.key("bytes_after").number(done->bytes_after);
    out.key("events_dropped").number(done->events_dropped);
    out.key("attempts_dropped").number(done->attempts_dropped);
    out.key("store_families");
    write_families(out, done->families);
    out.end_object();
    c->send(200, std::move(out).str());
  });
}

void set_log_level(const call_ptr& c) {
  auto body = c->body();
  if (!body) return c->fail(body.failure());
  object_reader in{*body};
  const std::string level = in.required("level", in.text("level", 16));
  if (const auto ok = in.finish(); !ok) return c->fail(ok.failure());
  const auto& set = c->shared->settings.set_log_level;
  if (!set)
    return c->fail(
        {core::errc::not_found, "not_found", "the log level cannot be changed here", {}, {}});
  if (!set(level))
    return c->fail(
        core::invalid_field("/level", "is not one of debug, info, warning, error, critical"));
  c->send(200, R"({"level":")" + level + "\"}");
}

}  // namespace

route_list admin_routes() {
  return {
      {"GET", "/admin/status", face::admin, false, get_status},
      {"GET", "/admin/queue", face::admin, false, list_queue, nullptr, true},
      {"GET", "/admin/queue/{id}", face::admin, false, get_queue},
      {"POST", "/admin/tokens", face::admin, true, create_token},
      {"GET", "/admin/tokens", face::admin, false, list_tokens, nullptr, true},
      {"DELETE", "/admin/tokens/{id}", face::admin, true, revoke_token},
      {"POST", "/admin/compact", face::admin, false, compact},
      {"POST", "/admin/log-level", face::admin, true, set_log_level},
  };
}

}  // namespace syndicated::api
