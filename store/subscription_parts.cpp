#include "store/subscription_parts.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/delivery/signature.hpp"
#include "store/records.pb.h"
#include "store/wire.hpp"

namespace syndicated::store {

using namespace wire;

namespace {

constexpr char resource_row = 'r';
constexpr char book_row = 'b';
constexpr char window_row = 'w';
constexpr char open_row = 'o';

key_bytes rows_of(core::subscription_id owner, char kind) {
  return key_bytes{}.u64(owner.value).byte(static_cast<std::uint8_t>(kind));
}

std::uint64_t window_ms(core::timestamp t) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, ms(t)));
}

void put_levels(google::protobuf::Map<std::string, std::uint32_t>& to,
                const std::map<std::string, core::allowance_level, std::less<>>& from) {
  for (const auto& [name, level] : from) to[name] = number(level);
}
std::map<std::string, core::allowance_level, std::less<>> get_levels(
    const google::protobuf::Map<std::string, std::uint32_t>& from) {
  std::map<std::string, core::allowance_level, std::less<>> out;
  for (const auto& [name, level] : from) out[name] = static_cast<core::allowance_level>(level);
  return out;
}

void put_series(records::PartsBook& r, const core::usage_book& b) {
  for (const auto& [name, series] : b.series) {
    records::UsageSeries* out = r.add_series();
    out->set_metric(name.first);
    out->set_source(name.second);
    out->set_kind(number(series.kind));
    out->set_closed_window_ms(ms(series.closed_window));
    if (series.closed_value) out->set_closed_value_micros(series.closed_value->micros);
  }
  if (b.final_close) r.set_final_close_ms(ms(*b.final_close));
}

}  // namespace

key_bytes resource_key(core::subscription_id owner, core::resource_id id) {
  return rows_of(owner, resource_row).u64(id.value);
}
key_bytes book_key(core::subscription_id owner) { return rows_of(owner, book_row); }
key_bytes usage_key(char kind, core::subscription_id owner, const core::usage_key& key) {
  // Names are long, keys are not; a NUL is in neither of the two.
  const std::string name = core::sha256(key.metric + '\0' + key.source);
  return rows_of(owner, kind).u64(window_ms(key.window_start)).append(name.substr(0, 12));
}

std::string encode(const core::resource& r) {
  records::Resource out;
  out.set_type(r.type);
  out.set_status(number(r.status));
  out.set_parent(r.parent.value);
  for (const core::resource_link& l : r.links) {
    records::ResourceLink* link = out.add_links();
    link->set_name(l.name);
    link->set_target(number(l.target));
    link->set_id(l.id);
    link->set_strength(number(l.strength));
    link->set_collection(l.collection);
  }
  put_map(*out.mutable_properties(), r.properties);
  if (r.wanted) put_map(*out.mutable_wanted(), *r.wanted);
  out.set_has_wanted(r.wanted.has_value());
  out.set_held_by_command(r.held_by_command);
  out.set_held_by_suspension(r.held_by_suspension);
  out.set_auto_provided(r.auto_provided);
  out.set_problem(r.problem);
  out.set_serial(r.serial);
  out.set_version(r.version);
  out.set_created_at_ms(ms(r.created_at));
  out.set_updated_at_ms(ms(r.updated_at));
  return framed(out);
}

core::result<core::resource> decode_resource(core::subscription_id owner, core::resource_id id,
                                             std::string_view value) {
  records::Resource r;
  if (auto e = parse(r, value, "sub-resource")) return std::move(*e);
  if (r.status() < 1 || r.status() > core::resource_status_count) return damaged("sub-resource");
  core::resource out;
  out.id = id;
  out.subscription = owner;
  out.type = r.type();
  out.status = static_cast<core::resource_status>(r.status());
  out.parent = {r.parent()};
  for (const records::ResourceLink& l : r.links()) {
    if (l.target() < 1 || l.target() > 4) return damaged("sub-resource");
    out.links.push_back({l.name(), static_cast<core::link_target>(l.target()), l.id(),
                         static_cast<core::link_strength>(l.strength()), l.collection()});
  }
  out.properties = get_map(r.properties());
  if (r.has_wanted()) out.wanted = get_map(r.wanted());
  out.held_by_command = r.held_by_command();
  out.held_by_suspension = r.held_by_suspension();
  out.auto_provided = r.auto_provided();
  out.problem = r.problem();
  out.serial = r.serial();
  out.version = r.version();
  out.created_at = at(r.created_at_ms());
  out.updated_at = at(r.updated_at_ms());
  return out;
}

std::string encode(const core::usage_record& r) {
  records::UsageRecord out;
  out.set_metric(r.key.metric);
  out.set_source(r.key.source);
  out.set_window_start_ms(ms(r.key.window_start));
  out.set_window_end_ms(ms(r.window_end));
  out.set_resource(r.resource.value);
  out.set_kind(number(r.kind));
  out.set_value_micros(r.value.micros);
  out.set_state(number(r.state));
  out.set_corrections(r.corrections);
  out.set_received_at_ms(ms(r.received_at));
  out.set_updated_at_ms(ms(r.updated_at));
  return framed(out);
}

core::result<core::usage_record> decode_usage(core::subscription_id owner, std::string_view value) {
  records::UsageRecord r;
  if (auto e = parse(r, value, "record of usage")) return std::move(*e);
  core::usage_record out;
  out.subscription = owner;
  out.key = {at(r.window_start_ms()), r.metric(), r.source()};
  out.resource = {r.resource()};
  out.kind = static_cast<core::metric_kind>(r.kind());
  out.value = {r.value_micros()};
  out.window_end = at(r.window_end_ms());
  out.state = static_cast<core::usage_state>(r.state());
  out.corrections = r.corrections();
  out.received_at = at(r.received_at_ms());
  out.updated_at = at(r.updated_at_ms());
  return out;
}

std::string encode(const parts_book& b) {
  records::PartsBook out;
  put_levels(*out.mutable_resource_levels(), b.resources_told);
  put_levels(*out.mutable_usage_levels(), b.usage.told);
  put_series(out, b.usage);
  for (const auto& [name, poll] : b.polls) {
    records::MetricPoll& p = (*out.mutable_polls())[name];
    p.set_due_ms(ms(poll.due));
    p.set_failures(poll.failures);
    p.set_problem(poll.problem);
    if (poll.answered_at) p.set_answered_at_ms(ms(*poll.answered_at));
    p.set_value_micros(poll.value.micros);
  }
  return framed(out);
}

core::result<parts_book> decode_parts_book(std::string_view value) {
  records::PartsBook r;
  if (auto e = parse(r, value, "book of a subscription's parts")) return std::move(*e);
  parts_book out;
  out.resources_told = get_levels(r.resource_levels());
  out.usage.told = get_levels(r.usage_levels());
  for (const records::UsageSeries& s : r.series()) {
    core::usage_series& series = out.usage.series[{s.metric(), s.source()}];
    series.kind = static_cast<core::metric_kind>(s.kind());
    series.closed_window = at(s.closed_window_ms());
    if (s.has_closed_value_micros()) series.closed_value = core::decimal{s.closed_value_micros()};
  }
  if (r.has_final_close_ms()) out.usage.final_close = at(r.final_close_ms());
  for (const auto& [name, p] : r.polls()) {
    core::metric_poll& poll = out.polls[name];
    poll.due = at(p.due_ms());
    poll.failures = p.failures();
    poll.problem = p.problem();
    if (p.has_answered_at_ms()) poll.answered_at = at(p.answered_at_ms());
    poll.value = {p.value_micros()};
  }
  return out;
}

core::result<std::optional<core::resource>> subscription_parts::find(core::subscription_id owner,
                                                                     core::resource_id id) const {
  auto raw = db_.get(family::parts, resource_key(owner, id).view());
  if (!raw) return std::move(raw).failure();
  if (!*raw) return std::optional<core::resource>{};
  auto r = decode_resource(owner, id, **raw);
  if (!r) return std::move(r).failure();
  return std::optional{std::move(*r)};
}

core::result<void> subscription_parts::resources(
    core::subscription_id owner, core::resource_id after,
    const std::function<bool(core::resource&&)>& visit) const {
  core::result<void> problem;
  const key_bytes end = rows_of(owner, resource_row).successor();
  auto scanned = db_.scan(family::parts, resource_key(owner, {after.value + 1}).view(), end.view(),
                          [&](std::string_view key, std::string_view value) {
                            auto r = decode_resource(owner, {read_u64(key, 9)}, value);
                            if (r) return visit(std::move(*r));
                            problem = std::move(r).failure();
                            return false;
                          });
  return scanned.ok() ? problem : scanned;
}

core::result<parts_book> subscription_parts::book(core::subscription_id owner) const {
  auto raw = db_.get(family::parts, book_key(owner).view());
  if (!raw) return std::move(raw).failure();
  if (!*raw) return parts_book{};
  auto out = decode_parts_book(**raw);
  if (!out) return out;
  std::vector<std::string> open;
  const key_bytes begin = rows_of(owner, open_row);
  auto scanned = db_.scan(family::parts, begin.view(), begin.successor().view(),
                          [&open](std::string_view key, std::string_view) {
                            open.emplace_back(key);
                            return true;
                          });
  if (!scanned) return std::move(scanned).failure();
  for (std::string& key : open) {
    key[8] = window_row;
    auto row = db_.get(family::parts, key);
    if (!row) return std::move(row).failure();
    if (!*row) return damaged("record of usage");
    auto record = decode_usage(owner, **row);
    if (!record) return std::move(record).failure();
    out->usage.open[record->key] = *record;
  }
  return out;
}

core::result<std::optional<core::usage_record>> subscription_parts::find(
    core::subscription_id owner, const core::usage_key& key) const {
  auto raw = db_.get(family::parts, usage_key(window_row, owner, key).view());
  if (!raw) return std::move(raw).failure();
  if (!*raw) return std::optional<core::usage_record>{};
  auto r = decode_usage(owner, **raw);
  if (!r) return std::move(r).failure();
  return std::optional{std::move(*r)};
}

core::result<void> subscription_parts::usage(
    core::subscription_id owner, core::timestamp from, std::string_view after_place,
    const std::function<bool(core::usage_record&&, std::string_view)>& visit) const {
  core::result<void> problem;
  const key_bytes group = rows_of(owner, window_row);
  std::string begin{key_bytes{group}.u64(window_ms(from)).view()};
  if (!after_place.empty()) {
    begin = std::max(begin, behind(std::string{group.view()} + std::string{after_place}));
  }
  auto scanned = db_.scan(family::parts, begin, group.successor().view(),
                          [&](std::string_view key, std::string_view value) {
                            auto r = decode_usage(owner, value);
                            if (r) return visit(std::move(*r), key.substr(9));
                            problem = std::move(r).failure();
                            return false;
                          });
  return scanned.ok() ? problem : scanned;
}

void subscription_parts::put(write_plan& plan, const core::resource& r) {
  plan.put(family::parts, resource_key(r.subscription, r.id), encode(r));
}
void subscription_parts::erase(write_plan& plan, const core::resource& r) {
  plan.erase(family::parts, resource_key(r.subscription, r.id));
}
void subscription_parts::put(write_plan& plan, core::subscription_id owner, const parts_book& b) {
  plan.put(family::parts, book_key(owner), encode(b));
}
void subscription_parts::put(write_plan& plan, const core::usage_record& r, bool open) {
  plan.put(family::parts, usage_key(window_row, r.subscription, r.key), encode(r));
  const key_bytes mark = usage_key(open_row, r.subscription, r.key);
  if (open) {
    plan.put(family::parts, mark, {});
  } else {
    plan.erase(family::parts, mark);
  }
}

void subscription_parts::move_timer(write_plan& plan, core::subscription_id owner,
                                    std::optional<core::timestamp> before,
                                    std::optional<core::timestamp> after) {
  if (before == after) return;
  const core::stream_id timer{core::entity_kind::resource, owner.value};
  if (before) plan.erase(family::timers, timer_key(*before, timer));
  if (after) plan.put(family::timers, timer_key(*after, timer), {});
}

core::result<void> subscription_parts::forget_usage(write_plan& plan, core::subscription_id owner,
                                                    core::timestamp before) const {
  const key_bytes group = rows_of(owner, window_row);
  const std::string end{key_bytes{group}.u64(window_ms(before)).view()};
  int rows = 0;
  return db_.scan(family::parts, group.view(), end, [&](std::string_view key, std::string_view) {
    plan.erase(family::parts, key_bytes{key});
    return ++rows < core::limits::usage_forgotten_rows_max;
  });
}

}  // namespace syndicated::store
