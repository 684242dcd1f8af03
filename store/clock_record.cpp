#include "store/clock_record.hpp"

#include "store/keys.hpp"

namespace syndicated::store {
namespace {

key_bytes clock_key() { return key_bytes{"clock"}; }

}  // namespace

core::result<std::chrono::milliseconds> read_clock_ahead(const database& db) {
  auto stored = db.get(family::meta, clock_key().view());
  if (!stored) return std::move(stored).failure();
  if (!*stored) return std::chrono::milliseconds{0};
  const auto ahead = (*stored)->size() == 8 ? static_cast<std::int64_t>(read_u64(**stored, 0)) : -1;
  if (ahead < 0) {
    return core::error{
        core::errc::corrupt, "record_unreadable", "the stored clock is damaged", {}, {}};
  }
  return std::chrono::milliseconds{ahead};
}

void put_clock_ahead(write_plan& plan, std::chrono::milliseconds ahead) {
  const key_bytes value = key_bytes{}.u64(static_cast<std::uint64_t>(ahead.count()));
  plan.put(family::meta, clock_key(), std::string{value.view()});
}

}  // namespace syndicated::store
