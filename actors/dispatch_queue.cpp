#include "actors/dispatch_queue.hpp"

#include <algorithm>
#include <limits>

#include "core/base/limits.hpp"
#include "core/base/log.hpp"
#include "core/delivery/endpoint_rules.hpp"
#include "store/keys.hpp"

namespace syndicated::actors {
namespace {

constexpr std::size_t scan_rows_max = 1'024;  // of the due index, in one refill
constexpr std::size_t scan_page_rows = 64;    // of those, the ones that are noted
constexpr std::size_t behind_max = 512;
// Lanes read in one refill: each costs some ten microseconds, and other endpoints wait meanwhile.
constexpr std::size_t loads_max = 4;
constexpr std::size_t cancel_page_rows = 256;
// Events of one lane in a row while others wait on disk. In a row is cheaper: its entity is awake.
constexpr std::uint32_t streak_max = 16;
constexpr std::chrono::milliseconds settle_patience = std::chrono::seconds{30};
constexpr std::chrono::milliseconds hold_max =
    std::chrono::seconds{core::limits::retry_after_s_max} + core::clock_correction;
// What was never tried is due at once, or some seconds after a trouble of our own.
constexpr std::chrono::milliseconds fresh_wait_max = std::chrono::minutes{1};

std::uint64_t as_ms(core::timestamp t) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, core::to_unix_ms(t)));
}

// A retry is due late, but its event is an old one.
core::timestamp age_of(const work_handle& work) {
  return std::max(work->lane.head_at, work->lane.replayed_at);
}

}  // namespace

void dispatch_queue::configure(std::shared_ptr<const core::endpoint> settings) {
  const bool was_active = active();
  const bool was_in_line = settings_ && in_line();
  if (settings_ && settings_->url != settings->url) ++address_;
  settings_ = std::move(settings);
  window_.set_max(settings_->concurrency_max);
  bucket_.configure(settings_->rate, s_.now());
  prepare();
  if (!active() || in_line() != was_in_line) {
    for (side* s : {&fresh_, &late_}) {
      for (const work_handle& work : s->ready) lanes_.erase(work->lane.key);
      s->ready.clear();
    }
    std::erase_if(lanes_, [](const auto& entry) { return entry.second.phase == phase::pausing; });
    look_at_disk_again();
  }
  if (active() && !was_active) {
    window_.restart();
    health_.resumed();
    not_before_.reset();
    look_at_disk_again();
  }
  publish_gauge();
}

// Rows that were held are not any more: they may stand before where the scans are.
void dispatch_queue::look_at_disk_again() {
  for (side* s : {&fresh_, &late_}) {
    s->more = true;
    s->scan_from_ms = 0;
    s->ahead_ms = 0;
    s->behind.clear();
  }
}

// The lane waits on disk and nobody holds it.
void dispatch_queue::goes_back(side& s, const core::lane& lane) {
  s.more = true;
  const std::uint64_t due_ms = store::due_place_of(lane).due_ms;
  if (in_line()) {
    fresh_.scan_from_ms = std::min(fresh_.scan_from_ms, due_ms);
  } else if (due_ms >= s.scan_from_ms) {
    return;  // where the next scan finds it
  } else if (s.behind.size() < behind_max) {
    s.behind.insert({due_ms, lane.key});
  } else {
    s.scan_from_ms = due_ms;
  }
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
  if (settings_->auth.kind != core::auth_kind::oauth2) {
    grant_.reset();
  } else if (!grant_ || !grant_->serves(settings_->auth)) {
    grant_ = std::make_shared<net::oauth2_grant>(settings_->auth, std::chrono::steady_clock::now,
                                                 &s_.token_fetches);
  }
  // Keys were checked when the endpoint was made; without a usable one nothing is sent.
  signer_ = std::make_unique<core::signer>(*settings_);
}

void dispatch_queue::ready(work_handle work, bool room) {
  const core::lane_key key = work->lane.key;
  const auto held = lanes_.find(key);
  const bool in_hand = held != lanes_.end() && held->second.phase != phase::settling &&
                       held->second.phase != phase::pausing;
  if (in_hand) return;
  // A refill may have read and sent a lane before the news of its commit came in: what its attempt
  // did is not settled yet, and the entity's word on that is still to come.
  if (held != lanes_.end() && held->second.head == work->lane.head) return;
  side& s = side_of(work->lane);
  const bool full = lanes_.size() >= core::limits::endpoint_window_max || !room;
  // While older lanes wait on disk, new ones queue behind them there, and so does one that has had
  // its turn. In one line for the whole endpoint the disk alone knows who is first.
  const bool waits =
      held == lanes_.end() ? full || s.more : s.more && held->second.streak >= streak_max;
  if (!active() || in_line() || waits) {
    if (held != lanes_.end()) lanes_.erase(held);
    return goes_back(s, work->lane);
  }
  held_lane& lane = lanes_[key];
  lane.phase = phase::queued;
  lane.head = {};
  ++lane.streak;
  // Thousands may wait: what is large is read again when its turn comes.
  const bool large =
      work->event && work->event->data.size() > core::limits::waiting_event_bytes_max;
  if (large && !s.ready.empty()) {
    work = std::make_shared<lane_work>(lane_work{work->lane, nullptr});
  }
  s.ready.push_back(std::move(work));
}

void dispatch_queue::rests(const core::lane_key& lane, std::optional<core::timestamp> due) {
  const auto held = lanes_.find(lane);
  if (held != lanes_.end() && held->second.phase == phase::settling) lanes_.erase(held);
  if (!due) return;
  for (side* s : {&fresh_, &late_}) s->scan_from_ms = std::min(s->scan_from_ms, as_ms(*due));
  keep_earlier(due_, *due);
}

void dispatch_queue::barred(const core::lane_key& lane, core::timestamp until) {
  const auto held = lanes_.find(lane);
  if (held == lanes_.end() || held->second.phase != phase::settling) return;
  held->second.phase = phase::barred;
  held->second.since = until;
}

bool dispatch_queue::may_send(core::timestamp now) const {
  return active() && in_flight_ < window_.limit() && !is_held(now);
}

bool dispatch_queue::is_held(core::timestamp now) const {
  return not_before_ && core::waits(*not_before_, hold_max, now);
}

std::chrono::milliseconds dispatch_queue::longest_wait(store::due_side kind) const {
  if (kind == store::due_side::fresh) return fresh_wait_max;
  const auto delivery = s_.delivery.load();
  const auto& own = settings_->retry_schedule;
  return core::longest_wait(own.empty() ? delivery->schedule : own, delivery->jitter);
}

std::optional<core::timestamp> dispatch_queue::waits_until(const core::lane& lane,
                                                           core::timestamp now) const {
  const auto longest = longest_wait(store::due_place_of(lane).side);
  std::optional<core::timestamp> until;
  // Each by itself: a place in the line that is ahead of the clock does not end the pause.
  for (const core::timestamp t : {lane.due, lane.not_before}) {
    if (core::waits(t, longest, now) && (!until || *until < t)) until = t;
  }
  return until;
}

sendable dispatch_queue::can_send(core::timestamp now, bool room) {
  if (!may_send(now) || (fresh_.ready.empty() && late_.ready.empty())) return sendable::nothing;
  if (!bucket_.has(now)) return sendable::rate_limit;
  if (!fresh_.ready.empty()) return sendable::now;
  if (!budget_.allows_retry(s_.delivery.load()->protection.retry_share, now)) {
    return sendable::retry_budget;
  }
  return room ? sendable::now : sendable::room_for_retry;
}

work_handle dispatch_queue::take(core::timestamp now, bool room) {
  bool late = fresh_.ready.empty();
  if (!late && !late_.ready.empty() && late_turn_) {
    late = room && budget_.allows_retry(s_.delivery.load()->protection.retry_share, now);
  }
  late_turn_ = !late;
  return take_from(late ? late_ : fresh_, now);
}

work_handle dispatch_queue::take_probe(core::timestamp now) {
  const bool late =
      fresh_.ready.empty() ||
      (!late_.ready.empty() && age_of(late_.ready.front()) <= age_of(fresh_.ready.front()));
  return take_from(late ? late_ : fresh_, now);
}

std::optional<core::timestamp> dispatch_queue::oldest(core::timestamp now) const {
  if (!may_send(now) || !bucket_.has(now)) return std::nullopt;
  std::optional<core::timestamp> first;
  for (const side* s : {&fresh_, &late_}) {
    if (!s->ready.empty()) keep_earlier(first, age_of(s->ready.front()));
  }
  return first;
}

work_handle dispatch_queue::take_from(side& s, core::timestamp now) {
  work_handle work = std::move(s.ready.front());
  s.ready.pop_front();
  bucket_.take(now);
  held_lane& held = lanes_[work->lane.key];
  held.phase = phase::in_flight;
  if (journal_ != nullptr) held.slot = journal_->began(work->lane.key, work->lane.head);
  ++in_flight_;
  budget_.began(work->lane.attempts > 0, now);
  publish_gauge();
  return work;
}

void dispatch_queue::landed(const work_handle& work) {
  --in_flight_;
  if (journal_ != nullptr) journal_->ended(lanes_[work->lane.key].slot);
}

void dispatch_queue::settles(const work_handle& work, core::timestamp now,
                             const std::shared_ptr<const lane_report>& report) {
  held_lane& lane = lanes_[work->lane.key];
  lane.phase = phase::settling;
  lane.since = now;
  lane.head = work->lane.head;
  lane.report = report;
  lane.slot = flight_journal::none;
}

void dispatch_queue::bar_suspect(const core::lane_key& lane) {
  lanes_[lane] = {phase::suspect, {}, {}, {}, flight_journal::none};
}

work_handle dispatch_queue::take_suspect(core::lane lane, flight_journal::slot slot,
                                         core::timestamp now) {
  lanes_[lane.key] = {phase::in_flight, {}, {}, {}, slot};
  journal_->tried(slot);
  ++in_flight_;
  bucket_.take(now);
  budget_.began(lane.attempts > 0, now);
  publish_gauge();
  return std::make_shared<lane_work>(lane_work{std::move(lane), nullptr});
}

void dispatch_queue::release_suspect(const core::lane_key& lane) {
  lanes_.erase(lane);
  look_at_disk_again();
}

void dispatch_queue::park_suspect(const core::lane& lane, core::timestamp now,
                                  const std::shared_ptr<const lane_report>& report) {
  lanes_[lane.key] = {phase::settling, now, lane.head, report, flight_journal::none};
}

void dispatch_queue::returned(const work_handle& work) {
  landed(work);
  lanes_.erase(work->lane.key);
  publish_gauge();
}

void dispatch_queue::returned(const work_handle& work, core::timestamp now,
                              const std::shared_ptr<const lane_report>& report) {
  landed(work);
  bucket_.give_back(now);
  if (work->lane.attempts > 0) budget_.retry_not_sent();
  settles(work, now, report);
  publish_gauge();
}

void dispatch_queue::finished(const work_handle& work, const core::verdict& verdict, int status,
                              core::timestamp now,
                              const std::shared_ptr<const lane_report>& report) {
  landed(work);
  gauge_.last_status = status;
  settles(work, now, report);
  // A refusal, too, shows that the endpoint keeps up.
  if (verdict.kind == core::response_class::overload) {
    window_.on_overload();
  } else if (verdict.of_origin) {
    window_.on_success();
  }
  if (verdict.kind == core::response_class::delivered) {
    if (work->lane.attempts > 0) budget_.retry_delivered();
    gauge_.last_success = now;
    gauge_.last_error.clear();
  } else {
    gauge_.last_failure = now;
    gauge_.last_error = verdict.error;
  }
  if (verdict.retry_after) hold_until(now + *verdict.retry_after, now);
  publish_gauge();
}

void dispatch_queue::hold_until(core::timestamp until, core::timestamp now) {
  if (!is_held(now) || *not_before_ < until) not_before_ = until;
}

// False: the lane is not what its row said, and its entity's word on that is still to come.
bool dispatch_queue::load_row(side& from, const store::due_row& row, core::timestamp now) {
  auto lane = s_.repo.find(row.lane);
  if (!lane) {
    from.scan_from_ms = std::min(from.scan_from_ms, row.due_ms);
    from.more = true;
    return false;
  }
  if (!*lane || (*lane)->state != core::lane_state::pending) return false;
  if (const auto until = waits_until(**lane, now)) {
    // It failed in the endpoint's line, which the endpoint has left meanwhile.
    if (until == (*lane)->not_before) {
      lanes_[row.lane] = {phase::pausing, *until, {}, {}, flight_journal::none};
    }
    return false;
  }
  lanes_[row.lane] = {phase::queued, {}, {}, {}, flight_journal::none};
  side& s = side_of(**lane);
  s.ready.push_back(std::make_shared<lane_work>(lane_work{std::move(**lane), nullptr}));
  return true;
}

// Late retries get at most half of the window, so that fresh events always find a place.
std::size_t dispatch_queue::refill(core::timestamp now, std::size_t room) {
  if (!active()) return 0;
  if (in_line()) return refill_line(now);
  constexpr std::size_t late_max = core::limits::endpoint_window_max / 2;
  std::size_t space =
      std::min(room, core::limits::endpoint_window_max -
                         std::min(core::limits::endpoint_window_max, lanes_.size()));
  due_.reset();
  const std::size_t late_space = std::min(space, late_max - std::min(late_max, late_.ready.size()));
  const std::size_t late = refill_side(late_, now, late_space);
  return late + refill_side(fresh_, now, space - late);
}

void dispatch_queue::keep_few(std::size_t count) {
  while (queued() > count) {
    side& s = late_.ready.size() > fresh_.ready.size() ? late_ : fresh_;
    const core::lane lane = s.ready.back()->lane;
    s.ready.pop_back();
    lanes_.erase(lane.key);
    goes_back(s, lane);
  }
}

// A parked stream holds the line until it is replayed or discarded, unless the owner wants such
// events skipped. Replays that were parked stand beside the line.
bool dispatch_queue::line_is_held() {
  if (settings_->on_exhausted == core::exhausted_policy::skip) return false;
  bool held = false;
  std::size_t rows = 0;
  const auto scanned = s_.repo.due_lanes(id_, store::due_side::parked, store::due_side::parked, {},
                                         [&](const core::lane_key& key, std::string_view) {
                                           held = !key.replay;
                                           return !held && ++rows < scan_rows_max;
                                         });
  return held || !scanned;
}

// What stands ahead of the clock is older than what has come since that was set back.
bool dispatch_queue::first_ahead(side& s, core::timestamp now, std::vector<core::lane_key>& to) {
  s.ahead_ms = 0;
  return s_.repo
      .due_rows(id_, {s.kind, ahead_of(s, now)},
                [&](store::due_row&& row) {
                  if (s.ahead_ms != 0 && row.due_ms > s.ahead_ms) return false;
                  s.ahead_ms = row.due_ms;
                  to.push_back(row.lane);
                  return to.size() < scan_rows_max;
                })
      .ok();
}

// One at a time: the lane whose head is the oldest, however its last attempt went.
std::size_t dispatch_queue::refill_line(core::timestamp now) {
  due_.reset();
  fresh_.more = true;
  late_.more = false;
  if (!lanes_.empty() || line_is_held()) return 0;
  std::vector<core::lane_key> first;
  std::uint64_t first_ms = std::numeric_limits<std::uint64_t>::max();
  bool scanned = true;
  for (const auto kind : {store::due_side::fresh, store::due_side::late}) {
    scanned &= s_.repo
                   .due_rows(id_, {kind, fresh_.scan_from_ms},
                             [&](store::due_row&& row) {
                               if (row.due_ms > first_ms) return false;
                               if (row.due_ms < first_ms) first.clear();
                               first_ms = row.due_ms;
                               first.push_back(row.lane);
                               return first.size() < scan_rows_max;
                             })
                   .ok();
  }
  if (fresh_.ahead_ms != 0 || late_.ahead_ms != 0) {
    // A retry changes its side and not its place.
    for (side* s : {&fresh_, &late_}) scanned &= first_ahead(*s, now, first);
  }
  std::optional<core::lane> head;
  for (const core::lane_key& key : first) {
    auto lane = s_.repo.find(key);
    if (!lane || !*lane) continue;
    if (!head || (*lane)->head < head->head) head = std::move(**lane);
  }
  if (!scanned || !head) return 0;
  fresh_.scan_from_ms = first_ms;
  due_ = waits_until(*head, now);
  if (due_) return 0;
  lanes_[head->key] = {phase::queued, {}, {}, {}};
  side& s = side_of(*head);
  s.ready.push_back(std::make_shared<lane_work>(lane_work{std::move(*head), nullptr}));
  return 1;
}

// The first that is due, if any: the oldest, or else one from ahead of the clock.
std::set<store::due_row>::iterator dispatch_queue::next_behind(side& s, core::timestamp now) {
  const auto first = s.behind.begin();
  if (first == s.behind.end() || first->due_ms <= as_ms(now)) return first;
  return s.behind.lower_bound({ahead_of(s, now), {}});
}

// Those that the scan has passed: they are the oldest.
std::size_t dispatch_queue::load_behind(side& s, core::timestamp now, std::size_t space) {
  std::size_t loaded = 0;
  for (auto next = next_behind(s, now); loaded < space && next != s.behind.end();
       next = next_behind(s, now)) {
    const store::due_row row = *next;
    s.behind.erase(next);
    if (!lanes_.contains(row.lane)) loaded += load_row(s, row, now) ? 1 : 0;
  }
  // The clock was set back a little, or `now` is a late tick's.
  if (loaded < space && !s.behind.empty()) {
    const std::uint64_t first_ms = s.behind.begin()->due_ms;
    keep_earlier(due_, core::from_unix_ms(static_cast<std::int64_t>(first_ms)));
  }
  return loaded;
}

// The scan goes on: what it finds is noted, and behind it then.
bool dispatch_queue::scan_page(side& s, core::timestamp now) {
  std::size_t rows = 0;
  std::size_t noted = 0;
  std::uint64_t last_ms = 0;
  std::optional<std::uint64_t> stopped_ms;
  auto scanned = s_.repo.due_rows(id_, {s.kind, s.scan_from_ms}, [&](store::due_row&& row) {
    if (row.due_ms > as_ms(now)) {
      keep_earlier(due_, core::from_unix_ms(static_cast<std::int64_t>(row.due_ms)));
      return false;
    }
    // Ends between two times only, so that the next scan can go on from there.
    const bool ended = rows >= scan_rows_max && row.due_ms != last_ms;
    const bool is_new = !lanes_.contains(row.lane);
    if (ended || (is_new && noted >= scan_page_rows)) {
      stopped_ms = row.due_ms;
      return false;
    }
    ++rows;
    last_ms = row.due_ms;
    noted += is_new && s.behind.insert(row).second ? 1 : 0;
    return true;
  });
  if (!scanned) {
    core::log(core::log_level::error, "dispatcher", "cannot read due lanes",
              {{"endpoint", id_.value}, {"detail", scanned.failure().detail}});
    due_ = now + std::chrono::seconds{1};
    return false;
  }
  s.scan_from_ms = stopped_ms.value_or(std::max(s.scan_from_ms, as_ms(now)));
  s.more = stopped_ms.has_value();
  return true;
}

// Where rows begin that wait for longer than any may.
std::uint64_t dispatch_queue::ahead_of(const side& s, core::timestamp now) const {
  return as_ms(now + longest_wait(s.kind)) + 1;
}

void dispatch_queue::look_ahead(core::timestamp now) {
  if (!active()) return;
  const auto counted = s_.committer.counters_of(id_);
  if (counted.accepted == counted.delivered + counted.parked + counted.cancelled) return;
  for (side* s : {&fresh_, &late_}) {
    if (s->ahead_ms != 0) continue;
    // One that cannot be read is looked for again in the next sweep.
    (void)s_.repo.due_rows(id_, {s->kind, ahead_of(*s, now)}, [s](store::due_row&& row) {
      s->ahead_ms = row.due_ms;
      return false;
    });
    s->more |= s->ahead_ms != 0;
  }
}

void dispatch_queue::scan_ahead(side& s, core::timestamp now) {
  if (s.ahead_ms == 0) return;
  std::size_t noted = 0;
  const std::uint64_t from = std::max(ahead_of(s, now), std::exchange(s.ahead_ms, 0));
  (void)s_.repo.due_rows(id_, {s.kind, from}, [&](store::due_row&& row) {
    if (lanes_.contains(row.lane) || s.behind.contains(row)) return true;
    if (noted == scan_page_rows) {
      s.ahead_ms = row.due_ms;
      return false;
    }
    ++noted;
    s.behind.insert(row);
    return true;
  });
}

std::size_t dispatch_queue::refill_side(side& s, core::timestamp now, std::size_t space) {
  space = std::min(space, loads_max);
  std::size_t loaded = load_behind(s, now, space);
  if (loaded < space && next_behind(s, now) == s.behind.end()) {
    if (!scan_page(s, now)) return loaded;
    scan_ahead(s, now);
    loaded += load_behind(s, now, space - loaded);
  } else {
    s.more = true;  // for all that is known
  }
  s.more |= !s.behind.empty() || s.ahead_ms != 0;
  // A long stretch of rows that are held or gone: the next look goes on behind it.
  if (s.more && s.ready.empty()) keep_earlier(due_, now + std::chrono::milliseconds{100});
  return loaded;
}

void dispatch_queue::end_stored() {
  // A parked lane stays so when its endpoint is disabled; of a deleted one it goes, too.
  const auto last = deleted() ? store::due_side::parked : store::due_side::late;
  std::vector<core::lane_key> page;
  auto scanned = s_.repo.due_lanes(id_, store::due_side::fresh, last, {},
                                   [&](const core::lane_key& key, std::string_view) {
                                     if (!lanes_.contains(key)) page.push_back(key);
                                     return page.size() < cancel_page_rows;
                                   });
  fresh_.more = scanned.ok() && page.size() >= cancel_page_rows;
  for (const core::lane_key& key : page) {
    auto report = std::make_shared<lane_report>();
    lanes_[key] = {phase::settling, s_.now(), {}, report, flight_journal::none};
    report->open = s_.open_reports;
    report->lane = key;
    report->whole = deleted() ? lane_report::end::cancelled : lane_report::end::parked;
    s_.report_to_shard(std::move(report));
  }
}

void dispatch_queue::give_up_waiting(core::timestamp now) {
  const auto pause_max = longest_wait(store::due_side::late);
  const auto removed = std::erase_if(lanes_, [now, pause_max](const auto& entry) {
    const held_lane& lane = entry.second;
    if (lane.phase == phase::barred) return !core::waits(lane.since, entity_quarantine, now);
    if (lane.phase == phase::pausing) return !core::waits(lane.since, pause_max, now);
    // Not while its outcome is still on its way: it would be sent twice.
    return lane.phase == phase::settling && lane.report.expired() &&
           !core::waits(lane.since + settle_patience, settle_patience, now);
  });
  if (removed > 0) look_at_disk_again();
  if (!not_before_ || is_held(now)) return;
  not_before_.reset();
  publish_gauge();
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
  gauge_.failing_since = deleted() ? std::nullopt : health_.failing_since();
  s_.gauges.set(id_, gauge_);
}

}  // namespace syndicated::actors
