#include "store/repository.hpp"

#include "core/delivery/signature.hpp"
#include "store/codec.hpp"
#include "store/id_source.hpp"

namespace syndicated::store {
namespace {

template <class T, class Decode>
core::result<std::optional<T>> decoded(core::result<std::optional<std::string>> raw,
                                       Decode&& decode) {
  if (!raw) return std::move(raw).failure();
  if (!*raw) return std::optional<T>{};
  auto value = decode(**raw);
  if (!value) return std::move(value).failure();
  return std::optional<T>{std::move(*value)};
}

// Scans and decodes; a row that cannot be decoded ends the scan with its error.
template <class Decode, class Visit>
core::result<void> scan_decoded(const database& db, family where, std::string_view begin,
                                std::string_view end, Decode&& decode, Visit&& visit,
                                bool backward = false) {
  core::result<void> problem;
  const auto offer = [&](std::string_view key, std::string_view value) {
    auto row = decode(key, value);
    if (!row) {
      problem = std::move(row).failure();
      return false;
    }
    return visit(std::move(*row), key);
  };
  auto scanned = db.scan(where, begin, end, offer, backward);
  return scanned.ok() ? std::move(problem) : std::move(scanned);
}

template <class T, class Decode>
core::result<std::vector<T>> whole_kind(const database& db, core::entity_kind kind,
                                        Decode&& decode) {
  std::vector<T> out;
  const key_bytes begin = key_bytes{}.byte(static_cast<std::uint8_t>(kind));
  auto ok = scan_decoded(
      db, family::catalog, begin.view(), begin.successor().view(),
      [&](std::string_view, std::string_view value) { return decode(value); },
      [&](T&& row, std::string_view) {
        out.push_back(std::move(row));
        return true;
      });
  if (!ok) return std::move(ok).failure();
  return out;
}

// Members of an index row group that come after `after`.
template <class Id>
core::result<void> members(const database& db, char index, std::uint64_t owner, std::uint64_t after,
                           const std::function<bool(Id&&)>& v) {
  const key_bytes begin = index_key(index, owner, after + 1);
  const key_bytes group = key_bytes{}.byte(static_cast<std::uint8_t>(index)).u64(owner);
  return db.scan(family::index, begin.view(), group.successor().view(),
                 [&](std::string_view key, std::string_view) { return v(Id{read_u64(key, 9)}); });
}

key_bytes due_side_prefix(core::endpoint_id endpoint, due_side side) {
  return key_bytes{}.u64(endpoint.value).byte(static_cast<std::uint8_t>(side));
}

std::string answer_key(std::string_view key) { return core::sha256(key); }

}  // namespace

core::result<std::optional<core::subscription>> repository::find(core::subscription_id id) const {
  return decoded<core::subscription>(db_.get(family::subscriptions, id_key(id.value).view()),
                                     decode_subscription);
}
core::result<std::optional<core::tenant>> repository::find(core::tenant_id id) const {
  return decoded<core::tenant>(db_.get(family::tenants, id_key(id.value).view()), decode_tenant);
}
core::result<std::optional<core::user>> repository::find(core::user_id id) const {
  return decoded<core::user>(db_.get(family::users, id_key(id.value).view()), decode_user);
}
core::result<std::optional<core::user_id>> repository::user_of_login(
    std::string_view login_key) const {
  return decoded<core::user_id>(db_.get(family::index, login_row_key(login_key).view()),
                                [](std::string_view value) -> core::result<core::user_id> {
                                  return core::user_id{read_u64(value, 0)};
                                });
}
core::result<core::offering_list> repository::offerings(core::tenant_id id) const {
  auto row = decoded<core::offering_list>(
      db_.get(family::index, index_key('o', id.value, 0).view()), decode_offerings);
  if (!row) return std::move(row).failure();
  return std::move(*row).value_or(core::offering_list{});
}
core::result<std::optional<core::event>> repository::find(core::event_id id) const {
  return decoded<core::event>(db_.get(family::events, id_key(id.value).view()), decode_event);
}
core::result<std::optional<core::event_id>> repository::event_at(const core::stream_id& stream,
                                                                 std::uint64_t seq) const {
  return decoded<core::event_id>(db_.get(family::streams, stream_key(stream, seq).view()),
                                 [](std::string_view value) -> core::result<core::event_id> {
                                   return core::event_id{read_u64(value, 0)};
                                 });
}
core::result<std::uint64_t> repository::last_seq(const core::stream_id& stream) const {
  auto row = db_.get(family::streams, stream_key(stream, 0).view());
  if (!row) return std::move(row).failure();
  return *row ? read_u64(**row, 0) : std::uint64_t{0};
}
core::result<std::optional<core::lane>> repository::find(const core::lane_key& key) const {
  return decoded<core::lane>(db_.get(family::lanes, lane_row_key(key).view()),
                             [&](std::string_view value) { return decode_lane(key, value); });
}
core::result<std::optional<stored_answer>> repository::answer(std::string_view key) const {
  auto found = decoded<stored_answer>(db_.get(family::idempotency, answer_key(key)), decode_answer);
  if (!found || !*found) return found;
  auto body = vault_.open((*found)->body, answer_context);
  if (!body) return std::move(body).failure();
  (*found)->body = std::move(*body);
  return found;
}

core::result<void> repository::subscriptions(std::uint64_t after,
                                             const visit<core::subscription>& v) const {
  return scan_decoded(
      db_, family::subscriptions, id_key(after + 1).view(), {},
      [](std::string_view, std::string_view value) { return decode_subscription(value); },
      [&](core::subscription&& s, std::string_view) { return v(std::move(s)); });
}
core::result<void> repository::subscriptions_of_tenant(
    core::tenant_id tenant, std::uint64_t after, const visit<core::subscription_id>& v) const {
  return members<core::subscription_id>(db_, 't', tenant.value, after, v);
}
core::result<void> repository::subscriptions_of_vendor(
    core::vendor_id vendor, std::uint64_t after, const visit<core::subscription_id>& v) const {
  return members<core::subscription_id>(db_, 'v', vendor.value, after, v);
}
core::result<void> repository::tenants(std::uint64_t after, const visit<core::tenant>& v) const {
  return scan_decoded(
      db_, family::tenants, id_key(after + 1).view(), {},
      [](std::string_view, std::string_view value) { return decode_tenant(value); },
      [&](core::tenant&& t, std::string_view) { return v(std::move(t)); });
}
core::result<void> repository::users(std::uint64_t after, const visit<core::user>& v) const {
  return scan_decoded(
      db_, family::users, id_key(after + 1).view(), {},
      [](std::string_view, std::string_view value) { return decode_user(value); },
      [&](core::user&& u, std::string_view) { return v(std::move(u)); });
}
core::result<void> repository::users_of(core::tenant_id tenant, std::uint64_t after,
                                        const visit<core::user_id>& v) const {
  return members<core::user_id>(db_, 'u', tenant.value, after, v);
}
core::result<void> repository::children_of(core::tenant_id parent, std::uint64_t after,
                                           const visit<core::tenant_id>& v) const {
  return members<core::tenant_id>(db_, 'c', parent.value, after, v);
}
core::result<void> repository::events(core::event_id from, const visit<core::event>& v) const {
  return scan_decoded(
      db_, family::events, id_key(from.value).view(), {},
      [](std::string_view, std::string_view value) { return decode_event(value); },
      [&](core::event&& e, std::string_view) { return v(std::move(e)); });
}
core::result<void> repository::stream_events(const core::stream_id& stream, std::uint64_t from_seq,
                                             const visit<core::event_id>& v) const {
  const key_bytes begin = stream_key(stream, from_seq);
  const key_bytes end = key_bytes{}.stream(stream).successor();
  return db_.scan(family::streams, begin.view(), end.view(),
                  [&](std::string_view, std::string_view value) {
                    return v(core::event_id{read_u64(value, 0)});
                  });
}

core::result<std::vector<core::lane>> repository::lanes_of(const core::stream_id& stream) const {
  std::vector<core::lane> out;
  const key_bytes begin = key_bytes{}.stream(stream);
  auto ok = scan_decoded(
      db_, family::lanes, begin.view(), begin.successor().view(),
      [](std::string_view key, std::string_view value) {
        return decode_lane(parse_lane_row_key(key), value);
      },
      [&](core::lane&& lane, std::string_view) {
        out.push_back(std::move(lane));
        return true;
      });
  if (!ok) return std::move(ok).failure();
  return out;
}

core::result<void> repository::due_lanes(
    core::endpoint_id endpoint, due_side first, due_side last, std::string_view after_key,
    const std::function<bool(const core::lane_key&, std::string_view)>& v) const {
  std::string from{due_from(endpoint, {first, 0}).view()};
  if (!after_key.empty()) from = std::max(from, behind(after_key));
  const key_bytes end = due_side_prefix(endpoint, last).successor();
  return db_.scan(family::due, from, end.view(), [&](std::string_view key, std::string_view) {
    return v(parse_due_key(key), key);
  });
}

core::result<void> repository::due_rows(core::endpoint_id endpoint, due_place from,
                                        const visit<due_row>& v) const {
  const key_bytes end = due_side_prefix(endpoint, from.side).successor();
  return db_.scan(family::due, due_from(endpoint, from).view(), end.view(),
                  [&](std::string_view key, std::string_view) {
                    return v({parse_due_ms(key), parse_due_key(key)});
                  });
}

core::result<void> repository::attempts(
    core::event_id event, std::string_view after,
    const std::function<bool(attempt_row&&, std::string_view)>& v) const {
  const key_bytes group = id_key(event.value);
  std::string from{group.view()};
  if (!after.empty()) from = behind(after);
  return scan_decoded(
      db_, family::attempts, from, group.successor().view(),
      [](std::string_view, std::string_view value) { return decode_attempt(value); },
      [&](attempt_row&& row, std::string_view key) {
        row.event = {read_u64(key, 0)};
        row.endpoint = {read_u64(key, 8)};
        row.at = core::from_unix_ms(static_cast<std::int64_t>(read_u64(key, 16)));
        return v(std::move(row), key);
      });
}

core::result<std::optional<attempt_row>> repository::attempt(const attempt_mark& mark) const {
  const auto at_ms = static_cast<std::uint64_t>(core::to_unix_ms(mark.at));
  auto found = decoded<attempt_row>(
      db_.get(family::attempts, attempt_key(mark.event, mark.endpoint, at_ms).view()),
      decode_attempt);
  if (found && *found) {
    (*found)->event = mark.event;
    (*found)->endpoint = mark.endpoint;
    (*found)->at = mark.at;
  }
  return found;
}

core::result<void> repository::attempts_at(core::endpoint_id endpoint, core::timestamp from,
                                           core::timestamp until, std::string_view before,
                                           const visit<attempt_mark>& v) const {
  const auto key_at = [endpoint](std::int64_t at_ms) {
    return key_bytes{}.u64(endpoint.value).u64(static_cast<std::uint64_t>(at_ms));
  };
  const key_bytes begin = key_at(core::to_unix_ms(from));
  const std::string end{before.empty() ? key_at(core::to_unix_ms(until) + 1).view() : before};
  bool damaged = false;
  const auto offer = [&](std::string_view key, std::string_view value) {
    damaged = value.size() != 2;
    return !damaged && v({.event = {read_u64(key, 16)},
                          .endpoint = endpoint,
                          .at = core::from_unix_ms(static_cast<std::int64_t>(read_u64(key, 8))),
                          .outcome = static_cast<core::response_class>(value[0]),
                          .end = static_cast<delivery_end>(value[1]),
                          .place = key});
  };
  auto scanned = db_.scan(family::attempt_index, begin.view(), end, offer, true);
  if (scanned && damaged) {
    return core::error{core::errc::corrupt,
                       "record_unreadable",
                       "an entry in the index of attempts is damaged",
                       {},
                       {}};
  }
  return scanned;
}

core::result<std::optional<attempt_row>> repository::last_attempt(
    core::event_id event, core::endpoint_id endpoint) const {
  std::optional<attempt_row> found;
  core::result<void> problem;
  const key_bytes group = key_bytes{}.u64(event.value).u64(endpoint.value);
  auto ok = db_.scan(
      family::attempts, group.view(), group.successor().view(),
      [&](std::string_view key, std::string_view value) {
        auto row = decode_attempt(value);
        if (!row) {
          problem = std::move(row).failure();
          return false;
        }
        found = std::move(*row);
        found->event = event;
        found->endpoint = endpoint;
        found->at = core::from_unix_ms(static_cast<std::int64_t>(read_u64(key, 16)));
        return false;
      },
      true);
  if (!ok) return std::move(ok).failure();
  if (!problem) return std::move(problem).failure();
  return found;
}

core::result<void> repository::timers(core::timestamp until, const std::optional<timer_row>& after,
                                      const visit<timer_row>& v) const {
  std::string from;
  if (after) from = behind(timer_key(after->due, after->stream).view());
  const key_bytes end = key_bytes{}.u64(static_cast<std::uint64_t>(core::to_unix_ms(until)) + 1);
  return db_.scan(family::timers, from, end.view(), [&](std::string_view key, std::string_view) {
    return v(
        {core::from_unix_ms(static_cast<std::int64_t>(read_u64(key, 0))), read_stream(key, 8)});
  });
}

core::result<std::optional<core::replay_job>> repository::replay_job(std::uint64_t id) const {
  return decoded<core::replay_job>(db_.get(family::jobs, id_key(id).view()), decode_replay_job);
}

core::result<void> repository::replay_jobs(std::uint64_t before,
                                           const visit<core::replay_job>& v) const {
  return scan_decoded(
      db_, family::jobs, {}, id_key(before).view(),
      [](std::string_view, std::string_view value) { return decode_replay_job(value); },
      [&](core::replay_job&& j, std::string_view) { return v(std::move(j)); }, true);
}

core::result<void> repository::cascades(const visit<core::tenant_id>& v) const {
  return members<core::tenant_id>(db_, 'x', 0, 0, v);
}

core::result<std::optional<endpoint_journal>> repository::find_journal(core::endpoint_id id) const {
  return decoded<endpoint_journal>(
      db_.get(family::meta, journal_key(id).view()),
      [id](std::string_view value) { return decode_journal(id, value); });
}
core::result<void> repository::journals(const visit<endpoint_journal>& v) const {
  const key_bytes group{journal_prefix};
  return scan_decoded(
      db_, family::meta, group.view(), group.successor().view(),
      [](std::string_view key, std::string_view value) {
        return decode_journal({read_u64(key, journal_prefix.size())}, value);
      },
      [&v](endpoint_journal&& row, std::string_view) {
        return v(std::forward<endpoint_journal>(row));
      });
}
core::result<void> repository::notices(core::endpoint_id endpoint,
                                       const visit<notice_row>& v) const {
  const key_bytes group = key_bytes{}.byte('n').u64(endpoint.value);
  return db_.scan(family::index, group.view(), group.successor().view(),
                  [&](std::string_view key, std::string_view value) {
                    return v({endpoint, {read_u64(key, 9)}, std::string{value}});
                  });
}
core::result<std::optional<core::endpoint_id>> repository::next_noticed(
    core::endpoint_id after) const {
  std::optional<core::endpoint_id> found;
  auto ok = db_.scan(family::index, index_key('n', after.value + 1, 0).view(),
                     key_bytes{}.byte('n').successor().view(),
                     [&found](std::string_view key, std::string_view) {
                       found = core::endpoint_id{read_u64(key, 1)};
                       return false;
                     });
  if (!ok) return std::move(ok).failure();
  return found;
}

core::result<void> repository::untold(const core::stream_id& stream,
                                      const visit<core::event>& v) const {
  const key_bytes group = key_bytes{}.byte('k').stream(stream);
  return scan_decoded(
      db_, family::index, group.view(), group.successor().view(),
      [](std::string_view, std::string_view value) { return decode_event(value); },
      [&v](core::event&& e, std::string_view) { return v(std::move(e)); });
}
core::result<std::optional<core::stream_id>> repository::next_untold(
    const core::stream_id& after) const {
  std::optional<core::stream_id> found;
  auto ok = db_.scan(family::index, key_bytes{}.byte('k').stream(after).successor().view(),
                     key_bytes{}.byte('k').successor().view(),
                     [&found](std::string_view key, std::string_view) {
                       found = read_stream(key, 1);
                       return false;
                     });
  if (!ok) return std::move(ok).failure();
  return found;
}

core::result<bool> repository::is_skipped(core::event_id event, core::endpoint_id endpoint) const {
  auto row = db_.get(family::index, index_key('s', event.value, endpoint.value).view());
  if (!row) return std::move(row).failure();
  return row->has_value();
}

core::result<void> repository::skipped_at(core::event_id event,
                                          const visit<core::endpoint_id>& v) const {
  return members<core::endpoint_id>(db_, 's', event.value, 0, v);
}

core::result<void> repository::skip_marks(const skip_mark& after, const visit<skip_mark>& v) const {
  return db_.scan(family::index, index_key('s', after.event.value, after.endpoint.value + 1).view(),
                  key_bytes{}.byte('s').successor().view(),
                  [&v](std::string_view key, std::string_view) {
                    return v({{read_u64(key, 1)}, {read_u64(key, 9)}});
                  });
}

core::result<void> repository::job_notes(const visit<job_note>& v) const {
  const key_bytes all = key_bytes{}.byte('j');
  return db_.scan(family::index, all.view(), all.successor().view(),
                  [&v](std::string_view key, std::string_view) {
                    return v({read_u64(key, 1), {read_u64(key, 9)}});
                  });
}

core::result<retention_record> repository::find_retention() const {
  auto found =
      decoded<retention_record>(db_.get(family::meta, retention_key().view()), decode_retention);
  if (!found) return std::move(found).failure();
  return found->value_or(retention_record{});
}

core::result<core::event_id> repository::first_event_since(core::timestamp since,
                                                           core::event_id last) const {
  std::uint64_t low = 1;
  std::uint64_t high = last.value + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::optional<core::event> found;
    auto scanned = events({middle}, [&found](core::event&& e) {
      found = std::move(e);
      return false;
    });
    if (!scanned) return std::move(scanned).failure();
    if (!found || found->at >= since) {
      high = middle;
    } else {
      low = found->id.value + 1;
    }
  }
  return core::event_id{low};
}

core::result<std::vector<core::breaker_record>> repository::breakers() const {
  std::vector<core::breaker_record> out;
  const key_bytes begin{breaker_prefix};
  auto ok = scan_decoded(
      db_, family::meta, begin.view(), begin.successor().view(),
      [](std::string_view, std::string_view value) { return decode_breaker(value); },
      [&](core::breaker_record&& b, std::string_view) {
        out.push_back(std::move(b));
        return true;
      });
  if (!ok) return std::move(ok).failure();
  return out;
}

core::result<std::vector<core::vendor>> repository::all_vendors() const {
  return whole_kind<core::vendor>(db_, core::entity_kind::vendor, decode_vendor);
}
core::result<std::vector<core::product>> repository::all_products() const {
  return whole_kind<core::product>(db_, core::entity_kind::product, [this](std::string_view value) {
    return decode_product(value, vault_);
  });
}
core::result<std::vector<core::product_instance>> repository::all_instances() const {
  return whole_kind<core::product_instance>(
      db_, core::entity_kind::instance,
      [this](std::string_view value) { return decode_instance(value, vault_); });
}
core::result<std::vector<core::plan>> repository::all_plans() const {
  return whole_kind<core::plan>(db_, core::entity_kind::plan, decode_plan);
}
core::result<std::vector<core::endpoint>> repository::all_endpoints() const {
  return whole_kind<core::endpoint>(
      db_, core::entity_kind::endpoint,
      [this](std::string_view value) { return decode_endpoint(value, vault_); });
}
core::result<std::vector<core::token>> repository::all_tokens() const {
  return whole_kind<core::token>(db_, core::entity_kind::token, decode_token);
}
core::result<std::vector<core::event_type>> repository::all_event_types() const {
  return whole_kind<core::event_type>(db_, core::entity_kind::event_type, decode_event_type);
}

}  // namespace syndicated::store
