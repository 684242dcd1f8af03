#include "core/lifecycle/usage.hpp"

#include <algorithm>

#include "core/base/json_writer.hpp"
#include "core/base/limits.hpp"

namespace syndicated::core {
namespace {

// A vendor's clock may be ahead of ours by so much.
constexpr std::chrono::minutes clock_tolerance{5};

error conflict(std::string code, std::string detail, std::string_view status = {}) {
  return {errc::conflict, std::move(code), std::move(detail), {}, std::string{status}};
}

error window_closed() {
  return conflict("window_closed", "the window is closed: its value is final");
}

error blocked(const allowance& a) {
  return conflict("quota_blocked", "the plan allows " + std::to_string(a.limit) +
                                       " and an overage of " + std::to_string(*a.overage));
}

std::string change_of(const usage_record& r) {
  json_writer out;
  out.begin_object().key("usage").raw(to_json(r)).end_object();
  return std::move(out).str();
}

event_draft about(std::string_view name, const usage_record& r) {
  event_draft e;
  e.name = name;
  e.metadata["metric"] = r.key.metric;
  e.metadata["value"] = to_string(r.value);
  e.metadata["window_start"] = format_rfc3339_ms(r.key.window_start);
  if (r.resource) e.metadata["resource_id"] = std::to_string(r.resource.value);
  e.change_json = change_of(r);
  return e;
}

// With those that are in it already: one more than its corrections.
decimal folded(usage_fold how, const usage_record& before, decimal value) {
  if (how == usage_fold::newest) return value;
  if (how == usage_fold::peak) return std::max(before.value, value);
  const std::int64_t count = static_cast<std::int64_t>(before.corrections) + 1;
  return {before.value.micros + (value.micros - before.value.micros) / (count + 1)};
}

}  // namespace

std::string_view to_string(usage_state state) noexcept {
  switch (state) {
    case usage_state::accepted: return "ACCEPTED";
    case usage_state::rejected: return "REJECTED";
    case usage_state::closed: return "CLOSED";
  }
  return "";
}
std::string_view to_string(usage_effect effect) noexcept {
  switch (effect) {
    case usage_effect::recorded: return "recorded";
    case usage_effect::repeated: return "repeated";
    case usage_effect::corrected: return "corrected";
  }
  return "";
}

std::string to_json(const usage_record& r) {
  json_writer out;
  out.begin_object();
  out.key("subscription_id").number(r.subscription.value);
  out.key("metric").text(r.key.metric);
  out.key("source").text(r.key.source);
  out.key("resource_id");
  if (r.resource) {
    out.number(r.resource.value);
  } else {
    out.null();
  }
  out.key("kind").text(to_string(r.kind));
  out.key("value").raw(to_string(r.value));
  out.key("window_start").time(r.key.window_start);
  out.key("window_end").time(r.window_end);
  out.key("state").text(to_string(r.state));
  out.key("corrections").number(static_cast<std::uint64_t>(r.corrections));
  out.key("received_at").time(r.received_at);
  out.key("updated_at").time(r.updated_at);
  out.end_object();
  return std::move(out).str();
}

timestamp closes_at(const usage_book& b, const usage_record& r) {
  const timestamp usual = r.window_end + std::chrono::seconds{limits::usage_close_s};
  return b.final_close ? std::min(usual, *b.final_close) : usual;
}

std::optional<timestamp> next_close(const usage_book& b) {
  std::optional<timestamp> next;
  for (const auto& [key, r] : b.open) {
    const timestamp at = closes_at(b, r);
    if (!next || at < *next) next = at;
  }
  return next;
}

usage_key usage_work::key_of(const usage_report& report) const {
  const timestamp hour = std::chrono::floor<std::chrono::hours>(c_.now);
  return {report.window_start.value_or(hour), report.metric, report.source};
}

result<usage_record> usage_work::checked(const usage_report& report) const {
  usage_record r;
  r.subscription = c_.subscription;
  r.key = key_of(report);
  r.resource = report.resource;
  r.value = report.value;
  r.window_end = report.window_end.value_or(r.key.window_start + std::chrono::hours{1});
  r.received_at = r.updated_at = c_.now;
  if (r.value.micros < 0) return invalid_field("/value", "must not be negative");
  if (report.window_start.has_value() != report.window_end.has_value()) {
    return invalid_field("/window_end", "is given together with window_start, or not at all");
  }
  if (r.window_end <= r.key.window_start) {
    return invalid_field("/window_end", "must be after window_start");
  }
  if (r.window_end - r.key.window_start > std::chrono::seconds{limits::usage_window_s_max}) {
    return invalid_field("/window_end", "a window is at most 31 days long");
  }
  if (r.key.window_start > c_.now + clock_tolerance) {
    return invalid_field("/window_start", "is in the future");
  }
  const auto series = book_.series.find({report.metric, report.source});
  if (series == book_.series.end()) {
    r.kind = report.kind.value_or(metric_kind::gauge);
    if (book_.series.size() >= limits::usage_series_max) {
      return conflict("too_many_series", "there are as many metrics and sources as there may be");
    }
    return r;
  }
  r.kind = series->second.kind;
  if (report.kind && *report.kind != r.kind) {
    return invalid_field("/kind", "this metric is a " + std::string{to_string(r.kind)});
  }
  return r;
}

bool usage_work::same_period(timestamp a, timestamp b) const {
  if (!c_.period_start) return true;
  return (a >= *c_.period_start) == (b >= *c_.period_start);
}

// A counter is not below an earlier window of its period, nor above a later one.
result<void> usage_work::fits_counter(const usage_record& r) const {
  if (r.kind != metric_kind::counter) return {};
  const auto went_down = [] {
    return conflict("counter_went_down",
                    "a counter's total does not go down within a billing period");
  };
  const auto series = book_.series.find({r.key.metric, r.key.source});
  if (series != book_.series.end() && series->second.closed_value &&
      same_period(series->second.closed_window, r.key.window_start)) {
    const bool later = r.key.window_start > series->second.closed_window;
    const decimal known = *series->second.closed_value;
    if (later ? r.value < known : r.value > known) return went_down();
  }
  for (const auto& [key, other] : book_.open) {
    if (key.metric != r.key.metric || key.source != r.key.source) continue;
    if (other.state != usage_state::accepted || key == r.key) continue;
    if (!same_period(key.window_start, r.key.window_start)) continue;
    const bool later = r.key.window_start > key.window_start;
    if (later ? r.value < other.value : r.value > other.value) return went_down();
  }
  return {};
}

// The newest value of each source, added up; of counters only those of this billing period.
decimal usage_work::current(std::string_view metric) const {
  decimal sum;
  for (const auto& [name, series] : book_.series) {
    if (name.first != metric) continue;
    timestamp newest = series.closed_window;
    std::optional<decimal> value = series.closed_value;
    for (const auto& [key, r] : book_.open) {
      if (key.metric != metric || key.source != name.second) continue;
      if (r.state != usage_state::accepted || (value && key.window_start < newest)) continue;
      newest = key.window_start;
      value = r.value;
    }
    const bool counts =
        series.kind == metric_kind::gauge || !c_.period_start || newest >= *c_.period_start;
    if (value && counts) sum.micros += value->micros;
  }
  return sum;
}

void usage_work::tell_level(std::string_view metric, decimal value, allowance_level level) {
  const auto told = book_.told.find(metric);
  const allowance_level before = told == book_.told.end() ? allowance_level::within : told->second;
  if (level == before) return;
  for (event_draft& e : quota_events(before, level, metric, value, c_.allowed(metric))) {
    events_.push_back(std::move(e));
  }
  book_.told[std::string{metric}] = level;
}

// Puts it into the book, and takes it out again when a hard limit does not bear it.
result<usage_outcome> usage_work::judge(usage_record r, const usage_record* before) {
  const std::optional<usage_record> old = before == nullptr ? std::nullopt : std::optional{*before};
  const usage_effect effect = old ? usage_effect::corrected : usage_effect::recorded;
  const decimal was = current(r.key.metric);
  book_.series[{r.key.metric, r.key.source}].kind = r.kind;
  usage_record& kept = book_.open[r.key] = r;
  const decimal now = current(r.key.metric);
  const allowance a = c_.allowed(r.key.metric);
  const bool too_much = now > was && !allows(a, now);
  if (too_much) kept.state = usage_state::rejected;
  if (too_much && old && old->state == usage_state::accepted) kept = *old;  // that one stands
  changed_ = true;
  written_[r.key] = kept;
  // What was tried is told; what counts afterwards is kept, so the next try is told again only
  // after the level fell.
  tell_level(r.key.metric, now, level_of(a, now));
  if (too_much) return blocked(a);
  if (c_.tell_records) events_.push_back(about("usage.recorded", kept));
  return usage_outcome{kept, effect};
}

result<usage_outcome> usage_work::accept(const usage_report& report,
                                         const std::optional<usage_record>& stored) {
  const bool asked_to_go = c_.status == subscription_status::undeploy_sent;
  const bool takes = c_.status == subscription_status::deployed ||
                     c_.status == subscription_status::stopped || asked_to_go;
  if (!takes) return transition_not_allowed(to_string(c_.status), "report usage");
  auto checked_record = checked(report);
  if (!checked_record) return std::move(checked_record).failure();
  usage_record& r = *checked_record;
  const auto known = book_.open.find(r.key);
  const usage_record* before = known != book_.open.end() ? &known->second
                               : stored                  ? &*stored
                                                         : nullptr;
  if (report.fold && before != nullptr) r.value = folded(*report.fold, *before, r.value);
  const bool same = before != nullptr && before->value == r.value && !report.fold &&
                    (!report.window_end || before->window_end == r.window_end);
  if (same && before->state != usage_state::rejected) {
    return usage_outcome{*before, usage_effect::repeated};
  }
  if (same) return blocked(c_.allowed(r.key.metric));
  const bool open = closes_at(book_, r) > c_.now &&
                    (before == nullptr || closes_at(book_, *before) > c_.now) &&
                    (!stored || known != book_.open.end());
  if (!open || (book_.final_close && c_.now >= *book_.final_close)) return window_closed();
  if (before == nullptr && book_.open.size() >= limits::usage_open_windows_max) {
    return conflict("too_many_windows", "as many windows are open as there may be");
  }
  if (auto fits = fits_counter(r); !fits) return std::move(fits).failure();
  if (before != nullptr) {
    r.received_at = before->received_at;
    r.corrections = before->corrections + 1;
  }
  return judge(std::move(r), before);
}

void usage_work::close(const usage_key& key) {
  const auto found = book_.open.find(key);
  usage_record r = std::move(found->second);
  book_.open.erase(found);
  changed_ = true;
  if (r.state == usage_state::accepted) {
    r.state = usage_state::closed;
    usage_series& series = book_.series[{key.metric, key.source}];
    if (!series.closed_value || key.window_start >= series.closed_window) {
      series.closed_window = key.window_start;
      series.closed_value = r.value;
    }
    event_draft e = about("usage.window_closed", r);
    e.metadata["limit"] = std::to_string(c_.allowed(key.metric).limit);
    events_.push_back(std::move(e));
  }
  r.updated_at = c_.now;
  written_[key] = std::move(r);
}

void usage_work::close_due() {
  std::vector<usage_key> due;
  for (const auto& [key, r] : book_.open) {
    if (closes_at(book_, r) <= c_.now) due.push_back(key);
  }
  for (const usage_key& key : due) close(key);
}

void usage_work::close_all() {
  while (!book_.open.empty()) close(usage_key{book_.open.begin()->first});
}

void usage_work::begin_final() {
  if (book_.final_close) return;
  book_.final_close = c_.now + std::chrono::seconds{limits::usage_close_s};
  changed_ = true;
}

}  // namespace syndicated::core
