// The writing half of the repository, and what every store begins with.
#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/id_source.hpp"
#include "store/repository.hpp"

namespace syndicated::store {
namespace {

constexpr std::string_view schema_version = "1";
constexpr std::string_view key_proof_text = "syndicated master key";

}  // namespace

void repository::put(write_plan& plan, const core::subscription& s,
                     const core::subscription* before) const {
  plan.put(family::subscriptions, id_key(s.id.value), encode(s));
  if (before == nullptr) {
    ++plan.subscriptions_created;
    plan.put(family::index, index_key('t', s.tenant.value, s.id.value), {});
    plan.put(family::index, index_key('v', s.vendor.value, s.id.value), {});
  }
  const auto old_timer = before != nullptr ? core::next_timer(*before) : std::nullopt;
  const auto new_timer = core::next_timer(s);
  if (old_timer == new_timer) return;
  if (old_timer) plan.erase(family::timers, timer_key(*old_timer, core::stream_of(s.id)));
  if (new_timer) plan.put(family::timers, timer_key(*new_timer, core::stream_of(s.id)), {});
}

void repository::put(write_plan& plan, const core::tenant& t, bool created) const {
  if (created) ++plan.tenants_created;
  plan.put(family::tenants, id_key(t.id.value), encode(t));
  if (created && t.parent) plan.put(family::index, index_key('c', t.parent.value, t.id.value), {});
}

void repository::put(write_plan& plan, const core::vendor& v) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::vendor, v.id.value), encode(v));
}
void repository::put(write_plan& plan, const core::product& p) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::product, p.id.value), encode(p));
}
void repository::put(write_plan& plan, const core::plan& p) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::plan, p.id.value), encode(p));
}
void repository::put(write_plan& plan, const core::endpoint& e) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::endpoint, e.id.value),
           encode(e, vault_));
}
void repository::put(write_plan& plan, const core::token& t) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::token, t.id.value), encode(t));
}

void repository::put(write_plan& plan, const core::event_type& t) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::event_type, t.id.value), encode(t));
}

void repository::put_last_seq(write_plan& plan, const core::stream_id& stream,
                              std::uint64_t seq) const {
  plan.put(family::streams, stream_key(stream, 0), std::string{id_key(seq).view()});
}

void repository::put(write_plan& plan, const core::event& e) const {
  plan.put(family::events, id_key(e.id.value), encode(e));
  plan.put(family::streams, stream_key(e.stream, e.seq), std::string{id_key(e.id.value).view()});
}

void repository::put(write_plan& plan, const core::lane& lane, const core::lane* before) const {
  plan.put(family::lanes, lane_row_key(lane.key), encode(lane));
  const std::uint64_t due = due_ms_of(lane);
  if (before != nullptr && due_ms_of(*before) == due) return;
  if (before != nullptr) plan.erase(family::due, due_key(lane.key, due_ms_of(*before)));
  const bool retry = lane.state == core::lane_state::pending && lane.attempts > 0;
  plan.put(family::due, due_key(lane.key, due), std::string{retry ? due_retry_mark : ""});
}

void repository::erase(write_plan& plan, const core::lane& lane) const {
  plan.erase(family::lanes, lane_row_key(lane.key));
  plan.erase(family::due, due_key(lane.key, due_ms_of(lane)));
}

void repository::put(write_plan& plan, const attempt_row& a) const {
  const auto at_ms = static_cast<std::uint64_t>(core::to_unix_ms(a.at));
  plan.put(family::attempts, attempt_key(a.event, a.endpoint, at_ms), encode(a));
  const char mark[2] = {static_cast<char>(a.outcome), static_cast<char>(a.end)};
  plan.put(family::attempt_index, attempt_index_key(a.endpoint, at_ms, a.event),
           std::string{mark, sizeof mark});
}

void repository::put(write_plan& plan, const core::replay_job& j) const {
  plan.put(family::jobs, id_key(j.id), encode(j));
}
void repository::erase_replay_job(write_plan& plan, std::uint64_t id) const {
  plan.erase(family::jobs, id_key(id));
}

void repository::put_skipped(write_plan& plan, core::event_id event,
                             core::endpoint_id endpoint) const {
  plan.put(family::index, index_key('s', event.value, endpoint.value), {});
}
void repository::erase_skipped(write_plan& plan, core::event_id event,
                               core::endpoint_id endpoint) const {
  plan.erase(family::index, index_key('s', event.value, endpoint.value));
}

void repository::put(write_plan& plan, const endpoint_journal& j) const {
  plan.put(family::meta, journal_key(j.endpoint), encode(j));
}
void repository::put_notice(write_plan& plan, const notice_row& n) const {
  plan.put(family::index, index_key('n', n.endpoint.value, n.event.value), n.reason);
}
void repository::erase_notice(write_plan& plan, core::endpoint_id endpoint,
                              core::event_id event) const {
  plan.erase(family::index, index_key('n', endpoint.value, event.value));
}

void repository::put(write_plan& plan, const core::breaker_record& b) const {
  plan.put(family::meta, breaker_key(b.origin), encode(b));
}
void repository::erase_breaker(write_plan& plan, std::string_view origin) const {
  plan.erase(family::meta, breaker_key(origin));
}

void repository::put_cascade(write_plan& plan, core::tenant_id tenant) const {
  plan.put(family::index, index_key('x', 0, tenant.value), {});
}
void repository::erase_cascade(write_plan& plan, core::tenant_id tenant) const {
  plan.erase(family::index, index_key('x', 0, tenant.value));
}

void repository::put_answer(write_plan& plan, std::string_view key, const stored_answer& a) const {
  // An answer may hold a secret that is shown only once.
  stored_answer sealed = a;
  sealed.body = vault_.seal(a.body, answer_context);
  plan.put(family::idempotency, key_bytes{core::sha256(key)}, encode(sealed));
}

core::result<void> check_store(database& db, const vault& secrets, id_source& ids) {
  auto schema = db.get(family::meta, "schema");
  if (!schema) return std::move(schema).failure();
  if (!*schema) {
    write_plan first;
    first.put(family::meta, key_bytes{"schema"}, std::string{schema_version});
    first.put(family::meta, key_bytes{"key_proof"}, secrets.seal(key_proof_text, "key_proof"));
    first.put(family::meta, key_bytes{"ids"}, ids.encode());
    const auto report = db.write({&first}, {}, true);
    if (report.result == commit_result::committed) return {};
    return core::error{core::errc::io, "store_io", report.detail, {}, {}};
  }
  if (**schema != schema_version) {
    return core::error{
        core::errc::invalid,
        "newer_schema",
        "the store has schema " + **schema + ", this version reads " + std::string{schema_version},
        {},
        {}};
  }
  auto proof = db.get(family::meta, "key_proof");
  if (!proof) return std::move(proof).failure();
  if (!*proof || !secrets.open(**proof, "key_proof").ok()) {
    return core::error{core::errc::invalid,
                       "wrong_master_key",
                       "the master key is not the one that this store's secrets are sealed with",
                       {},
                       {}};
  }
  auto counters = db.get(family::meta, "ids");
  if (!counters) return std::move(counters).failure();
  if (!*counters) {
    return core::error{
        core::errc::corrupt, "record_unreadable", "the id counters are missing", {}, {}};
  }
  return ids.load(**counters);
}

}  // namespace syndicated::store
