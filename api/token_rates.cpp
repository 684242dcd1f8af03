#include "api/token_rates.hpp"

#include <algorithm>

namespace syndicated::api {
namespace {

constexpr std::size_t buckets_kept = 1'024;

}  // namespace

bool token_rates::take(core::token_id token, core::timestamp now) {
  const int per_s = per_s_.load(std::memory_order_relaxed);
  if (per_s == 0) return true;
  const std::scoped_lock lock{guard_};
  if (buckets_.size() >= room_) make_room(now);
  core::token_bucket& bucket = buckets_[token.value];
  bucket.configure({static_cast<double>(per_s), static_cast<std::uint32_t>(per_s)}, now);
  const bool may = bucket.has(now);
  if (may) bucket.take(now);
  return may;
}

void token_rates::make_room(core::timestamp now) {
  std::erase_if(buckets_, [now](const auto& entry) { return entry.second.full(now); });
  room_ = std::max(buckets_kept, 2 * buckets_.size());
}

std::size_t token_rates::size() const {
  const std::scoped_lock lock{guard_};
  return buckets_.size();
}

}  // namespace syndicated::api
