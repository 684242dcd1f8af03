// What the calls of /v1 share: pages, entity texts, helpers for reading fields.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/access.hpp"
#include "api/call.hpp"
#include "api/input.hpp"
#include "core/base/json_writer.hpp"
#include "core/lifecycle/json.hpp"

namespace syndicated::api::v1 {

// ?limit= and ?after=
actors::page_request page_query(query_reader& q);

// ?outcome=, ?since= and ?until= of lists of attempts
actors::attempt_filter attempt_query(query_reader& q);

// {"items":[...],"next":...}; `item` gives the JSON of one.
template <class Items, class ToText>
std::string page_text(const Items& items, const std::optional<std::string>& next, ToText item) {
  core::json_writer out;
  out.begin_object().key("items").begin_array();
  for (const auto& i : items) out.raw(item(i));
  out.end_array().key("next");
  if (next) {
    out.text(*next);
  } else {
    out.null();
  }
  out.end_object();
  return std::move(out).str();
}

// Pages through a list of the catalogue in id order. `fetch(after, limit)` reads it; `keep`
// filters. At most limits::scan_rows_max entries are looked at for one page; `next` continues from
// there.
template <class Fetch, class Keep, class ToText>
void send_catalog_page(const call_ptr& c, const actors::page_request& page, Fetch fetch, Keep keep,
                       ToText to_text) {
  std::uint64_t after = 0;
  if (!page.after.empty()) {
    const auto cursor = parse_id(page.after);
    if (!cursor) return c->fail(core::invalid_field("?after", "is not a cursor of this list"));
    after = *cursor;
  }
  decltype(fetch(after, std::size_t{1})) kept;
  std::optional<std::string> next;
  std::size_t seen = 0;
  constexpr std::size_t chunk = core::limits::page_items_max;
  for (bool more = true; more;) {
    auto items = fetch(after, chunk);
    more = items.size() == chunk;
    for (auto& item : items) {
      if (kept.size() == page.limit || seen == core::limits::scan_rows_max) {
        next = std::to_string(after);
        more = false;
        break;
      }
      ++seen;
      after = item->id.value;
      if (keep(*item)) kept.push_back(std::move(item));
    }
  }
  c->send(200, page_text(kept, next, [&](const auto& item) { return to_text(*item); }));
}

// The field `contact`. Mistakes through `in`.
std::optional<core::contact> read_contact(object_reader& in);

std::string endpoint_json(const core::endpoint& e);
// With what its breaker does at the moment.
std::string endpoint_json(const core::endpoint& e, const actors::breaker_view& b);
void write_breaker(core::json_writer& out, const actors::breaker_view& b);
std::string token_json(const core::token& t);
std::string attempt_json(const actors::attempt_record& a);

// The stream's text as in "subscription/2388".
std::optional<core::stream_id> parse_stream(std::string_view text);
std::optional<core::entity_kind> parse_entity_kind(std::string_view text);

}  // namespace syndicated::api::v1
