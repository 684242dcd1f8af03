#include "store/upgrade.hpp"

#include "core/base/log.hpp"
#include "store/codec.hpp"
#include "store/keys.hpp"

namespace syndicated::store {
namespace {

constexpr std::size_t page_rows = 10'000;
constexpr std::size_t old_key_bytes = 33;

// The lane itself knows best where it stands.
core::result<void> move_row(const database& db, write_plan& plan, std::string_view key) {
  const core::lane_key lane{read_stream(key, 16), {read_u64(key, 0)}, {read_u64(key, 25)}};
  const auto row = db.get(family::lanes, lane_row_key(lane).view());
  if (!row) return row.failure();
  plan.erase(family::due, key_bytes{key});
  if (!*row) return {};
  const auto stored = decode_lane(lane, **row);
  if (!stored) return stored.failure();
  plan.put(family::due, due_key(lane, due_place_of(*stored)), {});
  return {};
}

core::result<void> written(database& db, const write_plan& plan) {
  const write_report report = db.write({&plan}, {}, true);
  if (report.result == commit_result::committed) return {};
  return core::error{
      core::errc::io, "upgrade_failed", "upgrading the store: " + report.detail, {}, {}};
}

}  // namespace

core::result<void> upgrade_due(database& db, std::string_view schema) {
  core::log(core::log_level::info, "store", "upgrading the index of due lanes");
  std::string from;
  std::uint64_t moved = 0;
  for (bool more = true; more;) {
    write_plan plan;
    more = false;
    std::size_t rows = 0;
    core::result<void> problem;
    auto scanned = db.scan(family::due, from, {}, [&](std::string_view key, std::string_view) {
      more = rows >= page_rows;
      if (more) return false;
      from = std::string{key} + '\0';
      if (key.size() != old_key_bytes) return true;
      ++rows;
      problem = move_row(db, plan, key);
      return problem.ok();
    });
    if (!scanned) return scanned;
    if (!problem) return problem;
    moved += rows;
    if (auto ok = written(db, plan); !ok) return ok;
  }
  write_plan last;
  last.put(family::meta, key_bytes{"schema"}, std::string{schema});
  if (auto ok = written(db, last); !ok) return ok;
  core::log(core::log_level::info, "store", "the store was upgraded", {{"rows", moved}});
  return {};
}

}  // namespace syndicated::store
