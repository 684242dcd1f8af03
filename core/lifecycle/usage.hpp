// Usage of a subscription as its vendor reports it (domain.md, 10.9).
//
// A record is known by (subscription, metric, window_start, source). The same value again is a
// success without effect, another value a correction while the window is open. A window closes
// limits::usage_close_s after its end, and at the latest with the subscription. A gauge's value is
// that of its window; a counter's is the total since the billing period began, which never goes
// down within the period. Sources of one metric add up.
// Thread rule: pure; the clock is a parameter.
// Limits: limits::usage_series_max, usage_open_windows_max, usage_window_s_max. Errors: conflict
// "window_closed", "counter_went_down", "quota_blocked", "too_many_..."; invalid with pointers
// relative to the item.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/lifecycle/allowance.hpp"
#include "core/lifecycle/event.hpp"
#include "core/lifecycle/resource.hpp"
#include "core/lifecycle/subscription.hpp"

namespace syndicated::core {

// Persisted: never renumber. Rejected: above what a hard limit bears; it does not count. What is
// received is judged at once, so RECEIVED is no state that anybody sees.
enum class usage_state : std::uint8_t { accepted = 2, rejected = 3, closed = 4 };
std::string_view to_string(usage_state state) noexcept;  // "ACCEPTED" ...

struct usage_key {
  timestamp window_start{};
  std::string metric;
  std::string source;
  friend auto operator<=>(const usage_key&, const usage_key&) = default;
};

struct usage_record {
  subscription_id subscription;
  usage_key key;
  resource_id resource;  // 0: the subscription as a whole
  metric_kind kind = metric_kind::gauge;
  decimal value;
  timestamp window_end{};
  usage_state state = usage_state::accepted;
  std::uint32_t corrections = 0;
  timestamp received_at{};
  timestamp updated_at{};
};
std::string to_json(const usage_record& r);

// What becomes of another value for a record that is there already.
enum class usage_fold : std::uint8_t { newest, peak, average };

// What is reported. Without a window: the hour it is now.
struct usage_report {
  std::string metric;
  std::string source = "vendor";
  resource_id resource{};
  std::optional<metric_kind> kind{};  // none: as before; of a new series a gauge
  decimal value{};
  std::optional<timestamp> window_start{}, window_end{};
  // Of answers that were asked for: those of one window become one record.
  std::optional<usage_fold> fold{};
};

struct usage_series {
  metric_kind kind = metric_kind::gauge;
  // Of the last closed window: where it began, and its value.
  timestamp closed_window{};
  std::optional<decimal> closed_value{};
};

// What has to be known of the past to judge the next report. Closed windows are not in it.
struct usage_book {
  using series_name = std::pair<std::string, std::string>;  // metric, source
  std::map<series_name, usage_series> series;
  std::map<usage_key, usage_record> open;
  std::map<std::string, allowance_level, std::less<>> told;  // of each metric
  std::optional<timestamp> final_close;                      // nothing is taken from then on
};

// The instant at which a window closes.
timestamp closes_at(const usage_book& b, const usage_record& r);
std::optional<timestamp> next_close(const usage_book& b);

struct usage_circumstances {
  timestamp now{};
  subscription_id subscription{};
  subscription_status status = subscription_status::deployed;
  std::optional<timestamp> period_start{};  // of the billing period
  std::function<allowance(std::string_view metric)> allowed{};
  bool tell_records = false;  // usage.recorded
};

enum class usage_effect : std::uint8_t { recorded, repeated, corrected };
std::string_view to_string(usage_effect effect) noexcept;
struct usage_outcome {
  usage_record record;
  usage_effect effect = usage_effect::recorded;
};

// A book under change: any number of reports, then one write.
class usage_work {
 public:
  usage_work(const usage_book& present, usage_circumstances c) : book_(present), c_(std::move(c)) {}

  // `stored`: the record of a window that is no longer open, when there is one. A rejected report
  // is an error, and is kept all the same.
  result<usage_outcome> accept(const usage_report& report,
                               const std::optional<usage_record>& stored);
  // The key that a report has at this time.
  usage_key key_of(const usage_report& report) const;

  void close_due();
  void close_all();    // the subscription has ended
  void begin_final();  // the vendor was asked to release everything: the last window

  const usage_book& book() const noexcept { return book_; }
  std::map<usage_key, usage_record>& written() noexcept { return written_; }
  std::vector<event_draft>& events() noexcept { return events_; }
  bool changed() const noexcept { return changed_; }

 private:
  result<usage_record> checked(const usage_report& report) const;
  result<void> fits_counter(const usage_record& r) const;
  decimal current(std::string_view metric) const;
  result<usage_outcome> judge(usage_record r, const usage_record* before);
  void tell_level(std::string_view metric, decimal value, allowance_level level);
  void close(const usage_key& key);
  bool same_period(timestamp a, timestamp b) const;

  usage_book book_;
  usage_circumstances c_;
  std::map<usage_key, usage_record> written_;
  std::vector<event_draft> events_;
  bool changed_ = false;
};

}  // namespace syndicated::core
