#include "api/cloudesire/pages.hpp"

namespace syndicated::api::cloudesire {
namespace {

constexpr std::int64_t size_default = 50;
constexpr std::int64_t pages_max = 1'000'000;

}  // namespace

numbered_list::numbered_list(query_reader& q) {
  const auto number = q.integer("pageNumber", 1, pages_max);
  const auto page = q.integer("page", 1, pages_max);
  number_ = number.value_or(page.value_or(1));
  constexpr auto size_max = static_cast<std::int64_t>(core::limits::page_items_max);
  const auto page_size = q.integer("pageSize", 1, size_max);
  const auto size = q.integer("size", 1, size_max);
  size_ = page_size.value_or(size.value_or(size_default));
}

void numbered_list::send(call& c) const {
  net::http_response answer;
  answer.body = body_ + ']';
  const std::int64_t pages = (total_ + size_ - 1) / size_;
  answer.headers = {{"CMW-PageNumber", std::to_string(number_)},
                    {"CMW-PageSize", std::to_string(size_)},
                    {"CMW-TotalItems", std::to_string(total_)},
                    {"CMW-TotalPages", std::to_string(pages)}};
  c.send(std::move(answer));
}

}  // namespace syndicated::api::cloudesire
