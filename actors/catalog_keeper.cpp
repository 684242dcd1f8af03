#include "actors/catalog_keeper.hpp"

#include "actors/catalog_change.hpp"
#include "actors/entity.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {
namespace {

std::uint64_t version_of(const catalog_item& item) {
  return std::visit([](const auto& record) { return record.version; }, item);
}

void refuse(catalog_request& request, core::error why) {
  if (auto reply = std::exchange(request.reply, nullptr)) reply(std::move(why));
}

std::shared_ptr<const catalog_snapshot> with_item(const catalog_snapshot& in,
                                                  const catalog_item& item) {
  return std::visit([&in](const auto& record) { return in.with(record); }, item);
}

// A key whose overlap has ended is kept nowhere: a clock that is set back must not wake it.
bool drop_ended_keys(core::endpoint& e, core::timestamp now) {
  bool dropped = false;
  const auto drop = [&](core::secret_bytes& key, std::optional<core::timestamp>& until) {
    if (!until || now < *until) return;
    key = {};
    until.reset();
    dropped = true;
  };
  drop(e.previous_secret, e.previous_until);
  drop(e.previous_signing_key, e.previous_signing_until);
  return dropped;
}

}  // namespace

core::result<void> catalog_keeper::load() {
  std::shared_ptr<const catalog_snapshot> next = std::make_shared<catalog_snapshot>();
  const auto take_all = [&next](auto rows) -> core::result<void> {
    if (!rows) return std::move(rows).failure();
    next = next->with(std::move(*rows));
    return {};
  };
  if (auto ok = take_all(s_.repo.all_vendors()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_products()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_plans()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_instances()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_endpoints()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_tokens()); !ok) return ok;
  if (auto ok = take_all(s_.repo.all_event_types()); !ok) return ok;
  newest_ = next;
  chain_ = std::make_shared<store::plan_chain>();
  s_.catalog.store(next);
  return {};
}

core::result<catalog_keeper::change> catalog_keeper::decide(const catalog_command& command) const {
  return std::visit([this](const auto& c) { return on(c); }, command);
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_vendor& c) const {
  core::vendor v{s_.ids.next_vendor(), c.name, c.metadata, 0, {}, {}, c.weight};
  begin(v, s_.now());
  return change{std::move(v), true, true};
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_vendor& c) const {
  auto v = present<core::vendor>(*newest_, c.id, "vendor");
  if (!v) return std::move(v).failure();
  bool changed = false;
  take(v->name, c.name, changed);
  take(v->metadata, c.metadata, changed);
  take(v->weight, c.weight, changed);
  if (changed) touch(*v, s_.now());
  return change{std::move(*v), changed, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_endpoint& c) const {
  core::endpoint e = c.endpoint;
  bool known = true;
  switch (e.scope) {
    case core::endpoint_scope::platform: e.scope_id = 0; break;
    case core::endpoint_scope::vendor:
      known = newest_->find(core::vendor_id{e.scope_id}) != nullptr;
      break;
    case core::endpoint_scope::product:
      known = newest_->find(core::product_id{e.scope_id}) != nullptr;
      break;
    case core::endpoint_scope::tenant: {
      auto tenant = s_.repo.find(core::tenant_id{e.scope_id});
      if (!tenant) return std::move(tenant).failure();
      known = tenant->has_value() && (*tenant)->state != core::tenant_state::deleted;
      break;
    }
  }
  if (!known) {
    return core::invalid_field("/scope_id", "no such " + std::string{core::to_string(e.scope)});
  }
  e.id = s_.ids.next_endpoint();
  begin(e, s_.now());
  return change{std::move(e), true, true};
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_endpoint& c) const {
  auto e = present<core::endpoint>(*newest_, c.id, "endpoint");
  if (!e) return std::move(e).failure();
  bool changed = drop_ended_keys(*e, s_.now());
  take(e->url, c.url, changed);
  take(e->origin, c.origin, changed);
  take(e->events, c.events, changed);
  take(e->filter, c.filter, changed);
  take(e->description, c.description, changed);
  take(e->success_codes, c.success_codes, changed);
  take(e->timeout_ms, c.timeout_ms, changed);
  take(e->concurrency_max, c.concurrency_max, changed);
  take(e->retry_schedule, c.retry_schedule, changed);
  take(e->on_exhausted, c.on_exhausted, changed);
  take_secret(e->headers, c.headers, changed);
  take_secret(e->auth, c.auth, changed);
  take_secret(e->identity, c.identity, changed);
  take(e->ca, c.ca, changed);
  take(e->max_age, c.max_age, changed);
  take(e->rate, c.rate, changed);
  take(e->ordering, c.ordering, changed);
  take(e->coalesce_modified, c.coalesce_modified, changed);
  take(e->http2, c.http2, changed);
  take(e->receiver_control, c.receiver_control, changed);
  if (c.signing_key && c.signing_key->empty() != e->signing_key.empty()) {
    e->signing_key = *c.signing_key;
    e->previous_signing_key = {};
    e->previous_signing_until.reset();
    changed = true;
  }
  if (changed) touch(*e, s_.now());
  return change{std::move(*e), changed, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const set_endpoint_state& c) const {
  auto e = present<core::endpoint>(*newest_, c.id, "endpoint");
  if (!e) return std::move(e).failure();
  // A pause of the daemon's own accord that comes late must not undo what somebody decided.
  const bool late = c.reason == failing_reason && e->state != core::endpoint_state::active;
  if (e->state == c.state || late) return change{std::move(*e), false, false};
  e->state = c.state;
  e->state_reason = c.reason;
  touch(*e, s_.now());
  return change{std::move(*e), true, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const rotate_secret& c) const {
  auto e = present<core::endpoint>(*newest_, c.id, "endpoint");
  if (!e) return std::move(e).failure();
  const core::timestamp now = s_.now();
  // Cloudesire's form has one signature header, so there the switch is at once (domain.md 10.10).
  const bool overlap = e->form == core::wire_form::standard && c.overlap.count() > 0;
  drop_ended_keys(*e, now);
  const auto runs = [&](const auto& next, const std::optional<core::timestamp>& until) {
    return overlap && next && until.has_value();
  };
  if (runs(c.secret, e->previous_until) || runs(c.signing_key, e->previous_signing_until)) {
    return core::error{core::errc::conflict,
                       "overlap_running",
                       "the keys before these still sign; with overlap_s 0 they end at once",
                       {},
                       {}};
  }
  const auto turn = [&](core::secret_bytes& key, core::secret_bytes& previous,
                        std::optional<core::timestamp>& until,
                        const std::optional<core::secret_bytes>& next) {
    if (!next) return;
    previous = overlap ? key : core::secret_bytes{};
    until = overlap ? std::optional{now + c.overlap} : std::nullopt;
    key = *next;
  };
  turn(e->secret, e->previous_secret, e->previous_until, c.secret);
  turn(e->signing_key, e->previous_signing_key, e->previous_signing_until, c.signing_key);
  touch(*e, now);
  return change{std::move(*e), true, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_token& c) const {
  core::token t = c.token;
  t.id = s_.ids.next_token();
  t.version = 1;
  t.created_at = s_.now();
  return change{std::move(t), true, true};
}

core::result<catalog_keeper::change> catalog_keeper::on(const revoke_token& c) const {
  auto t = present<core::token>(*newest_, c.id, "token");
  if (!t) return std::move(t).failure();
  const bool changed = !t->revoked;
  t->revoked = true;
  if (changed) ++t->version;
  return change{std::move(*t), changed, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const create_event_type& c) const {
  core::event_type t = c.type;
  t.id = core::type_id_of(t.name);
  const auto known = newest_->event_type(t.id);
  if (known && (!known->deleted || known->name != t.name)) {
    return core::error{core::errc::conflict,
                       "event_type_exists",
                       "the event type " + t.name + " is declared already",
                       {},
                       {}};
  }
  if (!known && newest_->event_types().size() >= core::limits::event_types_max) {
    return core::error{core::errc::conflict,
                       "too_many_event_types",
                       "there are as many event types as there may be",
                       {},
                       {}};
  }
  begin(t, s_.now());
  if (known) t.version = known->version + 1;
  return change{std::move(t), true, true};
}

core::result<catalog_keeper::change> catalog_keeper::on(const update_event_type& c) const {
  const auto known = newest_->find_event_type(c.name);
  if (!known) return core::not_found("no such event type");
  core::event_type t = *known;
  bool changed = false;
  take(t.description, c.description, changed);
  take(t.schema, c.schema, changed);
  take(t.example, c.example, changed);
  if (changed) touch(t, s_.now());
  return change{std::move(t), changed, false};
}

core::result<catalog_keeper::change> catalog_keeper::on(const delete_event_type& c) const {
  const auto known = newest_->find_event_type(c.name);
  if (!known) return core::not_found("no such event type");
  core::event_type t = *known;
  t.deleted = true;
  touch(t, s_.now());
  return change{std::move(t), true, false};
}

void catalog_keeper::handle(catalog_request& request) {
  if (chain_->broken) {
    if (auto ok = load(); !ok) return refuse(request, std::move(ok).failure());
  }
  auto done = decide(request.command);
  if (!done) return refuse(request, std::move(done).failure());
  const std::uint64_t was = version_of(done->item) - (done->changed && !done->created ? 1 : 0);
  if (request.options.if_match && *request.options.if_match != was) {
    return refuse(request, {core::errc::precondition,
                            "version_mismatch",
                            "If-Match names version " + std::to_string(*request.options.if_match) +
                                ", the present one is " + std::to_string(was),
                            {},
                            {}});
  }
  commit(request, std::move(*done));
}

// A pause, an end and a new beginning are told by the endpoint's own stream.
void catalog_keeper::notice_state(store::write_plan& plan, const core::endpoint& e) const {
  const auto before = newest_->find_any(e.id);
  if (!before || before->state == e.state || e.state == core::endpoint_state::deleted) return;
  s_.repo.put_notice(plan, {e.id, {}, {}});
}

void catalog_keeper::commit(catalog_request& request, change done) {
  store::write_plan plan;
  if (done.changed) {
    std::visit([&](const auto& record) { s_.repo.put(plan, record); }, done.item);
    if (const auto* e = std::get_if<core::endpoint>(&done.item)) notice_state(plan, *e);
    if (done.news) {
      done.news->cause = cause_of(request.options.by);
      s_.repo.put_untold(plan, *done.news);  // the ticker finds it
    }
    newest_ = with_item(*newest_, done.item);
  }
  answer a = request.render ? request.render(done.item, done.changed) : answer{};
  keep_answer(s_, plan, request.options.idempotency, a);
  std::vector<core::endpoint_id> concerned;
  if (const auto* e = std::get_if<core::endpoint>(&done.item)) concerned.push_back(e->id);
  if (const auto* v = std::get_if<core::vendor>(&done.item); v != nullptr && !done.created) {
    concerned = newest_->endpoints_of({core::endpoint_scope::vendor, v->id.value});
  }
  plan.chain = chain_;
  plan.done = [services = &s_, snapshot = newest_, concerned = std::move(concerned),
               reply = std::move(request.reply),
               a = std::move(a)](store::commit_result result) mutable {
    if (result != store::commit_result::committed) {
      if (reply) reply(not_committed(result));
      return;
    }
    services->catalog.store(snapshot);
    if (reply) reply(std::move(a));
    for (const core::endpoint_id id : concerned) services->endpoint_was_changed(id);
  };
  s_.committer.submit(std::move(plan));
}

}  // namespace syndicated::actors
