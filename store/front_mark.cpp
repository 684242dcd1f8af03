#include "store/front_mark.hpp"

#include <algorithm>

namespace syndicated::store {

front_mark::scan::scan(front_mark& mark) : mark_(mark), turn_(mark.turn_) {
  const std::lock_guard lock(mark_.mutex_);
  mark_.lowest_put_.reset();
  first_ = mark_.first_;
}

void front_mark::scan::none_before(std::string_view key) {
  const std::lock_guard lock(mark_.mutex_);
  // What was put meanwhile may not have been in the snapshot.
  const auto& put = mark_.lowest_put_;
  mark_.first_ = std::string{put ? std::min<std::string_view>(*put, key) : key};
}

void front_mark::put(std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (!lowest_put_ || key < *lowest_put_) lowest_put_ = key;
  if (key < first_) first_ = key;
}

}  // namespace syndicated::store
