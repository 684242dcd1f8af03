#include "store/aggregates.hpp"

namespace syndicated::store {
namespace {

constexpr char counted_index = 'a';
constexpr std::size_t counted_bytes = 16;

key_bytes record_key(core::commitment_id id) {
  return catalog_key(core::entity_kind::commitment, id.value);
}

}  // namespace

core::result<std::optional<core::aggregate>> aggregates::find(core::commitment_id id) const {
  auto found = db_.get(family::catalog, record_key(id).view());
  if (!found) return std::move(found).failure();
  if (!*found) return std::optional<core::aggregate>{};
  auto decoded = decode_aggregate(**found);
  if (!decoded) return std::move(decoded).failure();
  return std::optional{std::move(*decoded)};
}

core::result<void> aggregates::all(core::commitment_id after,
                                   const std::function<bool(core::aggregate&&)>& visit) const {
  const key_bytes kind = key_bytes{}.byte(static_cast<std::uint8_t>(core::entity_kind::commitment));
  core::result<void> problem;
  auto scanned = db_.scan(family::catalog, record_key({after.value + 1}).view(),
                          kind.successor().view(), [&](std::string_view, std::string_view value) {
                            auto row = decode_aggregate(value);
                            if (row) return visit(std::move(*row));
                            problem = std::move(row).failure();
                            return false;
                          });
  return scanned.ok() ? std::move(problem) : std::move(scanned);
}

core::result<std::optional<counted_row>> aggregates::counted(
    core::commitment_id id, core::subscription_id subscription) const {
  auto found =
      db_.get(family::index, index_key(counted_index, id.value, subscription.value).view());
  if (!found) return std::move(found).failure();
  if (!*found) return std::optional<counted_row>{};
  if ((*found)->size() != counted_bytes) {
    return core::error{core::errc::corrupt,
                       "record_unreadable",
                       "a stored count of a commitment cannot be read",
                       {},
                       {}};
  }
  return std::optional{
      counted_row{read_u64(**found, 0), static_cast<std::int64_t>(read_u64(**found, 8))}};
}

void aggregates::put(write_plan& plan, const core::aggregate& a, const core::aggregate* before) {
  plan.put(family::catalog, record_key(a.id), encode(a));
  const auto due = core::next_timer(a);
  const auto was = before != nullptr ? core::next_timer(*before) : std::nullopt;
  if (due == was) return;
  if (was) plan.erase(family::timers, timer_key(*was, core::stream_of(a.id)));
  if (due) plan.put(family::timers, timer_key(*due, core::stream_of(a.id)), {});
}

void aggregates::put(write_plan& plan, core::commitment_id id, core::subscription_id subscription,
                     const counted_row& row) {
  const key_bytes value = key_bytes{}.u64(row.version).u64(static_cast<std::uint64_t>(row.units));
  plan.put(family::index, index_key(counted_index, id.value, subscription.value),
           std::string{value.view()});
}

}  // namespace syndicated::store
