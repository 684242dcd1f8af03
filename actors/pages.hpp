// Pages of reads: their cursors, and filling them within bounds. Internal to actors/.
#pragma once

#include <charconv>
#include <string>
#include <utility>

#include "actors/engine.hpp"
#include "core/base/limits.hpp"

namespace syndicated::actors {

inline core::error bad_cursor() {
  return core::invalid_field("?after", "not a cursor that a previous page gave out");
}

inline core::result<std::uint64_t> id_cursor(const std::string& after) {
  if (after.empty()) return std::uint64_t{0};
  std::uint64_t value = 0;
  const char* end = after.data() + after.size();
  const auto parsed = std::from_chars(after.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return bad_cursor();
  return value;
}

// Fills a page from a scan that visits ids in order; looks at a bounded number of rows.
template <class T>
class page_filler {
 public:
  explicit page_filler(std::size_t limit) : limit_(limit) {}

  // Returns whether the scan should go on.
  template <class Item>
  bool offer(std::uint64_t id, Item&& item, bool wanted) {
    if (out_.items.size() >= limit_ || rows_ >= core::limits::scan_rows_max) {
      out_.next = std::to_string(last_);
      return false;
    }
    ++rows_;
    last_ = id;
    if (wanted) out_.items.push_back(std::forward<Item>(item));
    return true;
  }
  page<T> take() && { return std::move(out_); }

 private:
  std::size_t limit_;
  std::size_t rows_ = 0;
  std::uint64_t last_ = 0;
  page<T> out_;
};

}  // namespace syndicated::actors
