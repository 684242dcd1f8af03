#include "store/id_source.hpp"

#include <algorithm>

#include "store/keys.hpp"

namespace syndicated::store {

std::string id_source::encode() const {
  std::string out(1, '\1');  // format
  for (const auto& last : last_) {
    out += key_bytes{}.u64(last.load(std::memory_order_relaxed)).view();
  }
  return out;
}

core::result<void> id_source::load(std::string_view bytes) {
  constexpr std::size_t first_version = 8;  // as many counters are in the oldest stores
  const std::size_t counters = bytes.empty() ? 0 : (bytes.size() - 1) / 8;
  if (counters < first_version || bytes.front() != '\1') {
    return core::error{
        core::errc::corrupt, "record_unreadable", "the stored id counters are damaged", {}, {}};
  }
  for (std::size_t i = 0; i < std::min(counters, last_.size()); ++i)
    last_[i] = read_u64(bytes, 1 + i * 8);
  return {};
}

}  // namespace syndicated::store
