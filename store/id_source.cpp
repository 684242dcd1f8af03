#include "store/id_source.hpp"

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
  if (bytes.size() < 1 + last_.size() * 8 || bytes.front() != '\1') {
    return core::error{
        core::errc::corrupt, "record_unreadable", "the stored id counters are damaged", {}, {}};
  }
  for (std::size_t i = 0; i < last_.size(); ++i) last_[i] = read_u64(bytes, 1 + i * 8);
  return {};
}

}  // namespace syndicated::store
