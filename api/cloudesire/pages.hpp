// Lists with numbered pages and totals, as Cloudesire has them: the whole list is walked, what is
// not on the page is only counted. Not shared between threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "api/call.hpp"

namespace syndicated::api::cloudesire {

class numbered_list {
 public:
  // ?pageNumber= (or page) and ?pageSize= (or size)
  explicit numbered_list(query_reader& q);

  // `text` gives the JSON of the item; it is called only for one that is on the page.
  template <class Text>
  void add(Text text) {
    if (total_ >= first() && total_ < first() + size_) {
      if (body_.size() > 1) body_ += ',';
      body_ += text();
    }
    ++total_;
  }
  void send(call& c) const;

 private:
  std::int64_t first() const noexcept { return (number_ - 1) * size_; }

  std::int64_t number_ = 1, size_ = 0, total_ = 0;
  std::string body_ = "[";
};

// Walks a list of the engine up to limits::scan_rows_max rows. `fetch(page)` reads a page of it;
// `take(item)` returns false when there has been enough.
template <class Fetch, class Take>
core::result<void> walk(Fetch fetch, Take take) {
  actors::page_request page{core::limits::page_items_max, {}};
  for (std::size_t seen = 0; seen < core::limits::scan_rows_max;) {
    const auto found = fetch(page);
    if (!found) return found.failure();
    for (const auto& item : found->items) {
      if (!take(item)) return {};
    }
    seen += std::max<std::size_t>(found->items.size(), 1);
    if (!found->next) break;
    page.after = *found->next;
  }
  return {};
}

}  // namespace syndicated::api::cloudesire
