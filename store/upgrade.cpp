#include "store/upgrade.hpp"

#include "core/base/log.hpp"
#include "store/codec.hpp"
#include "store/keys.hpp"

namespace syndicated::store {
namespace {

constexpr std::size_t old_key_bytes = 33;
constexpr std::uint64_t old_parked_ms = 0x7FFF'FFFF'FFFF'FFFFULL;

// What the row itself says; a retry in an endpoint's line was not always marked.
due_place place_by_row(std::string_view key, std::string_view value) {
  const std::uint64_t due_ms = read_u64(key, 8);
  if (due_ms == old_parked_ms) return {due_side::parked, 0};
  return {value.empty() ? due_side::fresh : due_side::late, due_ms};
}

core::result<void> move_row(const database& db, write_plan& plan, std::string_view key,
                            std::string_view value) {
  const core::lane_key lane{read_stream(key, 16), {read_u64(key, 0)}, {read_u64(key, 25)}};
  const auto row = db.get(family::lanes, lane_row_key(lane).view());
  if (!row) return row.failure();
  plan.erase(family::due, key_bytes{key});
  if (!*row) return {};
  // The lane knows best where it stands; one that cannot be read is somebody else's trouble.
  const auto stored = decode_lane(lane, **row);
  plan.put(family::due, due_key(lane, stored ? due_place_of(*stored) : place_by_row(key, value)),
           {});
  return {};
}

core::result<void> written(database& db, write_plan plan) {
  plan.frees_space = true;
  const write_report report = db.write({&plan}, {}, true);
  if (report.result == commit_result::committed) return {};
  return core::error{
      core::errc::io, "upgrade_failed", "upgrading the store: " + report.detail, {}, {}};
}

core::result<void> write_schema(database& db, std::string_view schema) {
  write_plan plan;
  plan.put(family::meta, key_bytes{"schema"}, std::string{schema});
  return written(db, std::move(plan));
}

}  // namespace

core::result<void> upgrade_due(database& db, std::string_view schema, std::size_t page_rows) {
  core::log(core::log_level::info, "store", "upgrading the index of due lanes");
  if (auto ok = write_schema(db, due_gets_sides); !ok) return ok;
  std::string from;
  std::uint64_t moved = 0;
  for (bool more = true; more;) {
    write_plan plan;
    more = false;
    std::size_t rows = 0;
    core::result<void> problem;
    auto scanned =
        db.scan(family::due, from, {}, [&](std::string_view key, std::string_view value) {
          more = rows >= page_rows;
          if (more) return false;
          from = behind(key);
          if (key.size() != old_key_bytes) return true;
          ++rows;
          problem = move_row(db, plan, key, value);
          return problem.ok();
        });
    if (!scanned) return scanned;
    if (!problem) return problem;
    moved += rows;
    if (auto ok = written(db, std::move(plan)); !ok) return ok;
  }
  if (auto ok = write_schema(db, schema); !ok) return ok;
  core::log(core::log_level::info, "store", "the store was upgraded", {{"rows", moved}});
  return {};
}

core::result<void> upgrade_timers(database& db, std::string_view schema, std::size_t page_rows) {
  core::log(core::log_level::info, "store", "giving subscriptions their timers");
  if (auto ok = write_schema(db, getting_timers); !ok) return ok;
  std::string from;
  std::uint64_t given = 0;
  for (bool more = true; more;) {
    write_plan plan;
    more = false;
    auto scanned =
        db.scan(family::subscriptions, from, {}, [&](std::string_view key, std::string_view value) {
          more = plan.ops.size() >= page_rows;
          if (more) return false;
          from = behind(key);
          // One that cannot be read is told of when it is asked for.
          const auto s = decode_subscription(value);
          const auto due = s ? core::next_timer(*s) : std::nullopt;
          if (due) plan.put(family::timers, timer_key(*due, core::stream_of(s->id)), {});
          return true;
        });
    if (!scanned) return scanned;
    given += plan.ops.size();
    if (auto ok = written(db, std::move(plan)); !ok) return ok;
  }
  if (auto ok = write_schema(db, schema); !ok) return ok;
  core::log(core::log_level::info, "store", "the store was upgraded", {{"rows", given}});
  return {};
}

}  // namespace syndicated::store
