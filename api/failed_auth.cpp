#include "api/failed_auth.hpp"

#include <algorithm>
#include <random>

namespace syndicated::api {
namespace {

std::uint64_t hash(std::uint64_t seed, std::string_view text) noexcept {
  std::uint64_t value = seed ^ 0xCBF29CE484222325ULL;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    value ^= value >> 29U;
  }
  return value == 0 ? 1 : value;
}

}  // namespace

failed_auth::failed_auth() : buckets_(places / ways) {
  std::random_device random;
  seed_ = (std::uint64_t{random()} << 32U) | random();
}

bool failed_auth::note(std::string_view source, std::int64_t now_s) {
  const std::uint64_t key = hash(seed_, source);
  const std::scoped_lock lock{guard_};
  auto& bucket = buckets_[key % buckets_.size()];
  auto found = std::ranges::find(bucket, key, &place::source);
  if (found == bucket.end()) {
    found = std::ranges::min_element(
        bucket, {}, [](const place& p) { return p.source == 0 ? INT64_MIN : p.began_s; });
    *found = {key, now_s, 0};
  }
  if (now_s - found->began_s >= 60) {
    found->began_s = now_s;
    found->failures = 0;
  }
  found->failures = std::min(found->failures + 1, failures_per_minute + 1);
  return found->failures > failures_per_minute;
}

}  // namespace syndicated::api
