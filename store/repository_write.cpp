// The writing half of the repository, and what every store begins with.
#include <algorithm>

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/id_source.hpp"
#include "store/repository.hpp"
#include "store/upgrade.hpp"

namespace syndicated::store {
namespace {

constexpr std::string_view schema_version = "3";
constexpr std::string_view key_proof_text = "syndicated master key";
constexpr std::string_view key_proof_row = "key_proof";
constexpr std::string_view keys_in_use_row = "master_keys";

// Credentials were sealed when they came. The entity that keeps them in memory does not hear of a
// new master key, so they are sealed anew whenever the row is written.
std::string encode_with(const vault& secrets, const core::subscription& s) {
  const key_id primary = secrets.primary();
  const auto old = [primary](const core::credential& c) {
    return vault::key_of(c.sealed_value) != primary;
  };
  if (std::ranges::none_of(s.credentials, old)) return encode(s);
  core::subscription fresh = s;
  for (core::credential& c : fresh.credentials) {
    if (auto plain = secrets.open(c.sealed_value, credential_context)) {
      c.sealed_value = secrets.seal(*plain, credential_context);
    }
  }
  return encode(fresh);
}

// The timer row of an entity stands where the newest state wants it.
template <class Entity>
void move_timer(write_plan& plan, const Entity& now, const Entity* before) {
  const auto old_timer = before != nullptr ? core::next_timer(*before) : std::nullopt;
  const auto new_timer = core::next_timer(now);
  if (old_timer == new_timer) return;
  if (old_timer) plan.erase(family::timers, timer_key(*old_timer, core::stream_of(now.id)));
  if (new_timer) plan.put(family::timers, timer_key(*new_timer, core::stream_of(now.id)), {});
}

core::error wrong_key(key_id missing, const vault& given) {
  std::string names;
  for (const key_id id : given.keys()) names += (names.empty() ? "" : ", ") + key_name(id);
  return {core::errc::invalid,
          "wrong_master_key",
          "the store has secrets sealed with the master key " + key_name(missing) +
              ", which is not among the given ones (" + names +
              "): it must be in secrets.master_key_file or secrets.previous_master_key_files",
          {},
          {}};
}

core::result<void> write_first_rows(database& db, const vault& secrets, const id_source& ids) {
  write_plan first;
  first.put(family::meta, key_bytes{"schema"}, std::string{schema_version});
  put_key_proof(first, secrets);
  put_keys_in_use(first, {secrets.primary()});
  first.put(family::meta, key_bytes{"ids"}, ids.encode());
  const auto report = db.write({&first}, {}, true);
  if (report.result == commit_result::committed) return {};
  return core::error{core::errc::io, "store_io", report.detail, {}, {}};
}

core::result<void> check_keys(database& db, const vault& secrets) {
  auto keys = keys_in_use(db);
  if (!keys) return std::move(keys).failure();
  for (const key_id id : *keys) {
    if (!secrets.knows(id)) return wrong_key(id, secrets);
  }
  auto proof = db.get(family::meta, key_proof_row);
  if (!proof) return std::move(proof).failure();
  if (auto opened = secrets.open(proof->value_or(""), key_proof_row); !opened) {
    return std::move(opened).failure().prefixed("the proof of the master key");
  }
  const key_id primary = secrets.primary();
  if (keys->front() == primary && vault::key_of(**proof) == primary) return {};
  // Started with another key in front: a new one, or a former one again.
  std::erase(*keys, primary);
  keys->insert(keys->begin(), primary);
  write_plan plan;
  put_keys_in_use(plan, *keys);
  put_key_proof(plan, secrets);
  const auto report = db.write({&plan}, {}, true);
  if (report.result == commit_result::committed) return {};
  return core::error{core::errc::io, "store_io", report.detail, {}, {}};
}

}  // namespace

void repository::hold_keys(write_plan& plan) const {
  if (!plan.sealed_with) plan.sealed_with = vault_.hold();
}

void repository::put(write_plan& plan, const core::subscription& s,
                     const core::subscription* before) const {
  if (!s.credentials.empty()) hold_keys(plan);
  plan.put(family::subscriptions, id_key(s.id.value), encode_with(vault_, s));
  if (before == nullptr) {
    ++plan.subscriptions_created;
    plan.put(family::index, index_key('t', s.tenant.value, s.id.value), {});
    plan.put(family::index, index_key('v', s.vendor.value, s.id.value), {});
  } else if (before->tenant != s.tenant) {
    plan.erase(family::index, index_key('t', before->tenant.value, s.id.value));
    plan.put(family::index, index_key('t', s.tenant.value, s.id.value), {});
  }
  move_timer(plan, s, before);
}

void repository::put(write_plan& plan, const core::tenant& t, const core::tenant* before) const {
  if (before == nullptr) ++plan.tenants_created;
  plan.put(family::tenants, id_key(t.id.value), encode(t));
  const core::tenant_id old_parent = before != nullptr ? before->parent : core::tenant_id{};
  if (old_parent != t.parent) {
    if (old_parent) plan.erase(family::index, index_key('c', old_parent.value, t.id.value));
    plan.put(family::index, index_key('c', t.parent.value, t.id.value), {});
  }
  move_timer(plan, t, before);
}

void repository::put(write_plan& plan, const core::user& u, const core::user* before) const {
  plan.put(family::users, id_key(u.id.value), encode(u));
  if (before == nullptr) {
    plan.put(family::index, index_key('u', u.tenant.value, u.id.value), {});
    plan.put(family::index, login_row_key(core::login_key(u.login)),
             std::string{id_key(u.id.value).view()});
  } else if (u.login != before->login) {  // it was purged
    plan.erase(family::index, login_row_key(core::login_key(before->login)));
  }
  move_timer(plan, u, before);
}

void repository::put_offerings(write_plan& plan, core::tenant_id id,
                               const core::offering_list& items) const {
  plan.put(family::index, index_key('o', id.value, 0), encode(items));
}

void repository::put(write_plan& plan, const core::vendor& v) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::vendor, v.id.value), encode(v));
}
void repository::put(write_plan& plan, const core::product& p) const {
  hold_keys(plan);
  plan.put(family::catalog, catalog_key(core::entity_kind::product, p.id.value), encode(p, vault_));
}
void repository::put(write_plan& plan, const core::product_instance& i) const {
  hold_keys(plan);
  plan.put(family::catalog, catalog_key(core::entity_kind::instance, i.id.value),
           encode(i, vault_));
}
void repository::put(write_plan& plan, const core::plan& p) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::plan, p.id.value), encode(p));
}
void repository::put(write_plan& plan, const core::endpoint& e) const {
  hold_keys(plan);
  plan.put(family::catalog, catalog_key(core::entity_kind::endpoint, e.id.value),
           encode(e, vault_));
}
void repository::put(write_plan& plan, const core::token& t) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::token, t.id.value), encode(t));
}

void repository::put(write_plan& plan, const core::event_type& t) const {
  plan.put(family::catalog, catalog_key(core::entity_kind::event_type, t.id.value), encode(t));
}

void repository::put_untold(write_plan& plan, const core::event& e) const {
  plan.put(family::index, untold_key(e.stream, e.entity_version), encode(e));
}
void repository::erase_untold(write_plan& plan, const core::stream_id& stream,
                              std::uint64_t version) const {
  plan.erase(family::index, untold_key(stream, version));
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
  const due_place place = due_place_of(lane);
  if (before != nullptr && due_place_of(*before) == place) return;
  if (before != nullptr) plan.erase(family::due, due_key(lane.key, due_place_of(*before)));
  plan.put(family::due, due_key(lane.key, place), {});
}

void repository::erase(write_plan& plan, const core::lane& lane) const {
  plan.erase(family::lanes, lane_row_key(lane.key));
  plan.erase(family::due, due_key(lane.key, due_place_of(lane)));
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

void repository::put(write_plan& plan, const job_note& n) const {
  plan.put(family::index, index_key('j', n.job, n.event.value), {});
}
void repository::erase(write_plan& plan, const job_note& n) const {
  plan.erase(family::index, index_key('j', n.job, n.event.value));
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
void repository::put(write_plan& plan, const retention_record& r) const {
  plan.put(family::meta, retention_key(), encode(r));
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
  hold_keys(plan);
  stored_answer sealed = a;
  sealed.body = vault_.seal(a.body, answer_context);
  plan.put(family::idempotency, key_bytes{core::sha256(key)}, encode(sealed));
}

core::result<std::vector<key_id>> keys_in_use(const database& db) {
  std::vector<key_id> keys;
  auto row = db.get(family::meta, keys_in_use_row);
  if (!row) return std::move(row).failure();
  if (!*row) {
    // A store of before there could be several keys: the proof is sealed with its only one.
    auto proof = db.get(family::meta, key_proof_row);
    if (!proof) return std::move(proof).failure();
    if (const auto id = vault::key_of(proof->value_or(""))) keys.push_back(*id);
    return keys;
  }
  for (std::size_t at = 0; at + 4 <= (*row)->size(); at += 4) {
    keys.push_back(static_cast<key_id>(read_u64((*row)->substr(at, 4), 0)));
  }
  return keys;
}

void put_keys_in_use(write_plan& plan, const std::vector<key_id>& keys) {
  std::string row;
  for (const key_id id : keys) row += key_bytes{}.u64(id).view().substr(4);
  plan.put(family::meta, key_bytes{keys_in_use_row}, std::move(row));
}

void put_key_proof(write_plan& plan, const vault& secrets) {
  plan.put(family::meta, key_bytes{key_proof_row}, secrets.seal(key_proof_text, key_proof_row));
}

core::result<void> check_store(database& db, const vault& secrets, id_source& ids) {
  auto schema = db.get(family::meta, "schema");
  if (!schema) return std::move(schema).failure();
  if (!*schema) return write_first_rows(db, secrets, ids);
  const bool without_sides = **schema == due_without_sides || **schema == due_gets_sides;
  const bool older = without_sides || **schema == few_timers || **schema == getting_timers;
  if (!older && **schema != schema_version) {
    return core::error{
        core::errc::invalid,
        "newer_schema",
        "the store has schema " + **schema + ", this version reads " + std::string{schema_version},
        {},
        {}};
  }
  if (auto ok = check_keys(db, secrets); !ok) return ok;
  if (without_sides) {
    if (auto ok = upgrade_due(db, few_timers); !ok) return ok;
  }
  if (older) {
    if (auto ok = upgrade_timers(db, schema_version); !ok) return ok;
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
