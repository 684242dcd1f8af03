// The values inside an event's `data`, for content filters: parsed at the first question, once for
// all endpoints. Internal to actors/.
//
// Lifetime: shorter than the data's, within one decision: its parser is the thread's own.
#pragma once

#include <memory>
#include <string_view>

#include "core/delivery/content_filter.hpp"

namespace syndicated::actors {

class event_content {
 public:
  explicit event_content(std::string_view data) noexcept;
  event_content(const event_content&) = delete;
  event_content& operator=(const event_content&) = delete;
  ~event_content();

  // Data that cannot be read has no fields.
  bool passes(const core::content_filter& filter);

 private:
  struct parsed;

  core::filter_field find(std::string_view path);

  std::string_view data_;
  std::unique_ptr<parsed> parsed_;
};

}  // namespace syndicated::actors
