#include "actors/dispatch_queue.hpp"

#include <algorithm>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "store/keys.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t scan_rows_max = 1'024;  // of the due index, in one refill
constexpr std::size_t cancel_page_rows = 256;
constexpr std::chrono::milliseconds settle_patience = std::chrono::seconds{30};

std::uint64_t as_ms(core::timestamp t) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, core::to_unix_ms(t)));
}

void keep_earlier(std::optional<core::timestamp>& slot, core::timestamp t) {
  if (!slot || t < *slot) slot = t;
}

}  // namespace

void dispatch_queue::configure(std::shared_ptr<const core::endpoint> settings) {
  const bool was_active = active();
  settings_ = std::move(settings);
  window_.set_max(settings_->concurrency_max);
  bucket_.configure(settings_->rate, s_.now());
  prepare();
  if (!active()) {
    for (const work_handle& work : ready_) lanes_.erase(work->lane.key);
    ready_.clear();
    more_on_disk_ = true;
  } else if (!was_active) {
    window_.restart();
    not_before_.reset();
    more_on_disk_ = true;
  }
  publish_gauge();
}

void dispatch_queue::prepare() {
  const auto delivery = s_.delivery.load();
  const std::string agent = delivery ? delivery->user_agent : "syndicated";
  std::vector<std::string> lines{"Content-Type: application/json; charset=utf-8",
                                 "Accept: application/json", "User-Agent: " + agent};
  for (std::string& line : core::owner_header_lines(*settings_)) lines.push_back(std::move(line));
  headers_ = std::make_shared<const std::vector<std::string>>(std::move(lines));
  tls_.reset();
  if (!settings_->identity.certificate.empty() || !settings_->ca.empty()) {
    tls_ = std::make_shared<const net::tls_material>(
        net::tls_material{settings_->identity.certificate, settings_->identity.key, settings_->ca});
  }
  // Keys were checked when the endpoint was made; without a usable one nothing is sent.
  signer_ = std::make_unique<core::signer>(*settings_);
}

void dispatch_queue::ready(work_handle work, bool room) {
  const core::lane_key key = work->lane.key;
  const auto held = lanes_.find(key);
  if (held != lanes_.end() && held->second.phase != phase::settling) return;
  // A refill may have read and sent a lane before the news of its commit came in: what its attempt
  // did is not settled yet, and the entity's word on that is still to come.
  if (held != lanes_.end() && held->second.head == work->lane.head) return;
  scan_from_ms_ = std::min(scan_from_ms_, as_ms(work->lane.due));
  const bool full = lanes_.size() >= core::limits::endpoint_window_max || !room;
  // While older lanes wait on disk, new ones queue behind them there.
  if (!active() || (held == lanes_.end() && (full || more_on_disk_))) {
    if (held != lanes_.end()) lanes_.erase(held);
    more_on_disk_ = true;
    return;
  }
  lanes_[key] = {phase::queued, {}};
  ready_.push_back(std::move(work));
}

void dispatch_queue::rests(const core::lane_key& lane, std::optional<core::timestamp> due) {
  const auto held = lanes_.find(lane);
  if (held != lanes_.end() && held->second.phase == phase::settling) lanes_.erase(held);
  if (!due) return;
  scan_from_ms_ = std::min(scan_from_ms_, as_ms(*due));
  keep_earlier(due_, *due);
}

bool dispatch_queue::can_send(core::timestamp now) const {
  return active() && !ready_.empty() && in_flight_ < window_.limit() &&
         (!not_before_ || *not_before_ <= now) && bucket_.has(now);
}

work_handle dispatch_queue::take() {
  work_handle work = std::move(ready_.front());
  ready_.pop_front();
  bucket_.take(s_.now());
  lanes_[work->lane.key].phase = phase::in_flight;
  ++in_flight_;
  publish_gauge();
  return work;
}

void dispatch_queue::returned(const work_handle& work) {
  --in_flight_;
  lanes_.erase(work->lane.key);
  publish_gauge();
}

void dispatch_queue::returned(const work_handle& work, core::timestamp now) {
  --in_flight_;
  lanes_[work->lane.key] = {phase::settling, now, work->lane.head};
  publish_gauge();
}

void dispatch_queue::finished(const work_handle& work, const core::verdict& verdict, int status,
                              core::timestamp now) {
  --in_flight_;
  gauge_.last_status = status;
  lanes_[work->lane.key] = {phase::settling, now, work->lane.head};
  if (verdict.kind == core::response_class::delivered) {
    window_.on_success();
    gauge_.last_success = now;
    gauge_.last_error.clear();
  } else {
    if (verdict.kind == core::response_class::overload) window_.on_overload();
    gauge_.last_failure = now;
    gauge_.last_error = verdict.error;
  }
  if (verdict.retry_after) hold_until(now + *verdict.retry_after);
  publish_gauge();
}

void dispatch_queue::hold_until(core::timestamp until) {
  if (!not_before_ || *not_before_ < until) not_before_ = until;
}

bool dispatch_queue::load_row(const core::lane_key& key) {
  auto lane = s_.repo.find(key);
  if (!lane || !*lane || (*lane)->state != core::lane_state::pending) return false;
  lanes_[key] = {phase::queued, {}};
  ready_.push_back(std::make_shared<lane_work>(lane_work{std::move(**lane), nullptr}));
  return true;
}

std::size_t dispatch_queue::refill(core::timestamp now, std::size_t room) {
  if (!active()) return 0;
  const std::size_t space =
      std::min(room, core::limits::endpoint_window_max -
                         std::min(core::limits::endpoint_window_max, lanes_.size()));
  std::vector<core::lane_key> wanted;
  std::size_t rows = 0;
  std::optional<std::uint64_t> first_due;
  bool more = false;
  due_.reset();
  auto scanned =
      s_.repo.due_lanes(id_, scan_from_ms_, store::parked_due_ms, {},
                        [&](const core::lane_key& key, std::uint64_t due_ms, std::string_view) {
                          if (!first_due) first_due = due_ms;
                          if (due_ms > as_ms(now)) {
                            due_ = core::from_unix_ms(static_cast<std::int64_t>(due_ms));
                            return false;
                          }
                          if (!lanes_.contains(key)) wanted.push_back(key);
                          more = ++rows >= scan_rows_max || wanted.size() > space;
                          return !more;
                        });
  if (!scanned) {
    core::log(core::log_level::error, "dispatcher", "cannot read due lanes",
              {{"endpoint", id_.value}, {"detail", scanned.failure().detail}});
    due_ = now + std::chrono::seconds{1};
    return 0;
  }
  if (wanted.size() > space) wanted.resize(space);
  if (first_due) scan_from_ms_ = *first_due;
  more_on_disk_ = more;
  std::size_t loaded = 0;
  for (const core::lane_key& key : wanted) loaded += load_row(key) ? 1 : 0;
  return loaded;
}

void dispatch_queue::end_stored() {
  // A parked lane stays so when its endpoint is disabled; of a deleted one it goes, too.
  const std::uint64_t until = store::parked_due_ms + (deleted() ? 1 : 0);
  std::vector<core::lane_key> page;
  auto scanned = s_.repo.due_lanes(id_, 0, until, {},
                                   [&](const core::lane_key& key, std::uint64_t, std::string_view) {
                                     if (!lanes_.contains(key)) page.push_back(key);
                                     return page.size() < cancel_page_rows;
                                   });
  more_on_disk_ = scanned.ok() && page.size() >= cancel_page_rows;
  for (const core::lane_key& key : page) {
    lanes_[key] = {phase::settling, s_.now()};
    auto report = std::make_shared<lane_report>();
    report->open = s_.open_reports;
    report->lane = key;
    report->whole = deleted() ? lane_report::end::cancelled : lane_report::end::parked;
    s_.report_to_shard(std::move(report));
  }
}

void dispatch_queue::give_up_waiting(core::timestamp now) {
  const auto removed = std::erase_if(lanes_, [now](const auto& entry) {
    return entry.second.phase == phase::settling && now - entry.second.since > settle_patience;
  });
  if (removed > 0) more_on_disk_ = true;
}

std::optional<core::timestamp> dispatch_queue::rate_limited_until(core::timestamp now) const {
  if (!bucket_.limited() || !active() || ready_.empty()) return std::nullopt;
  return bucket_.next(now);
}

std::optional<core::timestamp> dispatch_queue::next_look() const {
  if (!active()) return std::nullopt;
  auto next = due_;
  if (not_before_ && *not_before_ > s_.now()) keep_earlier(next, *not_before_);
  return next;
}

void dispatch_queue::publish_gauge() {
  gauge_.in_flight = in_flight_;
  gauge_.concurrency_limit = window_.limit();
  gauge_.not_before = not_before_;
  s_.gauges.set(id_, gauge_);
}

}  // namespace syndicated::actors
