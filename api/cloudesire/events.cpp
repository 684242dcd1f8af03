// Events and what became of them, as Cloudesire shows them (domain.md, 1.6): each (event, endpoint)
// pair is a row. What is no event of this form (core::sent_in) is told on /v1 only.
//
// The caller's scope is that of its endpoints: nothing here touches a delivery to somebody else.
#include <algorithm>

#include "api/access.hpp"
#include "api/cloudesire/pages.hpp"
#include "api/cloudesire/texts.hpp"
#include "api/routes.hpp"
#include "core/delivery/envelope.hpp"
#include "core/delivery/response.hpp"

namespace syndicated::api {
namespace {

using endpoint_ptr = std::shared_ptr<const core::endpoint>;

// Whether an event has been delivered is looked up: so many are, in one call.
constexpr std::size_t judged_max = 4 * core::limits::page_items_max;
// Given up in one call.
constexpr std::size_t discarded_max = core::limits::page_items_max;
constexpr int again_s = 1;

endpoint_ptr mine(const call& c, core::endpoint_id id) {
  auto found = c.engine().catalog()->find(id);
  return found && may_see(c, *found) ? found : nullptr;
}

// At most limits::scan_rows_max of the installation's are looked at.
std::vector<endpoint_ptr> all_mine(const call& c) {
  std::vector<endpoint_ptr> out;
  const auto catalog = c.engine().catalog();
  std::uint64_t after = 0;
  for (std::size_t seen = 0; seen < core::limits::scan_rows_max;) {
    auto found = catalog->endpoints(after, core::limits::page_items_max);
    seen += found.size();
    const bool last = found.size() < core::limits::page_items_max;
    if (!found.empty()) after = found.back()->id.value;
    std::erase_if(found, [&](const endpoint_ptr& e) { return !may_see(c, *e); });
    out.insert(out.end(), found.begin(), found.end());
    if (last) break;
  }
  return out;
}

// ---- reading

enum class choice : std::uint8_t { all, entity, notified, waiting };

std::optional<choice> parse_choice(std::string_view text) {
  if (text == "all") return choice::all;
  if (text == "entity") return choice::entity;
  if (text == "true") return choice::notified;
  return text == "false" ? std::optional{choice::waiting} : std::nullopt;
}

// Cloudesire's names of what has events.
constexpr std::pair<std::string_view, core::entity_kind> entities[] = {
    {"Product", core::entity_kind::product},
    {"ProductVersion", core::entity_kind::plan},
    {"Subscription", core::entity_kind::subscription},
    {"User", core::entity_kind::user},
    {"UserCompany", core::entity_kind::tenant},
    {"Invoice", core::entity_kind::invoice},
    {"Cart", core::entity_kind::operation},
};

std::optional<core::entity_kind> parse_entity(std::string_view text) {
  const auto found = std::ranges::find_if(entities, [&](const auto& e) { return e.first == text; });
  return found == std::end(entities) ? std::nullopt : std::optional{found->second};
}

std::string_view recipient_of(const core::endpoint& e) {
  switch (e.scope) {
    case core::endpoint_scope::platform: return "PLATFORM";
    case core::endpoint_scope::product: return "PRODUCT";
    case core::endpoint_scope::vendor:
    case core::endpoint_scope::tenant: return "COMPANY";
  }
  return "";
}

bool is_notified(const actors::delivery& d) {
  return d.state == actors::delivery_state::delivered || d.state == actors::delivery_state::ended;
}

void reference(core::json_writer& out, core::json_name key, std::string url) {
  out.key(key).begin_object().key("url").text(url).end_object();
}

std::string row_text(const core::event& e, const core::endpoint& to, const actors::delivery& d) {
  const core::wire_type type = core::told_as(e, to);
  const std::string payload =
      core::render_cloudesire(e, to.id_format, to.with_event_id, to.with_metadata, type);
  const auto told = parse_json(payload);
  const auto word = [&](std::string_view name) {
    const json* value = told ? told->find(name) : nullptr;
    return value != nullptr && value->text() != nullptr ? *value->text() : std::string{};
  };
  core::json_writer out;
  out.begin_object();
  out.key("id").number(e.id.value);
  out.key("self").text("event/" + std::to_string(e.id.value));
  out.key("entityName").text(word("entity"));
  out.key("entityId").number(e.stream.entity);
  reference(out, "entityUrl", word("entityUrl"));
  out.key("type").text(core::to_string(type));
  out.key("date").text(core::format_rfc3339_seconds(e.at));
  out.key("notified").boolean(is_notified(d));
  out.key("state").text(actors::to_string(d.state));
  out.key("attempts").number(static_cast<std::uint64_t>(d.attempts));
  out.key("recipient").text(recipient_of(to));
  out.key("endpoint").text(to.url);
  if (to.scope == core::endpoint_scope::product) {
    reference(out, "product", "product/" + std::to_string(to.scope_id));
  }
  if (e.vendor) reference(out, "vendor", "vendor/" + std::to_string(e.vendor.value));
  if (!d.last_error.empty()) out.key("lastError").text(d.last_error);
  if (d.state == actors::delivery_state::pending && d.due) {
    out.key("nextRetry").text(core::format_rfc3339_seconds(*d.due));
  }
  out.key("payload").raw(payload);
  out.end_object();
  return std::move(out).str();
}

struct row_wishes {
  actors::event_filter filter;
  choice which = choice::all;
};

core::result<row_wishes> read_wishes(const call& c, query_reader& q) {
  row_wishes out;
  out.which = q.word("type", parse_choice, "all, entity, true, false").value_or(choice::all);
  const auto kind =
      q.word("entity", parse_entity,
             "Product, ProductVersion, Subscription, User, UserCompany, Invoice, Cart");
  const auto id = q.id("id");
  out.filter.since = q.time("since");
  out.filter.until = q.time("until");
  if (id && !kind) q.refuse("id", "needs entity");
  if (out.which == choice::entity && !kind) q.refuse("entity", "is required for this type");
  if (const auto ok = q.finish_lenient(); !ok) return ok.failure();
  if (kind && id) out.filter.stream = core::stream_id{*kind, *id};
  out.filter.kind = kind;
  if (c.by.role == core::role::vendor) out.filter.vendor.value = c.by.scope;
  if (c.by.role == core::role::tenant) out.filter.within.value = c.by.scope;
  return out;
}

const actors::delivery* delivery_to(const std::vector<actors::delivery>& all,
                                    core::endpoint_id id) {
  const auto found = std::ranges::find(all, id, &actors::delivery::endpoint);
  return found == all.end() ? nullptr : &*found;
}

std::string looked_up(const call& c, const core::event& e, const core::endpoint& to) {
  const auto known = c.engine().deliveries(e.id);
  const actors::delivery* d = known ? delivery_to(*known, to.id) : nullptr;
  return row_text(e, to, d != nullptr ? *d : actors::delivery{});
}

// Of several endpoints that are the caller's, the first one's row.
void get_event(const call_ptr& c) {
  const core::event_id id{c->id()};
  const auto found = visible_event(*c, id);
  if (!found) return c->fail(found.failure());
  if (core::sent_in(core::wire_form::cloudesire, *found)) {
    for (const core::endpoint_id each : found->recipients) {
      if (const auto to = mine(*c, each)) return c->send(200, looked_up(*c, *found, *to));
    }
  }
  c->fail(no_such("event", id.value));
}

void list_events(const call_ptr& c) {
  query_reader q{c->query};
  cloudesire::numbered_list list{q};
  const auto wanted = read_wishes(*c, q);
  if (!wanted) return c->fail(wanted.failure());
  const bool judged = wanted->which == choice::notified || wanted->which == choice::waiting;
  std::size_t seen = 0;
  const auto take = [&](const core::event& e) {
    if (!core::sent_in(core::wire_form::cloudesire, e)) return true;
    std::vector<actors::delivery> known;
    if (judged) {
      if (++seen > judged_max) return false;
      if (auto found = c->engine().deliveries(e.id)) known = std::move(*found);
    }
    for (const core::endpoint_id id : e.recipients) {
      const endpoint_ptr to = mine(*c, id);
      if (!to) continue;
      const actors::delivery* d = delivery_to(known, id);
      if (judged && (d == nullptr || is_notified(*d) != (wanted->which == choice::notified))) {
        continue;
      }
      list.add([&] { return looked_up(*c, e, *to); });
    }
    return true;
  };
  const auto walked = cloudesire::walk(
      [&](const actors::page_request& page) { return c->engine().events(wanted->filter, page); },
      take);
  if (!walked) return c->fail(walked.failure());
  list.send(*c);
}

void get_annotated(const call_ptr& c) {
  core::json_writer out;
  out.begin_array();
  for (const auto& [name, kind] : entities) out.text(name);
  out.end_array();
  c->send(200, std::move(out).str());
}

// ---- a test

// Its id, "endpoint/7", or its URL.
endpoint_ptr named(const std::vector<endpoint_ptr>& among, const json& value) {
  std::optional<std::uint64_t> id;
  if (const auto* number = value.integer(); number != nullptr && *number > 0) {
    id = static_cast<std::uint64_t>(*number);
  }
  const std::string* text = value.text();
  if (text != nullptr) id = parse_id(text->starts_with("endpoint/") ? text->substr(9) : *text);
  const auto found = std::ranges::find_if(among, [&](const endpoint_ptr& e) {
    return id ? e->id.value == *id : text != nullptr && e->url == *text;
  });
  return found == among.end() ? nullptr : *found;
}

core::result<endpoint_ptr> endpoint_to_test(const call& c, const json& body) {
  const std::vector<endpoint_ptr> all = all_mine(c);
  const json* wanted = body.find("endpoint");
  if (wanted != nullptr && !wanted->is_null()) {
    if (auto found = named(all, *wanted)) return found;
    return core::invalid_field("/endpoint", "is none of the caller's endpoints");
  }
  if (all.size() == 1) return all.front();
  return core::invalid_field("/endpoint",
                             all.empty() ? "there is no endpoint of the caller's"
                                         : "is required: the caller has more than one endpoint");
}

std::string test_text(const core::attempt_result& r, const core::endpoint& to,
                      core::timestamp now) {
  const core::verdict verdict = core::classify(r, to, now);
  core::json_writer out;
  out.begin_object();
  out.key("entityName").text("Subscription");
  out.key("entityId").number(0);
  out.key("date").text(core::format_rfc3339_seconds(now));
  out.key("notified").boolean(verdict.kind == core::response_class::delivered);
  out.key("recipient").text(recipient_of(to));
  out.key("endpoint").text(to.url);
  out.key("status").number(r.status);
  if (!verdict.error.empty()) out.key("lastError").text(verdict.error);
  out.end_object();
  return std::move(out).str();
}

void test_event(const call_ptr& c) {
  const auto body = c->body(true);
  if (!body) return c->fail(body.failure());
  auto to = endpoint_to_test(*c, *body);
  if (!to) return c->fail(to.failure());
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  c->engine().test_endpoint((*to)->id, std::move(*options),
                            [c, to = *to](const core::attempt_result& r) {
                              return actors::answer{200, test_text(r, *to, c->now())};
                            },
                            finish(c));
}

// ---- by hand: one delivery after the other

using pair = std::pair<core::event_id, core::endpoint_id>;

struct work {
  std::vector<pair> left;
  bool more = false;  // than fit into one call
};

void answer_discards(const call_ptr& c, bool more) {
  if (!more) return c->send(204, {});
  net::http_response answer;
  answer.status = 202;
  answer.body = "{}";
  answer.headers.push_back({"Retry-After", std::to_string(again_s)});
  c->send(std::move(answer));
}

// The call is idempotent by itself, so nothing is stored for a key. Who was faster has done it.
void discard_next(const call_ptr& c, const std::shared_ptr<work>& w) {
  if (w->left.empty()) return answer_discards(c, w->more);
  const pair next = w->left.back();
  w->left.pop_back();
  c->engine().discard_event(next.first, next.second, {c->by, {}, {}},
                            [c, w](core::result<actors::answer>&& outcome) {
                              if (!outcome && outcome.failure().kind != core::errc::not_found)
                                return c->fail(outcome.failure());
                              discard_next(c, w);
                            });
}

void discard_event(const call_ptr& c) {
  c->audited = true;
  const core::event_id id{c->id()};
  if (const auto found = visible_event(*c, id); !found) return c->fail(found.failure());
  const auto known = c->engine().deliveries(id);
  if (!known) return c->fail(known.failure());
  auto w = std::make_shared<work>();
  bool waits = false;
  for (const actors::delivery& d : *known) {
    if (!mine(*c, d.endpoint)) continue;
    if (d.state == actors::delivery_state::parked) w->left.emplace_back(id, d.endpoint);
    waits |=
        d.state == actors::delivery_state::pending || d.state == actors::delivery_state::in_flight;
  }
  if (w->left.empty() && waits) {
    return c->fail({core::errc::conflict,
                    "delivery_pending",
                    "the event is still being delivered: only what is parked can be given up",
                    {},
                    {}});
  }
  discard_next(c, w);
}

// Of the caller's endpoints, what is parked there and nothing has come of since.
core::result<work> parked_at(const call& c) {
  work out;
  actors::attempt_filter filter;
  filter.choice = actors::attempt_choice::still_parked;
  for (const endpoint_ptr& e : all_mine(c)) {
    const auto walked = cloudesire::walk(
        [&](const actors::page_request& page) {
          return c.engine().attempts_at(e->id, filter, page);
        },
        [&](const actors::attempt_record& a) {
          out.more = out.left.size() == discarded_max;
          if (!out.more) out.left.emplace_back(a.event, a.endpoint);
          return !out.more;
        });
    if (!walked) return walked.failure();
    if (out.more) break;
  }
  std::ranges::sort(out.left);
  const auto twice = std::ranges::unique(out.left);
  out.left.erase(twice.begin(), twice.end());
  return out;
}

void discard_events(const call_ptr& c) {
  c->audited = true;
  query_reader q{c->query};
  const auto failed = q.word(
      "eventType",
      [](std::string_view text) -> std::optional<bool> {
        if (text == "failed") return true;
        return text == "notified" ? std::optional{false} : std::nullopt;
      },
      "notified, failed");
  if (!failed && q.text("eventType").value_or("").empty()) q.refuse("eventType", "is required");
  if (const auto ok = q.finish_lenient(); !ok) return c->fail(ok.failure());
  if (is_staff(c->by)) {
    return c->fail(forbidden("whose endpoints? The marketplace gives up events on /v1"));
  }
  // What is delivered is history: it goes with time, and waits for nobody.
  if (!*failed) return c->send(204, {});
  auto found = parked_at(*c);
  if (!found) return c->fail(found.failure());
  discard_next(c, std::make_shared<work>(std::move(*found)));
}

// The last one answers the call, and keeps its answer for repeats of the key.
void replay_next(const call_ptr& c, const std::shared_ptr<work>& w, actors::write_options options) {
  const pair next = w->left.back();
  w->left.pop_back();
  if (w->left.empty()) {
    return c->engine().replay_event(next.first, next.second, std::move(options), finish(c));
  }
  c->engine().replay_event(next.first, next.second, {c->by, {}, {}},
                           [c, w, options](core::result<actors::answer>&& outcome) {
                             if (!outcome) return c->fail(outcome.failure());
                             replay_next(c, w, options);
                           });
}

void replay_event(const call_ptr& c) {
  const core::event_id id{c->id()};
  const auto found = visible_event(*c, id);
  if (!found) return c->fail(found.failure());
  auto w = std::make_shared<work>();
  for (const core::endpoint_id to : found->recipients) {
    if (mine(*c, to)) w->left.emplace_back(id, to);
  }
  if (w->left.empty()) {
    return c->fail({core::errc::conflict,
                    "no_recipient",
                    "none of the caller's endpoints was told of this event",
                    {},
                    {}});
  }
  auto options = c->options();
  if (!options) return c->fail(options.failure());
  replay_next(c, w, std::move(*options));
}

}  // namespace

route_list cloudesire_event_routes() {
  return {
      {"GET", "/api/event", face::cloudesire, false, list_events},
      {"GET", "/api/event/annotated", face::cloudesire, false, get_annotated},
      {"GET", "/api/event/{id}", face::cloudesire, false, get_event},
      {"POST", "/api/event", face::cloudesire, true, test_event},
      {"DELETE", "/api/event", face::cloudesire, true, discard_events},
      {"DELETE", "/api/event/{id}", face::cloudesire, true, discard_event},
      {"POST", "/api/event/{id}/replay", face::cloudesire, true, replay_event},
  };
}

}  // namespace syndicated::api
